package cdc

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestBacklogOfDDL writes rows between random statements that change their tables, while nobody follows. Then it reads
// it all, with restarts, and compares every row with what a SELECT said when it was written.
func TestBacklogOfDDL(t *testing.T) { cdctest.OnServers(t, testBacklogOfDDL) }

func testBacklogOfDDL(t *testing.T, server *dbtest.Server) {
	t.Helper()
	seed := dbtest.Seed(t)
	server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
	conn := cdctest.SchemaConn(t, server, "ddl", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))", "CREATE TABLE b (id INT PRIMARY KEY, u BIGINT UNSIGNED)")
	log := newLog()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("it said:\n%s", log)
		}
	})
	s := openSource(t, sourceConfig(server, log, "ddl", "a", "b"))
	reader := &backlogReader{source: s, position: current(t, s), records: map[string][]byte{}, Rand: rand.New(rand.NewPCG(seed, 1))}
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x')", "DELETE FROM a")
	reader.read(t, 2)
	if len(reader.records) != 3 {
		t.Fatalf("it stored %d records, not those of two tables and their schema", len(reader.records))
	}
	reader.got = nil

	w := &rowWriter{ddlWriter: ddlWriter{Rand: rand.New(rand.NewPCG(seed, 2)), mysql: server.Kind().MySQL()}, conn: conn, source: s}
	for len(w.written) < 150 {
		// That a unique key makes MariaDB log a column more, for it is over a long text, only the server tells.
		if text := w.statement(); w.IntN(2) == 0 && !ambiguous.MatchString(text) && (w.mysql || !strings.Contains(text, "UNIQUE")) {
			if _, err := conn.ExecContext(t.Context(), text); err != nil && wrong(err) {
				t.Fatalf("%s: %v", text, err)
			}
		}
		w.look(t, conn)
		w.write(t, w.pick("a", "b"))
	}
	reader.read(t, len(w.written))
	for i, want := range w.written {
		if got := reader.got[i]; !got.is(want) {
			t.Fatalf("row %d\n got %s\nwant %s", i, got, want)
		}
	}
	t.Logf("%d rows, %d restarts", len(w.written), reader.restarts)
}

// writtenRow is a change of a row: what a table was when it was written, and the images, NULL where a value is not valid.
type writtenRow struct {
	op            Op
	table         string
	columns       []string
	before, after []sql.NullString
}

func (r writtenRow) String() string {
	return fmt.Sprintf("%s %s %q\n     before %v\n     after %v", r.op, r.table, r.columns, r.before, r.after)
}

// is compares two changes. What was not logged, as generated columns, is marked as absent in r.
func (r writtenRow) is(o writtenRow) bool {
	same := func(a, b sql.NullString) bool {
		if zeros := len(b.String) - len(a.String); zeros > 0 && strings.Trim(b.String[:zeros], "0") == "" { // ZEROFILL is for people
			b.String = b.String[zeros:]
		}
		return a == b || a == absentValue
	}
	return r.op == o.op && r.table == o.table && slices.Equal(r.columns, o.columns) && slices.EqualFunc(r.before, o.before, same) && slices.EqualFunc(r.after, o.after, same)
}

var absentValue = sql.NullString{String: "\x00absent"}

// backlogReader follows a log and keeps what a pipeline would. It starts anew at random transactions.
type backlogReader struct {
	*rand.Rand
	source   *Source
	position Position
	records  map[string][]byte
	restarts int

	open []writtenRow
	got  []writtenRow
	left int // rows until the end
}

var errRestart, errEnough = errors.New("start anew"), errors.New("all was read")

func (b *backlogReader) read(t *testing.T, rows int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	for b.left = rows; ; b.restarts++ {
		records := make([]SchemaRecord, 0, len(b.records))
		for key, data := range b.records {
			records = append(records, SchemaRecord{Key: key, Data: data})
		}
		b.open = nil
		err := b.source.Follow(ctx, b.position, records, b)
		if errors.Is(err, errEnough) {
			return
		}
		if !errors.Is(err, errRestart) {
			t.Fatalf("after %d rows: %v", len(b.got), err)
		}
	}
}

