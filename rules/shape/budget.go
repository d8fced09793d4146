package shape

import (
	"errors"
	"fmt"
	"reflect"
)

// budget is what asking one condition, or making one body, may still take. It counts what is done instead of looking at a clock, so
// that an event comes out the same whenever it is looked at.
type budget struct {
	work int // about so many nanoseconds: a byte looked at is one
	made int // bytes of texts and lists that are made on the way
}

const (
	mostWork = 100_000_000
	mostMade = 8 << 20
	mostBody = 16 << 20 // of what is posted

	perValue = 20  // the work of looking at a value, and the bytes of one in a list
	perNode  = 25  // the work of a part of an expression
	perCall  = 300 // the work of a call through reflection
)

var (
	errWork = errors.New("it would take too long with these values: they are very large, or a loop goes over too many of them")
	errMade = fmt.Errorf("what it makes of these values is larger than %d MiB", mostMade>>20)
	errBody = fmt.Errorf("it is longer than %d MiB", mostBody>>20)
)

func (b *budget) begin() { *b = budget{work: mostWork, made: mostMade} }

// spend takes work before it is done.
func (b *budget) spend(work int) error {
	if work > b.work || work < 0 {
		b.work = 0
		return errWork
	}
	b.work -= work
	return nil
}

// room says whether so many bytes may be made.
func (b *budget) room(bytes int) error {
	if bytes > b.made || bytes < 0 {
		return errMade
	}
	return nil
}

// make takes so many bytes.
func (b *budget) make(bytes int) error {
	if err := b.room(bytes); err != nil {
		b.made = 0
		return err
	}
	b.made -= bytes
	return nil
}

// flat is the work of going over a value, but not over what is in its members.
func flat(v any) int {
	switch v := v.(type) {
	case nil, bool, int, uint64, float64, map[string]any:
		return perValue
	case string:
		return perValue + len(v)
	case []any:
		return perValue * (1 + len(v))
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice || r.Kind() == reflect.Array {
		return perValue * (1 + r.Len())
	}
	return perValue
}

// deep is the work of going over a value and all that is in it; of more than most nobody asks how much. Expressions can make lists
// whose members are one and the same, so going over all may have no end in a lifetime.
func deep(v any, most int) int {
	work := perValue
	switch v := v.(type) {
	case nil, bool, int, uint64, float64:
	case string:
		work += len(v)
	case []any:
		for _, member := range v {
			if work += deep(member, most-work); work > most {
				break
			}
		}
	case map[string]any:
		for name, member := range v {
			if work += len(name) + deep(member, most-work); work > most {
				break
			}
		}
	default:
		work += deepOf(reflect.ValueOf(v), most)
	}
	return work
}

// deepOf is deep of what expressions make besides: lists of texts, groups.
func deepOf(r reflect.Value, most int) (work int) {
	switch r.Kind() {
	case reflect.Slice, reflect.Array:
		for i := 0; i < r.Len() && work <= most; i++ {
			work += deep(r.Index(i).Interface(), most-work)
		}
	case reflect.Map:
		for members := r.MapRange(); work <= most && members.Next(); {
			work += deep(members.Key().Interface(), most-work)
			work += deep(members.Value().Interface(), most-work)
		}
	}
	return work
}

// whole spends the work of going over all of a value so many times.
func (b *budget) whole(v any, times int) error {
	most := b.work / max(times, 1)
	return b.spend(min(deep(v, most), most+1) * times)
}
