package wpconfig

import (
	"strconv"
	"strings"
)

// expression is one of PHP's, as far as they are understood.
type expression any

type (
	literal struct{ value any }
	joined  struct{ parts []expression } // a string with something put in
	varX    struct {
		name string
		line int
	}
	constX struct {
		name string
		line int
	}
	indexX struct {
		base, key expression
		line      int
	}
	callX struct {
		name string
		args []expression
		line int
	}
	unaryX struct {
		op   string
		x    expression
		line int
	}
	binaryX struct {
		op   string
		a, b expression
		line int
	}
	choiceX struct { // then is nil in a ?: b
		condition, then, otherwise expression
		line                       int
	}
	assignX struct {
		target expression
		op     string
		x      expression
		line   int
	}
	arrayX struct {
		keys, values []expression
		line         int
	}
	includeX struct {
		path           expression
		once, required bool
		line           int
	}
	issetX  struct{ of []expression }
	exitX   struct{}
	unreadX struct{ line int } // one that is not understood
)

// power is how tightly an operator of two sides binds, 0 for none of them.
func power(t token) int {
	switch t.lower() {
	case "or":
		return 1
	case "xor":
		return 2
	case "and":
		return 3
	case "?":
		return 5
	case "??":
		return 6
	case "||":
		return 7
	case "&&":
		return 8
	case "|":
		return 9
	case "^":
		return 10
	case "&":
		return 11
	case "==", "!=", "===", "!==", "<>", "<=>":
		return 12
	case "<", "<=", ">", ">=":
		return 13
	case ".":
		return 14
	case "<<", ">>":
		return 15
	case "+", "-":
		return 16
	case "*", "/", "%":
		return 17
	}
	return 0
}

// expression reads one whose operators bind more tightly than least.
func (p *parser) expression(least int) expression {
	if p.depth++; p.depth > mostDepth {
		p.failed = true
	}
	defer func() { p.depth-- }()
	if p.failed {
		return nil
	}
	x := p.prefixed()
	for !p.failed {
		t := p.peek()
		binds := power(t)
		if binds <= least {
			break
		}
		p.pos++
		switch {
		case t.is("?"):
			x = p.choice(x, t.line)
		case t.is("??"):
			x = binaryX{"??", x, p.expression(binds - 1), t.line}
		default:
			x = binaryX{strings.ToLower(t.text), x, p.expression(binds), t.line}
		}
	}
	return x
}

func (p *parser) choice(condition expression, line int) expression {
	var then expression
	if !p.take(":") {
		then = p.expression(4)
		p.want(":")
	}
	return choiceX{condition, then, p.expression(5), line}
}

// prefixed reads an expression with what stands in front of it, and assignments, which bind as if in brackets.
func (p *parser) prefixed() expression {
	t := p.peek()
	switch op := t.lower(); op {
	case "!", "-", "+", "@", "&":
		p.pos++
		return unaryX{op, p.expression(17), t.line}
	case "print":
		p.pos++
		return unaryX{op, p.expression(4), t.line}
	case "include", "include_once", "require", "require_once":
		p.pos++
		return includeX{p.expression(4), strings.HasSuffix(op, "_once"), strings.HasPrefix(op, "require"), t.line}
	}
	if t.is("(") && p.ahead(1).kind == word && p.ahead(2).is(")") {
		if to, ok := casts(p.ahead(1).text); ok {
			p.pos += 3
			return unaryX{to, p.expression(17), t.line}
		}
	}
	x := p.postfixed(p.primary())
	if p.failed || p.peek().kind != sign {
		return x
	}
	switch op := p.peek().text; op {
	case "=", ".=", "??=":
		p.pos++
		p.take("&")
		return assignX{x, op, p.expression(4), t.line}
	case "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "++", "--", "**", "**=", "<<=", ">>=":
		p.failed = true
	}
	return x
}

// casts are the types that (type) makes.
func casts(name string) (to string, ok bool) {
	to, ok = map[string]string{"string": "string", "bool": "bool", "boolean": "bool", "int": "int", "integer": "int"}[strings.ToLower(name)]
	return to, ok
}

