package render

// Names are the words of a locale that dates need.
type Names struct {
	Months, MonthsShort [12]string
	Days, DaysShort     [7]string // from Sunday
	Meridiem            [4]string // am, pm, AM, PM

	Declines bool // a month beside its day stands in the genitive
	Genitive [12]string
}

// English is what WordPress says without a language pack.
func English() *Names {
	return &Names{
		Months: [12]string{
			"January", "February", "March", "April", "May", "June",
			"July", "August", "September", "October", "November", "December",
		},
		MonthsShort: [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		Days:        [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		DaysShort:   [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
		Meridiem:    [4]string{"am", "pm", "AM", "PM"},
	}
}
