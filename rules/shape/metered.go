package shape

import (
	"fmt"
	"regexp"
	"regexp/syntax"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker/nature"
)

// budgetName is what expressions and documents name the budget by. No person can write it.
const budgetName = "(budget)"

// metering puts, in the place of the parts of an expression whose work or result depends on how large values are, calls that take
// that from the budget first. Parts of constants stay: an expression is short.
type metering struct{}

// Visit sees the parts of a node before the node.
func (m metering) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		m.binary(node, n)
	case *ast.BuiltinNode:
		m.builtin(node, n)
	case *ast.PredicateNode:
		work := &ast.IntegerNode{Value: perCall + perNode*size(n.Node)}
		n.Node = &ast.SequenceNode{Nodes: []ast.Node{call("step", work), n.Node}}
	case *ast.CallNode: // a method: times have some
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok && isMetered(callee.Value) {
			return
		}
		for i := range n.Arguments {
			m.wrap(&n.Arguments[i], "argument")
		}
		// What it was found to be is forgotten: what the method is of may be of any type from now on, and a call that is known to be of
		// one is made in another way.
		n.SetNature(nature.Nature{})
		n.Callee.SetNature(nature.Nature{})
	case *ast.MemberNode:
		m.wrap(&n.Property, "name")
	case *ast.SliceNode:
		m.wrap(&n.From, "place")
		m.wrap(&n.To, "place")
	case *ast.PairNode:
		m.wrap(&n.Key, "name")
	}
}

func (m metering) binary(node *ast.Node, n *ast.BinaryNode) {
	if n.Operator == "matches" {
		if text, ok := n.Right.(*ast.StringNode); ok { // look refuses others
			if p, err := newPattern(text.Value); err == nil {
				ast.Patch(node, call("matches", n.Left, &ast.ConstantNode{Value: p}))
			}
		}
		return
	}
	_, is := operators[n.Operator]
	if constant := isConstant(n.Left) || isConstant(n.Right); !is || constant && n.Operator != "contains" && n.Operator != "+" && (n.Operator != "in" || isConstant(n.Right)) || isConstant(n.Left) && isConstant(n.Right) {
		return
	}
	ast.Patch(node, call(n.Operator, n.Left, n.Right))
}

func (m metering) builtin(node *ast.Node, n *ast.BuiltinNode) {
	if _, is := builtins[n.Name]; is {
		ast.Patch(node, call(n.Name, n.Arguments...))
		return
	}
	if len(n.Arguments) == 1 { // count(list), sum(list): they go over it by themselves
		m.wrap(&n.Arguments[0], "members")
		return
	}
	if p, ok := n.Arguments[1].(*ast.PredicateNode); ok && (n.Name == "sortBy" || n.Name == "groupBy") {
		p.Node = call("ordered", p.Node)
	}
}

// loops are the functions that ask a predicate of each member of a list.
var loops = []string{"all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "count", "sum", "groupBy", "sortBy"}

// wrap has a part go through a function, unless it is a constant.
func (metering) wrap(node *ast.Node, function string) {
	if *node != nil && !isConstant(*node) {
		*node = call(function, *node)
	}
}

func call(function string, args ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: metered(function)}, Arguments: append([]ast.Node{&ast.IdentifierNode{Value: budgetName}}, args...)}
}

// metered is a name that no person can write.
func metered(function string) string { return "(" + function + ")" }

func isMetered(name string) bool { return name[0] == '(' }

func isConstant(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.NilNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.ConstantNode:
		return true
	case *ast.ArrayNode:
		for _, member := range n.Nodes {
			if !isConstant(member) {
				return false
			}
		}
		return true
	}
	return false
}

// size is how many parts an expression has; a call through reflection is many.
func size(n ast.Node) int {
	var c counter
	ast.Walk(&n, &c)
	return int(c)
}

type counter int

func (c *counter) Visit(node *ast.Node) {
	switch (*node).(type) {
	case *ast.CallNode, *ast.BuiltinNode:
		*c += perCall / perNode
	default:
		*c++
	}
}

// meteredFunctions are what metering calls.
func meteredFunctions() []expr.Option {
	var options []expr.Option
	add := func(name string, f meteredFunction) {
		options = append(options, expr.Function(metered(name), func(args ...any) (any, error) {
			b, ok := args[0].(*budget)
			if !ok {
				return nil, fmt.Errorf("%s has no budget", name)
			}
			return f(b, args[1:])
		}))
	}
	for _, functions := range []map[string]meteredFunction{operators, builtins, passing} {
		for name, f := range functions {
			add(name, f)
		}
	}
	return options
}

// pattern is a regular expression that is written in a rule.
type pattern struct {
	*regexp.Regexp
	steps  int
	prefix string // each match begins with it
}

const (
	mostSteps = 5000 // of a pattern
	perStep   = 10   // the work of each for each character: in the worst case all are taken
)

func newPattern(text string) (*pattern, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the pattern: %w", err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, fmt.Errorf("the pattern: %w", err)
	}
	if len(program.Inst) > mostSteps {
		return nil, fmt.Errorf("the pattern repeats too much: it comes to %d steps, and may have %d", len(program.Inst), mostSteps)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("the pattern: %w", err)
	}
	prefix, _ := re.LiteralPrefix()
	return &pattern{re, len(program.Inst), prefix}, nil
}
