package shape

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/vm/runtime"
)

// stringOf is a value as a text.
func stringOf(b *budget, of []any) (any, error) {
	if text, is := of[0].(string); is {
		return text, nil
	}
	most := min(b.work, b.made)
	size := min(deep(of[0], most), most+1)
	if err := errors.Join(b.spend(size), b.make(2*size)); err != nil {
		return nil, err
	}
	return fmt.Sprint(of[0]), nil
}

func trimmed(b *budget, of []any) (any, error) {
	text, _ := of[0].(string)
	work := len(text)
	if len(of) > 1 {
		letters, _ := of[1].(string)
		work *= 1 + len(letters) // each may be compared with each
	}
	if err := b.spend(work); err != nil {
		return nil, err
	}
	return native("trim")(of)
}

func cased(name string) meteredFunction {
	f := native(name)
	return func(b *budget, of []any) (any, error) {
		size := utf8.UTFMax * flat(of[0])
		if err := errors.Join(b.spend(2*size), b.room(size)); err != nil {
			return nil, err
		}
		v, err := f(of)
		if text, is := v.(string); is && err == nil {
			err = b.make(len(text))
		}
		return v, err
	}
}

// splitBy is a function that cuts a text, in so many pieces at most.
func splitBy(name string) meteredFunction {
	f := native(name)
	return func(b *budget, of []any) (any, error) {
		text, by, err := twoTexts(of)
		if err == nil {
			err = searchWork(b, of)
		}
		if err != nil {
			return nil, err
		}
		pieces := strings.Count(text, by) + 1
		if len(of) > 2 {
			if most := runtime.ToInt(of[2]); most >= 0 && most < pieces {
				pieces = most
			}
			of = []any{text, by, pieces} // as many have their place made before they are found
		}
		if err := b.make(pieces * perPiece); err != nil {
			return nil, err
		}
		return f(of)
	}
}

// replaced is a text in which another is replaced, everywhere or so many times.
func replaced(b *budget, of []any) (any, error) {
	text, old, err := twoTexts(of)
	if err == nil {
		err = searchWork(b, of)
	}
	if err != nil {
		return nil, err
	}
	with, is := of[2].(string)
	if !is {
		return nil, errors.New("replace takes texts; write string(...) around what is none")
	}
	most := -1
	if len(of) > 3 {
		most = runtime.ToInt(of[3])
	}
	times := strings.Count(text, old)
	if most >= 0 {
		times = min(times, most)
	}
	if err := b.make(len(text) + times*(len(with)-len(old))); err != nil {
		return nil, err
	}
	return strings.Replace(text, old, with, most), nil
}

// joined is the texts of a list, with another between them.
func joined(b *budget, of []any) (any, error) {
	texts, ok := of[0].([]string)
	if list, is := of[0].([]any); is {
		ok = true
		for _, one := range list {
			text, is := one.(string)
			if !is {
				return nil, errors.New("join takes a list of texts; write map(..., string(#)) around one that has others")
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
		if size += len(text) + len(between) + perPiece; size > mostMade {
			break
		}
	}
	if err := errors.Join(b.spend(size), b.make(size)); err != nil {
		return nil, err
	}
	return strings.Join(texts, between), nil
}

func toJSON(b *budget, of []any) (any, error) {
	e := encoder{budget: b, most: b.made, tooLong: errMade}
	text, err := e.append(nil, of[0])
	if err == nil {
		err = b.make(len(text))
	}
	return string(text), err
}

func fromJSON(b *budget, of []any) (any, error) {
	text, is := of[0].(string)
	if !is {
		return nil, errors.New("fromJSON takes a text")
	}
	// What values take, many times of their texts.
	size := 2*len(text) + 64*(strings.Count(text, ",")+strings.Count(text, "[")) + 350*strings.Count(text, "{")
	if err := errors.Join(b.spend(size), b.make(size)); err != nil {
		return nil, err
	}
	if !json.Valid([]byte(text)) {
		return nil, errors.New("fromJSON: the text is no JSON")
	}
	return Payload([]byte(text))
}
