// Package words says numbers, times and lists as people read them. It imports nothing of ours.
package words

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Span is how long something takes, in the two largest units that matter.
func Span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 10*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	case d < 72*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// In is when something happens, from now on.
func In(d time.Duration) string {
	if d <= 0 {
		return "at once"
	}
	return "in " + Span(d)
}

// Number is one with commas between its thousands.
func Number(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Count is a number and its noun: "1 delivery", "2,000 deliveries".
func Count(n int, one, many string) string {
	return Number(n) + " " + Plural(n, one, many)
}

// Plural is the word for one, or for another number.
func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// List is names as a sentence has them: "a, b and c".
func List(names []string, last string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + last + " " + names[len(names)-1]
}

// Few is List, cut when it is long.
func Few(names []string, last string) string {
	const most = 6
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return List(names, last)
}

// Sentence is a text with a capital and an end.
func Sentence(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	first, n := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[n:]
	if strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

// Lower is a text that goes on in the middle of a sentence.
func Lower(text string) string {
	if text == "" {
		return ""
	}
	first, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToLower(first)) + text[n:]
}

// InWords is a number up to ten as a word that begins a sentence.
func InWords(n int) string {
	names := [...]string{"Nothing", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"}
	if n >= 0 && n < len(names) {
		return names[n]
	}
	return Number(n)
}

// Join makes one text of sentences, leaving out those that are empty.
func Join(sentences ...string) string {
	var all []string
	for _, s := range sentences {
		if s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, " ")
}

// Endpoint is an endpoint's name without the scheme and the usual port of a URL, which nearly every endpoint has.
func Endpoint(name string) string {
	rest, https := strings.CutPrefix(name, "https://")
	if https {
		return strings.TrimSuffix(rest, ":443")
	}
	return name
}
