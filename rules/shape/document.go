package shape

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// Document is a body of one's own that is no JSON: a form, XML, plain text. It is written in the language of text/template, with
// what expressions name behind a dot: {{.after.id}}. Each value that it puts in is escaped as its content type asks for, so no
// value can break it.
type Document struct {
	Uses
	parsed *template.Template
	json   bool // its content type is
}

const (
	mostInFormat = 3 // digits of a width or precision in a format
)

// DefaultContentType is a Document's unless its rule says another.
const DefaultContentType = "text/plain; charset=utf-8"

var (
	templateLine = regexp.MustCompile(`(?s)^template: [^:]*:(\d+):(?:\d+:)? ?(.*)$`)
	calling      = regexp.MustCompile(`(?s)^<.*>: error calling (\w+: .*)$`)
	tooWide      = regexp.MustCompile(`%[^%a-zA-Z]*(?:\*|\d{` + strconv.Itoa(mostInFormat+1) + `})`)
)

// NewDocument compiles a text for a content type. Its errors are PlaceErrors, joined; their lines are the text's.
func NewDocument(text, contentType string, names *Names) (*Document, error) {
	parsed, err := template.New("body").Option("missingkey=error").Funcs(functions()).Parse(strings.TrimSuffix(text, "\n"))
	if err != nil {
		return nil, placeOf(err)
	}
	r := documentReader{known: names, escape: escaperOf(contentType), tree: parsed.Tree}
	t := &Document{parsed: parsed, json: r.escape == "json" && !strings.Contains(contentType, "ndjson")}
	r.uses = &t.Uses
	if parsed.Tree == nil || parse.IsEmptyTree(parsed.Root) && len(parsed.Templates()) <= 1 { // nothing in it but definitions, or nothing at all
		return nil, &PlaceError{Line: 1, Err: errors.New("is empty; write what to post")}
	}
	r.list(parsed.Root, true)
	for _, other := range parsed.Templates() {
		if other != parsed {
			r.fault(other.Root, "has a template within it, %s; write what it makes where it is wanted", other.Name())
		}
	}
	if err := errors.Join(r.faults...); err != nil {
		return nil, err
	}
	return t, nil
}

// Body is the text with an event's values. The error is about these values.
func (t *Document) Body(v *Values) ([]byte, error) {
	v.budget.begin()
	var w bounded
	if err := t.parsed.Execute(&w, v.named()); err != nil {
		at, ok := errors.AsType[*PlaceError](placeOf(err))
		if !ok {
			return nil, err
		}
		return nil, fmt.Errorf("line %d: %w", at.Line, at.Err)
	}
	if t.json && !json.Valid(w.text) {
		return nil, errors.New("it is no JSON, which its content type says it is; values are put in with their quotes, so write none around them")
	}
	return w.text, nil
}

// bounded is a writer of a body.
type bounded struct{ text []byte }

var _ io.Writer = (*bounded)(nil)

func (w *bounded) Write(p []byte) (int, error) {
	if len(w.text)+len(p) > mostBody {
		return 0, errBody
	}
	w.text = append(w.text, p...)
	return len(p), nil
}

// placeOf takes the line out of an error of text/template.
func placeOf(err error) error {
	if m := templateLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		message := strings.TrimPrefix(m[2], `executing "body" at `)
		if called := calling.FindStringSubmatch(message); called != nil {
			message = strings.NewReplacer(eachName+": ", "", stepName+": ", "range: ").Replace(called[1])
		}
		return &PlaceError{Line: line, Err: errors.New(shortened(strings.ReplaceAll(message, " $."+budgetName, "")))}
	}
	return &PlaceError{Line: 1, Err: err}
}

// escaperOf is the function that values go through last in a text of a content type.
func escaperOf(contentType string) string {
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return "text"
	case media == "application/x-www-form-urlencoded":
		return "urlquery"
	case media == "text/html", media == "text/xml", media == "application/xml", strings.HasSuffix(media, "+xml"):
		return "xml"
	case media == "application/json", strings.HasSuffix(media, "+json"), strings.HasSuffix(media, "ndjson"):
		return "json"
	}
	return "text"
}

// escapers end a value: behind one of them nothing is escaped once more.
var escapers = []string{"text", "urlquery", "xml", "html", "json", "raw"}

// documentReader finds what a text names, refuses what has no bound, and has values escaped.
type documentReader struct {
	known  *Names
	uses   *Uses
	escape string
	tree   *parse.Tree
	calls  int // so far
	faults []error
}

func (r *documentReader) fault(n parse.Node, format string, args ...any) {
	line := 1
	if where, _ := r.tree.ErrorContext(n); where != "" { // body:3:14
		_, rest, _ := strings.Cut(where, ":")
		text, _, _ := strings.Cut(rest, ":")
		line, _ = strconv.Atoi(text)
	}
	r.faults = append(r.faults, &PlaceError{Line: line, Err: fmt.Errorf(format, args...)})
}

// list goes over what stands one behind the other; root says whether the dot is all values there.
func (r *documentReader) list(l *parse.ListNode, root bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			r.pipe(n.Pipe, root)
			if len(n.Pipe.Decl) == 0 {
				r.escaped(n.Pipe)
			}
		case *parse.IfNode:
			r.branch(&n.BranchNode, root, root)
		case *parse.WithNode:
			r.branch(&n.BranchNode, root, false)
		case *parse.RangeNode:
			before := r.calls
			r.branch(&n.BranchNode, root, false)
			r.call(n.Pipe, eachName)
			r.metered(n.List, r.calls-before)
		case *parse.TemplateNode:
			r.fault(n, "{{template}} is not allowed: it may go on without end")
		}
	}
}

