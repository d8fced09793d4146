// Package schema knows what tables are at a position of the log: by what a server answers, by what the statements of the
// log did since, and by what is kept in the outbox. It reads no log; who does tells it.
package schema

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"

	"rowhook/cdc/schema/ddl"
)

// History knows the columns of tables at the position up to which the log was read, and the default charsets of their
// schemas. The tables are the watched ones, and those that a RENAME may put in a watched table's place or that one became.
// It moves with the log: a statement's change counts at once for its own transaction (open), and becomes known for those
// that follow when that is committed.
type History struct {
	watched map[string]map[string]bool
	known   map[ddl.TableName]*ddl.Definition // absent: not known
	open    map[ddl.TableName]*ddl.Definition // by the transaction that is being read; nil: not known any more
	unsaved map[ddl.TableName]bool            // known, and not in a commit yet
	others  []ddl.TableName                   // known or open tables that are not watched, the oldest first
	words   NameIndex                         // of the watched names
	shared  shared

	Temporary Temporaries // of all connections
	Compared  bool        // the server was asked for all tables, to see whether they are what is known of them
}

// mostOthers bounds how many tables are known that are not watched.
const mostOthers = 64

// NewHistory is a history that knows nothing yet, of watched tables by schema.
func NewHistory(watched map[string]map[string]bool) *History {
	h := &History{
		watched: watched, known: map[ddl.TableName]*ddl.Definition{}, open: map[ddl.TableName]*ddl.Definition{}, unsaved: map[ddl.TableName]bool{}, Temporary: newTemporaries(),
	}
	h.words = NewNameIndex(h.All()...)
	return h
}

// Restore takes in what was stored.
func (h *History) Restore(records []Record, log *slog.Logger) {
	for _, r := range records {
		if r.isTemporary() {
			h.restoreTemporary(r, log)
			continue
		}
		name, d, err := r.parse()
		if err != nil { // its table is asked for
			log.Warn("what was known of a table's columns cannot be read from the outbox; the server is asked instead", slog.String("record", r.Key), slog.Any("error", err))
			continue
		}
		if h.known[name] = h.shared.of(d); !h.IsWatched(name) && !slices.Contains(h.others, name) {
			h.others = append(h.others, name)
		}
	}
}

// restoreTemporary takes in a temporary table that was stored.
func (h *History) restoreTemporary(r Record, log *slog.Logger) {
	name, err := r.temporary()
	if err != nil {
		log.Warn("a temporary table cannot be read from the outbox; what is written to it is taken for written to the table of its name",
			slog.String("record", r.Key), slog.Any("error", err))
		return
	}
	h.Temporary.known[name] = true
}

// IsWatched says whether a table, or a schema, is one whose rows are read.
func (h *History) IsWatched(t ddl.TableName) bool {
	tables := h.watched[t.Schema]
	return tables[t.Name] || t.Name == "" && tables != nil
}

// Get is what a table is now, nil when that is not known.
func (h *History) Get(t ddl.TableName) *ddl.Definition {
	if d, ok := h.open[t]; ok {
		return d
	}
	return h.known[t]
}

// Set notes what a table is from here on.
func (h *History) Set(t ddl.TableName, d *ddl.Definition) {
	if !h.IsWatched(t) {
		if d == ddl.Gone {
			d = nil
		}
		h.others = slices.DeleteFunc(h.others, func(o ddl.TableName) bool { return o == t })
		if d != nil {
			h.others = append(h.others, t)
		}
	}
	h.open[t] = d
	if len(h.others) > mostOthers {
		h.Set(h.others[0], nil)
	}
}

// Learn notes what a table has been since before the transaction that is being read.
func (h *History) Learn(t ddl.TableName, d *ddl.Definition) {
	if _, ok := h.open[t]; ok {
		h.open[t] = d
		return
	}
	h.known[t] = h.shared.of(d)
	h.unsaved[t] = true
}

// Commit ends the transaction and returns what is to be stored with it.
func (h *History) Commit() []Record {
	for t, d := range h.open {
		if d == nil {
			if h.known[t] == nil {
				continue
			}
			delete(h.known, t)
		} else {
			h.known[t] = h.shared.of(d)
		}
		h.unsaved[t] = true
	}
	clear(h.open)
	records := h.Temporary.commit(h.words)
	for t := range h.unsaved {
		records = append(records, newRecord(t, h.known[t]))
	}
	clear(h.unsaved)
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
	return records
}

// Saved says whether all that is known was in a commit.
func (h *History) Saved() bool { return len(h.unsaved)+len(h.Temporary.unsaved) == 0 }

// Abandon forgets what the transaction that is being read has changed: it will be read once more, or never was.
func (h *History) Abandon() {
	clear(h.open)
	clear(h.Temporary.open)
	h.others = slices.DeleteFunc(h.others, func(t ddl.TableName) bool { return h.known[t] == nil })
	for t := range h.known {
		if !h.IsWatched(t) && !slices.Contains(h.others, t) {
			h.others = append(h.others, t)
		}
	}
}

