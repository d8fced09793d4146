package shape

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// taking has the texts of an expression take in what they name from outside of the file. It may go over several trees of one
// expression: what a text takes in is asked for once.
type taking struct {
	expand  Expand
	text    []rune // of the expression
	known   map[string]string
	done    map[*ast.StringNode]bool // a text may stand in two places of a tree: a < 'b' < c
	taken   []string
	refused *file.Error
}

func newTaking(text string, expand Expand) *taking {
	return &taking{expand: expand, text: []rune(text), known: map[string]string{}, done: map[*ast.StringNode]bool{}}
}

// Visit sees the parts of a node before the node.
func (t *taking) Visit(node *ast.Node) {
	text, is := (*node).(*ast.StringNode)
	if !is || t.expand == nil || t.done[text] || !strings.Contains(text.Value, "$") || !t.quoted(text) {
		return
	}
	t.done[text] = true
	expanded, before := t.known[text.Value]
	if !before {
		var taken []string
		var err error
		if expanded, taken, err = t.expand(text.Value); err == nil && len(expanded) > longestExpression {
			err = fmt.Errorf("takes in more than %d bytes", longestExpression)
		}
		if err != nil {
			if t.refused == nil {
				t.refused = &file.Error{Location: text.Location(), Message: err.Error(), Prev: err}
			}
			return
		}
		t.known[text.Value] = expanded
		t.taken = append(t.taken, taken...)
	}
	text.Value = expanded
}

// quoted says whether a text is written as one: a name behind a dot is a text in the tree, too.
func (t *taking) quoted(text *ast.StringNode) bool {
	at := text.Location().From
	return at < len(t.text) && strings.ContainsRune("'\"`", t.text[at])
}

// hidden is an error without what was taken in. The line that it shows is as it is written.
func (t *taking) hidden(err *ExpressionError) *ExpressionError {
	err.Message = hide(t.taken, err.Message)
	return err
}

// shortestHidden is how long a text is that nobody guesses, in bytes; shorter ones are in many words.
const shortestHidden = 4

// hide takes out of a message what was taken in. Where parts of that are left, cut or escaped by who made the message, nothing of it stays.
func hide(taken []string, message string) string {
	for _, secret := range taken {
		if len(secret) >= shortestHidden {
			message = strings.ReplaceAll(message, secret, "***")
		}
	}
	for _, secret := range taken {
		if tells(message, secret) || tells(message, strconv.Quote(secret)) {
			return "it fails with what its texts take in, and the reason would show some of that; see what ${...} in them stands for"
		}
	}
	return message
}

// tells says whether a message has a part of a secret.
func tells(message, secret string) bool {
	for i := 0; i+shortestHidden <= len(secret); i++ {
		if strings.Contains(message, secret[i:i+shortestHidden]) {
			return true
		}
	}
	return false
}

// reference is what stands for something outside of the file.
var reference = regexp.MustCompile(`\$\{(?:(?:file|credential):[^{}\n]+|\w+)\}`)

// outside says of an expression that is none why, where it has a reference that stands in no text.
func outside(err *ExpressionError) *ExpressionError {
	line := []rune(err.Text)
	at := len(string(line[:min(err.Column, len(line))]))
	for _, found := range reference.FindAllStringIndex(err.Text, -1) {
		name, escaped := err.Text[found[0]:found[1]], strings.HasSuffix(err.Text[:found[0]], `\`) // '\${NAME}' is a text, and a wrong one
		if found[0] <= at && at < found[1] && !escaped {
			err.Message = fmt.Sprintf("%s is taken in only within a text: write '%s' in quotes, and int('%s') for a number", name, name, name)
		}
	}
	return err
}
