package shape

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm/runtime"
)

// operators are those that look at all of a text, or make one.
var operators = map[string]meteredFunction{
	"+":  added,
	"==": func(b *budget, of []any) (any, error) { return b.equal(of[0], of[1]) },
	"!=": func(b *budget, of []any) (any, error) {
		same, err := b.equal(of[0], of[1])
		return !same, err
	},
	"<":          compared(runtime.Less),
	"<=":         compared(runtime.LessOrEqual),
	">":          compared(runtime.More),
	">=":         compared(runtime.MoreOrEqual),
	"in":         isIn,
	"contains":   ofTexts(strings.Contains),
	"startsWith": ofTexts(strings.HasPrefix),
	"endsWith":   ofTexts(strings.HasSuffix),
	"matches":    matched,
}

// passing are functions that return what they are given, when it is small enough for what it is used as.
var passing = map[string]meteredFunction{
	"step": func(b *budget, of []any) (any, error) {
		work, _ := of[0].(int)
		return nil, b.spend(work)
	},
	"members":  func(b *budget, of []any) (any, error) { return of[0], b.spend(flat(of[0])) },
	"ordered":  func(b *budget, of []any) (any, error) { return of[0], b.whole(of[0], perValue) }, // it is compared with many others
	"name":     named,
	"place":    place,
	"argument": argument,
}

func added(b *budget, of []any) (any, error) {
	first, is := of[0].(string)
	second, are := of[1].(string)
	if !is || !are {
		return runtime.Add(of[0], of[1]), nil
	}
	if err := errors.Join(b.make(len(first)+len(second)), b.spend(len(first)+len(second))); err != nil {
		return nil, err
	}
	return first + second, nil
}

func (b *budget) equal(first, second any) (bool, error) {
	switch v := first.(type) {
	case string:
		if other, is := second.(string); is {
			return v == other, b.spend(len(v))
		}
		return false, nil
	case int, float64, bool, nil, uint64:
	default:
		if err := b.whole(first, 1); err != nil {
			return false, err
		}
	}
	return runtime.Equal(first, second), nil
}

func compared(f func(a, b any) bool) meteredFunction {
	return func(b *budget, of []any) (any, error) {
		if err := flatWork(b, of); err != nil {
			return nil, err
		}
		return f(of[0], of[1]), nil
	}
}

func isIn(b *budget, of []any) (any, error) {
	what := flat(of[0])
	if err := b.whole(of[0], 1); err != nil {
		return nil, err
	}
	if r := reflect.ValueOf(of[1]); r.Kind() == reflect.Slice || r.Kind() == reflect.Array {
		if err := b.spend(r.Len() * what); err != nil {
			return nil, err
		}
		if _, is := of[0].([]any); is {
			if err := b.whole(of[1], 1); err != nil {
				return nil, err
			}
		}
	}
	return runtime.In(of[0], of[1]), nil
}

func ofTexts(f func(text, what string) bool) meteredFunction {
	return func(b *budget, of []any) (any, error) {
		if of[0] == nil || of[1] == nil {
			return false, nil
		}
		text, what, err := twoTexts(of)
		if err == nil {
			err = searchWork(b, of)
		}
		return err == nil && f(text, what), err
	}
}

func matched(b *budget, of []any) (any, error) {
	if of[0] == nil {
		return false, nil
	}
	text, is := of[0].(string)
	p, are := of[1].(*pattern)
	if !is || !are {
		return nil, errors.New("matches takes a text; write string(...) around what is none")
	}
	from := 0
	if p.prefix != "" { // up to the first one all steps are spared
		if err := searchWork(b, []any{text, p.prefix}); err != nil {
			return nil, err
		}
		if from = strings.Index(text, p.prefix); from < 0 {
			return false, nil
		}
	}
	if err := b.spend((len(text) - from) * p.steps * perStep); err != nil {
		return nil, err
	}
	return p.MatchString(text), nil
}

// named passes what names a column or a field, or a place in a list.
func named(b *budget, of []any) (any, error) {
	switch v := of[0].(type) {
	case string:
		if len(v) > longestName {
			return nil, fmt.Errorf("a name has %d KiB at most", longestName>>10)
		}
		return v, b.spend(len(v))
	case nil, bool, int, float64, uint64:
		return v, nil
	}
	return nil, errors.New("a name is a text, and a place in a list a number")
}

func place(_ *budget, of []any) (any, error) {
	switch v := of[0].(type) {
	case nil, int, float64, uint64:
		return v, nil
	}
	return nil, errors.New("a place in a text or a list is a number")
}

func argument(b *budget, of []any) (any, error) { return of[0], shortWork(b, of) }

// described is what a value is, for an error: it may be large.
func described(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing (NULL)"
	case string:
		return "a text"
	case bool, int, uint64:
		return fmt.Sprint(v)
	case float64:
		if math.Abs(v) < 1e15 {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return fmt.Sprint(v)
	case time.Time, time.Duration:
		return "a time"
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map:
		return "an object"
	}
	return "something else"
}
