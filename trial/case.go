// Package trial tells, of an event that a person writes down, which rules want it and what they would post, and why the
// others do not. It needs neither the log nor a database.
package trial

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/config"
	"rowhook/rules"
	"rowhook/rules/shape"
)

// Case is an event and what is expected of it.
type Case struct {
	Name    string
	Place   string // where it is written, file:line
	Event   *rules.Event
	Payload []byte            // what would be loaded, as JSON; empty: it is not said
	Want    []string          // the rules that fire, sorted
	Posts   map[string][]byte // what some of them post, as JSON
}

// file is a file of cases; docs/rules.md shows the keys.
type file struct {
	Cases []entry `yaml:"cases"`
}

type entry struct {
	Name    string      `yaml:"name"`
	Site    string      `yaml:"site"`
	Action  string      `yaml:"action"`
	Table   string      `yaml:"table"`
	Before  config.Tree `yaml:"before"`
	After   config.Tree `yaml:"after"`
	Payload config.Tree `yaml:"payload"`
	Want    []string    `yaml:"want"`
	Posts   config.Tree `yaml:"posts"`
}

// Read reads a file of cases for the rules of a set. The error is one or more *config.Error, joined.
func Read(path string, set *rules.Set, sites []*rules.Site) ([]Case, error) {
	var f file
	src, err := config.DecodeFile(path, &f)
	if err != nil {
		return nil, err
	}
	if len(f.Cases) == 0 {
		src.Faultf("cases", "has none; write a list of them")
	}
	var cases []Case
	for i, e := range f.Cases {
		r := reader{src: src, key: "cases[" + strconv.Itoa(i) + "]", set: set, sites: sites}
		cases = append(cases, r.read(e))
	}
	if err := src.Err(); err != nil {
		return nil, err
	}
	return cases, nil
}

// reader reads one case.
type reader struct {
	src   *config.Source
	key   string
	set   *rules.Set
	sites []*rules.Site
}

func (r *reader) faultf(key, format string, args ...any) {
	r.src.Faultf(r.key+"."+key, format, args...)
}

func (r *reader) read(e entry) Case {
	c := Case{Name: e.Name, Place: r.src.Place(r.key), Want: slices.Sorted(slices.Values(e.Want))}
	if e.Name == "" {
		r.faultf("name", "is missing; say what the case is about")
	}
	for i, name := range e.Want {
		r.rule(fmt.Sprintf("want[%d]", i), name)
	}
	c.Event = &rules.Event{Action: r.action(e), Site: r.site(e.Site), Last: cdc.Coord{}}
	c.Payload = r.json("payload", e.Payload.Node)
	c.Posts = map[string][]byte{}
	for name, body := range pairs(e.Posts.Node) {
		r.rule("posts."+name, name)
		c.Posts[name] = r.json("posts."+name, body)
	}
	if c.Event.Action.Entity != nil {
		r.rows(c.Event, e)
	}
	return c
}

func (r *reader) rule(key, name string) {
	names := make([]string, len(r.set.Rules))
	for i, rule := range r.set.Rules {
		names[i] = rule.Name
	}
	if !slices.Contains(names, name) {
		r.faultf(key, "there is no rule %s%s", name, rules.DidYouMean(name, names))
	}
}

func (r *reader) site(name string) *rules.Site {
	for _, s := range r.sites {
		if s.Name == name || name == "" {
			return s
		}
	}
	r.faultf("site", "%q is no site of the configuration", name)
	return &rules.Site{Name: name}
}

// action is the kind of the event: of a table that a custom rule names, what happened to the row.
func (r *reader) action(e entry) rules.Action {
	if e.Table != "" {
		for _, rule := range r.set.Rules {
			if rule.Action.Kind != rules.Rows || rule.Action.Entity.Table != e.Table {
				continue
			}
			if e.After.Node == nil {
				return rules.Action{Entity: rule.Action.Entity, Kind: rules.Delete}
			}
			return rules.Action{Entity: rule.Action.Entity, Kind: rules.Save}
		}
		r.faultf("table", "no rule is for the table %s", e.Table)
		return rules.Action{}
	}
	a, err := rules.ParseAction(e.Action)
	switch {
	case e.Action == "":
		r.faultf("action", "is missing; write for example appointment.save, or a table that a custom rule names: table: posts")
	case err != nil:
		r.faultf("action", "%v", err)
	case a.Kind != rules.Save && a.Kind != rules.StatusChange && a.Kind != rules.Delete:
		r.faultf("action", "%s has no row that could be written down here", a)
	default:
		return a
	}
	return rules.Action{}
}