// primary reads an expression without operators.
func (p *parser) primary() expression {
	t := p.peek()
	p.pos++
	switch t.kind {
	case variable:
		return varX{t.text, t.line}
	case quoted:
		return p.quoted(t)
	case word:
		return p.word(t)
	case sign:
		switch t.text {
		case "(":
			x := p.expression(0)
			p.want(")")
			return x
		case "[":
			return p.array("]", t.line)
		}
	case end, unreadable:
	}
	p.failed = true
	return nil
}

// quoted makes an expression of a string's parts.
func (p *parser) quoted(t token) expression {
	if len(t.parts) == 1 && t.parts[0].tokens == nil {
		return literal{t.parts[0].text}
	}
	var j joined
	for _, one := range t.parts {
		if one.tokens == nil {
			j.parts = append(j.parts, literal{one.text})
			continue
		}
		p.again += len(one.tokens)
		inner := &parser{tokens: one.tokens, depth: p.depth, owns: p.owns}
		x := inner.expression(0)
		if inner.failed || !inner.at(end) {
			p.failed = true
		}
		j.parts = append(j.parts, x)
	}
	return j
}

// word reads what begins with a name: a constant, a call, a number, one of the language's own constructs.
func (p *parser) word(t token) expression {
	if isDigit(t.text[0]) || t.text[0] == '.' {
		value, ok := number(t.text)
		p.failed = p.failed || !ok
		return literal{value}
	}
	name := strings.ToLower(strings.TrimPrefix(t.text, `\`))
	switch name {
	case "true", "false":
		return literal{name == "true"}
	case "null":
		return literal{nil}
	case "die", "exit":
		if p.take("(") && !p.take(")") {
			p.expression(0)
			p.want(")")
		}
		return exitX{}
	case "isset":
		p.want("(")
		return issetX{p.arguments(")")}
	case "array":
		if p.take("(") {
			return p.array(")", t.line)
		}
	case "new", "function", "fn", "static", "match", "clone", "yield", "throw", "eval":
		p.failed = true
	}
	if p.take("(") {
		return callX{name, p.arguments(")"), t.line}
	}
	return constX{strings.TrimPrefix(t.text, `\`), t.line}
}

// arguments reads expressions between commas, and the bracket that closes them.
func (p *parser) arguments(closing string) (args []expression) {
	for !p.failed && !p.take(closing) {
		args = append(args, p.expression(0))
		if !p.take(",") {
			p.want(closing)
			break
		}
	}
	return args
}

func (p *parser) array(closing string, line int) expression {
	a := arrayX{line: line}
	for !p.failed && !p.take(closing) {
		var key expression
		x := p.expression(0)
		if p.take("=>") {
			key, x = x, p.expression(0)
		}
		a.keys, a.values = append(a.keys, key), append(a.values, x)
		if !p.take(",") {
			p.want(closing)
			break
		}
	}
	return a
}

// postfixed reads what stands behind an expression: $x[key]. What objects do is not understood.
func (p *parser) postfixed(x expression) expression {
	for !p.failed {
		t := p.peek()
		if t.is("->") || t.is("?->") || t.is("::") || t.is("(") || t.is("{") {
			p.failed = true
			break
		}
		if !p.take("[") {
			break
		}
		if p.take("]") {
			x = indexX{x, nil, t.line}
			continue
		}
		x = indexX{x, p.expression(0), t.line}
		p.want("]")
	}
	return x
}

// number reads a number as PHP writes it.
func number(text string) (any, bool) {
	text = strings.ReplaceAll(text, "_", "")
	if n, err := strconv.ParseInt(octal(text), 0, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && !strings.ContainsAny(text, "xXpPiInN")
}

// octal is a number as Go reads it: PHP's 0777 is octal there, too, but 08.5 is none.
func octal(text string) string {
	if len(text) > 1 && text[0] == '0' && strings.ContainsAny(text, ".eE") && !strings.HasPrefix(strings.ToLower(text), "0x") {
		return "-" // a float
	}
	return text
}
