package cdc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
)

// layOut finds the names and types of an announced table's columns: from the log when it tells (binlog_row_metadata
// FULL), else from the history or the server.
func (r *resolver) layOut(name TableName, body []byte) (*schema.MappedTable, error) {
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
		columns, m.PrimaryKey = schema.WithPeriod(is), is.Key
	}
	if err != nil {
		return nil, err
	}
	if wanted, ok := s.watched().lookups[name]; ok {
		l = l.Only(wanted...)
	}
	l = l.SeenBy(s.watched().Clients[name])
	return schema.NewMappedTable(name, m, l, columns, is), nil
}

// learnRest adds what a table map that tells names lacks, and returns what is known of the table; nil when nothing is,
// and need not be. It is too little to read the log ahead for it.
func (r *resolver) learnRest(name TableName, m *rowcodec.TableMap, columns []ddl.Column) (*ddl.Definition, error) {
	is := r.history.Get(name)
	if is == ddl.Gone {
		is = nil
	}
	if m.SpeaksForItself() && !m.MayBeVersioned(r.src.flavor) && len(m.PrimaryKey) == 0 {
		return is, nil
	}
	now := is == nil // not as the log has it, and perhaps altered since
	if now {
		var err error
		if is, err = r.src.tables().Define(r.ctx, name); errors.Is(err, schema.ErrAsking) || schema.IsLocked(err) {
			return nil, err
		} else if err != nil { // of a table that is no more there is nothing to learn
			return schema.ToldPeriod(m, r.src.flavor, columns)
		}
	}
	m.Learn(columns, is.Columns)
	if now && !schema.HasPeriodOf(m, is, columns) {
		return schema.ToldPeriod(m, r.src.flavor, columns)
	}
	return is, nil
}

// nameColumn says which column it is that ended the parsing of a table map, as far as the server knows.
func (s *Source) nameColumn(ctx context.Context, name TableName, u *rowcodec.UndecodableError) error {
	is, err := s.tables().Define(ctx, name)
	if errors.Is(err, schema.ErrAsking) {
		return err
	}
	if err != nil || u.Number > len(is.Columns) {
		return fmt.Errorf("column %d: %w", u.Number, u)
	}
	c := is.Columns[u.Number-1]
	return fmt.Errorf("column %s, %s: %w", c.Name, strings.ToUpper(c.DataType), u)
}
