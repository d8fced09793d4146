package rules

import (
	_ "embed"
	"maps"
	"strings"
	"sync"

	"rowhook/rules/shape"
)

// knownColumns are the columns of the plugin's tables that make events, a line a table: what stands for an id is i, for a
// number with a point f, for all else t. It is made from the test salon's tables (TestKnownColumns -update).
//
//go:embed columns.txt
var knownColumns string

// tablesColumns are the columns of each table that is known; read once, for whoever asks first.
var tablesColumns = sync.OnceValue(func() map[string]shape.Columns {
	tables := map[string]shape.Columns{}
	for line := range strings.Lines(knownColumns) {
		table, columns, _ := strings.Cut(line, ":")
		known := shape.Columns{}
		for c := range strings.FieldsSeq(columns) {
			column, kind, _ := strings.Cut(c, "/")
			switch kind {
			case "i":
				known[column] = shape.Int
			case "f":
				known[column] = shape.Float
			default:
				known[column] = shape.Text
			}
		}
		tables[table] = known
	}
	return tables
})

// Columns are those of the rows that the action's events show; nil where nobody knows, and empty where there are none.
func (a Action) Columns() shape.Columns {
	if a.Kind == Told {
		return shape.Columns{} // it has no rows
	}
	if a.Entity == nil || a.Entity.Custom && !a.Entity.Hooks {
		return nil
	}
	table := a.Entity.Table
	if a.Kind == StatusChange {
		table = HistoryTable
	}
	return maps.Clone(tablesColumns()[table])
}
