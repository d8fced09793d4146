package rules

import (
	_ "embed"
	"strings"
	"sync"

	"rowhook/rules/shape"
)

// knownColumns are the columns of the plugin's tables that make events, a line a table: what stands for an id is i, for a
// number with a point f, for a point in time date or datetime, for all else t. It is made from the test salon's tables
// (TestKnownColumns -update).
//
//go:embed columns.txt
var knownColumns string

// tablesColumns are the columns of each table that is known, with their kinds; read once, for whoever asks first.
var tablesColumns = sync.OnceValue(func() map[string]map[string]string {
	tables := map[string]map[string]string{}
	for line := range strings.Lines(knownColumns) {
		table, columns, _ := strings.Cut(line, ":")
		known := map[string]string{}
		for c := range strings.FieldsSeq(columns) {
			column, kind, _ := strings.Cut(c, "/")
			known[column] = kind
		}
		tables[table] = known
	}
	return tables
})

// ColumnsOf are those of one of the plugin's tables; nil where nobody knows.
func ColumnsOf(table string) shape.Columns {
	kinds, ok := tablesColumns()[table]
	if !ok {
		return nil
	}
	known := make(shape.Columns, len(kinds))
	for column, kind := range kinds {
		switch kind {
		case "i":
			known[column] = shape.Int
		case "f":
			known[column] = shape.Float
		default:
			known[column] = shape.Text
		}
	}
	return known
}

// MomentOf is the type, date or datetime, of a column of one of the plugin's tables that holds a point in time; empty of another.
func MomentOf(table, column string) string {
	if kind := tablesColumns()[table][column]; strings.HasPrefix(kind, "date") {
		return kind
	}
	return ""
}

// Columns are those of the rows that the action's events show; nil where nobody knows, and empty where there are none.
func (a Action) Columns() shape.Columns {
	if a.Kind == Told {
		return shape.Columns{} // it has no rows
	}
	if a.Entity == nil || a.Entity.Custom && !a.Entity.Hooks {
		return nil
	}
	return ColumnsOf(a.Table())
}

// Table is the table, behind the site's prefix, of the rows that the action's events show.
func (a Action) Table() string {
	if a.Kind == StatusChange {
		return HistoryTable
	}
	return a.Entity.Table
}
