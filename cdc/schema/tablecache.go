package schema

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema/ddl"
)

// TableCache knows the tables that the log announced, by the ids it uses for them. It belongs to one connection.
type TableCache struct {
	watched map[string]map[string]bool
	layOut  func(name ddl.TableName, body []byte) (*MappedTable, error) // of a table map
	skips   func(ddl.TableName) bool                                    // whether its rows are passed over for now
	byID    map[uint64]*MappedTable                                     // nil: nobody watches it
	byName  map[ddl.TableName]*MappedTable
	models  map[string]*MappedTable // by their columns' names: of each kind one, with which the others share what is the same
	builder rowcodec.RowBuilder     // of the rows of all: they come one after the other
}

// MappedTable is a watched table with the layout of its row images.
type MappedTable struct {
	announcement []byte // the table map event, but for the table's id
	Table        *Table
	layout       *rowcodec.Layout
	builder      *rowcodec.RowBuilder
	versions     *versions // nil: the table has none
}

// NewTableCache is an empty cache for the watched tables, by schema. LayOut makes a table of a table map; skips says whether
// a table's rows are passed over for now.
func NewTableCache(watched map[string]map[string]bool, layOut func(ddl.TableName, []byte) (*MappedTable, error), skips func(ddl.TableName) bool) *TableCache {
	return &TableCache{watched: watched, layOut: layOut, skips: skips, byID: map[uint64]*MappedTable{}, byName: map[ddl.TableName]*MappedTable{},
		models: map[string]*MappedTable{}}
}

// Forget drops the ids: they are good within one log file of one server start.
func (c *TableCache) Forget() { clear(c.byID) }

// ForgetSchema drops everything: a statement may have changed any table.
func (c *TableCache) ForgetSchema() {
	clear(c.byID)
	clear(c.byName)
	clear(c.models)
}

// Announce takes a table map event. A table that nobody watches is looked at no further.
func (c *TableCache) Announce(body []byte) error {
	id, schema, name, err := rowcodec.PeekTable(body)
	if err != nil {
		return err
	}
	const tableIDSize = 6
	if t := c.byID[id]; t != nil && bytes.Equal(t.announcement, body[tableIDSize:]) { // as nearly always: no name is looked up
		return nil
	}
	if !c.watched[string(schema)][string(name)] {
		c.byID[id] = nil
		return nil
	}
	full := ddl.TableName{Schema: string(schema), Name: string(name)}
	if c.skips(full) {
		c.byID[id] = nil
		return nil
	}
	if t := c.byName[full]; t != nil && bytes.Equal(t.announcement, body[tableIDSize:]) {
		c.byID[id] = t
		return nil
	}
	t, err := c.layOut(full, body)
	if err != nil {
		return fmt.Errorf("table %s: %w", full, err)
	}
	t.announcement, t.builder = bytes.Clone(body[tableIDSize:]), &c.builder
	c.share(t)
	c.byID[id], c.byName[full] = t, t
	return nil
}

// share makes a table hold what others of its columns hold as well only once.
func (c *TableCache) share(t *MappedTable) {
	key := strings.Join(t.Table.Columns, " ")
	model := c.models[key]
	if model == nil || !t.layout.Share(model.layout) || !slices.Equal(t.Table.Columns, model.Table.Columns) {
		c.models[key] = t
		return
	}
	t.Table.Columns, t.Table.index = model.Table.Columns, model.Table.index
}

// At is the table of an id: nil when its rows are passed over, false when it was not announced.
func (c *TableCache) At(id uint64) (*MappedTable, bool) {
	t, ok := c.byID[id]
	return t, ok
}

// Watch makes it know other tables.
func (c *TableCache) Watch(names map[string]map[string]bool) {
	c.watched = names
	c.ForgetSchema()
}

// PassOver takes a table map whose rows are not read.
func (c *TableCache) PassOver(body []byte) error {
	id, _, _, err := rowcodec.PeekTable(body)
	if err == nil {
		c.byID[id] = nil
	}
	return err
}

// NewMappedTable is the table of a table map with its columns, in the order of their images, by what is known of it.
func NewMappedTable(name ddl.TableName, m *rowcodec.TableMap, l *rowcodec.Layout, columns []ddl.Column, is *ddl.Definition) *MappedTable {
	v := versionsOf(columns, is)
	key := declaredKey(m.PrimaryKey, v, is)
	if v != nil {
		columns = columns[:v.columns]
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	table := NewTable(name, names, key)
	if v != nil {
		table.Period = shownPeriod(is, table)
	}
	return &MappedTable{Table: table, layout: l, versions: v}
}

// EachRow decodes the rows of an event and hands them on.
func (t *MappedTable) EachRow(h rowcodec.Header, in *rowcodec.Images, f func(t *Table, op rowcodec.Op, before, after rowcodec.Row) error) error {
	row := func(before, after rowcodec.Row) error {
		op := h.Op
		if t.versions != nil {
			var shown bool
			if op, before, after, shown = t.versions.change(op, before, after); !shown {
				return nil
			}
		}
		return f(t.Table, op, before, after)
	}
	return t.layout.EachRow(h, in, t.builder, row)
}
