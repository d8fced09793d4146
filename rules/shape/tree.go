package shape

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/types"
)

// Names are what is known of what expressions can name. nil: nothing is, and they may name anything.
type Names struct {
	Row     Columns // of before and after; nil: not known
	Payload *Tree   // nil: not known
}

// Fields are all names behind a dot that are known, sorted.
func (n *Names) Fields() []string {
	fields := slices.AppendSeq(EventFields(), maps.Keys(n.row()))
	for t := range n.payload().All {
		fields = append(fields, t.Below()...)
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// row are the columns of before and after.
func (n *Names) row() Columns {
	if n == nil {
		return nil
	}
	return n.Row
}

// payload is what the payload holds.
func (n *Names) payload() *Tree {
	if n == nil {
		return nil
	}
	return n.Payload
}

// Tree is a value of a payload: what it is, and what is below it. nil: nobody knows.
type Tree struct {
	types []string         // JSON's; none: any
	below map[string]*Tree // of an object; nil: none, or nobody knows which
	items *Tree            // of a list
	open  bool             // it may have other names, too
	About string           // what it shows, for people: table.column
}

// NewTree makes one of names whose values nobody knows.
func NewTree(names ...string) *Tree {
	t := &Tree{types: []string{"object"}, below: map[string]*Tree{}}
	for _, name := range names {
		t.below[name] = nil
	}
	return t
}

// ReadTree makes one of a JSON schema.
func ReadTree(schema []byte) (*Tree, error) {
	t := &Tree{}
	if err := json.Unmarshal(schema, t); err != nil {
		return nil, fmt.Errorf("reading a schema: %w", err)
	}
	return t, nil
}

// UnmarshalJSON reads as much of a schema as those of the payloads use.
func (t *Tree) UnmarshalJSON(text []byte) error {
	var s struct {
		Type        any              `json:"type"` // a name, or a list of names
		Properties  map[string]*Tree `json:"properties"`
		Items       *Tree            `json:"items"`
		Open        json.RawMessage  `json:"additionalProperties"`
		Description string           `json:"description"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*t = Tree{below: s.Properties, items: s.Items, open: len(s.Open) > 0 && string(s.Open) != "false", About: s.Description}
	switch is := s.Type.(type) {
	case string:
		t.types = []string{is}
	case []any:
		for _, one := range is {
			t.types = append(t.types, fmt.Sprint(one))
		}
	}
	return nil
}

// With is the tree with one more name.
func (t *Tree) With(name string, below *Tree) *Tree {
	if t == nil {
		return nil
	}
	more := *t
	more.below = maps.Clone(t.below)
	more.below[name] = below
	return &more
}

// Find goes down names, through lists as a Filter does. It returns how many of them there may be, and the last value on that way
// that is known.
func (t *Tree) Find(path []string) (found int, last *Tree) {
	for i, name := range path {
		for t != nil && t.items != nil {
			t = t.items
		}
		if t == nil {
			return len(path), last
		}
		below, known := t.below[name]
		switch {
		case known:
		case t.open || len(t.below) == 0: // of a text, what it says as JSON
			return len(path), t
		default:
			return i, t
		}
		t = below
		if t != nil {
			last = t
		}
	}
	return len(path), last
}

// All goes over the tree and all below it that is known.
func (t *Tree) All(yield func(*Tree) bool) { t.all(yield) }

func (t *Tree) all(yield func(*Tree) bool) bool {
	if t == nil {
		return true
	}
	for _, below := range t.below {
		if !below.all(yield) {
			return false
		}
	}
	return t.items.all(yield) && yield(t)
}

// Below are the names below the tree, or below a list's values, sorted.
func (t *Tree) Below() []string {
	for t != nil && t.items != nil {
		t = t.items
	}
	if t == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(t.below))
}

// expression is the type that expressions know it by. What may be of several types is of any, but that all may be null.
func (t *Tree) expression() types.Type {
	if t == nil {
		return types.Any
	}
	is := slices.DeleteFunc(slices.Clone(t.types), func(name string) bool { return name == "null" })
	switch {
	case len(is) != 1 || t.open:
		return types.Any
	case is[0] == "string":
		return types.String
	case is[0] == "boolean":
		return types.Bool
	case is[0] == "array":
		return types.Array(t.items.expression())
	case is[0] == "object" && len(t.below) > 0:
		fields := types.Map{}
		for name, below := range t.below {
			fields[name] = below.expression()
		}
		return fields
	}
	return types.Any // a number may be whole or not
}

// isList says whether the tree is of a list, whose values text/template knows no way through but range.
func (t *Tree) isList() bool {
	return t != nil && !t.open && t.items != nil && !slices.Contains(t.types, "object")
}

// members are the names below the tree, when they are known to be all.
func (t *Tree) members() []string {
	if t == nil || t.open || len(t.below) == 0 {
		return nil
	}
	return slices.Collect(maps.Keys(t.below))
}

// find is the tree below a name; nil where nobody knows one.
func (t *Tree) find(name string) *Tree {
	if t == nil {
		return nil
	}
	return t.below[name]
}
