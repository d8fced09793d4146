package cdc

import (
	"slices"
	"time"

	"rowhook/cdc/ddl"
	"rowhook/cdc/rowcodec"
)

// Row is one row image as text.
type Row = rowcodec.Row

// Kind says what a column's text stands for.
type Kind = rowcodec.Kind

// Op is what happened to a row.
type Op = rowcodec.Op

// The kinds of a Row's columns.
const (
	Absent  = rowcodec.Absent
	Null    = rowcodec.Null
	Int     = rowcodec.Int
	Float   = rowcodec.Float
	Decimal = rowcodec.Decimal
	Text    = rowcodec.Text
	Binary  = rowcodec.Binary
	JSON    = rowcodec.JSON
)

// The operations of a Change.
const (
	Insert = rowcodec.Insert
	Update = rowcodec.Update
	Delete = rowcodec.Delete
)

// TableName names a table of the server.
type TableName = ddl.TableName

// Table is a watched table as it was when its rows were logged. It never changes; a changed table is a new Table, so
// pointers may be compared.
type Table struct {
	TableName
	Columns []string // in table order
	Key     []int    // positions of the primary key's columns, empty without one
	// Period is the positions of the columns in which MariaDB's system versioning notes since when a row is as it is, and
	// until when. They change whenever something else does. Empty where there are none, or none that a SELECT * shows.
	Period []int
	index  map[string]int
}

// NewTable makes a table of columns; key holds the positions of its primary key.
func NewTable(name TableName, columns []string, key []int) *Table {
	t := &Table{TableName: name, Columns: columns, Key: key, index: make(map[string]int, len(columns))}
	for i, c := range columns {
		t.index[c] = i
	}
	return t
}

// Index is the position of a column, -1 when the table has none of that name.
func (t *Table) Index(column string) int {
	if i, ok := t.index[column]; ok {
		return i
	}
	return -1
}

// keyed is the image after an update, with the key that it lacks when only what changed was logged. Without a primary
// key every column tells rows apart.
func (t *Table) keyed(before, after Row) Row {
	all := len(t.Key) == 0
	lacks := all && !after.Whole()
	for _, i := range t.Key {
		lacks = lacks || after.Kind(i) == Absent && before.Kind(i) != Absent
	}
	if !lacks {
		return after
	}
	return after.Fill(before, func(i int) bool { return all || slices.Contains(t.Key, i) })
}

// Change is one row of one rows-event. Before is set for updates and deletes, After for inserts and updates.
//
// With binlog_row_image MINIMAL or NOBLOB, which any session can set, columns are Absent: in Before all but the key, or
// the blobs; in an update's After what the statement did not name; in an insert's what got its default. The key is
// always there, in After as it was before when it did not change.
type Change struct {
	Table  *Table
	Op     Op
	Before Row
	After  Row

	// Statement is the text of the statement that wrote the row, when the server logs it and Config.Statements asks for
	// it; else empty. It is in the client's character set. A trigger's rows stand under the statement that fired it.
	Statement string
}

// Commit ends a transaction and makes the changes since the last one visible. A commit whose GTID and Number are zero
// only says how far the log was read.
type Commit struct {
	Txn  Txn       // the transaction; its Start is what ids are derived from
	End  Coord     // where the log stands behind it
	Time time.Time // when it was committed, monotonic and never ahead of our clock
	Rows int       // rows of watched tables in it
	// Original is when it was committed on the server where it was made, as that says: to the microsecond by a MySQL, to the
	// second by a MariaDB. It is the same on every replica, and zero where nothing was committed.
	Original time.Time
	// Statement says that it is a statement, such as DDL, that may have changed tables without logging rows.
	Statement bool
	// Schema is what became known of tables' columns, to be stored with the position of this transaction, or of the last.
	Schema  []SchemaRecord
	Emptied []Emptied   // watched tables whose rows went without deletes
	Created []TableName // watched tables that the statement made
}
