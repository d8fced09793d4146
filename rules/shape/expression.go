// Package shape makes of an event what a receiver understands: it tells whether a rule's condition holds, and what of a
// payload is kept, hidden, or put in its place. It knows values by their names, and neither rows nor servers.
package shape

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// Type is what values of a column can be, besides nil.
type Type uint8

// The types of columns.
const (
	Any   Type = iota // not known
	Int               // a whole number
	Float             // a number with a point; also DECIMAL
	Text              // all else
)

// Columns are those of a row, by name; nil: they are not known.
type Columns map[string]Type

// Values are what expressions can name. They are one goroutine's, and stay as they are once an expression was asked,
// unless it is told to Forget them.
type Values struct {
	Before, After map[string]any // the row's columns; nil where there is no such row
	Event         map[string]any // eventTypes has what it holds; only for who Uses it
	Site          string
	Payload       any // as JSON decodes; only for who Uses it

	names   map[string]any // the same by their names; filled once, for a template has many expressions
	machine vm.VM
	budget  budget
}

// Forget has the next expression see the values as they are by then.
func (v *Values) Forget() { clear(v.names) }

// named are the values by their names.
func (v *Values) named() map[string]any {
	if len(v.names) > 0 {
		return v.names
	}
	if v.names == nil {
		v.names = make(map[string]any, 6)
	}
	v.names["before"], v.names["after"] = nil, nil // nil itself, which a map that is nil does not equal
	if v.Before != nil {
		v.names["before"] = v.Before
	}
	if v.After != nil {
		v.names["after"] = v.After
	}
	v.names["event"], v.names["site"], v.names["payload"] = v.Event, v.Site, v.Payload
	v.names[budgetName] = &v.budget
	return v.names
}

// Uses is what an expression names, for only that has to be made ready.
type Uses struct {
	Before, After []string // columns, in order
	Whole         bool     // it takes a row for more than single columns: all are needed
	Payload       bool
	Fields        []string // of the payload, in order
	AllFields     bool     // it takes the payload for more than single fields: all are needed
	Event         bool
}

// name adds a column of before or after, or a field of the payload.
func (u *Uses) name(of, name string) {
	into := &u.Before
	switch of {
	case "after":
		into = &u.After
	case "payload":
		into = &u.Fields
	}
	if !slices.Contains(*into, name) {
		*into = append(*into, name)
	}
}

// and adds what another expression names.
func (u *Uses) and(other Uses) {
	for of, names := range map[string][]string{"before": other.Before, "after": other.After, "payload": other.Fields} {
		for _, name := range names {
			u.name(of, name)
		}
	}
	u.Whole = u.Whole || other.Whole
	u.Payload = u.Payload || other.Payload
	u.AllFields = u.AllFields || other.AllFields
	u.Event = u.Event || other.Event
}

// Expression is an expression that was found right. It never changes.
type Expression struct {
	Uses
	Needs Needs
	// Taken is what its texts take in from outside of the file, which may be secrets.
	Taken   []string
	program *vm.Program
}

// Needs are the rows without which it cannot be evaluated, as it does not ask whether they are there.
type Needs struct{ Before, After bool }

func (n *Needs) and(more Needs) { n.Before, n.After = n.Before || more.Before, n.After || more.After }

// ExpressionError is what is wrong with an expression.
type ExpressionError struct {
	Message string
	Line    int    // of the expression's text, from 1
	Column  int    // in characters, from 0
	Text    string // of the line
	cause   error  // what a text names outside of the file cannot be read
}

// Unwrap returns the error of what is outside of the file, where it is about that.
func (f *ExpressionError) Unwrap() error { return f.cause }

// Error shows the place under the message.
func (f *ExpressionError) Error() string {
	if f.Text == "" {
		return f.Message
	}
	text, column := around([]rune(strings.ReplaceAll(f.Text, "\t", " ")), f.Column)
	return fmt.Sprintf("%s\n    %s\n    %s^", f.Message, text, strings.Repeat(" ", column))
}

// widestLine is how much of a line is shown, in characters.
const widestLine = 120

// around is as much of a line as a person can look at, with the place in it.
func around(line []rune, column int) (string, int) {
	const cut = "..."
	before, behind := "", ""
	if from := column - widestLine*2/3; len(line) > widestLine && from > 0 {
		line, column, before = line[from:], column-from+len(cut), cut
	}
	if len(line) > widestLine {
		line, behind = line[:widestLine], cut
	}
	return before + string(line) + behind, column
}

