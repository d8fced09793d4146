package web

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

// The pages' times are in UTC, as those in the log of a server are.

// clock is a time of today, or the day and the time.
func clock(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch y, m, d := now.Date(); {
	case t.IsZero():
		return "–"
	case t.Year() == y && t.Month() == m && t.Day() == d:
		return t.Format("15:04:05")
	case t.Year() == y:
		return t.Format("2 Jan 15:04")
	}
	return t.Format("2 Jan 2006 15:04")
}

// span is how long something takes, in the two largest units that matter, with spaces that do not break.
func span(d time.Duration) string {
	const space = "\u00a0"
	switch {
	case d < 0:
		return "0" + space + "s"
	case d < time.Second:
		return fmt.Sprintf("%d%sms", d.Milliseconds(), space)
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f%ss", d.Seconds(), space)
	case d < 2*time.Minute:
		return fmt.Sprintf("%d%ss", int(d.Seconds()), space)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d%smin", int(d.Minutes()), space)
	case d < 10*time.Hour:
		return fmt.Sprintf("%d%sh %d%smin", int(d.Hours()), space, int(d.Minutes())%60, space)
	case d < 72*time.Hour:
		return fmt.Sprintf("%d%sh", int(d.Hours()), space)
	}
	return fmt.Sprintf("%d%sdays", int(d.Hours())/24, space)
}

// number is one with commas between its thousands.
func number(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// amount is a size in its largest unit.
func amount(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f\u00a0KB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f\u00a0MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f\u00a0GB", float64(n)/1e9)
}

// count is a number and its noun: "1 delivery", "2,000 deliveries".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// inWords is a number up to ten as a word, with a capital when it begins a sentence.
func inWords(n int) string {
	words := [...]string{"Nothing", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"}
	if n < len(words) {
		return words[n]
	}
	return number(n)
}

// list is names as a sentence has them: "a, b and c".
func list(names []string, last string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + last + " " + names[len(names)-1]
}

// few is list, cut when it is long.
func few(names []string, last string) string {
	const most = 6
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return list(names, last)
}

// short is a name without the scheme and the usual port of a URL, which every endpoint has.
func short(endpoint string) string {
	name, https := strings.CutPrefix(endpoint, "https://")
	if https {
		return strings.TrimSuffix(name, ":443")
	}
	return endpoint
}

// words are what templates call.
func words() template.FuncMap {
	return template.FuncMap{
		"clock": clock, "span": span, "number": number, "amount": amount, "count": count, "list": list, "few": few, "short": short,
		"since": func(t, now time.Time) string { return span(now.Sub(t)) },
		"id8":   func(id string) string { return id[:min(8, len(id))] },
		"rest":  func(id string) string { return id[min(8, len(id)):] },
		"now":   func() time.Time { return time.Now().UTC() },
		"shown": func(name string) string {
			if n, ok := nouns[name]; ok {
				return n[0]
			}
			return strings.TrimPrefix(short(name), "custom.")
		},
		"number64": func(n int64) string { return number(int(n)) }, "amount64": func(n int) string { return amount(int64(n)) },
		"states": func() []field {
			return []field{{"waiting", "waiting"}, {"delivered", "delivered"}, {"dead letter", "dead"}, {"held", "held"}}
		},
		"options": func(names []string, is string) map[string]any {
			return map[string]any{"Names": names, "Is": is, "Other": is != "" && !slices.Contains(names, is)}
		},
		"chartOf": func(class, word string, c chart) map[string]any {
			return map[string]any{"Class": class, "Word": word, "Chart": c, "Label": c.label(word)}
		},
		"iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	}
}
