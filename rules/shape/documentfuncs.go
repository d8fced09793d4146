package shape

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/vm/runtime"
)

// functions are what a Document can call besides what text/template has, and in place of what has no bound there. Each takes the
// budget first, which documentReader writes into every call.
func functions() template.FuncMap {
	return template.FuncMap{
		"text":     textOf,
		"raw":      textOf,
		"urlquery": escaper(url.QueryEscape),
		"xml":      escaper(escapeXML),
		"html":     escaper(escapeXML),
		"js":       escaper(template.JSEscapeString),
		"json":     encode,
		"date":     date,
		"default":  withDefault,
		"print":    printer(false, ""),
		"println":  printer(true, "\n"),
		"printf":   printf,
		"len":      length,
		"slice":    slice,
		"index":    index,
		"eq":       equals,
		"ne":       func(b *budget, v, other any) (bool, error) { same, err := b.equal(v, other); return !same, err },
		"lt":       inOrder(runtime.Less),
		"le":       inOrder(runtime.LessOrEqual),
		"gt":       inOrder(runtime.More),
		"ge":       inOrder(runtime.MoreOrEqual),
		eachName:   each,
		stepName:   func(b *budget, work int) (string, error) { return "", b.spend(work) },
		allName:    all,
	}
}

// documentFunctions are the names of those that a Document can call, sorted.
func documentFunctions() []string {
	names := []string{"and", "not", "or"} // text/template's own
	for name := range functions() {
		if !strings.HasSuffix(name, "_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// The names of functions that documentReader puts in, and that no person may write.
const (
	eachName = "each_"
	stepName = "step_"
	allName  = "all_"
)

const (
	atOnce  = 32 << 10 // bytes of a text that are escaped together
	perRune = 4        // bytes of a character that is counted
)

// escaper is a function that has each character of a value written in another way.
func escaper(escape func(string) string) func(*budget, any) (string, error) {
	return func(b *budget, v any) (string, error) {
		text, err := textOf(b, v)
		if err != nil {
			return "", err
		}
		var w strings.Builder
		for text != "" {
			piece := text[:min(len(text), atOnce)]
			for len(piece) < len(text) && len(piece) > 1 && !utf8.RuneStart(text[len(piece)]) {
				piece = piece[:len(piece)-1]
			}
			text = text[len(piece):]
			escaped := escape(piece)
			if err := errors.Join(b.spend(5*len(piece)), b.make(len(escaped))); err != nil {
				return "", err
			}
			w.WriteString(escaped)
		}
		return w.String(), nil
	}
}

// printer is a function that has values one behind the other, as a person writes them: with a space between all of them, or
// only between two of which neither is a text.
func printer(spaced bool, end string) func(*budget, ...any) (string, error) {
	return func(b *budget, values ...any) (string, error) {
		var w strings.Builder
		for i, v := range values {
			if i > 0 && (spaced || !isText(v) && !isText(values[i-1])) {
				w.WriteByte(' ')
			}
			text, err := textOf(b, v)
			if err == nil {
				err = errors.Join(b.spend(perValue), b.make(len(text)+1))
			}
			if err != nil {
				return "", err
			}
			w.WriteString(text)
		}
		return w.String() + end, nil
	}
}

// isText says whether a value is a text: NULL is an empty one.
func isText(v any) bool {
	_, is := v.(string)
	return is || v == nil
}

// length is how many characters a text has, or values a list or an object.
func length(b *budget, v any) (int, error) {
	if text, ok := textIn(v); ok {
		return utf8.RuneCountInString(text), b.spend(len(text))
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Slice, reflect.Map:
		return r.Len(), nil
	}
	return 0, fmt.Errorf("len takes a text, a list or an object, and this is %s", described(v))
}

// slice is a text from one of its characters to before another one, or a list so. What lies beyond the end is the end, as in expressions.
func slice(b *budget, v any, places ...any) (any, error) {
	if len(places) > 2 {
		return nil, errors.New("slice takes a text or a list, where it begins and where it ends")
	}
	if text, ok := textIn(v); ok {
		if err := errors.Join(b.spend(len(text)), b.make(len(text)*(1+perRune))); err != nil {
			return nil, err
		}
		characters := []rune(text)
		from, to, err := between(places, len(characters))
		return string(characters[from:to]), err
	}
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return nil, fmt.Errorf("slice takes a text or a list, and this is %s", described(v))
	}
	from, to, err := between(places, list.Len())
	return list.Slice(from, to).Interface(), err
}

// between is where a part of something begins and ends that has so many members. A place below 0 is counted from the end.
func between(places []any, length int) (from, to int, err error) {
	at := []int{0, length}
	for i, place := range places {
		whole, is := wholeOf(place)
		n, small := whole.(int)
		if !is || !small {
			return 0, 0, fmt.Errorf("slice counts in whole numbers, and this is %s", shownShort(place))
		}
		if n < 0 {
			n += length
		}
		at[i] = min(max(n, 0), length)
	}
	return min(at[0], at[1]), at[1], nil
}

// textIn is the text that a value is, if it is one.
func textIn(v any) (string, bool) {
	text, _ := v.(string)
	return text, isText(v)
}

// textOf is a value as a person writes it: nothing for nil, a number without an exponent.
func textOf(b *budget, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, b.spend(len(v))
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case bool, int, uint64:
		return fmt.Sprint(v), nil
	}
	return encode(b, v)
}

func escapeXML(text string) string {
	var w strings.Builder
	_ = xml.EscapeText(&w, []byte(text)) // a Builder never fails
	return w.String()
}

func encode(b *budget, v any) (string, error) {
	text, err := encoder{b, b.made, errMade}.append(nil, v)
	if err != nil {
		return "", err
	}
	return string(text), b.make(len(text))
}

// withDefault is a value, or in place of nothing (nil, an empty text, 0, false) another.
func withDefault(_ *budget, other, v any) any {
	if yes, ok := template.IsTrue(v); ok && yes {
		return v
	}
	return other
}

// date writes a time in a layout of Go's: one in RFC 3339, as the database writes them, or seconds since 1970, which are shown
// in UTC. No time (nil, "", 0) is an empty text.
func date(b *budget, layout string, v any) (string, error) {
	if err := shortWork(b, []any{layout, v}); err != nil {
		return "", err
	}
	text, err := textOf(b, v)
	if err != nil || text == "" || text == "0" {
		return "", err
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC().Format(layout), nil
	}
	for _, known := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(known, text); err == nil {
			return t.Format(layout), nil
		}
	}
	return "", fmt.Errorf("date: %.40q is no time", text)
}