// rows fills in the event's rows.
func (r *reader) rows(ev *rules.Event, e entry) {
	before, after := pairs(e.Before.Node), pairs(e.After.Node)
	var columns []string
	for _, row := range []func(func(string, *yaml.Node) bool){after, before} {
		for name := range row {
			if !slices.Contains(columns, name) {
				columns = append(columns, name)
			}
		}
	}
	id := "id"
	if ev.Action.Kind == rules.StatusChange {
		id = "id_order"
	}
	key := slices.Index(columns, id)
	if key < 0 && !ev.Action.Entity.Custom {
		columns = append(columns, id)
		key = len(columns) - 1
	}
	table := schema.NewTable(ev.Action.Entity.TableOf(ev.Site), columns, nil)
	if key >= 0 {
		table = schema.NewTable(table.TableName, columns, []int{key})
	}
	known := ev.Action.Columns()
	was, is := r.row("before", table, known, e.Before.Node), r.row("after", table, known, e.After.Node)
	ev.Table, ev.IDs = table, []rules.Key{"1"}
	switch {
	case ev.Action.Kind == rules.Delete && e.Before.Node == nil:
		r.faultf("before", "is missing; a delete has the row as it was")
	case ev.Action.Kind == rules.Delete:
		ev.Row = was
	case e.After.Node == nil:
		r.faultf("after", "is missing; write the row as it is, or the columns that matter")
	default:
		ev.Row, ev.Before = is, was
		ev.Insert = ev.Action.Kind == rules.Save && e.Before.Node == nil
		ev.Status = is.Text(table.Index("status"))
		ev.Changed = make([]bool, len(columns))
		if e.Before.Node != nil {
			for i := was.NextChange(is, 0); i >= 0; i = was.NextChange(is, i+1) {
				ev.Changed[i] = true
			}
		}
	}
	if key >= 0 && ev.Row.Text(key) != "" {
		ev.IDs[0] = rules.Key(ev.Row.Text(key))
	}
}

// row is a row as it is written down. What is not written is not known.
func (r *reader) row(what string, t *cdc.Table, known shape.Columns, n *yaml.Node) cdc.Row {
	if n == nil {
		return cdc.Row{}
	}
	values := map[string]*yaml.Node{}
	for name, value := range pairs(n) {
		if _, ok := known[name]; known != nil && !ok {
			names := make([]string, 0, len(known))
			for k := range known {
				names = append(names, k)
			}
			r.faultf(what+"."+name, "there is no such column%s", rules.DidYouMean(name, names))
		}
		if value.Kind != yaml.ScalarNode {
			r.faultf(what+"."+name, "must be a single value")
		}
		values[name] = value
	}
	var b rowcodec.RowBuilder
	for i, name := range t.Columns {
		value := values[name]
		switch {
		case value == nil && slices.Contains(t.Key, i):
			b.AddText(cdc.Int, "1")
		case value == nil:
			b.AddText(cdc.Absent, "")
		case value.ShortTag() == "!!null":
			b.AddText(cdc.Null, "")
		default:
			b.AddText(kindOf(known, name, value), value.Value)
		}
	}
	return b.Row()
}

func kindOf(known shape.Columns, name string, value *yaml.Node) cdc.Kind {
	switch tag := value.ShortTag(); {
	case known[name] == shape.Int, known == nil && tag == "!!int":
		return cdc.Int
	case known[name] == shape.Float, known == nil && tag == "!!float":
		return cdc.Decimal
	}
	return cdc.Text
}

// json is a tree as JSON; nil where there is none.
func (r *reader) json(key string, n *yaml.Node) []byte {
	if n == nil {
		return nil
	}
	t, err := shape.NewTemplate(n, nil, func(text string) (string, error) { return text, nil })
	var b []byte
	if err == nil {
		b, err = t.Body(&shape.Values{})
	}
	if err != nil {
		r.faultf(key, "%s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	return b
}

// pairs yields the names and values of a mapping, in order.
func pairs(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}
