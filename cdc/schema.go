package cdc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"rowhook/cdc/ddl"
	"rowhook/cdc/rowcodec"
)

// tableCache knows the tables that the log announced, by the ids it uses for them. It belongs to one connection.
type tableCache struct {
	watched map[string]map[string]bool
	layOut  func(name TableName, body []byte) (*mappedTable, error) // of a table map
	skips   func(TableName) bool                                    // whether its rows are passed over for now; nil: none is
	byID    map[uint64]*mappedTable                                 // nil: nobody watches it
	byName  map[TableName]*mappedTable
}

// mappedTable is a watched table with the layout of its row images.
type mappedTable struct {
	announcement []byte // the table map event, but for the table's id
	table        *Table
	layout       *rowcodec.Layout
	builder      rowcodec.RowBuilder
	versions     *versions // nil: the table has none
}

func newTableCache(watched map[string]map[string]bool, layOut func(TableName, []byte) (*mappedTable, error)) *tableCache {
	return &tableCache{watched: watched, layOut: layOut, byID: map[uint64]*mappedTable{}, byName: map[TableName]*mappedTable{}}
}

// forget drops the ids: they are good within one log file of one server start.
func (c *tableCache) forget() { clear(c.byID) }

// forgetSchema drops everything: a statement may have changed any table.
func (c *tableCache) forgetSchema() {
	clear(c.byID)
	clear(c.byName)
}

// announce takes a table map event. A table that nobody watches is looked at no further.
func (c *tableCache) announce(body []byte) error {
	id, schema, name, err := rowcodec.PeekTable(body)
	if err != nil {
		return err
	}
	if !c.watched[string(schema)][string(name)] {
		c.byID[id] = nil
		return nil
	}
	const tableIDSize = 6
	if t := c.byID[id]; t != nil && bytes.Equal(t.announcement, body[tableIDSize:]) {
		return nil
	}
	full := TableName{Schema: string(schema), Name: string(name)}
	if c.skips != nil && c.skips(full) {
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
	t.announcement = bytes.Clone(body[tableIDSize:])
	c.byID[id], c.byName[full] = t, t
	return nil
}

// passOver takes a table map whose rows are not read.
func (c *tableCache) passOver(body []byte) error {
	id, _, _, err := rowcodec.PeekTable(body)
	if err == nil {
		c.byID[id] = nil
	}
	return err
}

// layOut finds the names and types of an announced table's columns: from the log when it tells (binlog_row_metadata
// FULL), else from the history or the server.
func (r *reader) layOut(name TableName, body []byte) (*mappedTable, error) {
	s := r.src
	m, err := rowcodec.ParseTableMap(s.flavor, body)
	if u, ok := errors.AsType[*rowcodec.UndecodableError](err); ok {
		return nil, s.nameColumn(r.ctx, name, u)
	}
	if err != nil {
		return nil, err
	}
	var l *rowcodec.Layout
	var is *ddl.Definition
	columns, told := m.Columns()
	if told {
		if is, err = r.learnRest(name, m, columns); err != nil {
			return nil, err
		}
		l, err = rowcodec.NewLayout(m, columns)
	} else if is, l, err = r.known(name, m); err == nil {
		columns, m.PrimaryKey = withPeriod(is), is.Key
	}
	if err != nil {
		return nil, err
	}
	v := versionsOf(columns, is)
	key := declaredKey(m.PrimaryKey, v, is)
	if v != nil {
		columns = columns[:v.columns]
	}
	if wanted, ok := s.watched().lookedUp(name); ok {
		l = l.Only(wanted...)
	}
	l = l.SeenBy(s.watched().Clients[name])
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	table := NewTable(name, names, key)
	if v != nil {
		table.Period = shownPeriod(is, table)
	}
	return &mappedTable{table: table, layout: l, versions: v}, nil
}

// learnRest adds what a table map that tells names lacks, and returns what is known of the table; nil when nothing is,
// and need not be. It is too little to read the log ahead for it.
func (r *reader) learnRest(name TableName, m *rowcodec.TableMap, columns []ddl.Column) (*ddl.Definition, error) {
	is := r.history.get(name)
	if is == ddl.Gone {
		is = nil
	}
	if m.SpeaksForItself() && !m.MayBeVersioned(r.src.flavor) && len(m.PrimaryKey) == 0 {
		return is, nil
	}
	now := is == nil // not as the log has it, and perhaps altered since
	if now {
		var err error
		if is, err = r.src.define(r.ctx, name); errors.Is(err, errAsking) || isLocked(err) {
			return nil, err
		} else if err != nil { // of a table that is no more there is nothing to learn
			return toldPeriod(m, r.src.flavor, columns)
		}
	}
	m.Learn(columns, is.Columns)
	if now && !hasPeriodOf(m, is, columns) {
		return toldPeriod(m, r.src.flavor, columns)
	}
	return is, nil
}

// nameColumn says which column it is that ended the parsing of a table map, as far as the server knows.
func (s *Source) nameColumn(ctx context.Context, name TableName, u *rowcodec.UndecodableError) error {
	is, err := s.define(ctx, name)
	if errors.Is(err, errAsking) {
		return err
	}
	if err != nil || u.Number > len(is.Columns) {
		return fmt.Errorf("column %d: %w", u.Number, u)
	}
	c := is.Columns[u.Number-1]
	return fmt.Errorf("column %s, %s: %w", c.Name, strings.ToUpper(c.DataType), u)
}

// eachRow decodes the rows of an event and hands them on.
func (t *mappedTable) eachRow(h rowcodec.Header, in *rowcodec.Images, f func(t *Table, op Op, before, after Row) error) error {
	row := func(before, after Row) error {
		op := h.Op
		if t.versions != nil {
			var shown bool
			if op, before, after, shown = t.versions.change(op, before, after); !shown {
				return nil
			}
		}
		return f(t.table, op, before, after)
	}
	return t.layout.EachRow(h, in, &t.builder, row)
}
