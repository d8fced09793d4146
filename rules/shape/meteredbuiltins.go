package shape

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/builtin"
)

// meteredFunction does what an operator or a builtin function does, within a budget.
type meteredFunction func(*budget, []any) (any, error)

const (
	longestName     = 64 << 10 // of a column or a field, when it is a value
	longestArgument = 1000     // of what says a number or a time
	perPiece        = 16       // bytes of a text's place in a list
	openingZone     = 100_000  // the work of reading a time zone's file
)

// builtins are all functions of expressions that take no predicate, and are not refused.
var builtins = map[string]meteredFunction{
	"len": several("len", flatWork), "type": several("type", noWork), "abs": several("abs", noWork), "ceil": several("ceil", noWork), "floor": several("floor", noWork), "round": several("round", noWork),
	"int": several("int", shortWork), "float": several("float", shortWork), "string": stringOf,

	"trim": trimmed, "trimPrefix": several("trimPrefix", flatWork), "trimSuffix": several("trimSuffix", flatWork),
	"hasPrefix": several("hasPrefix", flatWork), "hasSuffix": several("hasSuffix", flatWork),
	"indexOf": several("indexOf", searchWork), "lastIndexOf": several("lastIndexOf", searchWork),
	"upper": cased("upper"), "lower": cased("lower"), "split": splitBy("split"), "splitAfter": splitBy("splitAfter"),
	"replace": replaced, "join": joined,

	"toJSON": toJSON, "fromJSON": fromJSON, "toBase64": several("toBase64", makes(2)), "fromBase64": several("fromBase64", makes(1)),

	"date": several("date", zoneWork), "duration": several("duration", shortWork), "timezone": several("timezone", zoneWork),

	"get": several("get", nameWork), "first": several("first", noWork), "last": several("last", noWork), "take": several("take", noWork),
	"max": numbersOf("max"), "min": numbersOf("min"), "mean": numbersOf("mean"), "median": numbersOf("median"),
	"reverse": several("reverse", makes(1)), "concat": several("concat", makes(1)), "flatten": flattened, "sort": sorted, "uniq": unique, "fromPairs": several("fromPairs", deepWork),

	"bitand": several("bitand", noWork), "bitor": several("bitor", noWork), "bitxor": several("bitxor", noWork), "bitnand": several("bitnand", noWork),
	"bitshl": several("bitshl", noWork), "bitshr": several("bitshr", noWork), "bitushr": several("bitushr", noWork), "bitnot": several("bitnot", noWork),
}

// cost takes what calling a function with some arguments may need.
type cost func(*budget, []any) error

func noWork(*budget, []any) error { return nil }

func flatWork(b *budget, of []any) error {
	work := 0
	for _, v := range of {
		work += flat(v)
	}
	return b.spend(work)
}

func deepWork(b *budget, of []any) error {
	for _, v := range of {
		if err := b.whole(v, 1); err != nil {
			return err
		}
	}
	return nil
}

// makes is the cost of what makes a value so many times as large as what it is given.
func makes(times int) cost {
	return func(b *budget, of []any) error {
		for _, v := range of {
			if err := errors.Join(b.spend(flat(v)), b.make(flat(v)*times)); err != nil {
				return err
			}
		}
		return nil
	}
}

// shortWork is of functions that take only short texts, and show them in their errors.
func shortWork(b *budget, of []any) error {
	for _, v := range of {
		if text, is := v.(string); is && len(text) > longestArgument {
			return fmt.Errorf("it takes a text of %d bytes at most, and this one has %d", longestArgument, len(text))
		}
		if f := flat(v); f > 2*longestArgument {
			return errors.New("it takes no lists")
		}
	}
	return b.spend(perCall)
}

func zoneWork(b *budget, of []any) error { return errors.Join(shortWork(b, of), b.spend(openingZone)) }

func nameWork(b *budget, of []any) error {
	if len(of) < 2 {
		return nil
	}
	_, err := named(b, of[1:])
	return err
}

// searchWork is what finding a text within another takes, whatever both hold: what looks alike by its sum is compared whole.
func searchWork(b *budget, of []any) error {
	text, what, err := twoTexts(of)
	if err != nil {
		return err
	}
	return b.spend(len(text) + len(what) + len(text)/1024*len(what)/8)
}

func twoTexts(of []any) (string, string, error) {
	if len(of) >= 2 {
		first, is := of[0].(string)
		if second, are := of[1].(string); is && are {
			return first, second, nil
		}
	}
	return "", "", errors.New("it takes texts; write string(...) around what is none")
}

func native(name string) func(of []any) (any, error) {
	f := builtin.Builtins[builtin.Index[name]]
	return func(of []any) (any, error) {
		switch {
		case f.Fast != nil && len(of) == 1:
			return f.Fast(of[0]), nil
		case f.Safe != nil:
			v, _, err := f.Safe(of...)
			return v, err
		case f.Func == nil:
			return nil, fmt.Errorf("%s takes one value", name)
		}
		return f.Func(of...)
	}
}

// several is a builtin function whose cost is taken before.
func several(name string, c cost) meteredFunction {
	f := native(name)
	return func(b *budget, of []any) (any, error) {
		if err := c(b, of); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return f(of)
	}
}
