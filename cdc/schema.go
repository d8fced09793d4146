package cdc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// errAsking marks the failures of a side connection: trying again helps, unlike with a table that is not what the log
// says.
var errAsking = errors.New("asking the server for its columns")

var errNoTable = errors.New("the server has no such table now")

// tableCache knows the tables that the log announced, by the ids it uses for them. It belongs to one connection.
type tableCache struct {
	src    *Source
	byID   map[uint64]*mappedTable // nil: nobody watches it
	byName map[TableName]*mappedTable
}

// mappedTable is a watched table with the layout of its row images.
type mappedTable struct {
	announcement []byte // the table map event, but for the table's id
	table        *Table
	layout       *layout
	builder      RowBuilder
}

func newTableCache(s *Source) *tableCache {
	return &tableCache{src: s, byID: map[uint64]*mappedTable{}, byName: map[TableName]*mappedTable{}}
}

// forget drops the ids: they are good within one log file of one server start.
func (c *tableCache) forget() { clear(c.byID) }

// forgetSchema drops everything: a statement may have changed any table.
func (c *tableCache) forgetSchema() {
	clear(c.byID)
	clear(c.byName)
}

// announce takes a table map event. A table that nobody watches is looked at no further.
func (c *tableCache) announce(ctx context.Context, body []byte) error {
	id, schema, name, err := peekTable(body)
	if err != nil {
		return err
	}
	if !c.src.watched[string(schema)][string(name)] {
		c.byID[id] = nil
		return nil
	}
	const tableIDSize = 6
	if t := c.byID[id]; t != nil && bytes.Equal(t.announcement, body[tableIDSize:]) {
		return nil
	}
	full := TableName{string(schema), string(name)}
	if t := c.byName[full]; t != nil && bytes.Equal(t.announcement, body[tableIDSize:]) {
		c.byID[id] = t
		return nil
	}
	t, err := c.src.layOut(ctx, full, body)
	if err != nil {
		return fmt.Errorf("table %s: %w", full, err)
	}
	t.announcement = bytes.Clone(body[tableIDSize:])
	c.byID[id], c.byName[full] = t, t
	return nil
}

// visibleWithin is how long a new table may take to be seen by others after it was logged.
const visibleWithin = 10 * time.Second

// announceNew is announce for a table that the same transaction creates: the log tells of it before others can see it.
func (c *tableCache) announceNew(ctx context.Context, body []byte) error {
	late := time.NewTimer(visibleWithin)
	defer late.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := c.announce(ctx, body)
		if !errors.Is(err, errNoTable) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			return err
		case <-tick.C:
		}
	}
}

// passOver takes a table map whose rows are not read.
func (c *tableCache) passOver(body []byte) error {
	id, _, _, err := peekTable(body)
	if err == nil {
		c.byID[id] = nil
	}
	return err
}

// layOut finds the names and types of an announced table's columns: from the log when it tells (binlog_row_metadata
// FULL), else from the server.
func (s *Source) layOut(ctx context.Context, name TableName, body []byte) (*mappedTable, error) {
	m, err := parseTableMap(s.flavor, body)
	if u, ok := errors.AsType[*undecodableError](err); ok {
		return nil, s.nameColumn(ctx, name, u)
	}
	if err != nil {
		return nil, err
	}
	if m.names == nil && m.endsInNumber() && s.MariaDB() {
		if m.hashes, err = s.hashes(ctx, name); err != nil {
			return nil, err
		}
	}
	columns, known := columnsFromMap(m)
	key := m.primaryKey
	switch {
	case !known:
		if columns, key, err = s.columns(ctx, name); err != nil {
			return nil, err
		}
	case !m.speaksForItself():
		schema, _, err := s.columns(ctx, name)
		if errors.Is(err, errAsking) {
			return nil, err
		}
		learn(m, columns, schema) // of a table that is no more there is nothing to learn
	}
	l, err := newLayout(m, columns)
	if err != nil {
		return nil, err
	}
	if wanted, ok := s.cfg.Lookups[name]; ok && !slices.Contains(s.cfg.Tables, name) {
		l = l.only(wanted...)
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return &mappedTable{table: NewTable(name, names, key), layout: l}, nil
}

// hashes counts the hidden columns of a table of MariaDB: UNIQUE keys over long texts have one each, the last in the log.
func (s *Source) hashes(ctx context.Context, name TableName) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	rows, err := queryRows(ctx, s.db, `SELECT DISTINCT index_name AS name FROM information_schema.statistics
		WHERE table_schema = ? AND table_name = ? AND non_unique = 0 AND index_type = 'HASH'`, name.Schema, name.Name)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errAsking, err)
	}
	return len(rows), nil
}

// nameColumn says which column it is that ended the parsing of a table map, as far as the server knows.
func (s *Source) nameColumn(ctx context.Context, name TableName, u *undecodableError) error {
	columns, _, err := s.columns(ctx, name)
	if errors.Is(err, errAsking) {
		return err
	}
	if u.number > len(columns) {
		return fmt.Errorf("column %d: %w", u.number, u)
	}
	c := columns[u.number-1]
	return fmt.Errorf("column %s, %s: %w", c.Name, strings.ToUpper(c.DataType), u)
}

// columns asks the server what a table's columns are now, and which make its primary key.
func (s *Source) columns(ctx context.Context, name TableName) ([]column, []int, error) {
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	rows, err := queryRows(ctx, s.db, `SELECT table_schema AS table_schema, table_name AS table_name, column_name AS name,
		data_type AS data_type, column_type AS column_type, COALESCE(character_set_name, '') AS charset, column_key AS column_key
		FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`, name.Schema, name.Name)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errAsking, err)
	}
	if len(rows) == 0 {
		return nil, nil, fmt.Errorf("%w, or user %s may not SELECT from it", errNoTable, s.cfg.User)
	}
	if is := (TableName{rows[0]["table_schema"], rows[0]["table_name"]}); is != name { // the log's names tell case apart
		return nil, nil, fmt.Errorf("the server calls it %s", is)
	}
	columns := make([]column, len(rows))
	var key []int
	for i, r := range rows {
		columns[i] = parseColumn(r["name"], r["data_type"], r["column_type"], r["charset"])
		if r["column_key"] == "PRI" {
			key = append(key, i)
		}
	}
	return columns, key, nil
}

// eachRow decodes the rows of an event and hands them on. The images of a large event come from a stream.
func (t *mappedTable) eachRow(h rowsHeader, images []byte, large *stream, f func(t *Table, op Op, before, after Row) error) error {
	row := func(before, after Row) error { return f(t.table, h.op, before, after) }
	if large != nil {
		return t.layout.eachRowFrom(h, large, &t.builder, row)
	}
	return t.layout.eachRow(h, images, &t.builder, row)
}
