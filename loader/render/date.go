package render

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// AppendDate appends a time as PHP's date() does, with the names of a locale as WordPress puts them in. A letter that
// is no format stands for itself, a backslash takes the next letter's meaning. (PHP writes a NUL for one at the end.)
func AppendDate(b []byte, t time.Time, format string, n *Names) []byte {
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c == '\\' {
			if i++; i < len(format) {
				b = append(b, format[i])
			}
			continue
		}
		if c == 'F' && n.Declines && besideDay(format, i) {
			b = append(b, n.Genitive[t.Month()-1]...)
			continue
		}
		var ok bool
		if b, ok = appendDay(b, t, c, n); ok {
			continue
		}
		if b, ok = appendClock(b, t, c, n); ok {
			continue
		}
		b = append(b, c)
	}
	return b
}

// besideDay says whether the month at i stands behind its day (j F, j. F) or before it (F j).
func besideDay(format string, i int) bool {
	before := strings.TrimSuffix(strings.TrimSuffix(format[:i], " "), ".")
	day := func(s string) bool { return s == "d" || s == "j" }
	return len(before) > 0 && len(before) < i && format[i-1] == ' ' && day(before[len(before)-1:]) ||
		i+2 < len(format) && format[i+1] == ' ' && day(format[i+2:i+3])
}

// appendDay appends what a letter says of the day.
func appendDay(b []byte, t time.Time, letter byte, n *Names) ([]byte, bool) {
	year, month, day := t.Date()
	switch letter {
	case 'd':
		return appendPadded(b, day, 2), true
	case 'j':
		return strconv.AppendInt(b, int64(day), 10), true
	case 'D':
		return append(b, n.DaysShort[t.Weekday()]...), true
	case 'l':
		return append(b, n.Days[t.Weekday()]...), true
	case 'N':
		return strconv.AppendInt(b, int64(t.Weekday()+6)%7+1, 10), true
	case 'w':
		return strconv.AppendInt(b, int64(t.Weekday()), 10), true
	case 'S':
		return append(b, ordinal(day)...), true
	case 'z':
		return strconv.AppendInt(b, int64(t.YearDay()-1), 10), true
	case 'W':
		_, week := t.ISOWeek()
		return appendPadded(b, week, 2), true
	case 'o':
		year, _ = t.ISOWeek()
		return strconv.AppendInt(b, int64(year), 10), true
	case 'F':
		return append(b, n.Months[month-1]...), true
	case 'M':
		return append(b, n.MonthsShort[month-1]...), true
	case 'm':
		return appendPadded(b, int(month), 2), true
	case 'n':
		return strconv.AppendInt(b, int64(month), 10), true
	case 't':
		return strconv.AppendInt(b, int64(time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()), 10), true
	case 'L':
		return append(b, '0'+bit(time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).YearDay() == 366)), true
	case 'Y':
		return appendPadded(b, year, 4), true
	case 'y':
		return fmt.Appendf(b, "%02d", year%100), true
	case 'X', 'x':
		if year > 9999 || letter == 'X' && year >= 0 {
			b = append(b, '+')
		}
		return appendPadded(b, year, 4), true
	}
	return b, false
}

// appendClock appends what a letter says of the time of day and its zone.
func appendClock(b []byte, t time.Time, letter byte, n *Names) ([]byte, bool) {
	hour := t.Hour()
	switch letter {
	case 'a':
		return append(b, n.Meridiem[hour/12]...), true
	case 'A':
		return append(b, n.Meridiem[2+hour/12]...), true
	case 'B':
		const day = 24 * 60 * 60 // it begins at midnight in Biel, an hour before UTC's
		second := ((t.Unix()+60*60)%day + day) % day
		return appendPadded(b, int(second*1000/day), 3), true
	case 'g':
		return strconv.AppendInt(b, int64(hour+11)%12+1, 10), true
	case 'G':
		return strconv.AppendInt(b, int64(hour), 10), true
	case 'h':
		return appendPadded(b, (hour+11)%12+1, 2), true
	case 'H':
		return appendPadded(b, hour, 2), true
	case 'i':
		return appendPadded(b, t.Minute(), 2), true
	case 's':
		return appendPadded(b, t.Second(), 2), true
	case 'u':
		return appendPadded(b, t.Nanosecond()/1000, 6), true
	case 'v':
		return appendPadded(b, t.Nanosecond()/1_000_000, 3), true
	case 'U':
		return strconv.AppendInt(b, t.Unix(), 10), true
	case 'c':
		b = fmt.Appendf(b, "%04d", t.Year()) // of a year before 0 one digit less than Y
		return appendOffset(t.AppendFormat(b, "-01-02T15:04:05"), t, ":"), true
	case 'r':
		b = fmt.Appendf(t.AppendFormat(b, "Mon, 02 Jan "), "%04d", t.Year())
		return appendOffset(t.AppendFormat(b, " 15:04:05 "), t, ""), true
	}
	return appendZone(b, t, letter)
}

