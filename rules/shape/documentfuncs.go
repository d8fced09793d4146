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
		"print":    printer(fmt.Sprint),
		"println":  printer(fmt.Sprintln),
		"printf":   printf,
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
	names := []string{"and", "len", "not", "or", "slice"} // text/template's own
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
	atOnce   = 32 << 10 // bytes of a text that are escaped together
	widest   = 6        // times as long as a value is what a format makes of it: \xff\xff, or "0xff " of each byte
	perWidth = 1000     // of a verb of a format
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

// printer is a function that prints values one behind the other.
func printer(f func(...any) string) func(*budget, ...any) (string, error) {
	return func(b *budget, values ...any) (string, error) {
		return b.within(2, func() string { return f(values...) }, values...)
	}
}

// printf is fmt's, whose format was looked at when the template was read.
func printf(b *budget, format string, values ...any) (string, error) {
	verbs := strings.Count(format, "%")
	if err := b.room(verbs * perWidth); err != nil {
		return "", err
	}
	return b.within(1+widest*verbs, func() string { return fmt.Sprintf(format, values...) }, append([]any{format}, values...)...)
}

// within has a text made of values, so many times as long as they are at most.
func (b *budget) within(times int, text func() string, values ...any) (string, error) {
	most := min(b.work, b.made) / times
	size := min(deep(values, most), most+1) * times
	if err := errors.Join(b.room(size), b.spend(size)); err != nil {
		return "", err
	}
	made := text()
	return made, b.make(len(made))
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