func (r *documentReader) branch(b *parse.BranchNode, root, inside bool) {
	r.pipe(b.Pipe, root)
	r.list(b.List, inside)
	r.list(b.ElseList, root)
}

func (r *documentReader) pipe(p *parse.PipeNode, root bool) {
	if p == nil {
		return
	}
	for _, c := range p.Cmds {
		r.calls++
		for i, arg := range c.Args {
			switch n := arg.(type) {
			case *parse.FieldNode:
				if root {
					r.named(n, n.Ident)
				}
			case *parse.VariableNode:
				if n.Ident[0] == "$" {
					r.named(n, n.Ident[1:])
				}
				if len(n.Ident) == 1 && n.Ident[0] == "$" {
					c.Args[i] = r.all(n, n.Pos)
				}
			case *parse.DotNode:
				if root {
					r.named(n, nil)
					c.Args[i] = r.all(n, n.Pos)
				}
			case *parse.PipeNode:
				r.pipe(n, root)
			case *parse.ChainNode:
				if within, ok := n.Node.(*parse.PipeNode); ok {
					r.pipe(within, root)
				}
			case *parse.IdentifierNode:
				if _, ours := functions()[n.Ident]; ours && i > 0 {
					r.fault(n, "%s is a function: write ( ) around it and what it is of", n.Ident)
				}
			}
		}
		if name, ok := c.Args[0].(*parse.IdentifierNode); ok {
			if name.Ident == "printf" {
				r.format(c)
			}
			if strings.HasSuffix(name.Ident, "_") { // one of those that are put in
				r.fault(c, "function %q not defined", name.Ident)
			}
			if _, ours := functions()[name.Ident]; ours {
				c.Args = slices.Insert(c.Args, 1, r.budget(c.Pos))
			}
		}
	}
}

// budget is what functions find the budget by.
func (r *documentReader) budget(at parse.Pos) parse.Node {
	return &parse.VariableNode{NodeType: parse.NodeVariable, Pos: at, Ident: []string{"$", budgetName}}
}

// all is a part that names all values, but for the budget.
func (r *documentReader) all(n parse.Node, at parse.Pos) parse.Node {
	name := parse.NewIdentifier(allName).SetPos(at).SetTree(r.tree)
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: at, Cmds: []*parse.CommandNode{{NodeType: parse.NodeCommand, Pos: at, Args: []parse.Node{name, r.budget(at), n}}}}
}

// metered has each turn of a loop take the work of so many calls.
func (r *documentReader) metered(body *parse.ListNode, calls int) {
	work := perCall * (calls + len(body.Nodes) + 1)
	name := parse.NewIdentifier(stepName).SetPos(body.Pos).SetTree(r.tree)
	number := &parse.NumberNode{NodeType: parse.NodeNumber, Pos: body.Pos, IsInt: true, Int64: int64(work), Text: strconv.Itoa(work)}
	step := &parse.PipeNode{NodeType: parse.NodePipe, Pos: body.Pos, Cmds: []*parse.CommandNode{{NodeType: parse.NodeCommand, Pos: body.Pos, Args: []parse.Node{name, r.budget(body.Pos), number}}}}
	body.Nodes = slices.Insert(body.Nodes, 0, parse.Node(&parse.ActionNode{NodeType: parse.NodeAction, Pos: body.Pos, Pipe: step}))
}

// format refuses a format that asks for a text of any size, and one that a value may be.
func (r *documentReader) format(c *parse.CommandNode) {
	if len(c.Args) < 2 {
		r.fault(c, "printf needs its format behind it")
		return
	}
	switch format, ok := c.Args[1].(*parse.StringNode); {
	case !ok:
		r.fault(c, "the format of printf must be written out")
	case tooWide.MatchString(format.Text):
		r.fault(c, "printf with a width of more than %d digits, or one that is a value, is not allowed: it may make texts of any size", mostInFormat)
	}
}

// named notes what a text names: after and a column of it, payload and what is below.
func (r *documentReader) named(n parse.Node, path []string) {
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
		if columns := r.known.row(); columns != nil {
			if _, known := columns[path[1]]; !known {
				r.fault(n, "%w", &ExpressionError{Message: "unknown field " + path[1]})
				return
			}
		}
		r.uses.name(path[0], path[1])
	case "payload":
		r.uses.Payload = true
		if err := r.known.payload().check(path[1:]); err != nil {
			r.fault(n, "%w", err)
			return
		}
		if len(path) == 1 {
			r.uses.AllFields = true
		} else {
			r.uses.name(path[0], path[1])
		}
	case "event":
		r.uses.Event = true
		if len(path) > 1 && !slices.Contains(EventFields(), path[1]) {
			r.fault(n, "%w", &ExpressionError{Message: "unknown field " + path[1]})
		}
	case "site":
	default:
		r.fault(n, "%w", &ExpressionError{Message: "unknown name " + path[0]})
	}
}

// escaped has what a pipeline makes go through the content type's escaper, unless an escaper ends it.
func (r *documentReader) escaped(p *parse.PipeNode) {
	last := p.Cmds[len(p.Cmds)-1]
	if name, ok := last.Args[0].(*parse.IdentifierNode); ok && slices.Contains(escapers, name.Ident) {
		return
	}
	r.call(p, r.escape)
}

// call has what a pipeline makes go through a function.
func (r *documentReader) call(p *parse.PipeNode, function string) {
	name := parse.NewIdentifier(function).SetPos(p.Pos).SetTree(r.tree)
	p.Cmds = append(p.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: p.Pos, Args: []parse.Node{name, r.budget(p.Pos)}})
}
