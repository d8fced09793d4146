// Package trial tells, of an event that a person writes down, which rules want it and what they would post, and why the
// others do not. It needs neither the log nor a database.
package trial

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/config"
	"rowhook/rules"
	"rowhook/rules/shape"
	"rowhook/words"
)

// Case is an event and what is expected of it.
type Case struct {
	Name    string
	Place   string // where it is written, file:line
	Event   *rules.Event
	Others  []*rules.Event    // the event as rules for the same table have it that tell its rows apart by other keys
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
	Time    string      `yaml:"time"` // when it was committed, event.time
	Table   string      `yaml:"table"`
	Key     []string    `yaml:"key"` // of a table: the columns of its primary key, where that is not id
	Before  config.Tree `yaml:"before"`
	After   config.Tree `yaml:"after"`
	Payload config.Tree `yaml:"payload"`
	Want    []string    `yaml:"want"`
	Posts   config.Tree `yaml:"posts"`
}

// Read reads a file of cases for the rules of a set; siteOf is a site by its name, "" for any, nil when there is none. The error is one or more *config.Error, joined.
func Read(path string, set *rules.Set, siteOf func(name string) *rules.Site) ([]Case, error) {
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
		r := reader{src: src, key: "cases[" + strconv.Itoa(i) + "]", set: set, siteOf: siteOf}
		cases = append(cases, r.read(e))
	}
	if err := src.Err(); err != nil {
		return nil, err
	}
	return cases, nil
}

// reader reads one case.
type reader struct {
	src    *config.Source
	key    string
	set    *rules.Set
	siteOf func(name string) *rules.Site
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
	actions := r.actions(e)
	c.Event = &rules.Event{Site: r.site(e.Site), Time: r.time(e.Time)}
	if len(actions) > 0 { // else what is wrong is said
		c.Event.Action = actions[0]
		r.rows(c.Event, e, actions)
		for _, a := range actions[1:] {
			other := *c.Event
			other.Action = a
			identify(&other)
			c.Others = append(c.Others, &other)
		}
	}
	c.Payload = r.json("payload", e.Payload.Node)
	c.Posts = map[string][]byte{}
	for name, body := range pairs(e.Posts.Node) {
		r.rule("posts."+name, name)
		c.Posts[name] = r.json("posts."+name, body)
	}
	if c.Event.Action.Kind == rules.Fired && c.Payload == nil {
		r.faultf("payload", "is missing; %s leaves no row, so write its arguments as they are posted: {arg1: ...}", c.Event.Action)
	}
	return c
}

func (r *reader) rule(key, name string) {
	names := make([]string, len(r.set.Rules))
	for i, rule := range r.set.Rules {
		names[i] = rule.Name
	}
	if !slices.Contains(names, name) {
		r.faultf(key, "there is no rule %s%s", name, words.DidYouMean(name, names))
	}
}

func (r *reader) site(name string) *rules.Site {
	if s := r.siteOf(name); s != nil {
		return s
	}
	r.faultf("site", "%q is no site of the configuration", name)
	return &rules.Site{Name: name}
}

// aTime is when the event of a case was committed that does not say so.
const aTime = "2026-03-01 09:00:00"