func (b *backlogReader) Change(c *Change) error {
	image := func(row Row) []sql.NullString {
		if row.Len() == 0 {
			return nil
		}
		values := make([]sql.NullString, len(c.Table.Columns))
		for i := range values {
			switch row.Kind(i) {
			case Null:
			case Absent:
				values[i] = absentValue
			default:
				values[i] = sql.NullString{String: row.Text(i), Valid: true}
			}
		}
		return values
	}
	b.open = append(b.open, writtenRow{c.Op, c.Table.Name, c.Table.Columns, image(c.Before), image(c.After)})
	return nil
}

func (b *backlogReader) Discard(keep int) { b.open = b.open[:min(keep, len(b.open))] }

func (b *backlogReader) Commit(c *Commit) error {
	if c.Txn == (Txn{}) {
		b.keep(c.Schema)
		return nil
	}
	if b.IntN(20) == 0 { // before it is stored
		return errRestart
	}
	data, err := json.Marshal(c.At.Position())
	if err != nil {
		return err
	}
	b.position = Position{}
	if err := json.Unmarshal(data, &b.position); err != nil {
		return err
	}
	b.keep(c.Schema)
	b.got = append(b.got, b.open...)
	b.left -= len(b.open)
	b.open = nil
	switch {
	case b.left == 0:
		return errEnough
	case b.IntN(20) == 0:
		return errRestart
	}
	return nil
}

func (b *backlogReader) keep(records []SchemaRecord) {
	for _, r := range records {
		if b.records[r.Key] = r.Data; r.Data == nil {
			delete(b.records, r.Key)
		}
	}
}

// rowWriter writes into tables that have one row or none.
type rowWriter struct {
	ddlWriter
	conn    *sql.Conn
	source  *Source
	written []writtenRow
}

// write inserts, updates or deletes the row of a table, if the table is there.
func (w *rowWriter) write(t *testing.T, table string) {
	t.Helper()
	columns := w.columns[table]
	if len(columns) == 0 {
		return
	}
	before, end := w.row(t, table), w.end(t)
	quoted := "`" + strings.ReplaceAll(columns[w.IntN(len(columns))], "`", "``") + "`"
	var err error
	switch {
	case before == nil:
		_, err = w.conn.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, quoted, w.value()))
	case w.IntN(4) == 0:
		_, err = w.conn.ExecContext(t.Context(), "DELETE FROM "+table)
	default:
		_, err = w.conn.ExecContext(t.Context(), fmt.Sprintf("UPDATE %s SET %s = %s", table, quoted, w.value()))
	}
	after := w.row(t, table)
	if w.end(t) == end {
		return // the column cannot have the value, or has it
	}
	if err != nil {
		t.Fatalf("it was logged, and failed: %v", err)
	}
	op := Update
	switch {
	case before == nil:
		op = Insert
	case after == nil:
		op = Delete
	}
	w.written = append(w.written, writtenRow{op, table, columns, before, after})
}

// end is where the log ends.
func (w *rowWriter) end(t *testing.T) Coord {
	t.Helper()
	end, err := w.source.End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return end.Coord
}

// row is the row of a table, nil when there is none.
func (w *rowWriter) row(t *testing.T, table string) []sql.NullString {
	t.Helper()
	names := make([]string, len(w.columns[table]))
	for i, c := range w.columns[table] {
		name := "`" + strings.ReplaceAll(c, "`", "``") + "`"
		var bits int
		err := w.conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = ? AND DATA_TYPE = 'bit'",
			table, c).Scan(&bits)
		if err != nil {
			t.Fatal(err)
		}
		if bits > 0 {
			name += " + 0" // its number
		}
		names[i] = "CONCAT(" + name + ")" // the driver makes numbers of others
	}
	values := make([]sql.NullString, len(names))
	into := make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	err := w.conn.QueryRowContext(t.Context(), "SELECT "+strings.Join(names, ", ")+" FROM "+table).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// value is one that many types take.
func (w *rowWriter) value() string {
	return w.pick("7", "-1", "1", "2", "250", "'4000000000'", "18446744073709551615", "1.25", "'2024-02-29 12:34:56.789'", "'größe'", "'x'", "'ж'", "NULL",
		"'11:12:13.5'", "2012", "'{\"k\": [1, 2]}'", "ST_GeomFromText('POINT(1 2)')", "'6ccd780c-baba-1026-9564-5b8c656024db'", "'10.0.0.1'", "'::1'", "'0123456789'", "b'101'")
}
