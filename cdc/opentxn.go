package cdc

import (
	"slices"
	"time"
)

// openTxn is the transaction that is being read.
type openTxn struct {
	Txn
	open        bool
	begun       bool // MySQL: a BEGIN was seen, so another query does not end it
	undone      bool // MariaDB: it only announces an ALTER, or takes that back
	standalone  bool // MariaDB: one query, and no event that ends it
	again       bool // it was read before: compare, do not hand out
	outside     bool // of the span that is wanted: do not hand out
	time        time.Time
	original    time.Time // time, as the log has it
	rows        int
	savepoints  map[string]int // rows before each
	emptied     []Emptied      // by a statement
	created     []TableName    // by a statement
	isStatement bool           // it may have changed tables without logging rows
	statement   []byte         // the text of the statement whose rows come, nil when unknown
	text        string         // the same, made when a watched row needs it
	tables      []TableName    // whose rows were handed out
	own         bool           // it has rows of our own schema
	foreign     bool           // and, or, of another
	table       uint64         // and op: of the last rows hashed
	op          Op
}

// wrote notes that rows of a table are handed out.
func (t *openTxn) wrote(table TableName) {
	if !slices.Contains(t.tables, table) {
		t.tables = append(t.tables, table)
	}
}

// silent says whether the transaction is not handed out.
func (t *openTxn) silent() bool { return t.again || t.outside }

// announce takes the text of the statement whose rows come next; nil when it is not known.
func (t *openTxn) announce(text []byte) {
	if t.statement, t.text = text, ""; len(text) > maxStatementText {
		t.statement = nil
	}
}

// statementText is that text.
func (t *openTxn) statementText() string {
	if t.text == "" && len(t.statement) > 0 {
		t.text = string(t.statement)
	}
	return t.text
}

// save notes how many rows there are at a savepoint.
func (t *openTxn) save(name string) {
	if t.savepoints == nil {
		t.savepoints = map[string]int{}
	}
	t.savepoints[name] = t.rows
}
