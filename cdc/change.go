package cdc

import (
	"time"

	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
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

// Table is a watched table as it was when its rows were logged.
type Table = schema.Table

// SchemaRecord is what is known of a table's columns at a position of the log.
type SchemaRecord = schema.Record

// SchemaPrefix begins the key of every SchemaRecord.
const SchemaPrefix = schema.RecordPrefix

// Emptied is a watched table that lost rows to a statement such as TRUNCATE or DROP, without deletes.
type Emptied = schema.Emptied

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

// Commit ends a transaction and makes the changes since the last one visible. IsProgress tells of one
// that only says how far the log was read.
type Commit struct {
	Txn  Txn       // the transaction; its Start is what ids are derived from
	At   *Cursor   // the position behind it
	End  Coord     // where the log stands there
	Time time.Time // when it was committed, monotonic and never ahead of our clock
	Rows int       // rows of watched tables in it
	// Original is when it was committed on the server where it was made, as that says: to the microsecond by a MySQL, to the
	// second by a MariaDB. It is the same on every replica, and zero where nothing was committed.
	Original time.Time
	// Statement says that it is a statement, such as DDL, that may have changed tables without logging rows.
	Statement bool
	Own       bool // it is of Config.Own, and nothing else
	Idle      bool // nothing was committed: the server said, by a heartbeat, that it has no more to send
	// Schema is what became known of tables' columns, to be stored with the position of this transaction, or of the last.
	Schema  []SchemaRecord
	Emptied []Emptied   // watched tables that lost rows without deletes
	Created []TableName // watched tables that the statement made
}

// IsProgress says that nothing was committed: the log was only read so far.
func (c *Commit) IsProgress() bool { return c.Txn.GTID == "" && c.Txn.Start == (Coord{}) }
