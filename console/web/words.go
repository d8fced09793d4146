package web

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"rowhook/words"
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

// span is how long something takes, with spaces that do not break.
func span(d time.Duration) string { return whole(words.Span(d)) }

// whole keeps a text on one line.
func whole(text string) string { return strings.ReplaceAll(text, " ", "\u00a0") }

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

// calls are what templates call.
func calls() template.FuncMap {
	return template.FuncMap{
		"clock": clock, "span": span, "number": words.Number, "amount": amount, "count": words.Count, "list": words.List, "few": words.Few, "short": words.Endpoint,
		"since": func(t, now time.Time) string { return span(now.Sub(t)) },
		"id8":   func(id string) string { return id[:min(8, len(id))] },
		"rest":  func(id string) string { return id[min(8, len(id)):] },
		"now":   func() time.Time { return time.Now().UTC() },
		"shown": func(name string) string {
			if n, ok := nouns[name]; ok {
				return n[0]
			}
			return strings.TrimPrefix(words.Endpoint(name), "custom.")
		},
		"number64": func(n int64) string { return words.Number(int(n)) }, "amount64": func(n int) string { return amount(int64(n)) },
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