const (
	longestExpression = 4 << 10 // in bytes
	mostNodes         = 500
	mostMembers       = 200_000 // of the lists and objects that an expression writes out, together
	longestReason     = 300     // of what a library says of a value, in bytes
)

// unbounded are the functions that an expression may not have: what they take has no end, or is not the same each time.
var unbounded = map[string]string{
	"now":    "an event must come out the same whenever it is looked at; compare with event.time",
	"repeat": "it may make texts of any size", "reduce": "it may make values of any size",
	"keys": inNoOrder, "values": inNoOrder, "toPairs": inNoOrder,
}

const inNoOrder = "what it lists is in another order each time; name the fields"

// Condition compiles what must hold for an event. Its errors are ExpressionErrors. Only the texts in it, in quotes, go through expand,
// so what they take in is never read as an expression; nil: they stay as they are.
func Condition(text string, n *Names, expand Expand) (*Expression, error) {
	return compile(text, n, expand, expr.AsBool())
}

// Value compiles what stands for a value of any type, as Condition does.
func Value(text string, n *Names, expand Expand) (*Expression, error) {
	return compile(text, n, expand, expr.AsAny())
}

func compile(text string, n *Names, expand Expand, as expr.Option) (*Expression, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, &ExpressionError{Message: "is empty"}
	case len(text) > longestExpression:
		return nil, &ExpressionError{Message: fmt.Sprintf("is longer than %d bytes", longestExpression)}
	}
	look, take := &look{bare: map[ast.Node]string{}}, newTaking(text, expand)
	_, err := expr.Compile(text, expr.Env(environment(n.row(), n.payload())), as, expr.MaxNodes(mostNodes), expr.Patch(take), expr.Patch(look))
	if take.refused != nil { // it says what is written, not what that stands for
		return nil, fault(text, take.refused)
	}
	if look.refused != nil {
		return nil, take.hidden(fault(text, look.refused))
	}
	if err != nil {
		return nil, take.hidden(outside(fault(text, err)))
	}
	// That was to find what is wrong. A program of typed columns compares two of them without asking whether one is NULL, and
	// fails then; one of columns of any type asks.
	env := environment(n.row().untyped(), nil)
	env[budgetName] = types.Any
	program, err := expr.Compile(text, append(meteredFunctions(), expr.Env(env), as, expr.MaxNodes(mostNodes), expr.Patch(take), expr.Patch(metering{}))...)
	if err != nil {
		return nil, take.hidden(fault(text, err))
	}
	needs := Needs{Before: look.needs.Before && !look.asks.Before, After: look.needs.After && !look.asks.After}
	return &Expression{Uses: look.found(), Needs: needs, Taken: take.taken, program: program}, nil
}

// names are the columns', in no order; nil: they are not known.
func (c Columns) names() []string {
	if c == nil {
		return nil
	}
	return slices.AppendSeq([]string{}, maps.Keys(c))
}

// untyped are the same columns, each of any type.
func (c Columns) untyped() Columns {
	loose := maps.Clone(c)
	for name := range loose {
		loose[name] = Any
	}
	return loose
}

// Holds says whether a condition holds. The error is about these values.
func (e *Expression) Holds(v *Values) (bool, error) {
	v.budget.begin()
	got, err := e.of(v)
	if err != nil {
		return false, err
	}
	holds, ok := got.(bool)
	if !ok {
		return false, fmt.Errorf("it is %s, neither true nor false", described(got))
	}
	return holds, nil
}

// of is an expression's value, within what is left of the values' budget. The error is about these values.
func (e *Expression) of(v *Values) (any, error) {
	v.machine.MemoryBudget = mostMembers
	got, err := v.machine.Run(e.program, v.named())
	if err != nil {
		if at, ok := errors.AsType[*file.Error](err); ok {
			err = errors.New(plain(hide(e.Taken, shortened(at.Message))))
		}
		return nil, err
	}
	return got, nil
}

// shortened is the beginning of a reason: a library may show a value in it.
func shortened(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:longestReason], "") + "..."
}

// Functions are the names of those that expressions can call, sorted.
func Functions() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(builtins)), loops...)))
}

// eventTypes is what an expression can ask of the event.
func eventTypes() types.Map {
	return types.Map{
		"action":  types.String,              // appointment.save
		"type":    types.String,              // insert or update of a save; else empty
		"status":  types.String,              // the new one, of a status change; else empty
		"key":     types.String,              // of the object; empty where it has several
		"time":    types.String,              // of its commit, RFC 3339 in UTC
		"seconds": types.Int,                 // the same, since 1970
		"changed": types.Array(types.String), // the columns that an update changed
	}
}

