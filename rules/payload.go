package rules

import (
	"rowhook/docs/schemas"
	"rowhook/rules/shape"
)

// payload is what is known of what the rule's events load; nil where nothing is.
func (r *Rule) payload() *shape.Tree {
	switch {
	case r.Slack || r.Action.Kind == 0:
		return nil
	case r.Action.Kind == Rows:
		return shape.NewTree("type", "table", "key", "keys", "data", "old")
	}
	name := r.Action.String()
	if r.Load != 0 {
		name += "." + r.Load.String()
	}
	text, err := schemas.Read(name)
	if err != nil { // of hooks, and of several actions at once, there is none
		return nil
	}
	tree, _ := shape.ReadTree(text) // TestPayloads reads all of them
	return tree
}
