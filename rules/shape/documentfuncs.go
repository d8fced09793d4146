package shape

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// functions are what a Document can call besides what text/template has, and in place of what makes texts of any size there.
func functions() template.FuncMap {
	return template.FuncMap{
		"text":     limited(textOf),
		"raw":      limited(textOf),
		"urlquery": limited(func(v any) string { return url.QueryEscape(textOf(v)) }),
		"xml":      limited(escapeXML),
		"html":     limited(escapeXML),
		"js":       limited(func(v any) string { return template.JSEscapeString(textOf(v)) }),
		"json":     encode,
		"date":     date,
		"default":  withDefault,
		"each":     each,
		"print":    printed(fmt.Sprint),
		"println":  printed(fmt.Sprintln),
		"printf": func(format string, values ...any) (string, error) {
			return printed(func(v ...any) string { return fmt.Sprintf(format, v...) })(values...)
		},
	}
}

// limited keeps what a function makes within longestText.
func limited(f func(any) string) func(any) (string, error) {
	return func(v any) (string, error) { return within(f(v)) }
}

func printed(f func(...any) string) func(...any) (string, error) {
	return func(values ...any) (string, error) { return within(f(values...)) }
}

func within(text string) (string, error) {
	if len(text) > longestText {
		return "", fmt.Errorf("it is longer than %d KiB", longestText>>10)
	}
	return text, nil
}

// textOf is a value as a person writes it: nothing for nil, a number without an exponent.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case map[string]any, []any, []string:
		if text, err := encode(v); err == nil {
			return text
		}
	}
	return fmt.Sprint(v)
}

func escapeXML(v any) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(textOf(v))) // a Builder never fails
	return b.String()
}

func encode(v any) (string, error) {
	text, err := appendJSON(nil, v)
	if err != nil {
		return "", err
	}
	return within(string(text))
}

// withDefault is a value, or in place of nothing (nil, an empty text, 0, false) another.
func withDefault(other, v any) any {
	if yes, ok := template.IsTrue(v); ok && yes {
		return v
	}
	return other
}

// date writes a time in a layout of Go's: one in RFC 3339, as the database writes them, or seconds since 1970, which are shown
// in UTC. No time (nil, "", 0) is an empty text.
func date(layout string, v any) (string, error) {
	text := textOf(v)
	if text == "" || text == "0" {
		return "", nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return within(time.Unix(seconds, 0).UTC().Format(layout))
	}
	for _, known := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(known, text); err == nil {
			return within(t.Format(layout))
		}
	}
	return "", fmt.Errorf("date: %.40q is no time", text)
}

// each is what range may go over: a number, or what is made on the way, may have no end.
func each(v any) (any, error) {
	switch reflect.ValueOf(v).Kind() {
	case reflect.Invalid: // nil
		return []any(nil), nil
	case reflect.Slice, reflect.Map:
		return v, nil
	}
	return nil, fmt.Errorf("range goes over lists and objects, and this is %.40q", textOf(v))
}
