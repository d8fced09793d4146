package schema

import (
	"errors"
	"fmt"
	"slices"

	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema/ddl"
)

// MariaDB's system-versioned tables keep what rows were. Each row has a period, two columns that may be hidden; the end of
// a row that is there is far in the future. An UPDATE is logged as what it is, and the row that was comes behind it as an
// INSERT of history. A DELETE is logged as an UPDATE that ends the row's period. Who looks at the table sees none of this,
// and neither do those who get its changes.

// versions says where the rows of a system-versioned table have the end of their period.
type versions struct {
	end     int // the column
	columns int // those that a SELECT shows; more are in an image only
}

// The end of the period of a row that is there: of servers before 11.5, and of those with 64-bit timestamps.
const (
	noEnd32 = "2038-01-19 03:14:07.999999"
	noEnd64 = "2106-02-07 06:28:15.999999"
)

// The names of the period's columns that a table has by itself.
const (
	hiddenStart = "row_start"
	hiddenEnd   = "row_end"
)

// change makes of a logged change that of the table that people see; false when there is none.
func (v *versions) change(op rowcodec.Op, before, after rowcodec.Row) (rowcodec.Op, rowcodec.Row, rowcodec.Row, bool) {
	was, is := v.current(before), v.current(after)
	if after.Kind(v.end) == rowcodec.Absent { // not logged, for it stays the same
		is = was
	}
	shownBefore, shownAfter := before.First(v.columns), after.First(v.columns)
	switch op {
	case rowcodec.Insert:
		return op, rowcodec.Row{}, shownAfter, v.current(after)
	case rowcodec.Delete:
		return op, shownBefore, rowcodec.Row{}, was
	}
	switch {
	case was && is:
		return op, shownBefore, shownAfter, true
	case was:
		return rowcodec.Delete, shownBefore, rowcodec.Row{}, true
	}
	return rowcodec.Insert, rowcodec.Row{}, shownAfter, is
}

// current says whether a row is there, and no history.
func (v *versions) current(row rowcodec.Row) bool {
	end := row.Text(v.end)
	return row.Kind(v.end) == rowcodec.Absent || end == noEnd32 || end == noEnd64
}

// WithPeriod is the columns of a table's definition with those that its images have besides: the period of a table
// that is versioned without naming one.
func WithPeriod(is *ddl.Definition) []ddl.Column {
	if !is.HiddenPeriod() {
		return is.Columns
	}
	return append(slices.Clone(is.Columns),
		ddl.Column{Name: hiddenStart, DataType: "timestamp", Digits: 6}, ddl.Column{Name: hiddenEnd, DataType: "timestamp", Digits: 6})
}

// versionsOf finds out whether rows with these columns are versioned, by a definition of their table.
func versionsOf(columns []ddl.Column, is *ddl.Definition) *versions {
	if is == nil || len(is.Period) != 2 {
		return nil
	}
	at := func(name string) int {
		return slices.IndexFunc(columns, func(c ddl.Column) bool { return c.Name == name })
	}
	v := &versions{end: at(is.Period[1]), columns: len(columns)}
	if v.end < 0 {
		return nil
	}
	if is.HiddenPeriod() {
		v.columns = min(v.end, at(is.Period[0]))
	}
	if v.columns < 0 {
		return nil
	}
	return v
}

// shownPeriod is where a table shows its period.
func shownPeriod(is *ddl.Definition, t *Table) []int {
	var at []int
	for _, name := range is.Period {
		if i := t.Index(name); i >= 0 {
			at = append(at, i)
		}
	}
	return at
}

// ByTransactionHint is about a table that is versioned by the ids of transactions.
func ByTransactionHint(t ddl.TableName) string {
	return fmt.Sprintf("it is versioned by transaction, and the server logs such a table as statements, whatever binlog_format is: "+
		"ALTER TABLE %s DROP SYSTEM VERSIONING (or version it by time, with TIMESTAMP(6) columns)", t)
}

// HasPeriodOf says whether what the server says now of a table's period is true of the columns that a table map tells: they
// have that period, or all that could be one are ordinary columns by now, which those of a period never become.
func HasPeriodOf(m *rowcodec.TableMap, is *ddl.Definition, told []ddl.Column) bool {
	if len(is.Period) == 2 {
		return versionsOf(told, is) != nil
	}
	for i, c := range told {
		if m.MayBePeriod(i) && !slices.ContainsFunc(is.Columns, func(now ddl.Column) bool { return now.Name == c.Name }) {
			return false
		}
	}
	return true
}

// ToldPeriod is what a table map that tells names says of its table's versions by itself, when the table was altered or
// dropped since; nil when it has none. A period that is not declared has names of its own. One that is declared has any:
// it is ruled out by a primary key without it, for the server takes the end of a period into that.
func ToldPeriod(m *rowcodec.TableMap, flavor string, columns []ddl.Column) (*ddl.Definition, error) {
	if !m.MayBeVersioned(flavor) {
		return nil, nil
	}
	start, end := len(columns)-2, len(columns)-1
	if m.MayBePeriod(start) && m.MayBePeriod(end) && columns[start].Name == hiddenStart && columns[end].Name == hiddenEnd {
		return &ddl.Definition{Columns: columns[:start], Key: m.PrimaryKey, Period: []string{hiddenStart, hiddenEnd}}, nil
	}
	if len(m.PrimaryKey) == 0 || slices.ContainsFunc(m.PrimaryKey, m.MayBePeriod) {
		return nil, ErrVague
	}
	return nil, nil
}

// ErrVague is about rows of which some may be history.
var ErrVague = errors.New("it was altered or dropped later, and the log does not tell whether it was system-versioned here, and some of its rows history")

// declaredKey is the primary key, of what a table map tells. In place of a primary key that nobody declared it tells a
// UNIQUE one, and the end of a period as a part of it.
func declaredKey(told []int, v *versions, is *ddl.Definition) []int {
	if is != nil && len(is.Key) == 0 {
		return nil
	}
	if v == nil {
		return told
	}
	return slices.DeleteFunc(slices.Clone(told), func(i int) bool { return i == v.end || i >= v.columns })
}
