package shape

import (
	"errors"
	"math/bits"
	"reflect"
)

// numbersOf is a function of numbers, which may be in lists within lists.
func numbersOf(name string) meteredFunction {
	f := native(name)
	return func(b *budget, of []any) (any, error) {
		all, err := b.flatten(of)
		if err == nil {
			err = b.spend(len(all) * perValue * bits.Len(uint(len(all)))) // one of them sorts
		}
		if err != nil {
			return nil, err
		}
		return f([]any{all})
	}
}

func flattened(b *budget, of []any) (any, error) {
	if r := reflect.ValueOf(of[0]); r.Kind() != reflect.Slice {
		return nil, errors.New("flatten takes a list")
	}
	return b.flatten(of)
}

// flatten is the values of lists, and of the lists that they are in.
func (b *budget) flatten(of []any) ([]any, error) {
	if err := b.whole(of, 1); err != nil {
		return nil, err
	}
	all := []any{}
	var add func(v any)
	add = func(v any) {
		switch v := v.(type) {
		case string:
			all = append(all, v)
		case []any:
			for _, member := range v {
				add(member)
			}
		default:
			if r := reflect.ValueOf(v); r.Kind() == reflect.Slice || r.Kind() == reflect.Array {
				for i := range r.Len() {
					add(r.Index(i).Interface())
				}
				return
			}
			all = append(all, v)
		}
	}
	for _, v := range of {
		add(v)
	}
	return all, b.make(len(all) * perValue)
}

func sorted(b *budget, of []any) (any, error) {
	n := flat(of[0]) / perValue
	if err := errors.Join(b.whole(of[0], bits.Len(uint(n))), b.make(n*perValue)); err != nil {
		return nil, err
	}
	if order := of[len(of)-1]; len(of) > 1 && order != "asc" && order != "desc" {
		return nil, errors.New(`sort takes "asc" or "desc"`)
	}
	return native("sort")(of)
}

func unique(b *budget, of []any) (any, error) {
	n := flat(of[0]) / perValue
	if err := errors.Join(b.whole(of[0], 1+n/4), b.make(n*perValue)); err != nil {
		return nil, err
	}
	return native("uniq")(of)
}
