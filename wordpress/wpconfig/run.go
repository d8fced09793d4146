package wpconfig

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rowhook/regular"
)

const (
	mostIncludes = 2       // how deep files are followed
	mostSteps    = 200_000 // of a reading, in values looked at
	perStep      = 16      // bytes of a file that is read on the way cost as much as one value
	mostFile     = 1 << 20 // bytes of a file
	mostText     = 4096    // bytes of a value; a setting is shorter
)

// runner follows the statements of a file, and of those that it includes.
type runner struct {
	options   Options
	root      string // WordPress' folder, where PHP runs
	state     *state
	file      string // that is being followed
	depth     int
	functions map[string]bool // that the files declare
	returned  []returned      // where the file being followed was left
	reached   []*state        // where WordPress itself takes over
	steps     int
	notes     []string
}

// returned is a place where a file is left by return.
type returned struct {
	state *state
	value any // that it gives to who includes it
}

// doubt is one about a line of the file that is being followed.
func (r *runner) doubt(line int, format string, args ...any) Doubt {
	return Doubt{File: r.file, Line: line, What: fmt.Sprintf(format, args...)}
}

// cloud says that anything may be defined from here on.
func (r *runner) cloud(why Doubt) unknown {
	if r.state.cloud == nil {
		r.state.cloud = &why
	}
	return unknown{why}
}

// tired says whether the file asks for too much work. Then nothing is known.
func (r *runner) tired(work int) bool {
	r.steps += work
	return r.steps > mostSteps
}

func (r *runner) follow(statements []statement) {
	for _, s := range statements {
		if r.state.ended || r.tired(1) {
			return
		}
		switch s := s.(type) {
		case ifStatement:
			r.branch(s)
		case eval:
			r.value(s.x)
		case constant:
			r.state.define(s.name, r.value(s.x))
		case unset:
			delete(r.state.variables, s.name)
		case switchStatement:
			r.choose(s)
		case leave:
			r.leave(s)
		case opaque:
			r.opaque(s)
		}
	}
}

// leave leaves a file, with what it returns.
func (r *runner) leave(s leave) {
	var value any
	if s.x != nil {
		value = r.value(s.x)
	}
	r.returned = append(r.returned, returned{r.state.clone(), value})
	r.state.ended = true
}

// branch follows the branch that PHP takes, or both where it is not known which.
func (r *runner) branch(s ifStatement) {
	condition := r.value(s.condition)
	why, isUnknown := condition.(unknown)
	switch {
	case isUnknown:
		why := why.why
		r.either(why, func() { r.follow(s.then) }, func() { r.follow(s.otherwise) })
	case truth(condition):
		r.follow(s.then)
	default:
		r.follow(s.otherwise)
	}
}

// either does two things of which PHP does one.
func (r *runner) either(why Doubt, one, other func()) {
	if r.tired(r.state.size()) {
		return
	}
	before := r.state.clone()
	one()
	first := r.state
	r.state = before
	other()
	r.state = join(first, r.state, why)
}

// opaque takes note of what a statement that is not understood may change.
func (r *runner) opaque(s opaque) {
	if first := strings.ToLower(s.tokens[0].text); slices.Contains([]string{"class", "abstract", "final", "interface", "trait", "enum", "readonly", "function"}, first) {
		return // declared, not done
	}
	why := r.doubt(s.line, "is PHP that rowhook does not read: %s", excerpt(s.tokens))
	if r.tired(len(s.tokens)) {
		r.cloud(why)
		return
	}
	all := allWritten(s.tokens)
	for i, t := range s.tokens {
		next := token{}
		if i+1 < len(s.tokens) {
			next = s.tokens[i+1]
		}
		name := strings.ToLower(t.text)
		switch {
		case t.kind == unreadable:
			r.cloud(why)
		case t.kind == variable && (all || r.written(s.tokens, i)):
			r.state.variables[t.text] = unknown{why}
		case t.kind == sign && (name == "->" || name == "?->" || name == "::"):
			r.cloud(why)
		case t.kind != word:
		case name == "const" && next.kind == word:
			r.state.define(next.text, unknown{why})
		case name == "define" && i+2 < len(s.tokens) && len(s.tokens[i+2].parts) == 1:
			r.state.define(s.tokens[i+2].parts[0].text, unknown{why})
		case name == "define", r.functions[name], slices.Contains([]string{
			"include", "include_once", "require", "require_once", "eval", "new", "extract", "parse_str", "call_user_func", "call_user_func_array",
		}, name):
			r.cloud(why)
		}
	}
}

