package cdc

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/sqltext"
)

// dispatch takes one event. The list of types is whole, see eventTypes.
func (r *reader) dispatch(h *replication.EventHeader, body []byte) error {
	switch eventTypes[h.EventType].class {
	case ignored:
		return nil
	case refused:
		return r.refuse(h.EventType)
	case unknown:
		return r.unheardOf(h)
	}
	if alien(h.EventType, r.src.MariaDB()) {
		return r.stop(fmt.Sprintf("an event of type %d (%s), which the other vendor's servers write", h.EventType, eventTypes[h.EventType].name),
			"the stream is damaged, or comes from another server than it says: look what is at database.address, a proxy perhaps", nil)
	}
	switch h.EventType {
	case replication.MARIADB_GTID_EVENT:
		return r.mariadbGTID(h, body)
	case replication.GTID_EVENT, replication.ANONYMOUS_GTID_EVENT, replication.GTID_TAGGED_LOG_EVENT:
		return r.mysqlGTID(h, body)
	case replication.XID_EVENT:
		return r.commit()
	case replication.QUERY_EVENT, replication.MARIADB_QUERY_COMPRESSED_EVENT:
		return r.query(h.ServerID, 0, h.EventType == replication.MARIADB_QUERY_COMPRESSED_EVENT, body)
	case replication.EXECUTE_LOAD_QUERY_EVENT:
		const loadHeader = 13 // file id, where the file's name stands, what to do with duplicates
		return r.query(h.ServerID, loadHeader, false, body)
	case replication.TABLE_MAP_EVENT:
		return r.tableMap(body)
	case replication.HEARTBEAT_EVENT, replication.HEARTBEAT_LOG_EVENT_V2:
		r.linkIsWell()
		return r.readOn(true)
	case replication.MARIADB_BINLOG_CHECKPOINT_EVENT, replication.MARIADB_GTID_LIST_EVENT, replication.PREVIOUS_GTIDS_EVENT,
		replication.STOP_EVENT:
		return r.progress()
	case replication.MARIADB_ANNOTATE_ROWS_EVENT:
		r.announceStatement(body)
		return nil
	case replication.ROWS_QUERY_EVENT:
		r.announceStatement(body[min(1, len(body)):]) // behind a length that is too short to be of use
		return nil
	case replication.XA_PREPARE_LOG_EVENT:
		return r.prepare(body)
	case replication.TRANSACTION_PAYLOAD_EVENT:
		return r.payload(body)
	}
	return r.rows(byte(h.EventType), body) // which says so when these are none
}

func (r *reader) tableMap(body []byte) error {
	if r.txn.silent() { // its rows are compared, not read
		if err := r.resolver.tables.PassOver(body); err != nil {
			return r.stop("a table map cannot be read", "please report this", err)
		}
		return nil
	}
	if own, err := r.isOwn(body); own || err != nil {
		return err
	}
	if err := r.resolver.tables.Announce(body); err != nil {
		if errors.Is(err, schema.ErrAsking) || r.ctx.Err() != nil || schema.IsLocked(err) && r.isolator == nil {
			return err // worth another try
		}
		if stop, ok := errors.AsType[*StopError](err); ok { // met ahead
			return stop
		}
		hint := "with binlog_row_metadata = FULL the log itself tells columns"
		if u, ok := errors.AsType[*rowcodec.UndecodableError](err); ok {
			hint = u.Hint()
		} else if schema.IsLocked(err) {
			hint = schema.LockedHint
		} else if errors.Is(err, schema.ErrVague) {
			hint = "nobody but who altered it knows"
		}
		return r.unreadableTable(body, hint, err)
	}
	return nil
}

// isOwn says whether a table map announces rows of our own schema, which it passes over.
func (r *reader) isOwn(body []byte) (bool, error) {
	own := r.src.cfg.Own
	if own == "" {
		return false, nil
	}
	_, name, _, _ := rowcodec.PeekTable(body) // nil where it is malformed, which who decodes it says
	if !strings.EqualFold(string(name), own) {
		r.txn.foreign = true
		return false, nil
	}
	r.txn.own = true
	return true, r.resolver.tables.PassOver(body)
}

// unreadableTable leaves out a table whose rows nothing tells how to read.
func (r *reader) unreadableTable(body []byte, hint string, err error) error {
	_, schema, name, malformed := rowcodec.PeekTable(body)
	if malformed != nil {
		return r.stop("a table map cannot be read", "please report this", malformed)
	}
	t := TableError{Table: TableName{Schema: string(schema), Name: string(name)}, Reason: "a table's rows cannot be read", Hint: hint, Err: err}
	if err := r.trouble(t); err != nil {
		return err
	}
	return r.resolver.tables.PassOver(body)
}

