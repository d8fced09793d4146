package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	tables "rowhook/cdc/schema"
	"rowhook/config"
	"rowhook/rules"
	"rowhook/rules/shape"
)

// Samples of custom rules are made of an invented row, in the way in which payloads are made of real ones.

// inventedColumn is a column of a table of which a row is invented.
type inventedColumn struct {
	name string
	kind shape.Type
	of   string // its type in MySQL; empty: it is not known
	key  bool   // of the primary key
}

// longestAsk is how long the database may take to tell a table's columns: a sample can do without.
const longestAsk = 3 * time.Second

// columnsAt are the columns of a rule's table at a site as the database has them; none where it cannot be asked.
func columnsAt(ctx context.Context, db config.Database, table cdc.TableName) (columns []inventedColumn) {
	ctx, cancel := context.WithTimeout(ctx, longestAsk)
	defer cancel()
	pool := serverOf(db).Pool()
	defer pool.Close()
	found, err := pool.QueryContext(ctx, "SELECT column_name, data_type, column_key = 'PRI' FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
		table.Schema, table.Name)
	if err != nil {
		return nil
	}
	defer found.Close()
	for found.Next() {
		var c inventedColumn
		var of sql.NullString
		if found.Scan(&c.name, &of, &c.key) != nil {
			return nil
		}
		c.of = strings.ToLower(of.String)
		c.kind = kindOfType(c.of)
		columns = append(columns, c)
	}
	if found.Err() != nil {
		return nil
	}
	return columns
}

// kindOfType is what a value of a column's type is in expressions.
func kindOfType(of string) shape.Type {
	switch {
	case strings.HasSuffix(of, "int"), of == "bit", of == "year":
		return shape.Int
	case slices.Contains([]string{"decimal", "float", "double"}, of):
		return shape.Float
	}
	return shape.Text
}

// columnsNamed are the columns that are known without the database: those of the plugin's tables, else what a rule names.
func columnsNamed(r *rules.Rule) (columns []inventedColumn) {
	for name, kind := range r.Action.Columns() {
		columns = append(columns, inventedColumn{name: name, kind: kind, key: name == "id"})
	}
	slices.SortFunc(columns, func(a, b inventedColumn) int { return strings.Compare(a.name, b.name) })
	names := slices.Clone(r.Action.Entity.Key)
	if len(names) == 0 {
		names = []string{"id"}
	}
	key := len(names)
	if r.Action.Kind == rules.Publish {
		names = append(names, "published")
	}
	if r.Shape != nil {
		for _, u := range r.Shape.Uses() {
			names = append(append(names, u.Before...), u.After...)
		}
	}
	known := rules.ColumnsOf(r.Action.Entity.Table)
	for i, name := range names {
		kind, ok := known[name]
		switch {
		case ok:
		case name == "id" || name == "published" || strings.HasPrefix(name, "id_") || strings.HasSuffix(name, "_id"):
			kind = shape.Int
		default:
			kind = shape.Text
		}
		if !slices.ContainsFunc(columns, func(c inventedColumn) bool { return c.name == name }) {
			columns = append(columns, inventedColumn{name: name, kind: kind, key: i < key && len(r.Action.Entity.Key) == 0})
		}
	}
	return columns
}

// inventEvent is an event that a custom rule for rows may be about, of a row with such columns; what is invented is so in values, too.
func inventEvent(r *rules.Rule, site *rules.Site, columns []inventedColumn) (ev *rules.Event, values map[string]any) {
	action := r.Action
	if action.Kind == rules.Rows {
		action.Kind = rules.Save
		if !slices.Contains(r.Kinds(), rules.Save) {
			action.Kind = rules.Delete
		}
	}
	ev = &rules.Event{Site: site, Action: action, Rules: []*rules.Rule{r}, Time: time.Now()}
	ev.Insert = action.Kind == rules.Save && (r.Action.Kind != rules.Rows || !slices.Contains(r.On, cdc.Update))
	values = map[string]any{}
	var names []string
	var key []int
	var b rowcodec.RowBuilder
	for i, c := range columns {
		if names = append(names, c.name); c.key {
			key = append(key, i)
		}
		text, value := inventColumn(action.Entity.Table, c.name, c.kind, c.of)
		if c.name == "published" {
			text, value = "1", 1
		}
		values[c.name] = value
		switch {
		case c.kind == shape.Int:
			b.AddText(cdc.Int, text)
		case c.kind == shape.Float:
			b.AddText(cdc.Decimal, text)
		case c.of == "json":
			b.AddText(cdc.JSON, text)
		default:
			b.AddText(cdc.Text, text)
		}
	}
	ev.Table = tables.NewTable(action.Entity.TableOf(site), names, key)
	ev.Row = b.Row()
	if ev.Changed = make([]bool, len(names)); action.Kind == rules.Save && !ev.Insert {
		ev.Before = ev.Row
		for i := range names { // so that load: basic shows them
			ev.Changed[i] = !slices.Contains(key, i)
		}
	}
	ev.IDs = []rules.Key{"12"}
	if at := ev.Key(); len(at) > 0 && !slices.Contains(at, -1) {
		ev.IDs[0] = rules.KeyAt(ev.Row, at)
	}
	return ev, values
}

// inventArguments are those of a hook that leaves no row: nobody knows what they are.
func inventArguments(plugin bool) []byte {
	first := 1
	if plugin {
		first = 0
	}
	return fmt.Appendf(nil, `{"arg%d":{},"arg%d":{},"arg%d":""}`, first, first+1, first+2)
}