// Watch makes the history one of other tables.
func (h *History) Watch(names map[string]map[string]bool) {
	h.watched = names
	for t := range h.known { // what was kept as another may be watched now, and the reverse
		other := slices.Contains(h.others, t)
		switch {
		case h.IsWatched(t) && other:
			h.others = slices.DeleteFunc(h.others, func(o ddl.TableName) bool { return o == t })
		case !h.IsWatched(t) && !other:
			h.others = append(h.others, t)
		}
	}
	h.words = NewNameIndex(h.All()...)
	h.Temporary.rewatched()
}

// Doubt forgets what the transaction that is being read made of tables, and says whether that was anything.
func (h *History) Doubt() bool {
	for t := range h.open {
		h.Set(t, nil)
	}
	return len(h.open) > 0
}

// Unknown lists the watched tables and schemas that are not known, or not wholly.
func (h *History) Unknown() []ddl.TableName {
	var names []ddl.TableName
	for _, t := range h.All() {
		if d := h.Get(t); d == nil || d.Vague() {
			names = append(names, t)
		}
	}
	return names
}

// All lists the watched tables and their schemas.
func (h *History) All() []ddl.TableName {
	var names []ddl.TableName
	for schema, tables := range h.watched {
		names = append(names, ddl.TableName{Schema: schema})
		for table := range tables {
			names = append(names, ddl.TableName{Schema: schema, Name: table})
		}
	}
	return names
}

// Apply moves the history forward. The error says why a table is not known from there on.
func (h *History) Apply(op *ddl.Op) error {
	is := h.Get(op.Table)
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
		h.Set(op.Other, is)
		h.Set(op.Table, ddl.Gone)
	case ddl.Drop:
		h.Set(op.Table, ddl.Gone)
	case ddl.SchemaCharset:
		switch charset := op.Alter.Charset; {
		case charset == "", op.Unless && is != ddl.Gone:
		case charset == ddl.UnknownCharset:
			h.Set(op.Table, nil)
		default:
			h.Set(op.Table, &ddl.Definition{Charset: charset})
		}
	case ddl.DropSchema:
		for _, t := range h.In(op.Table.Schema) {
			h.Set(t, ddl.Gone)
		}
	}
	return nil
}

// Creates says whether a statement makes a watched table. One that is to be made unless it is there may be there.
func (h *History) Creates(op *ddl.Op) bool {
	return (op.Kind == ddl.Create || op.Kind == ddl.Like) && h.IsWatched(op.Table) && (!op.Unless || h.Get(op.Table) == ddl.Gone)
}

// create makes a new table. One that is not watched is kept where it may come to take the place of one that is.
func (h *History) create(op *ddl.Op) error {
	if op.Kind == ddl.Like {
		if model := h.Get(op.Other); model != ddl.Gone {
			h.Set(op.Table, model)
			return nil
		}
		h.Set(op.Table, nil)
		return nil
	}
	if h.watched[op.Table.Schema] == nil {
		h.Set(op.Table, nil)
		return nil
	}
	blank := &ddl.Definition{Charset: ddl.UnknownCharset}
	if schema := h.Get(ddl.TableName{Schema: op.Table.Schema}); schema != nil && schema != ddl.Gone {
		blank.Charset = schema.Charset
	}
	return h.put(op.Table, blank, op.Alter)
}

// put makes a table what an alteration makes of a definition.
func (h *History) put(t ddl.TableName, is *ddl.Definition, a *ddl.Alteration) error {
	d, err := is.Alter(a)
	h.Set(t, d)
	if err != nil {
		return fmt.Errorf("table %s: %w", t, err)
	}
	return nil
}

// In lists the tables of a schema, and the schema.
func (h *History) In(schema string) []ddl.TableName {
	var names []ddl.TableName
	if tables := h.watched[schema]; tables != nil {
		names = append(names, ddl.TableName{Schema: schema})
		for table := range tables {
			names = append(names, ddl.TableName{Schema: schema, Name: table})
		}
	}
	for _, t := range h.others {
		if t.Schema == schema {
			names = append(names, t)
		}
	}
	return names
}

// TouchedBy lists the tables that may be others behind a statement. The function lists those of a schema.
func TouchedBy(ops []ddl.Op, in func(schema string) []ddl.TableName) (touched []ddl.TableName) {
	for i := range ops {
		op := &ops[i]
		candidates := []ddl.TableName{op.Table, op.Other}
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

// MayTouch lists the tables that a statement that is not understood may change: those that it names, or, where its text
// is cut, those that it may name in the rest.
func (h *History) MayTouch(q *Statement) (touched []ddl.TableName) {
	anything, newNames := q.Beyond()
	if anything {
		return append(h.All(), h.others...)
	}
	names := h.words.In(q)
	for schema, tables := range h.watched {
		if t := (ddl.TableName{Schema: schema}); names.Has(t) {
			touched = append(touched, t)
		}
		named := names.HasSchema(schema)
		for table := range tables {
			if !named && !newNames {
				break
			}
			if t := (ddl.TableName{Schema: schema, Name: table}); names.Has(t) || newNames && h.Get(t) == ddl.Gone {
				touched = append(touched, t)
			}
		}
	}
	names = NewNameIndex(h.others...).In(q)
	for _, t := range h.others {
		if names.Has(t) {
			touched = append(touched, t)
		}
	}
	return touched
}
