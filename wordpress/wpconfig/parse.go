package wpconfig

import (
	"slices"
	"strings"
)

// statement is one of PHP's statements, as far as they are understood.
type statement any

type (
	// ifStatement is a condition with its branches; otherwise may be nil.
	ifStatement struct {
		line      int
		condition expression
		then      []statement
		otherwise []statement
	}
	// eval is an expression that stands for itself, or is printed.
	eval struct{ x expression }
	// constant is const NAME = x.
	constant struct {
		name string
		x    expression
	}
	// leave is return; x is what it gives to who includes the file, nil for nothing.
	leave struct{ x expression }
	// unset is unset($name).
	unset struct{ name string }
	// opaque is what is not understood. What its tokens could change is not known from there on.
	opaque struct {
		line   int
		tokens []token
	}
)

// parser makes statements of tokens. It never fails: what it does not understand becomes opaque.
type parser struct {
	tokens []token
	pos    int
	depth  int
	jumps  int             // break and continue that stand where they are not understood
	owns   map[string]bool // functions that the file declares
	failed bool            // the expression that is being read is not understood
	again  int             // tokens that were read more than once, for what they are part of was not understood
}

// mostDepth bounds how deep brackets and blocks are nested.
const mostDepth = 100

// mostAgain bounds how often a file is read again, in tokens: what is not understood within what is not understood takes twice the
// work for each of them.
const mostAgain = 1 << 19

// parse reads a file. functions are the names, in lower case, of those that it declares. A file that takes too much work is opaque.
func parse(src string) (file []statement, functions map[string]bool) {
	p := &parser{tokens: lex(src), owns: map[string]bool{}}
	for !p.at(end) {
		file = p.statement(file)
	}
	if p.spent() {
		file = []statement{opaque{p.tokens[0].line, append([]token{{kind: unreadable}}, p.tokens...)}}
	}
	return file, p.owns
}

func (p *parser) spent() bool { return p.again > mostAgain }

func (p *parser) peek() token {
	if p.pos < len(p.tokens) {
		return p.tokens[p.pos]
	}
	t := token{kind: end}
	if len(p.tokens) > 0 {
		t.line = p.tokens[len(p.tokens)-1].line
	}
	return t
}

func (p *parser) at(k kind) bool { return p.peek().kind == k }

// ahead is the token n behind the next one.
func (p *parser) ahead(n int) token {
	if p.pos+n < len(p.tokens) {
		return p.tokens[p.pos+n]
	}
	return token{kind: end}
}

// take goes past the next token when it is that sign or keyword.
func (p *parser) take(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.pos++
	return true
}

// want is take where nothing else is understood.
func (p *parser) want(text string) {
	if !p.take(text) {
		p.failed = true
	}
}

// statement reads one statement and appends it. What is not understood up to the statement's end is opaque.
func (p *parser) statement(to []statement) []statement {
	start, jumps := p.pos, p.jumps
	p.failed = false
	p.depth++
	defer func() { p.depth-- }()
	made, understood := p.understood()
	if understood && !p.failed && p.depth < mostDepth {
		return append(to, made...)
	}
	p.again += p.pos - start
	if p.spent() {
		p.pos = len(p.tokens)
		return to
	}
	p.pos = start
	p.skipStatement()
	p.again += p.pos - start
	if start == p.pos { // the file ends where a statement should be
		return to
	}
	first, skipped := p.tokens[start], p.tokens[start:p.pos]
	if p.jumps = jumps; jumpsOut(skipped) {
		p.jumps++
	}
	to = append(to, opaque{first.line, skipped})
	if first.is("return") {
		to = append(to, leave{unreadX{first.line}})
	}
	return to
}

// understood reads a statement; false when it is none of those that are known.
func (p *parser) understood() (made []statement, ok bool) {
	t := p.peek()
	switch {
	case p.depth >= mostDepth || t.kind == unreadable:
		return nil, false
	case p.take(";"):
		return nil, true
	case t.is("{"):
		return p.block(), true
	case p.take("if"):
		return []statement{p.condition(t.line)}, true
	case p.take("switch"):
		return p.choices()
	case p.take("const"):
		return p.constants(), true
	case p.take("echo"):
		return p.list(), true
	case p.take("return"):
		return p.leaving(), true
	case t.is("unset"):
		return p.unsets()
	case t.is("use"), t.is("declare") && !strings.Contains(p.restOfStatement(), "{"), t.is("global"):
		p.skipStatement()
		return nil, true
	case t.is("namespace"), keyword(t):
		return p.declaration()
	}
	x := p.expression(0)
	p.wantEnd()
	return []statement{eval{x}}, true
}

// leaving reads what follows return.
func (p *parser) leaving() []statement {
	if p.at(end) || p.take(";") {
		return []statement{leave{}}
	}
	x := p.expression(0)
	p.wantEnd()
	return []statement{leave{x}}
}

