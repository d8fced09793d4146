package shape

import (
	"fmt"
	"regexp"
	"slices"
	"text/template/parse"
)

// meaning is what is known of a value that a Document names.
type meaning struct {
	kind kind
	tree *Tree  // of a part of the payload
	name string // for people
}

type kind uint8

const (
	anything   kind = iota // nobody knows
	everything             // all values: the dot at the beginning, and $
	aRow
	anEvent
	aPart // of the payload, or all of it
)

// variable is one that a Document declares.
type variable struct {
	name string
	of   meaning
}

// assigning finds the variables that are given another value somewhere: of them nothing is known.
var assigning = regexp.MustCompile(`(\$\w*)\s*(?:,\s*(\$\w*)\s*)?=`)

// member is what is known of the value that names lead to, from another; where the text has a name that is not there is a fault.
func (r *documentReader) member(n parse.Node, of meaning, names []string, place func(i int) int) meaning {
	for i, name := range names {
		var known []string
		below := meaning{}
		switch of.kind {
		case anything:
			return of
		case everything:
			known = []string{"before", "after", "payload", "event", "site"}
			below = meaning{kind: map[string]kind{"before": aRow, "after": aRow, "payload": aPart, "event": anEvent}[name], name: name}
			if name == "payload" {
				below.tree = r.known.payload()
			}
		case aRow:
			if known = r.known.row().names(); known == nil {
				return below
			}
		case anEvent:
			known = EventFields()
		case aPart:
			if of.tree.isList() {
				r.fault(n, "%w", atByte(r.text, place(i), of.name+" is a list: go over it with range"))
				return meaning{}
			}
			if known = of.tree.members(); known == nil {
				return below
			}
			below = meaning{kind: aPart, tree: of.tree.below[name], name: of.name + "." + name}
		}
		if !slices.Contains(known, name) {
			what := "field "
			if of.kind == everything {
				what = "name "
			}
			r.fault(n, "%w", atByte(r.text, place(i), "unknown "+what+name))
			return meaning{}
		}
		of = below
	}
	return of
}

// places are where the names of a field stand in the text: the parser keeps the place behind the first of several.
func places(n parse.Node, names []string, isField bool) func(i int) int {
	return func(i int) int {
		at := int(n.Position()) + len(".")
		first := 0
		if isField && len(names) > 1 {
			if i == 0 {
				return int(n.Position()) - len(names[0])
			}
			first = 1
		}
		for _, name := range names[first:i] {
			at += len(name) + len(".")
		}
		return at
	}
}

// atByte is an error with its place in a text.
func atByte(text string, at int, message string) *ExpressionError {
	at = min(max(at, 0), len(text))
	return faultAt(text, len([]rune(text[:at])), message)
}

// of is what is known of an argument.
func (r *documentReader) of(arg parse.Node, dot meaning) meaning {
	switch n := arg.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return r.member(n, dot, n.Ident, places(n, n.Ident, true))
	case *parse.VariableNode:
		return r.member(n, r.variable(n.Ident[0]), n.Ident[1:], places(n, n.Ident[1:], false))
	case *parse.ChainNode:
		return r.member(n, r.of(n.Node, dot), n.Field, places(n, n.Field, false))
	case *parse.PipeNode:
		return r.meaning(n, dot)
	}
	return meaning{}
}

// meaning is what is known of what a pipeline comes to, whose parts were looked at before.
func (r *documentReader) meaning(p *parse.PipeNode, dot meaning) meaning {
	if len(p.Cmds) != 1 {
		return meaning{}
	}
	args := p.Cmds[0].Args
	if len(args) == 1 {
		return r.quietly(func() meaning { return r.of(args[0], dot) })
	}
	switch name, ok := args[0].(*parse.IdentifierNode); {
	case ok && name.Ident == allName:
		return meaning{kind: everything}
	case !ok || name.Ident != "index" || len(args) < 3:
		return meaning{}
	}
	of := r.quietly(func() meaning { return r.of(args[2], dot) }) // behind the budget
	for _, index := range args[3:] {
		switch n := index.(type) {
		case *parse.NumberNode:
			of = of.each()
		case *parse.StringNode:
			if of.kind != aPart || of.tree.isList() { // where it is a way to names that nobody knows
				return meaning{}
			}
			of = meaning{kind: aPart, tree: of.tree.find(n.Text), name: of.name + "." + n.Text}
		default:
			return meaning{}
		}
	}
	return of
}

// quietly has something asked once more whose faults are known.
func (r *documentReader) quietly(f func() meaning) meaning {
	faults := r.faults
	defer func() { r.faults = faults }()
	return f()
}

// each is what is known of the members of a list.
func (m meaning) each() meaning {
	if m.kind != aPart || !m.tree.isList() {
		return meaning{}
	}
	return meaning{kind: aPart, tree: m.tree.items, name: "a value of " + m.name}
}

// variable is what is known of one.
func (r *documentReader) variable(name string) meaning {
	if name == "$" {
		return meaning{kind: everything}
	}
	for _, v := range slices.Backward(r.variables) {
		if v.name == name {
			return v.of
		}
	}
	return meaning{}
}

// declare notes the variables that a pipeline declares; of several the last has its value.
func (r *documentReader) declare(p *parse.PipeNode, of meaning) {
	for i, v := range p.Decl {
		name := v.Ident[0]
		if name == "$" {
			r.fault(v, "$ is all values; give the variable a name")
		}
		if i < len(p.Decl)-1 || slices.Contains(r.assigned, name) {
			r.variables = append(r.variables, variable{name: name})
			continue
		}
		r.variables = append(r.variables, variable{name, of})
	}
}

// assignedIn are the variables that are given another value somewhere in a text.
func assignedIn(text string) (names []string) {
	for _, found := range assigning.FindAllStringSubmatch(text, -1) {
		names = append(names, found[1:]...)
	}
	return names
}

// used notes what a text names of all values: after and a column of it, payload and what is below.
func (r *documentReader) used(path []string) {
	if len(path) == 0 { // all there is
		r.uses.Whole, r.uses.Payload, r.uses.AllFields, r.uses.Event = true, true, true, true
		return
	}
	switch path[0] {
	case "before", "after":
		if len(path) == 1 {
			r.uses.Whole = true
			return
		}
		r.uses.name(path[0], path[1])
	case "payload":
		r.uses.Payload = true
		if len(path) == 1 {
			r.uses.AllFields = true
			return
		}
		r.uses.name(path[0], path[1])
	case "event":
		r.uses.Event = true
	}
}

// line is the line of the text that a part of it is in.
func (r *documentReader) line(n parse.Node) int { return atByte(r.text, int(n.Position()), "").Line }

func (r *documentReader) fault(n parse.Node, format string, args ...any) {
	r.faults = append(r.faults, &PlaceError{Line: r.line(n), Err: fmt.Errorf(format, args...)})
}
