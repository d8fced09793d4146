package cdc

import (
	"fmt"
	"log/slog"

	"rowhook/cdc/schema"
	"rowhook/sqltext"
)

// Rows that are not logged as rows are lost to us: those that a statement wrote while binlog_format was STATEMENT, or
// MIXED. Such a statement matters when a watched table is what it writes; what it only reads, and names in strings and
// comments, do not. Triggers, stored functions and views that write a watched table hide that from the log.

const formatHint = "SET GLOBAL binlog_format = 'ROW' and binlog_format = ROW in my.cnf, and find out who sets it for a session"

// temporaryHint is for what cannot be known: the log tells of a temporary table when it is made, and never again.
const temporaryHint = "; if it was a temporary table of that name, made before rowhook first read this log, to go on loses nothing"

// written stops at a statement that wrote a watched table.
func (r *reader) written(q *schema.Statement) error {
	w := sqltext.ReadWrites(q.Dialect.Dialect, q.Text)
	for _, t := range w.Targets {
		if w.Verb != "CREATE" && r.resolver.history.Temporary.Has(q, t) {
			continue
		}
		if name, ok := r.src.watched().found.Find(q.Schema, t); ok && !r.skips(name) {
			hint := formatHint + temporaryHint
			if is := r.resolver.supposed(name); is != nil && is.ByTransaction() {
				hint = schema.ByTransactionHint(name)
			}
			err := r.trouble(TableError{
				Table: name, Reason: fmt.Sprintf("the watched table %s was written by a statement, not by rows: %.200q", name, q.Text), Hint: hint, Lasting: true,
			})
			if err != nil {
				return err
			}
		}
	}
	if w.Known && !w.Calls || w.Verb == "CREATE" { // that of a new table is not seen to write rows
		return nil
	}
	names := r.src.watched().found.Words.In(q)
	for _, t := range r.src.watched().Tables {
		switch {
		case w.Calls && names.HasSchema(t.Schema):
			r.log().Warn("a stored function was logged by its call, not by rows: what it wrote is not seen; "+formatHint,
				slog.String("schema", t.Schema), slog.String("statement", q.Shown()))
			return nil
		case !w.Known && names.Has(t) && !r.skips(t):
			err := r.trouble(TableError{
				Table: t, Reason: fmt.Sprintf("the watched table %s was perhaps written by a statement, not by rows, which is not understood: %.200q", t, q.Text),
				Hint: formatHint, Lasting: true,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