func appendZone(b []byte, t time.Time, letter byte) ([]byte, bool) {
	name, offset := t.Zone()
	switch letter {
	case 'e':
		return append(b, t.Location().String()...), true
	case 'I':
		return append(b, '0'+bit(t.IsDST())), true
	case 'O':
		return appendOffset(b, t, ""), true
	case 'P':
		return appendOffset(b, t, ":"), true
	case 'p':
		if name == "UTC" || name == "+00:00" { // not where it is UTC under another name, as in London
			return append(b, 'Z'), true
		}
		return appendOffset(b, t, ":"), true
	case 'T':
		if strings.Contains(name, ":") {
			return appendOffset(append(b, "GMT"...), t, ""), true
		}
		return append(b, name...), true // of zones without letters -03 or +1245
	case 'Z':
		return strconv.AppendInt(b, int64(offset), 10), true
	}
	return b, false
}

// appendOffset appends how far the zone is from UTC; its sign also where it is less than a minute, as before there were
// zones.
func appendOffset(b []byte, t time.Time, between string) []byte {
	_, seconds := t.Zone()
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Appendf(append(b, sign), "%02d%s%02d", seconds/3600, between, seconds/60%60)
}

// OffsetZone is the zone of an offset such as +02:00, +0200 or -3, by the name that PHP gives it; nil when s is none.
func OffsetZone(s string) *time.Location {
	sign, rest := 1, strings.TrimPrefix(s, "+")
	if rest == s {
		if sign, rest = -1, strings.TrimPrefix(s, "-"); rest == s {
			return nil
		}
	}
	hours, minutes, found := strings.Cut(rest, ":")
	if !found && len(rest) > 2 {
		hours, minutes = rest[:len(rest)-2], rest[len(rest)-2:]
	}
	if len(hours) > 2 || len(minutes) > 2 {
		return nil
	}
	h, err := strconv.ParseUint(hours, 10, 8)
	m := uint64(0)
	if err == nil && minutes != "" {
		m, err = strconv.ParseUint(minutes, 10, 8)
	}
	if err != nil || m > 59 {
		return nil
	}
	offset := sign * int(h*60+m) * 60
	name := appendOffset(nil, time.Unix(0, 0).In(time.FixedZone("", offset)), ":")
	return time.FixedZone(string(name), offset)
}

// ordinal is the English ending of a day's number.
func ordinal(day int) string {
	if day/10 == 1 {
		return "th"
	}
	switch day % 10 {
	case 1:
		return "st"
	case 2:
		return "nd"
	case 3:
		return "rd"
	}
	return "th"
}

func appendPadded(b []byte, n, width int) []byte {
	if n < 0 {
		return fmt.Appendf(b, "%0*d", width+1, n)
	}
	for p := 1; width > 1; width-- {
		if p *= 10; n < p {
			for range width - 1 {
				b = append(b, '0')
			}
			break
		}
	}
	return strconv.AppendInt(b, int64(n), 10)
}

func bit(is bool) byte {
	if is {
		return 1
	}
	return 0
}

// Time reads a date and time of the database, in UTC, as PHP does: parts that are out of range count on, so that the null
// date is the last of November of the year -1.
func Time(s string) time.Time {
	var part [6]int
	n := 0
	for field := range strings.FieldsFuncSeq(s, func(r rune) bool { return r < '0' || r > '9' }) {
		if n == len(part) {
			break
		}
		part[n], _ = strconv.Atoi(field) // digits; a number too large for an int is no date anyway
		n++
	}
	return time.Date(part[0], time.Month(part[1]), part[2], part[3], part[4], part[5], 0, time.UTC)
}