// each is what range may go over: a number, or what is made on the way, may have no end.
func each(b *budget, v any) (any, error) {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Invalid: // nil
		return []any(nil), nil
	case reflect.Slice:
		return v, nil
	case reflect.Map: // whose names are sorted
		return v, b.spend(perCall * r.Len())
	}
	return nil, fmt.Errorf("range goes over lists and objects, and this is %s", described(v))
}

// all is a Document's values but for the budget.
func all(_ *budget, v map[string]any) map[string]any {
	shown := make(map[string]any, len(v))
	for name, value := range v {
		if name != budgetName {
			shown[name] = value
		}
	}
	return shown
}

// index is a member of a list or an object, and of that one, and so on.
func index(b *budget, v any, names ...any) (_ any, err error) {
	for _, name := range names {
		if name, err = named(b, []any{name}); err != nil {
			return nil, err
		}
		v = runtime.Fetch(v, name)
	}
	return v, nil
}

// equals says whether a value is one of some others. Numbers are compared by what they come to, whole or not.
func equals(b *budget, v any, others ...any) (bool, error) {
	if len(others) == 0 {
		return false, errors.New("eq compares a value with others, and there is no other")
	}
	for _, other := range others {
		if same, err := b.equal(v, other); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func inOrder(f func(a, b any) bool) func(*budget, any, any) (bool, error) {
	return func(b *budget, v, other any) (bool, error) {
		return f(v, other), flatWork(b, []any{v, other})
	}
}