// time reads when the event was committed. A time without a zone is UTC, as the plugin writes its columns.
func (r *reader) time(text string) time.Time {
	if text == "" {
		text = aTime
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime} { // either takes parts of a second
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	r.faultf("time", "%q is no date and time; write 2026-03-01 09:00:00, which is UTC, or 2026-03-01T10:00:00+01:00", text)
	return time.Time{}
}

// actions is the kind of the event. Of a table that custom rules name it is what happened to the row, once for each way in which
// they tell its rows apart.
func (r *reader) actions(e entry) (all []rules.Action) {
	if e.Table == "" {
		if len(e.Key) > 0 {
			r.faultf("key", "is for rows of a table; remove it")
		}
		return r.action(e)
	}
	kind := rules.Save
	if e.After.Node == nil {
		kind = rules.Delete
	}
	var tables []string
	for _, rule := range r.set.Rules {
		if rule.Action.Kind == rules.Rows {
			tables = append(tables, rule.Action.Entity.Table)
		}
		a := rules.Action{Entity: rule.Action.Entity, Kind: kind}
		if rule.Action.Kind == rules.Rows && a.Entity.Table == e.Table && !slices.ContainsFunc(all, func(o rules.Action) bool { return o.Entity.Is(a.Entity) }) {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		r.faultf("table", "no rule is for the table %s%s", e.Table, words.DidYouMean(e.Table, tables))
	}
	return all
}

// action is the action that a case names, none when it is wrong.
func (r *reader) action(e entry) []rules.Action {
	if e.Action == "" {
		r.faultf("action", "is missing; write for example appointment.save, or a table that a custom rule names: table: posts")
		return nil
	}
	for _, rule := range r.set.Rules { // which may name what is nearly known, and is meant so
		if rule.Action.Kind == rules.Fired && (rule.Action.String() == e.Action || rule.Action.Hook() == e.Action) {
			return []rules.Action{rule.Action}
		}
	}
	a, err := rules.ParseAction(e.Action)
	switch {
	case err != nil:
		r.faultf("action", "%v", err)
	case a.Kind == rules.Restored, a.Kind == rules.Told:
		r.faultf("action", "%s has no row that could be written down here", a)
	default:
		return []rules.Action{a}
	}
	return nil
}

// rows fills in the event's rows.
func (r *reader) rows(ev *rules.Event, e entry, actions []rules.Action) {
	if ev.Action.Kind == rules.Fired {
		ev.Table, ev.IDs = schema.NewTable(ev.Action.Entity.TableOf(ev.Site), nil, nil), []rules.Key{"1"}
		return
	}
	table := tableOf(ev, e, actions)
	known := ev.Action.Columns()
	was, is := r.row("before", table, known, e.Before.Node), r.row("after", table, known, e.After.Node)
	ev.Table = table
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
		ev.Changed = make([]bool, len(table.Columns))
		if e.Before.Node != nil {
			for i := was.NextChange(is, 0); i >= 0; i = was.NextChange(is, i+1) {
				ev.Changed[i] = true
			}
		}
	}
	identify(ev)
}

// identify fills in the key of the event's object.
func identify(ev *rules.Event) {
	ev.IDs = []rules.Key{"1"}
	if key := ev.Key(); len(key) > 0 && ev.Row.Len() > 0 {
		ev.IDs[0] = rules.KeyAt(ev.Row, key)
	}
}

// tableOf is the table as a case shows it: the columns that it names and those of keys. Without a database nobody knows the
// primary key: it is what the case says, or the column id.
func tableOf(ev *rules.Event, e entry, actions []rules.Action) *cdc.Table {
	entity, key := ev.Action.Entity, e.Key
	var columns []string
	add := func(name string) int {
		if i := slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, name) }); i >= 0 {
			return i
		}
		columns = append(columns, name)
		return len(columns) - 1
	}
	for _, row := range []func(func(string, *yaml.Node) bool){pairs(e.After.Node), pairs(e.Before.Node)} {
		for name := range row {
			add(name)
		}
	}
	for _, a := range actions {
		for _, name := range a.Entity.Key {
			add(name)
		}
	}
	id := "id"
	if ev.Action.Kind == rules.StatusChange {
		id = "id_order"
	}
	if len(key) == 0 && (!entity.Custom || slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, id) })) {
		key = []string{id}
	}
	var at []int
	for _, name := range key {
		at = append(at, add(name))
	}
	return schema.NewTable(entity.TableOf(ev.Site), columns, at)
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
			r.faultf(what+"."+name, "there is no such column%s", words.DidYouMean(name, names))
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
	t, err := shape.NewTemplate(n, nil, func(text string) (string, []string, error) { return text, nil, nil })
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
