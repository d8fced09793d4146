package cdctest

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"
)

// Table is a table of columns of many types.
type Table struct {
	Name    string
	Columns []Column
}

// Column is a column with values that are SQL expressions.
type Column struct {
	Def    string
	Values []string
	Random func(*rand.Rand) string
}

// Name is what the column of a Table is called.
func (c Column) Name(i int) string { return fmt.Sprintf("c%d", i) }

// Shown is what is selected to see a column as rows have it: of a BIT its number.
func (c Column) Shown(name string) string {
	if strings.HasPrefix(c.Def, "BIT") {
		return name + " + 0"
	}
	return name
}

func (c Column) value(i int, rnd *rand.Rand) string {
	switch {
	case i < len(c.Values):
		return c.Values[i]
	case rnd.IntN(8) == 0:
		return "NULL"
	case c.Random == nil:
		return c.Values[rnd.IntN(len(c.Values))]
	}
	return c.Random(rnd)
}

// Create is the statement that creates the table.
func (t Table) Create() string {
	defs := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		defs[i] = c.Name(i) + " " + c.Def + " NULL DEFAULT NULL"
	}
	// The last column makes the server log an update even when nothing else changes.
	return fmt.Sprintf("CREATE TABLE %s (%s, n INT NOT NULL DEFAULT 0) ENGINE=InnoDB", t.Name, strings.Join(defs, ", "))
}

// Rows is how many rows are worth to be written: one with each value, and some at random.
func (t Table) Rows() int {
	most := 0
	for _, c := range t.Columns {
		most = max(most, len(c.Values))
	}
	return most + 20
}

// Insert is a statement that writes the row of a number: one with values in order, then random ones.
func (t Table) Insert(i int, rnd *rand.Rand) string {
	values := make([]string, len(t.Columns))
	for n, c := range t.Columns {
		values[n] = c.value(i, rnd)
	}
	return fmt.Sprintf("INSERT INTO %s VALUES (%s, 0)", t.Name, strings.Join(values, ", "))
}

// Update is a statement that gives the row random values.
func (t Table) Update(rnd *rand.Rand) string {
	sets := make([]string, len(t.Columns))
	for n, c := range t.Columns {
		sets[n] = c.Name(n) + " = " + c.value(len(c.Values), rnd)
	}
	return fmt.Sprintf("UPDATE %s SET %s, n = n + 1", t.Name, strings.Join(sets, ", "))
}

// Read selects the table's one row.
func (t Table) Read(tb testing.TB, conn *client.Conn) []sql.NullString {
	tb.Helper()
	shown := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		shown[i] = c.Shown(c.Name(i))
	}
	rows := SelectTexts(tb, conn, fmt.Sprintf("SELECT %s FROM decode.%s", strings.Join(shown, ", "), t.Name), len(t.Columns))
	if len(rows) != 1 {
		tb.Fatalf("%s has %d rows", t.Name, len(rows))
	}
	return rows[0]
}
