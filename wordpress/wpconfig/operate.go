package wpconfig

import (
	"maps"
	"math"
	"strconv"
	"strings"
)

// assignment gives a variable, or a part of one, its value.
func (r *runner) assignment(x assignX) any {
	switch x.op {
	case "??=":
		is := r.value(x.target)
		if u, unsure := is.(unknown); unsure {
			v := r.value(x.x)
			return r.assign(x.target, agree(is, v, u.why), x.line)
		}
		if is != nil {
			return is
		}
	case ".=":
		return r.assign(x.target, r.binary(binaryX{".", x.target, x.x, x.line}), x.line)
	}
	return r.assign(x.target, r.value(x.x), x.line)
}

func (r *runner) assign(target expression, value any, line int) any {
	switch t := target.(type) {
	case varX:
		r.state.variables[t.name] = value
	case indexX:
		r.assignIndex(t, value)
	case arrayX: // [$a, $b] = ...
		for _, one := range t.values {
			r.assign(one, unknown{r.doubt(line, "takes an array apart")}, line)
		}
	default:
		r.cloud(r.doubt(line, "gives a value to what is no variable"))
	}
	return value
}

func (r *runner) assignIndex(t indexX, value any) {
	if global, is := t.base.(varX); is && t.key != nil {
		switch global.name {
		case "_SERVER", "_ENV", "GLOBALS":
			key, why := r.text(t.key)
			switch {
			case why != nil:
				r.cloud(why.why)
			case global.name == "GLOBALS":
				r.state.variables[key] = value
			default:
				r.state.variables[slot(global.name, key)] = value
			}
			return
		}
	}
	base := r.value(t.base)
	changed := &array{values: map[string]any{}}
	switch old := base.(type) {
	case nil:
	case *array:
		if r.tired(len(old.values)) {
			return
		}
		changed.values, changed.next = maps.Clone(old.values), old.next
	default:
		r.assign(t.base, unknown{r.doubt(t.line, "changes a part of what is no array")}, t.line)
		return
	}
	var key any
	if t.key != nil {
		key = r.value(t.key)
	}
	if changed.set(key, t.key == nil, value) {
		r.assign(t.base, changed, t.line)
	} else {
		r.assign(t.base, unknown{r.doubt(t.line, "has an array whose keys are not known")}, t.line)
	}
}

func (r *runner) binary(x binaryX) any {
	switch x.op {
	case "&&", "and":
		return r.logic(x, false)
	case "||", "or":
		return r.logic(x, true)
	case "??":
		return r.fallback(x)
	}
	a, b := r.value(x.a), r.value(x.b)
	for _, v := range []any{a, b} {
		if _, is := v.(unknown); is {
			return v
		}
	}
	switch x.op {
	case ".":
		one, ok := toText(a)
		other, fine := toText(b)
		if ok && fine {
			return r.bounded(one + other)
		}
	case "===":
		return a == b
	case "!==":
		return a != b
	case "==", "!=", "<>":
		if same, ok := alike(a, b); ok {
			return same == (x.op == "==")
		}
	case "|", "&", "^":
		if n, ok := bits(x.op, a, b); ok {
			return n
		}
	case "+", "-", "*":
		if n, ok := arithmetic(x.op, a, b); ok {
			return n
		}
	}
	return unknown{r.doubt(x.line, "computes what rowhook does not: %s", x.op)}
}

// bits combines whole numbers, as flags are; texts PHP combines byte by byte.
func bits(op string, a, b any) (n int64, ok bool) {
	x, ok := a.(int64)
	y, also := b.(int64)
	switch op {
	case "|":
		n = x | y
	case "&":
		n = x & y
	case "^":
		n = x ^ y
	}
	return n, ok && also
}

// logic is && and ||: the second is looked at when the first is not the answer already.
func (r *runner) logic(x binaryX, answer bool) any {
	a := r.value(x.a)
	if u, is := a.(unknown); is {
		var b any
		r.either(u.why, func() { b = r.value(x.b) }, func() {})
		if _, also := b.(unknown); !also && truth(b) == answer {
			return answer // whatever the first is
		}
		return u
	}
	if truth(a) == answer {
		return answer
	}
	b := r.value(x.b)
	if _, is := b.(unknown); is {
		return b
	}
	return truth(b)
}

// fallback is ??: the second where the first is not set.
func (r *runner) fallback(x binaryX) any {
	a := r.value(x.a)
	if c, is := x.a.(constX); is { // an error in PHP unless it is defined
		return r.constant(c.name, c.line)
	}
	if u, is := a.(unknown); is {
		var b any
		r.either(u.why, func() {}, func() { b = r.value(x.b) })
		return agree(a, b, u.why)
	}
	if a != nil {
		return a
	}
	return r.value(x.b)
}

// truth is whether PHP takes a value for true.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != "" && v != "0"
	case *array:
		return len(v.values) > 0
	}
	return true
}

// toText is a value as a text; an array is none.
func toText(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case bool:
		if v {
			return "1", true
		}
		return "", true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatFloat(v, 'f', -1, 64), true
		}
		text := strings.Replace(strconv.FormatFloat(v, 'G', -1, 64), "E+0", "E+", 1)
		if math.Abs(v) < 1e15 && math.Abs(v) >= 1e-4 {
			text = strconv.FormatFloat(v, 'f', -1, 64)
		}
		return text, !strings.Contains(text, "E") // PHP writes exponents otherwise, and no setting has one
	case string:
		return v, true
	}
	return "", false
}

// toInt is a value as a whole number, as far as that is plain.
func toInt(v any) (int64, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// alike is PHP's ==, as far as that is plain.
func alike(a, b any) (same, ok bool) {
	if a == b {
		return true, true
	}
	isBool := func(v any) bool { _, is := v.(bool); return is || v == nil }
	one, text := a.(string)
	other, also := b.(string)
	switch {
	case text && also:
		return false, !numeric(one) || !numeric(other)
	case a == nil && also:
		return other == "", true
	case b == nil && text:
		return one == "", true
	case isBool(a) || isBool(b):
		return truth(a) == truth(b), true
	}
	x, isInt := toInt(a)
	y, bothInt := toInt(b)
	return x == y, isInt && bothInt
}

// numeric says whether PHP may take a text for a number.
func numeric(text string) bool {
	text = strings.TrimSpace(text)
	_, err := strconv.ParseFloat(text, 64)
	return err == nil && strings.ContainsAny(text[:min(2, len(text))], "0123456789.")
}

// arithmetic computes with whole numbers.
func arithmetic(op string, a, b any) (int64, bool) {
	x, ok := toInt(a)
	y, fine := toInt(b)
	const most = 1 << 31
	if !ok || !fine || max(x, y, -x, -y) > most {
		return 0, false
	}
	switch op {
	case "+":
		return x + y, true
	case "-":
		return x - y, true
	}
	return x * y, true
}
