package messages

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// message is a text that a person may read.
type message struct {
	kind string // log, error, finding, command, other
	file string // whose code says it
	text string // what is put in while rowhook runs stands in braces, or as verbs of fmt
}

// notProduct are folders whose programs users do not run.
var notProduct = []string{"bench", "conformance", "crash", "dbtest", "demo", "memory", "messages", "tools", "deliver/delivertest", "outbox/outboxtest", "outbox/sqlite/fault", "bin"}

// collect reads the product's source below a folder.
func collect(t *testing.T, root string) []message {
	t.Helper()
	folders := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		switch {
		case d.IsDir() && (slices.Contains(notProduct, name) || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			folders[filepath.Dir(name)] = append(folders[filepath.Dir(name)], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []message
	for _, names := range folders {
		p := reading{consts: map[string]ast.Expr{}}
		files := map[string]*ast.File{}
		for _, name := range names {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = file
			p.learnConsts(file)
		}
		for name, file := range files {
			p.file = filepath.ToSlash(name)
			ast.Inspect(file, p.visit)
		}
		all = append(all, p.found...)
	}
	slices.SortFunc(all, func(a, b message) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.file, b.file), strings.Compare(a.text, b.text))
	})
	said := map[message]bool{}
	for _, m := range all {
		said[message{"", m.file, strings.TrimSpace(m.text)}] = said[message{"", m.file, strings.TrimSpace(m.text)}] || m.kind != "other"
	}
	return slices.Compact(slices.DeleteFunc(all, func(m message) bool {
		return m.kind == "other" && (said[message{"", m.file, strings.TrimSpace(m.text)}] || query.MatchString(m.text) || slices.Contains(payloadTexts, m.file))
	}))
}

// query is what only SQL has.
var query = regexp.MustCompile("\\b(SELECT|JOIN|WHERE|COALESCE|ORDER BY|CONVERT)\\b|coalesce\\(|IF\\(|` IN|IN \\(|d\\.seq|f\\.state|> \\(")

// payloadTexts is code whose texts are the plugin's own, which stand in payloads.
var payloadTexts = []string{"loader/locale.go", "loader/parts.go", "loader/render/date.go"}

// reading is a package whose texts are collected.
type reading struct {
	consts map[string]ast.Expr
	file   string
	found  []message
}

func (r *reading) learnConsts(file *ast.File) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v, ok := s.(*ast.ValueSpec)
			for i := 0; ok && i < min(len(v.Names), len(v.Values)); i++ {
				r.consts[v.Names[i].Name] = v.Values[i]
			}
		}
	}
}

// fields are those of findings and stops that hold texts.
var fields = []string{"Found", "Fix", "Reason", "Hint", "Message", "Check"}

// levels are the methods of a logger.
var levels = []string{"Debug", "Info", "Warn", "Error"}

// helpTexts are the fields of a command that its help shows.
var helpTexts = []string{"Short", "Long", "Example"}

// statement is the beginning of an SQL statement, which is said to a server.
var statement = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|SHOW|SET|WITH|DROP|ALTER|BEGIN|ROLLBACK|START|LOCK|EXPLAIN|RELEASE|SAVEPOINT|COMMIT|AND|WHERE|OR|FROM|ORDER|TRUE|VALUES)\b`)

// visit takes the texts of a node, and says whether to look at what is within it.
func (r *reading) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec, *ast.Field: // paths and tags
		_, isField := n.(*ast.Field)
		return isField && n.(*ast.Field).Tag == nil
	case *ast.CallExpr:
		return r.call(n)
	case *ast.KeyValueExpr:
		key, ok := n.Key.(*ast.Ident)
		switch {
		case ok && slices.Contains(fields, key.Name):
			r.take("finding", n.Value, 1)
			return false
		case ok && slices.Contains(helpTexts, key.Name):
			r.take("command", n.Value, 1)
			return false
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			if s, ok := left.(*ast.SelectorExpr); ok && slices.Contains(fields, s.Sel.Name) && len(n.Rhs) == len(n.Lhs) {
				r.take("finding", n.Rhs[i], 1)
				return false
			}
		}
	case *ast.CompositeLit:
		if name, ok := n.Type.(*ast.Ident); ok && (name.Name == "usageError" || name.Name == "RequestError") {
			for _, e := range n.Elts {
				r.take("command", e, 1)
			}
			return false
		}
	case *ast.BinaryExpr, *ast.BasicLit:
		e, _ := n.(ast.Expr)
		return !r.take("other", e, 3)
	}
	return true
}

// call takes the texts of a call.
func (r *reading) call(c *ast.CallExpr) bool {
	name, of := called(c)
	switch {
	case len(c.Args) > 0 && slices.Contains(levels, name) && of != "t" && of != "http":
		keys := ""
		for _, a := range c.Args[1:] {
			if attr, ok := a.(*ast.CallExpr); ok && len(attr.Args) > 0 {
				if key := r.text(attr.Args[0]); key != "" && !strings.Contains(key, " ") {
					keys += " " + key
				}
			}
		}
		if text := r.text(c.Args[0]); text != "" {
			r.found = append(r.found, message{"log", r.file, strings.ToUpper(name) + " " + text + " [" + strings.TrimSpace(keys) + "]"})
		}
		for _, a := range c.Args[1:] {
			ast.Inspect(a, r.visit)
		}
		return false
	case of == "errors" && name == "New", of == "fmt" && name == "Errorf":
		r.take("error", c.Args[0], 1)
		return false
	case strings.EqualFold(name, "faultf"):
		for _, a := range c.Args[1:] {
			r.take("error", a, 1)
		}
		return false
	case of == "fmt" && strings.HasPrefix(name, "Fprint"), strings.HasSuffix(name, "Var"), name == "row", name == "Func":
		for _, a := range c.Args {
			r.take("command", a, 1)
		}
		return true
	}
	return true
}

// called is the name of what is called, and of what it is called on.
func called(c *ast.CallExpr) (name, of string) {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name, ""
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			of = x.Name
		}
		return f.Sel.Name, of
	}
	return "", ""
}

// take notes a text that has some spaces, and says whether it did.
func (r *reading) take(kind string, e ast.Expr, spaces int) bool {
	text := r.text(e)
	if strings.Count(text, " ") < spaces || kind == "other" && statement.MatchString(text) || strings.HasPrefix(text, "{") && !strings.Contains(text, "} ") {
		return false
	}
	r.found = append(r.found, message{kind, r.file, text})
	return true
}

// text is an expression's text as far as the source tells, "" when it is none.
func (r *reading) text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			return constant.StringVal(constant.MakeFromLiteral(e.Value, e.Kind, 0))
		}
	case *ast.Ident:
		if value, ok := r.consts[e.Name]; ok {
			return r.text(value)
		}
		return fmt.Sprintf("{%s}", e.Name)
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return r.text(e.X) + r.text(e.Y)
		}
	case *ast.ParenExpr:
		return r.text(e.X)
	case *ast.CallExpr:
		if name, of := called(e); of == "fmt" && strings.HasPrefix(name, "Sprint") {
			return r.text(e.Args[0])
		} else if name != "" {
			return "{" + name + "}"
		}
	case *ast.SelectorExpr:
		return "{" + e.Sel.Name + "}"
	case *ast.IndexExpr:
		return "{...}"
	}
	return ""
}
