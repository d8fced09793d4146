package shape

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Template is a body of one's own: a YAML tree whose texts that begin with = are expressions. It is encoded as JSON, so
// no value can break it.
type Template struct {
	Uses
	Needs Needs
	// Secrets are the texts in it that may be secrets: what is taken in from outside of the file, and what its key says is one.
	Secrets []string
	Written bool // a secret is written in the file itself
	// Doubts are about what is allowed, and most likely not meant.
	Doubts []*PlaceError
	root   part
}

// part is a value of the tree: one of a mapping, a list, an expression, or JSON that is always the same.
type part struct {
	names []string // of a mapping, as JSON with a colon
	parts []part   // of a mapping or a list
	list  bool
	value *Expression
	fixed []byte

	secret bool // it has something that may be a secret
}

// PlaceError is how an error of a template names its place: a path below template, such as .blocks[0].text.
type PlaceError struct {
	Path string
	Line int // of the file
	Err  error
}

func (w *PlaceError) Error() string { return w.Err.Error() }

// Unwrap returns the ExpressionError.
func (w *PlaceError) Unwrap() error { return w.Err }

// Expand is a text with what it takes in from outside of the file, and what that is.
type Expand = func(text string) (expanded string, taken []string, err error)

const (
	mostParts   = 2000
	deepestPart = 50
)

// NewTemplate compiles a tree. Its errors are PlaceErrors, joined. Its texts, and those that its expressions write out, go through expand.
func NewTemplate(n *yaml.Node, names *Names, expand Expand) (*Template, error) {
	t := &Template{}
	r := templateReader{known: names, expand: expand, made: t}
	t.root = r.part("", n, 0)
	if err := errors.Join(r.faults...); err != nil {
		return nil, err
	}
	return t, nil
}

// Body is the template with an event's values. The error is about these values.
func (t *Template) Body(v *Values) ([]byte, error) {
	v.budget.begin()
	return t.root.append(nil, v)
}

// notShown is what stands for a secret where people look at what is posted.
const notShown = "(its value is not shown)"

// Masked is the template with a remark in the place of each value that may be a secret.
func (t *Template) Masked() *Template { return &Template{Uses: t.Uses, root: t.root.masked()} }

func (p part) masked() part {
	if p.secret {
		p.value, p.fixed = nil, strconv.AppendQuote(nil, notShown)
	}
	p.parts = slices.Clone(p.parts)
	for i := range p.parts {
		p.parts[i] = p.parts[i].masked()
	}
	return p
}

func (p *part) append(b []byte, v *Values) (_ []byte, err error) {
	switch {
	case p.value != nil:
		got, err := p.value.of(v)
		if err != nil {
			return nil, err
		}
		return encoder{&v.budget, mostBody, errBody}.append(b, got)
	case p.fixed != nil:
		return append(b, p.fixed...), nil
	case p.list:
		b = append(b, '[')
	default:
		b = append(b, '{')
	}
	for i := range p.parts {
		if i > 0 {
			b = append(b, ',')
		}
		if !p.list {
			b = append(b, p.names[i]...)
		}
		if b, err = p.parts[i].append(b, v); err != nil {
			return nil, err
		}
	}
	if p.list {
		return append(b, ']'), nil
	}
	return append(b, '}'), nil
}

// templateReader compiles a tree.
type templateReader struct {
	known  *Names
	expand Expand
	made   *Template
	parts  int
	faults []error
}

func (r *templateReader) faultf(path string, n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, &PlaceError{path, n.Line, fmt.Errorf(format, args...)})
}

func (r *templateReader) part(path string, n *yaml.Node, depth int) (p part) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.parts++; r.parts > mostParts || depth > deepestPart {
		if r.parts == mostParts+1 || depth > deepestPart {
			r.faultf(path, n, "is too much; a template may have %d values, %d deep", mostParts, deepestPart)
		}
		return part{fixed: []byte("null")}
	}
	switch n.Kind {
	case yaml.MappingNode:
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i]
			if name.Kind != yaml.ScalarNode || name.ShortTag() == "!!merge" || seen[name.Value] {
				r.faultf(path, name, "has a key that is no plain text of its own")
				continue
			}
			seen[name.Value] = true
			key, _ := appendJSON(nil, name.Value)
			p.names = append(p.names, string(key)+":")
			below := r.part(path+"."+name.Value, n.Content[i+1], depth+1)
			r.secretOf(name.Value, n.Content[i+1], &below)
			p.parts = append(p.parts, below)
		}
	case yaml.SequenceNode:
		p.list = true
		for i, item := range n.Content {
			p.parts = append(p.parts, r.part(path+"["+strconv.Itoa(i)+"]", item, depth+1))
		}
	default:
		return r.leaf(path, n)
	}
	if len(p.parts) == 0 {
		p.fixed = []byte("{}")
		if p.list {
			p.fixed = []byte("[]")
		}
	}
	return p
}

func (r *templateReader) leaf(path string, n *yaml.Node) part {
	if n.ShortTag() == "!!str" {
		text, isExpression := strings.CutPrefix(n.Value, "=")
		if isExpression {
			e, err := Value(text, r.known, r.expand)
			if err != nil {
				r.faults = append(r.faults, &PlaceError{path, lineOf(n, err), err})
				return part{}
			}
			r.made.and(e.Uses)
			r.made.Needs.and(e.Needs)
			r.made.Secrets = append(r.made.Secrets, e.Taken...)
			return part{value: e, secret: len(e.Taken) > 0}
		}
		plain, taken, err := r.expand(n.Value)
		if err != nil {
			r.faults = append(r.faults, &PlaceError{path, n.Line, err})
		}
		if like := expressionLike.FindString(n.Value); like != "" {
			r.made.Doubts = append(r.made.Doubts, &PlaceError{path, n.Line, fmt.Errorf("is posted as it is, %s; an expression begins with =, as in \"= after.id\"", like)})
		}
		fixed, _ := appendJSON(nil, plain) // a text
		if len(taken) > 0 {
			r.made.Secrets = append(r.made.Secrets, append(taken, plain)...)
		}
		return part{fixed: fixed, secret: len(taken) > 0}
	}
	var v any
	if err := n.Decode(&v); err != nil {
		r.faultf(path, n, "cannot be read: %w", err)
		return part{}
	}
	fixed, err := appendJSON(nil, v)
	if err != nil {
		r.faults = append(r.faults, &PlaceError{path, n.Line, err})
	}
	return part{fixed: fixed}
}

// expressionLike is what a person writes who means an expression.
var expressionLike = regexp.MustCompile(`^(?:before|after|payload|event)\??\.\w+|\{\{.*?\}\}`)

// telling is in the names of what is a secret.
var telling = regexp.MustCompile(`(?i)(token|secret|passw|api[-_]?key|access[-_]?key|authorization|credential)`)

// secretOf marks what is written below a name that says it is a secret.
func (r *templateReader) secretOf(name string, n *yaml.Node, p *part) {
	if n.Kind != yaml.ScalarNode || p.fixed == nil || p.secret || !telling.MatchString(name) {
		return
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float":
		if n.Value != "" {
			p.secret, r.made.Written = true, true
			r.made.Secrets = append(r.made.Secrets, n.Value)
		}
	}
}

// lineOf is the line of a file that an expression's error is in.
func lineOf(n *yaml.Node, err error) int {
	wrong, ok := errors.AsType[*ExpressionError](err)
	if !ok || n.Style&yaml.LiteralStyle == 0 { // where YAML folds lines nobody knows
		return n.Line
	}
	return n.Line + max(wrong.Line, 1)
}
