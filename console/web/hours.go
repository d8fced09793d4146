package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"rowhook/outbox"
)

// hoursOfDay are how many bars a chart has.
const hoursOfDay = 24

// firstHour is the oldest hour that a chart shows.
func (v *view) firstHour() time.Time {
	return v.now.Truncate(time.Hour).Add(-(hoursOfDay - 1) * time.Hour)
}

// hours are what was counted in the last day, by endpoint; read once for a page. A user of some sites gets none: what an endpoint
// was sent is of all its sites together.
func (v *view) hours() (map[string][]outbox.Hour, error) {
	if v.byHour != nil || !v.who.all() {
		return v.byHour, nil
	}
	log, err := v.c.open(v.q.Context())
	if err != nil {
		return nil, err
	}
	list, err := log.Hours(v.q.Context(), "", v.firstHour())
	if err != nil {
		return nil, err
	}
	v.byHour = map[string][]outbox.Hour{}
	for _, h := range list {
		v.byHour[h.Endpoint] = append(v.byHour[h.Endpoint], h)
	}
	return v.byHour, nil
}

// today is the last day of all endpoints; nil where it is not to be shown.
func (v *view) today() (*day, error) {
	byHour, err := v.hours()
	if err != nil || byHour == nil {
		return nil, err
	}
	first := v.firstHour()
	d := &day{Hours: make([]hour, hoursOfDay)}
	for i := range d.Hours {
		d.Hours[i].At = first.Add(time.Duration(i) * time.Hour)
	}
	for _, list := range byHour {
		for _, h := range list {
			if i := int(h.Start.Sub(first) / time.Hour); i >= 0 && i < hoursOfDay {
				d.Hours[i].Delivered += int(h.Delivered)
				d.Hours[i].Failed += int(h.Failed)
			}
		}
	}
	d.Delivered = newChart(d.Hours, func(h hour) int { return h.Delivered })
	d.Failed = newChart(d.Hours, func(h hour) int { return h.Failed })
	return d, nil
}

// spark is the success of an endpoint in the hours of a day.
type spark struct {
	Bars  template.HTML // rects
	Rate  string        // "99.2 %"; empty: nothing was tried
	Label string
	P95   time.Duration
}

// A bar is an hour in a picture of 96 by sparkHeight: as high as its success, and red when that was below wellFrom.
const wellFrom, sparkHeight = 0.95, 20

// sparkOf draws what was counted.
func (v *view) sparkOf(list []outbox.Hour) spark {
	var hours [hoursOfDay]outbox.Tally
	var all outbox.Tally
	for _, h := range list {
		if i := int(h.Start.Sub(v.firstHour()) / time.Hour); i >= 0 && i < hoursOfDay {
			hours[i], all = hours[i].Plus(h.Tally), all.Plus(h.Tally)
		}
	}
	var s spark
	var bars strings.Builder
	for i, t := range hours {
		class, height := "none", 2
		if n := t.Attempts(); n > 0 {
			part := float64(t.Delivered) / float64(n)
			if class = "ok"; part < wellFrom {
				class = "ko"
			}
			height = max(3, int(part*sparkHeight))
		}
		fmt.Fprintf(&bars, `<rect class="%s" x="%d" y="%d" width="3" height="%d"/>`, class, 4*i, sparkHeight-height, height)
	}
	s.Bars = template.HTML(bars.String()) // of numbers and our own words
	if n := all.Attempts(); n > 0 {
		s.Rate = percent(all.Delivered, n)
		s.P95 = all.Quantile(0.95)
		s.Label = fmt.Sprintf("%s of %s attempts in 24 hours succeeded", s.Rate, number(int(n)))
	} else {
		s.Label = "nothing was tried in 24 hours"
	}
	return s
}

// percent is a part of a whole. Only all is 100 %.
func percent(part, whole int64) string {
	p := 100 * float64(part) / float64(whole)
	if part == whole {
		return "100\u00a0%"
	}
	return fmt.Sprintf("%.1f\u00a0%%", min(p, 99.9))
}
