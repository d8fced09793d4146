package schema

import (
	"slices"

	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema/ddl"
)

// Table is a watched table as it was when its rows were logged. It never changes; a changed table is a new Table, so
// pointers may be compared.
type Table struct {
	ddl.TableName
	Columns []string // in table order
	Key     []int    // positions of the primary key's columns, empty without one
	// Period is the positions of the columns in which MariaDB's system versioning notes since when a row is as it is, and
	// until when. They change whenever something else does. Empty where there are none, or none that a SELECT * shows.
	Period []int
	index  map[string]int
}

// NewTable makes a table of columns; key holds the positions of its primary key.
func NewTable(name ddl.TableName, columns []string, key []int) *Table {
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

// Keyed is the image after an update, with the key that it lacks when only what changed was logged. Without a primary
// key every column tells rows apart.
func (t *Table) Keyed(before, after rowcodec.Row) rowcodec.Row {
	all := len(t.Key) == 0
	lacks := all && !after.Whole()
	for _, i := range t.Key {
		lacks = lacks || after.Kind(i) == rowcodec.Absent && before.Kind(i) != rowcodec.Absent
	}
	if !lacks {
		return after
	}
	return after.Fill(before, func(i int) bool { return all || slices.Contains(t.Key, i) })
}
