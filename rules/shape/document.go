package shape

import (
	"bytes"
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
	Secrets []string // what is written in it by a name that says it is a secret
	parsed  *template.Template
	json    bool // its content type is
	masked  bool // for people
}

// DefaultContentType is a Document's unless its rule says another.
const DefaultContentType = "text/plain; charset=utf-8"

var (
	templateLine = regexp.MustCompile(`(?s)^template: [^:]*:(\d+):(?:\d+:)? ?(.*)$`)
	undefined    = regexp.MustCompile(`^function "(\w+)" not defined$`)
	calling      = regexp.MustCompile(`(?s)^<.*>: error calling (\w+: .*)$`)
)

// NewDocument compiles a text for a content type. Its errors are PlaceErrors, joined; their lines are the text's.
func NewDocument(text, contentType string, names *Names) (*Document, error) {
	text = strings.TrimSuffix(text, "\n")
	parsed, err := template.New("body").Option("missingkey=error").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, placeOf(err)
	}
	r := documentReader{known: names, escape: escaperOf(contentType), tree: parsed.Tree, text: text, assigned: assignedIn(text)}
	t := &Document{Secrets: secretsIn(text), parsed: parsed, json: r.escape == "json" && !strings.Contains(contentType, "ndjson")}
	r.uses = &t.Uses
	if parsed.Tree == nil || parse.IsEmptyTree(parsed.Root) && len(parsed.Templates()) <= 1 { // nothing in it but definitions, or nothing at all
		return nil, &PlaceError{Line: 1, Err: errors.New("is empty; write what to post")}
	}
	r.list(parsed.Root, meaning{kind: everything})
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

// written is how a text has a secret: token=abc, "api_key": "abc", <secret>abc<.
var written = regexp.MustCompile(telling.String() + `[\w-]*["']?\s*[=:>]\s*["']?(?:[Bb]earer\s+)?([^\s"'&<{}]+)`)

func secretsIn(text string) (secrets []string) {
	for _, found := range written.FindAllStringSubmatch(text, -1) {
		secrets = append(secrets, found[len(found)-1])
	}
	return secrets
}

// Masked is the document with a remark in the place of each secret that is written in it.
func (t *Document) Masked() *Document {
	masked := *t
	masked.masked = true
	return &masked
}

// withoutSecrets is a body as it may be shown.
func (t *Document) withoutSecrets(body []byte) []byte {
	for _, secret := range t.Secrets {
		if len(secret) >= shortestHidden {
			body = bytes.ReplaceAll(body, []byte(secret), []byte(notShown))
		}
	}
	return body
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
	if t.masked {
		return t.withoutSecrets(w.text), nil
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
		if unknown := undefined.FindStringSubmatch(message); unknown != nil {
			message = fmt.Sprintf("there is no function %s; there are %s", unknown[1], strings.Join(documentFunctions(), ", "))
		}
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
	text   string

	variables []variable // that are declared, the innermost last
	assigned  []string
	calls     int // so far
	faults    []error
}

// list goes over what stands one behind the other. What a block declares ends with it.
func (r *documentReader) list(l *parse.ListNode, dot meaning) {
	if l == nil {
		return
	}
	outside := r.variables
	defer func() { r.variables = outside }()
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			r.plain(n, string(n.Text))
		case *parse.ActionNode:
			r.pipe(n.Pipe, dot)
			r.declare(n.Pipe, r.meaning(n.Pipe, dot))
			if len(n.Pipe.Decl) == 0 {
				r.escaped(n.Pipe)
			}
		case *parse.IfNode:
			r.branch(&n.BranchNode, dot, func(meaning) meaning { return dot })
		case *parse.WithNode:
			r.branch(&n.BranchNode, dot, func(of meaning) meaning { return of })
		case *parse.RangeNode:
			before := r.calls
			r.branch(&n.BranchNode, dot, meaning.each)
			r.call(n.Pipe, eachName)
			r.metered(n.List, r.calls-before)
		case *parse.TemplateNode:
			r.fault(n, "{{template}} is not allowed: it may go on without end")
		}
	}
}

// branch goes over a block whose dot is made of what its pipeline comes to.
func (r *documentReader) branch(b *parse.BranchNode, dot meaning, inside func(meaning) meaning) {
	outside := r.variables
	defer func() { r.variables = outside }()
	r.pipe(b.Pipe, dot)
	of := r.meaning(b.Pipe, dot)
	if b.NodeType == parse.NodeRange {
		of = of.each()
		inside = func(of meaning) meaning { return of }
	}
	r.declare(b.Pipe, of)
	r.list(b.List, inside(of))
	r.list(b.ElseList, dot)
}

// pipe goes over the calls of a pipeline, and gives each what it needs.
func (r *documentReader) pipe(p *parse.PipeNode, dot meaning) {
	if p == nil {
		return
	}
	for i, c := range p.Cmds {
		r.calls++
		for j, arg := range c.Args {
			c.Args[j] = r.argument(arg, j, dot)
		}
		if name, ok := c.Args[0].(*parse.IdentifierNode); ok {
			r.called(c, name.Ident, i > 0)
		}
	}
}

// argument goes over a part of a call and returns what stands in its place.
func (r *documentReader) argument(arg parse.Node, i int, dot meaning) parse.Node {
	switch n := arg.(type) {
	case *parse.FieldNode:
		if dot.kind == everything {
			r.used(n.Ident)
		}
		r.of(n, dot)
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			r.used(n.Ident[1:])
		}
		r.of(n, dot)
		if len(n.Ident) == 1 && n.Ident[0] == "$" {
			return r.all(n, n.Pos)
		}
	case *parse.DotNode:
		if dot.kind == everything {
			r.used(nil)
			return r.all(n, n.Pos)
		}
	case *parse.PipeNode:
		r.pipe(n, dot)
	case *parse.ChainNode:
		n.Node = r.argument(n.Node, 0, dot)
		r.of(n, dot)
	case *parse.StringNode:
		r.plain(n, n.Text)
	case *parse.IdentifierNode:
		if _, ours := functions()[n.Ident]; ours && i > 0 {
			r.fault(n, "%s is a function: write ( ) around it and what it is of", n.Ident)
		}
	}
	return arg
}

// called looks at a function that is called, and gives it the budget when it is one of ours.
func (r *documentReader) called(c *parse.CommandNode, name string, piped bool) {
	if name == "printf" {
		r.format(c, piped)
	}
	if strings.HasSuffix(name, "_") { // one of those that are put in
		r.fault(c, "there is no function %s", name)
	}
	if _, ours := functions()[name]; ours {
		c.Args = slices.Insert(c.Args, 1, r.budget(c.Pos))
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

// plain refuses a text that would be posted as it is and means something from outside of the file.
func (r *documentReader) plain(n parse.Node, text string) {
	at := reference.FindStringIndex(text)
	if at == nil {
		return
	}
	name := text[at[0]:at[1]]
	r.faults = append(r.faults, &PlaceError{Line: atByte(r.text, int(n.Position())+at[0], "").Line, Err: fmt.Errorf(
		`has %s, and a template_file takes in nothing: it would be posted as it stands here. Write it in headers or in a template, or write the value itself and let nobody else read the file; where these letters are meant, write {{"${"}}%s`,
		name, strings.TrimPrefix(name, "${"))})
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
