package cdc

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"

	"rowhook/cdc/ddl"
)

// history knows what tables are at the place up to which the log was read: the watched ones, those that were made of them
// or may take their place, and the schemas' default charsets. It moves with the tracker: what a transaction changes
// counts for the transaction itself, and for the others from its commit on.
type history struct {
	watched map[string]map[string]bool
	known   map[TableName]*ddl.Definition // absent: not known
	open    map[TableName]*ddl.Definition // by the transaction that is being read; nil: not known any more
	unsaved map[TableName]bool            // known, and not in a commit yet
	others  []TableName                   // known or open tables that are not watched, the oldest first
	words   nameIndex                     // of the watched names

	temporary temporaries

	compared bool // the server was asked for all tables
}

// mostOthers bounds how many tables are known that are not watched.
const mostOthers = 64

func newHistory(watched map[string]map[string]bool) *history {
	h := &history{
		watched: watched, known: map[TableName]*ddl.Definition{}, open: map[TableName]*ddl.Definition{}, unsaved: map[TableName]bool{},
		temporary: temporaries{},
	}
	h.words = newNameIndex(h.all()...)
	return h
}

// restore takes in what was stored.
func (h *history) restore(records []SchemaRecord, log *slog.Logger) {
	for _, r := range records {
		name, d, err := r.parse()
		if err != nil { // its table is asked for
			log.Warn("what was known of a table's columns cannot be read from the outbox; the server is asked instead", slog.String("record", r.Key), slog.Any("error", err))
			continue
		}
		if h.known[name] = d; !h.isWatched(name) && !slices.Contains(h.others, name) {
			h.others = append(h.others, name)
		}
	}
}

// isWatched says whether a table, or a schema, is one whose rows are read.
func (h *history) isWatched(t TableName) bool {
	tables := h.watched[t.Schema]
	return tables[t.Name] || t.Name == "" && tables != nil
}

// get is what a table is now, nil when that is not known.
func (h *history) get(t TableName) *ddl.Definition {
	if d, ok := h.open[t]; ok {
		return d
	}
	return h.known[t]
}

// set notes what a table is from here on.
func (h *history) set(t TableName, d *ddl.Definition) {
	if !h.isWatched(t) {
		if d == ddl.Gone {
			d = nil
		}
		h.others = slices.DeleteFunc(h.others, func(o TableName) bool { return o == t })
		if d != nil {
			h.others = append(h.others, t)
		}
	}
	h.open[t] = d
	if len(h.others) > mostOthers {
		h.set(h.others[0], nil)
	}
}

// learn notes what a table has been since before the transaction that is being read.
func (h *history) learn(t TableName, d *ddl.Definition) {
	if _, ok := h.open[t]; ok {
		h.open[t] = d
		return
	}
	h.known[t] = d
	h.unsaved[t] = true
}

// commit ends the transaction and returns what is to be stored with it.
func (h *history) commit() []SchemaRecord {
	for t, d := range h.open {
		if d == nil {
			if h.known[t] == nil {
				continue
			}
			delete(h.known, t)
		} else {
			h.known[t] = d
		}
		h.unsaved[t] = true
	}
	clear(h.open)
	if len(h.unsaved) == 0 {
		return nil
	}
	records := make([]SchemaRecord, 0, len(h.unsaved))
	for t := range h.unsaved {
		records = append(records, newSchemaRecord(t, h.known[t]))
	}
	clear(h.unsaved)
	slices.SortFunc(records, func(a, b SchemaRecord) int { return cmp.Compare(a.Key, b.Key) })
	return records
}

// abandon forgets what the transaction that is being read has changed: it will be read once more, or never was.
func (h *history) abandon() {
	clear(h.open)
	h.others = slices.DeleteFunc(h.others, func(t TableName) bool { return h.known[t] == nil })
	for t := range h.known {
		if !h.isWatched(t) && !slices.Contains(h.others, t) {
			h.others = append(h.others, t)
		}
	}
}

// unknown lists the watched tables and schemas that are not known, or not wholly.
func (h *history) unknown() []TableName {
	var names []TableName
	for _, t := range h.all() {
		if d := h.get(t); d == nil || d.Vague() {
			names = append(names, t)
		}
	}
	return names
}

// all lists the watched tables and their schemas.
func (h *history) all() []TableName {
	var names []TableName
	for schema, tables := range h.watched {
		names = append(names, TableName{Schema: schema})
		for table := range tables {
			names = append(names, TableName{Schema: schema, Name: table})
		}
	}
	return names
}

