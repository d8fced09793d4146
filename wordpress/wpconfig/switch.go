package wpconfig

import "slices"

// switchStatement does what stands behind the first case that equals its subject, up to a break.
type switchStatement struct {
	subject expression
	cases   []switchCase
}

// switchCase is one of them; when is nil for default.
type switchCase struct {
	when  expression
	then  []statement
	falls bool // into the next one: no break ends it
	line  int
}

// mostCases bounds how many a switch has.
const mostCases = 200

// choices reads what follows switch. A break within something else is not understood.
func (p *parser) choices() (made []statement, ok bool) {
	p.want("(")
	s := switchStatement{subject: p.expression(0)}
	p.want(")")
	p.want("{")
	for !p.failed && !p.take("}") {
		c := switchCase{line: p.peek().line}
		if !p.take("default") {
			p.want("case")
			c.when = p.expression(0)
		}
		if !p.take(";") {
			p.want(":")
		}
		if p.failed {
			break
		}
		c.then, c.falls = p.untilBreak()
		s.cases = append(s.cases, c)
	}
	return []statement{s}, !p.failed && len(s.cases) <= mostCases
}

// untilBreak reads the statements of a case, and its break.
func (p *parser) untilBreak() (made []statement, falls bool) {
	jumps := p.jumps
	defer func() { p.failed = p.jumps > jumps }() // a statement that is not understood stands there as such
	for {
		switch t := p.peek(); {
		case t.kind == end, t.is("}"), t.is("case"), t.is("default"):
			return made, true
		case t.is("break") && p.ahead(1).is(";"):
			p.pos += 2
			return made, false // what stands behind it is no case, so the switch is not understood
		}
		made = p.statement(made)
	}
}

// jumpsOut says whether a statement that is not understood may end what it stands in: a break that is no loop's own.
func jumpsOut(tokens []token) bool {
	own := slices.ContainsFunc([]string{"for", "foreach", "while", "do", "switch"}, tokens[0].is)
	for i, t := range tokens {
		if (t.is("break") || t.is("continue")) && (!own || i+1 < len(tokens) && !tokens[i+1].is(";")) {
			return true
		}
	}
	return false
}

// choose follows the case that PHP takes, or all those that it may take.
func (r *runner) choose(s switchStatement) {
	subject := r.value(s.subject)
	otherwise := len(s.cases)
	for i, c := range s.cases {
		if c.when == nil {
			otherwise = i
		}
	}
	r.pick(subject, s.cases, 0, otherwise)
}

// pick looks at the cases from one on, and does what stands behind the first that equals the subject, or the default.
func (r *runner) pick(subject any, cases []switchCase, i, otherwise int) {
	for ; i < len(cases); i++ {
		c := cases[i]
		if c.when == nil {
			continue
		}
		equal := r.binary(binaryX{"==", literal{subject}, c.when, c.line})
		if u, is := equal.(unknown); is {
			r.either(u.why, func() { r.fall(cases[i:]) }, func() { r.pick(subject, cases, i+1, otherwise) })
			return
		}
		if truth(equal) {
			r.fall(cases[i:])
			return
		}
	}
	r.fall(cases[otherwise:])
}

// fall does what stands behind the first of the cases, and behind the next ones, up to a break.
func (r *runner) fall(cases []switchCase) {
	for _, c := range cases {
		r.follow(c.then)
		if !c.falls || r.state.ended {
			return
		}
	}
}