// EventFields are the names of what an expression can ask of the event, sorted.
func EventFields() []string { return slices.Sorted(maps.Keys(eventTypes())) }

func environment(c Columns, payload *Tree) types.Map {
	var row types.Type = types.Any
	if c != nil {
		columns := types.Map{}
		for name, t := range c {
			columns[name] = [...]types.Type{Any: types.Any, Int: types.Int, Float: types.Float64, Text: types.String}[t]
		}
		row = columns
	}
	return types.Map{"before": row, "after": row, "event": eventTypes(), "site": types.String, "payload": payload.expression()}
}

// look goes over an expression: what it names, and what it may not have.
type look struct {
	bare    map[ast.Node]string // what is named without a column or field, so far
	uses    Uses
	refused *file.Error

	needs, asks Needs
}

// Visit sees the parts of a node before the node.
func (l *look) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		switch n.Value {
		case "before", "after":
			l.bare[n] = n.Value
		case "payload":
			l.bare[n], l.uses.Payload = n.Value, true
		case "event":
			l.uses.Event = true
		case "$env":
			l.refuse(n, "$env is not allowed: name before, after, payload, event or site")
		}
	case *ast.MemberNode:
		name, isName := n.Property.(*ast.StringNode)
		if of := l.bare[n.Node]; isName && of != "" {
			l.uses.name(of, name.Value)
			delete(l.bare, n.Node)
			l.needs.and(Needs{Before: of == "before" && !n.Optional, After: of == "after" && !n.Optional})
		}
		if event, ok := n.Node.(*ast.IdentifierNode); ok && isName && event.Value == "event" && name.Value == "type" {
			l.asks = Needs{Before: true, After: true} // it tells which rows there are
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "..":
			l.refuse(n, "ranges are not allowed: they may be of any size")
		case "matches":
			l.matches(n)
		case "==", "!=":
			_, first := n.Left.(*ast.NilNode)
			_, second := n.Right.(*ast.NilNode)
			asks := func(row string) bool { return second && l.bare[n.Left] == row || first && l.bare[n.Right] == row }
			l.asks.and(Needs{Before: asks("before"), After: asks("after")})
		}
	case *ast.BuiltinNode:
		if _, metered := builtins[n.Name]; !metered && !slices.Contains(loops, n.Name) {
			l.called(n, n.Name)
		}
	}
}

func (l *look) matches(n *ast.BinaryNode) {
	text, ok := n.Right.(*ast.StringNode)
	if !ok {
		l.refuse(n, "the pattern of matches must be written out: what a value may hold has no bound")
	} else if _, err := newPattern(text.Value); err != nil {
		l.refuse(n, err.Error())
	}
}

func (l *look) called(n ast.Node, name string) {
	l.refuse(n, name+" is not allowed: "+cmp.Or(unbounded[name], "nobody has bounded it yet"))
}

func (l *look) refuse(n ast.Node, message string) {
	if l.refused == nil {
		l.refused = &file.Error{Location: n.Location(), Message: message}
	}
}

// found is what the expression names.
func (l *look) found() Uses {
	u := l.uses
	for _, of := range l.bare {
		u.Whole, u.AllFields = u.Whole || of != "payload", u.AllFields || of == "payload"
	}
	slices.Sort(u.Before)
	slices.Sort(u.After)
	slices.Sort(u.Fields)
	return u
}

// fault shows where in an expression an error is.
func fault(text string, err error) *ExpressionError {
	at, ok := errors.AsType[*file.Error](err)
	if !ok {
		return &ExpressionError{Message: plain(err.Error())}
	}
	made := faultAt(text, at.From, plain(at.Message))
	made.cause = at.Prev
	return made
}

// faultAt is an error with its place in a text, in characters.
func faultAt(text string, at int, message string) *ExpressionError {
	runes := []rune(text)
	from := min(max(at, 0), len(runes))
	begin := 0
	line := 1
	for i, r := range runes[:from] {
		if r == '\n' {
			begin, line = i+1, line+1
		}
	}
	end := begin
	for end < len(runes) && runes[end] != '\n' {
		end++
	}
	return &ExpressionError{Message: message, Line: line, Column: from - begin, Text: string(runes[begin:end])}
}