// keyword says whether a statement begins that is no expression.
func keyword(t token) bool {
	switch t.lower() {
	case "function", "class", "abstract", "final", "interface", "trait", "enum", "readonly", "for", "foreach", "while", "do", "try", "goto", "static",
		"throw", "break", "continue", "fn", "match", "else", "elseif", "endif":
		return true
	}
	return false
}

// declaration reads a function, which has no effect before it is called; all else is not understood.
func (p *parser) declaration() ([]statement, bool) {
	if !p.peek().is("function") {
		return nil, false
	}
	name := p.ahead(1)
	if name.is("&") {
		name = p.ahead(2)
	}
	if name.kind != word {
		return nil, false
	}
	p.owns[strings.ToLower(name.text)] = true
	p.skipStatement()
	return nil, true
}

// wantEnd reads the end of a statement. The file's end is one, too.
func (p *parser) wantEnd() {
	if !p.at(end) {
		p.want(";")
	}
}

func (p *parser) block() (made []statement) {
	p.want("{")
	for !p.at(end) && !p.peek().is("}") {
		made = p.statement(made)
	}
	p.failed = false // a statement that was not understood stands there as such
	p.want("}")
	return made
}

// constants reads what follows const: NAME = x, NAME = x;.
func (p *parser) constants() (made []statement) {
	for {
		name := p.peek()
		if p.pos++; name.kind != word {
			p.failed = true
			return nil
		}
		p.want("=")
		made = append(made, constant{name.text, p.expression(0)})
		if p.failed || !p.take(",") {
			break
		}
	}
	p.wantEnd()
	return made
}

// list reads expressions between commas.
func (p *parser) list() (made []statement) {
	for {
		made = append(made, eval{p.expression(0)})
		if p.failed || !p.take(",") {
			break
		}
	}
	p.wantEnd()
	return made
}

func (p *parser) unsets() (made []statement, ok bool) {
	p.pos++
	p.want("(")
	for !p.failed && p.at(variable) {
		made = append(made, unset{p.peek().text})
		p.pos++
		p.take(",")
	}
	p.want(")")
	p.wantEnd()
	return made, true
}

// condition reads what follows if or elseif, in either of PHP's two forms.
func (p *parser) condition(line int) statement {
	s := ifStatement{line: line}
	p.want("(")
	s.condition = p.expression(0)
	p.want(")")
	if p.failed || p.depth >= mostDepth {
		p.failed = true
		return s
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.take(":") {
		p.alternative(&s)
		return s
	}
	s.then = p.body()
	if next := p.peek(); p.take("elseif") || next.is("else") && p.ahead(1).is("if") {
		if next.is("else") {
			p.pos += 2
		}
		s.otherwise = []statement{p.condition(next.line)}
	} else if p.take("else") {
		s.otherwise = p.body()
	}
	return s
}

// body is one statement, or a block of them.
func (p *parser) body() []statement {
	made := p.statement(nil)
	p.failed = false
	return made
}

// alternative reads the branches of if (x): ... elseif (x): ... else: ... endif.
func (p *parser) alternative(s *ifStatement) {
	branch := func() (made []statement) {
		for t := p.peek(); t.kind != end && !t.is("elseif") && !t.is("else") && !t.is("endif"); t = p.peek() {
			made = p.statement(made)
		}
		p.failed = false
		return made
	}
	s.then = branch()
	next := p.peek()
	switch {
	case p.take("elseif"):
		s.otherwise = []statement{p.condition(next.line)}
		return
	case p.take("else"):
		p.want(":")
		s.otherwise = branch()
	}
	p.want("endif")
	p.wantEnd()
}

// skipStatement goes to the end of a statement: a semicolon, or the brace that closes its last block.
func (p *parser) skipStatement() {
	for depth := 0; !p.at(end); {
		t := p.peek()
		p.pos++
		switch {
		case t.kind != sign:
		case t.text == "(" || t.text == "[" || t.text == "{" || t.text == "#[":
			depth++
		case t.text == ")" || t.text == "]" || t.text == "}":
			if depth--; depth < 0 {
				return
			}
			if depth == 0 && t.text == "}" && !p.goesOn() {
				return
			}
		case t.text == ";" && depth == 0:
			return
		}
	}
}

// goesOn says whether a statement goes on behind a closing brace.
func (p *parser) goesOn() bool {
	t := p.peek()
	return slices.ContainsFunc([]string{"else", "elseif", "catch", "finally", "while", ")", "]", ",", ";", ".", "->", "?->", "(", "::", "?", ":", "??", "=", "&&", "||"}, t.is)
}

// restOfStatement is the signs and words up to the end of a statement.
func (p *parser) restOfStatement() string {
	at := p.pos
	p.skipStatement()
	var b strings.Builder
	for _, t := range p.tokens[at:p.pos] {
		b.WriteString(t.text)
	}
	p.pos = at
	return b.String()
}