// apply moves the history forward. The error says why a table is not known from there on.
func (h *history) apply(op *ddl.Op) error {
	is := h.get(op.Table)
	switch op.Kind {
	case ddl.Create, ddl.Like:
		if op.Unless && is != ddl.Gone {
			return nil // it stays, or nobody knows whether it was there
		}
		return h.create(op)
	case ddl.Alter:
		if is == nil || op.Alter.None() {
			return nil
		}
		return h.put(op.Table, is, op.Alter)
	case ddl.Rename:
		if is == ddl.Gone {
			is = nil
		}
		h.set(op.Other, is)
		h.set(op.Table, ddl.Gone)
	case ddl.Drop:
		h.set(op.Table, ddl.Gone)
	case ddl.SchemaCharset:
		switch charset := op.Alter.Charset; {
		case charset == "", op.Unless && is != ddl.Gone:
		case charset == ddl.UnknownCharset:
			h.set(op.Table, nil)
		default:
			h.set(op.Table, &ddl.Definition{Charset: charset})
		}
	case ddl.DropSchema:
		for _, t := range h.in(op.Table.Schema) {
			h.set(t, ddl.Gone)
		}
	}
	return nil
}

// creates says whether a statement makes a watched table. One that is to be made unless it is there may be there.
func (h *history) creates(op *ddl.Op) bool {
	return (op.Kind == ddl.Create || op.Kind == ddl.Like) && h.isWatched(op.Table) && (!op.Unless || h.get(op.Table) == ddl.Gone)
}

// create makes a new table. One that is not watched is kept where it may come to take the place of one that is.
func (h *history) create(op *ddl.Op) error {
	if op.Kind == ddl.Like {
		if model := h.get(op.Other); model != ddl.Gone {
			h.set(op.Table, model)
			return nil
		}
		h.set(op.Table, nil)
		return nil
	}
	if h.watched[op.Table.Schema] == nil {
		h.set(op.Table, nil)
		return nil
	}
	blank := &ddl.Definition{Charset: ddl.UnknownCharset}
	if schema := h.get(TableName{Schema: op.Table.Schema}); schema != nil && schema != ddl.Gone {
		blank.Charset = schema.Charset
	}
	return h.put(op.Table, blank, op.Alter)
}

// put makes a table what an alteration makes of a definition.
func (h *history) put(t TableName, is *ddl.Definition, a *ddl.Alteration) error {
	d, err := is.Alter(a)
	h.set(t, d)
	if err != nil {
		return fmt.Errorf("table %s: %w", t, err)
	}
	return nil
}

// in lists the tables of a schema, and the schema.
func (h *history) in(schema string) []TableName {
	var names []TableName
	if tables := h.watched[schema]; tables != nil {
		names = append(names, TableName{Schema: schema})
		for table := range tables {
			names = append(names, TableName{Schema: schema, Name: table})
		}
	}
	for _, t := range h.others {
		if t.Schema == schema {
			names = append(names, t)
		}
	}
	return names
}

// tablesIn lists the tables of a schema, and the schema, that are among some.
func tablesIn(tables map[TableName]*ddl.Definition, schema string) (names []TableName) {
	for t := range tables {
		if t.Schema == schema {
			names = append(names, t)
		}
	}
	return names
}

// touchedBy lists the tables that may be others behind a statement. The function lists those of a schema.
func touchedBy(ops []ddl.Op, in func(schema string) []TableName) (touched []TableName) {
	for i := range ops {
		op := &ops[i]
		candidates := []TableName{op.Table, op.Other}
		if op.Kind == ddl.DropSchema {
			candidates = in(op.Table.Schema)
		}
		for _, t := range candidates {
			if op.Touches(t) {
				touched = append(touched, t)
			}
		}
	}
	return touched
}

// mayTouch lists the tables that a statement that is not understood may change: those that it names, or, where its text
// is cut, those that it may name in the rest.
func (h *history) mayTouch(q *query, anything, newNames bool) (touched []TableName) {
	if anything {
		return append(h.all(), h.others...)
	}
	names := h.words.in(q)
	for schema, tables := range h.watched {
		if t := (TableName{Schema: schema}); names.has(t) {
			touched = append(touched, t)
		}
		named := names.hasSchema(schema)
		for table := range tables {
			if !named && !newNames {
				break
			}
			if t := (TableName{Schema: schema, Name: table}); names.has(t) || newNames && h.get(t) == ddl.Gone {
				touched = append(touched, t)
			}
		}
	}
	names = newNameIndex(h.others...).in(q)
	for _, t := range h.others {
		if names.has(t) {
			touched = append(touched, t)
		}
	}
	return touched
}
