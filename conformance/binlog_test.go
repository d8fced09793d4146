package conformance

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"
)

// change is a row event of the log, read without rowhook.
type change struct {
	txn           int    // numbered in the log's order
	statement     string // the text that wrote it
	table         string // without prefix
	before, after row    // nil before an insert, nil after a delete
}

// row is a row by column; NULL is nil, everything else text.
type row map[string]any

func (r row) text(column string) string { s, _ := r[column].(string); return s }

// id is the object's own id.
func (c *change) id() string {
	if c.after == nil {
		return c.before.text("id")
	}
	return c.after.text("id")
}

func (c *change) inserted() bool { return c.before == nil }
func (c *change) deleted() bool  { return c.after == nil }

// changes reads the server's binary log: the changes of each turn, and under -1 those before the first.
func (p *replay) changes(t *testing.T) map[int][]*change {
	t.Helper()
	l := &logReader{columns: p.columns(t), turns: len(p.turns), byTurn: map[int][]*change{}}
	for _, file := range p.logFiles(t) {
		parser := replication.NewBinlogParser()
		parser.SetFlavor("mariadb")
		if err := parser.ParseFile(file, 4, l.event); err != nil {
			t.Fatalf("reading %s: %v", file, err)
		}
	}
	return l.byTurn
}

func (p *replay) logFiles(t *testing.T) []string {
	t.Helper()
	dir := p.read(t, "SELECT @@datadir")[0][0]
	var files []string
	for _, log := range p.read(t, "SHOW BINARY LOGS") {
		files = append(files, filepath.Join(dir, log[0]))
	}
	return files
}

// columns are the columns of the site's tables in their order. The one column that the cases add, and drop, is a last.
func (p *replay) columns(t *testing.T) map[string][]string {
	t.Helper()
	columns := map[string][]string{}
	for _, c := range p.read(t, "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? "+
		"ORDER BY TABLE_NAME, ORDINAL_POSITION", schema) {
		columns[c[0]] = append(columns[c[0]], c[1])
	}
	return columns
}

type logReader struct {
	columns   map[string][]string
	turns     int
	byTurn    map[int][]*change
	txn       int
	statement string
}

func (l *logReader) event(e *replication.BinlogEvent) error {
	switch body := e.Event.(type) {
	case *replication.MariadbGTIDEvent:
		l.txn++
	case *replication.MariadbAnnotateRowsEvent:
		l.statement = string(body.Query)
	case *replication.RowsEvent:
		l.rows(e.Header, body)
	}
	return nil
}

func (l *logReader) rows(h *replication.EventHeader, e *replication.RowsEvent) {
	table, ours := strings.CutPrefix(string(e.Table.Table), prefix)
	if string(e.Table.Schema) != schema || !ours {
		return
	}
	since := time.Unix(int64(h.Timestamp), 0).Sub(epoch)
	turn := int(since / turnSpacing)
	switch {
	case turn >= l.turns:
		turn = -1 // written at the time of the clock: the database as it was at first
	case since%turnSpacing >= turnSpacing/3:
		return // a marker
	}
	add := func(before, after row) {
		l.byTurn[turn] = append(l.byTurn[turn], &change{txn: l.txn, statement: l.statement, table: table, before: before, after: after})
	}
	for i := 0; i < len(e.Rows); i++ {
		this := l.row(e, i)
		switch h.EventType {
		case replication.WRITE_ROWS_EVENTv1, replication.WRITE_ROWS_EVENTv2:
			add(nil, this)
		case replication.DELETE_ROWS_EVENTv1, replication.DELETE_ROWS_EVENTv2:
			add(this, nil)
		default: // an update: pairs
			i++
			add(this, l.row(e, i))
		}
	}
}

func (l *logReader) row(e *replication.RowsEvent, i int) row {
	names := l.columns[string(e.Table.Table)]
	r := row{}
	for n, v := range e.Rows[i] {
		name := fmt.Sprintf("column %d", n+1)
		if n < len(names) {
			name = names[n]
		}
		switch v := v.(type) {
		case nil:
			r[name] = nil
		case []byte:
			r[name] = string(v)
		default:
			r[name] = fmt.Sprint(v)
		}
	}
	return r
}