// query takes a statement: the brackets of a transaction, DDL, or DML in a format that we cannot follow. The header may
// be longer than that of a QUERY_EVENT. The server is the id of the one that ran it first.
func (r *reader) query(server uint32, more int, compressed bool, body []byte) error {
	event, err := r.readQuery(more, compressed, body)
	if _, broken := errors.AsType[*linkError](err); broken {
		return err
	}
	if err != nil {
		return r.stop("a query event cannot be read", "please report this", err)
	}
	q := &event.Statement
	q.Server = server
	c := q.Cursor()
	verb := c.Verb()
	switch verb {
	case "BEGIN":
		r.txn.begun = true
		return nil
	case "COMMIT":
		return r.commit()
	case "SAVEPOINT":
		c.Advance()
		r.txn.save(savepointName(c))
		return nil
	case "ROLLBACK":
		c.Advance()
		if c.Accept("WORK"); c.Accept("TO") {
			return r.rollbackTo(c)
		}
		return r.rollback()
	case "XA":
		c.Advance()
		return r.xa(c)
	}
	if err := r.statement(q, verb); err != nil {
		return err
	}
	return r.endStatement()
}

// xa takes what surrounds the rows of an XA transaction, and the later word on its outcome, a group of its own.
func (r *reader) xa(c *sqltext.Cursor) error {
	switch c.AcceptOneOf("START", "BEGIN", "END") {
	case "START", "BEGIN":
		r.txn.begun = true
		return nil
	case "END":
		return nil
	}
	return r.endStatement()
}

// prepare takes the end of what an XA transaction wrote. It may be a COMMIT in one phase.
func (r *reader) prepare(body []byte) error {
	onePhase := len(body) > 0 && body[0] != 0
	if r.txn.rows == 0 || onePhase {
		return r.commit()
	}
	for _, t := range r.txn.tables {
		if r.skips(t) { // with another table of its site
			continue
		}
		err := r.trouble(TableError{
			Table: t, Reason: fmt.Sprintf("the watched table %s was written in an XA transaction, whose outcome comes later", t),
			Hint: "rowhook does not follow XA transactions", Lasting: true,
		})
		if err != nil {
			return err
		}
	}
	r.discard(0) // all that it wrote is somebody's trouble
	return r.commit()
}

// endStatement ends a group that consists of its one statement. CREATE TABLE ... SELECT does not: rows follow it.
func (r *reader) endStatement() error {
	if r.txn.standalone || !r.src.MariaDB() && !r.txn.begun {
		return r.commit()
	}
	return nil
}

// rollbackTo discards the rows since a savepoint.
func (r *reader) rollbackTo(c *sqltext.Cursor) error {
	if c.Tok.Is("SAVEPOINT") && c.Peek().IsName() {
		c.Advance()
	}
	name := savepointName(c)
	keep, ok := r.txn.savepoints[name]
	if !ok {
		return r.stop(fmt.Sprintf("ROLLBACK TO an unknown savepoint %q", name), "please report this", nil)
	}
	r.discard(keep)
	return nil
}

// savepointName takes a savepoint's name, as a map key: names do not tell case apart.
func savepointName(c *sqltext.Cursor) string { return strings.ToLower(c.Name()) }

// statement looks at a statement that is no bracket: it may change a watched table's columns, or its rows unseen.
func (r *reader) statement(q *schema.Statement, verb string) error {
	isDDL := isDDL(verb)
	if isDDL && r.resolver.history.Temporary.Take(q) {
		return nil
	}
	hidden := verb == "" && q.Dialect.Cut
	if (isDDL || hidden) && !r.txn.again && !r.txn.undone {
		r.ddl(q)
	}
	if hidden && !r.txn.silent() {
		r.log().Warn("a statement begins with more comment than is looked at; it is taken for one that alters tables, and if it wrote rows of a site those are not seen",
			slog.String("schema", q.Schema), slog.Int("bytes", len(q.Text)))
	}
	if r.txn.silent() {
		return nil
	}
	if isDDL && !r.txn.undone {
		if err := r.created(q); err != nil {
			return err
		}
	}
	r.txn.isStatement = true
	if isDDL && !r.txn.undone {
		r.txn.emptied = schema.EmptiedBy(q, r.src.watched().found)
	}
	if isDDL && verb != "CREATE" {
		return nil
	}
	return r.written(q)
}

// ddl takes in a statement that may have changed tables.
func (r *reader) ddl(q *schema.Statement) {
	if r.ahead != nil {
		r.ahead.ddl(r.seen, q)
		return
	}
	r.txn.created = append(r.txn.created, r.resolver.ddl(q)...)
}

// isDDL says whether a statement's first word is that of one that may change tables.
func isDDL(word string) bool {
	switch word {
	case "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE":
		return true
	}
	return false
}