// allWritten says whether all variables may get other values in a statement that is not understood: foreach ($x['a'] as &$b)
// changes $x, too. So does a list at its beginning.
func allWritten(tokens []token) bool {
	if tokens[0].is("[") || tokens[0].is("list") {
		return true
	}
	for n := range len(tokens) - 1 {
		if tokens[n+1].is("&") && (tokens[n].is("as") || tokens[n].is("=>")) {
			return true
		}
	}
	return false
}

// written says whether a variable may get another value in a statement that is not understood.
func (r *runner) written(tokens []token, i int) bool {
	signs := func(i int, among ...string) bool {
		return i >= 0 && i < len(tokens) && slices.ContainsFunc(among, tokens[i].is)
	}
	behind := i + 1
	for depth := 0; depth > 0 || signs(behind, "["); behind++ {
		switch {
		case behind == len(tokens), r.tired(1):
			return true
		case signs(behind, "["):
			depth++
		case signs(behind, "]"):
			depth--
		}
	}
	for at, depth := i-1, 0; at > 0 && !r.tired(1); at-- { // within unset( ... ), also of an element
		switch {
		case signs(at, ")"):
			depth++
		case signs(at, "(") && depth > 0:
			depth--
		case signs(at, "("):
			if signs(at-1, "unset") {
				return true
			}
		}
	}
	return signs(i-1, "&", "as", "=>", "++", "--") ||
		signs(behind, "=", ".=", "??=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "++", "--", "->")
}

// excerpt is the beginning of a statement, without its strings: they may be secrets.
func excerpt(tokens []token) string {
	var words []string
	for _, t := range tokens[:min(len(tokens), 8)] {
		switch t.kind {
		case variable:
			words = append(words, "$"+t.text)
		case quoted:
			words = append(words, "'...'")
		case word, sign:
			words = append(words, t.text)
		case end, unreadable:
		}
	}
	return strings.Join(words, " ")
}

// include follows a file that PHP would include.
func (r *runner) include(x includeX) any {
	path := r.value(x.path)
	if u, is := path.(unknown); is {
		return r.cloud(Doubt{File: r.file, Line: x.line, What: "includes a file whose name is not known here: " + u.why.What, Ask: u.why.Ask})
	}
	name, _ := toText(path)
	if filepath.Base(name) == "wp-settings.php" { // all settings are there by now
		r.reached = append(r.reached, r.state.clone())
		r.state.ended = true
		return true
	}
	file := r.find(name)
	switch {
	case x.once && r.state.once[file]:
		return true
	case r.depth == mostIncludes:
		return r.cloud(r.doubt(x.line, "includes %s, and rowhook follows includes only %d deep", name, mostIncludes))
	}
	source, err := r.read(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !x.required:
		return false
	case err != nil:
		return r.cloud(r.doubt(x.line, "includes %s: %v", name, err))
	}
	r.state.once[file] = true
	return r.within(file, source)
}

// within follows an included file to its end, or to where it returns, and comes to what it returns: 1 where it does not.
func (r *runner) within(file, source string) (value any) {
	outer, before := r.file, r.returned
	r.file, r.returned = file, nil
	r.depth++
	r.source(source)
	value = int64(1)
	why := Doubt{File: file, What: "whether it returns before its end depends on what only PHP knows"}
	for _, at := range r.returned {
		if r.state.ended {
			value = at.value
		} else {
			value = agree(value, at.value, why)
		}
		r.state = join(r.state, at.state, why)
	}
	r.depth--
	r.file, r.returned = outer, before
	return value
}

// source follows the text of a file.
func (r *runner) source(source string) {
	statements, functions := parse(source)
	for name := range functions {
		r.functions[name] = true
	}
	r.follow(statements)
}

// find is where PHP would look for a file: a path that is none is relative to where PHP runs, or to the file that names it.
func (r *runner) find(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	inRoot := filepath.Join(r.root, name)
	if _, err := os.Stat(inRoot); err != nil {
		return filepath.Join(filepath.Dir(r.file), name)
	}
	return inRoot
}

// read reads a file, which costs work by its size.
func (r *runner) read(path string) (string, error) {
	content, err := readFile(path)
	if r.tired(1 + len(content)/perStep) {
		return "", errors.New("all files together are too much PHP to read")
	}
	return content, err
}

// readFile reads a regular file of bounded size.
func readFile(path string) (string, error) {
	f, err := regular.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err == nil && len(content) > mostFile {
		err = fmt.Errorf("%s is larger than %d KiB", path, mostFile>>10)
	}
	return string(content), err
}
