package shape

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
)

// boundedFunctions are put in the place of those that make a text of the product of two sizes.
func boundedFunctions() []expr.Option {
	return []expr.Option{
		expr.DisableBuiltin("replace"),
		expr.Function("replace", replaced, new(func(string, string, string) string), new(func(string, string, string, int) string)),
		expr.DisableBuiltin("join"),
		expr.Function("join", joined, new(func([]any) string), new(func([]any, string) string), new(func([]string) string), new(func([]string, string) string)),
	}
}

// replaced is a text in which another is replaced, everywhere or so many times.
func replaced(of ...any) (any, error) {
	var texts [3]string
	for i := range texts {
		text, ok := of[i].(string)
		if !ok {
			return nil, fmt.Errorf("replace takes texts, and %v is none", of[i])
		}
		texts[i] = text
	}
	most := -1
	if len(of) > len(texts) {
		most, _ = of[len(texts)].(int)
	}
	times := strings.Count(texts[0], texts[1])
	if most >= 0 {
		times = min(times, most)
	}
	if len(texts[0])+times*(len(texts[2])-len(texts[1])) > longestText {
		return nil, fmt.Errorf("what replace makes is longer than %d KiB", longestText>>10)
	}
	return strings.Replace(texts[0], texts[1], texts[2], most), nil
}

// joined is the texts of a list, with another between them.
func joined(of ...any) (any, error) {
	texts, ok := of[0].([]string)
	if list, is := of[0].([]any); is {
		ok = true
		for _, one := range list {
			text, is := one.(string)
			if !is {
				return nil, fmt.Errorf("join takes texts, and %v is none", one)
			}
			texts = append(texts, text)
		}
	}
	between := ""
	if len(of) > 1 {
		var is bool
		between, is = of[1].(string)
		ok = ok && is
	}
	if !ok {
		return nil, errors.New("join takes a list of texts and a text")
	}
	size := 0
	for _, text := range texts {
		size += len(text) + len(between)
	}
	if size > longestText+len(between) {
		return nil, fmt.Errorf("what join makes is longer than %d KiB", longestText>>10)
	}
	return strings.Join(texts, between), nil
}
