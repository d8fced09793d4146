package shape

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// taking has the texts of an expression take in what they name from outside of the file. It may go over several trees of one
// expression: what a text takes in is asked for once.
type taking struct {
	expand  Expand
	known   map[string]string
	taken   []string
	refused *file.Error
}

// Visit sees the parts of a node before the node.
func (t *taking) Visit(node *ast.Node) {
	text, is := (*node).(*ast.StringNode)
	if !is || t.expand == nil || !strings.Contains(text.Value, "$") {
		return
	}
	expanded, before := t.known[text.Value]
	if !before {
		var taken []string
		var err error
		if expanded, taken, err = t.expand(text.Value); err == nil && len(expanded) > longestExpression {
			err = fmt.Errorf("takes in more than %d bytes", longestExpression)
		}
		if err != nil {
			if t.refused == nil {
				t.refused = &file.Error{Location: text.Location(), Message: err.Error()}
			}
			return
		}
		t.known[text.Value] = expanded
		t.taken = append(t.taken, taken...)
	}
	text.Value = expanded
}

// hidden is an error without what was taken in. The line that it shows is as it is written.
func (t *taking) hidden(err *ExpressionError) *ExpressionError {
	err.Message = hide(t.taken, err.Message)
	return err
}

// shortestHidden is how long a text is that nobody guesses, in bytes; shorter ones are in many words.
const shortestHidden = 4

func hide(taken []string, message string) string {
	for _, secret := range taken {
		if len(secret) >= shortestHidden {
			message = strings.ReplaceAll(message, secret, "***")
		}
	}
	return message
}

// reference is what stands for something outside of the file.
var reference = regexp.MustCompile(`\$\{(?:file:|credential:)?[\w./-]+\}`)

// outside says of an expression that is none why, where it has a reference that stands in no text.
func outside(err *ExpressionError) *ExpressionError {
	line := []rune(err.Text)
	at := len(string(line[:min(err.Column, len(line))]))
	for _, found := range reference.FindAllStringIndex(err.Text, -1) {
		if name := err.Text[found[0]:found[1]]; found[0] <= at && at < found[1] {
			err.Message = fmt.Sprintf("%s is taken in only within a text: write '%s' in quotes, and int('%s') for a number", name, name, name)
		}
	}
	return err
}
