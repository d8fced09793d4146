package rules

import (
	_ "embed"
	"strings"

	"rowhook/rules/shape"
)

// knownColumns are the columns of the plugin's tables that make events, a line a table: what stands for an id is i, for a
// number with a point f, for all else t. It is made from the test salon's tables (TestKnownColumns -update).
//
//go:embed columns.txt
var knownColumns string

// Columns are those of the rows that the action's events show; nil where nobody knows.
func (a Action) Columns() shape.Columns {
	if a.Entity == nil || a.Entity.Custom && !a.Entity.Hooks {
		return nil
	}
	table := a.Entity.Table
	if a.Kind == StatusChange {
		table = historyTable
	}
	for line := range strings.Lines(knownColumns) {
		name, columns, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name != table {
			continue
		}
		known := shape.Columns{}
		for c := range strings.FieldsSeq(columns) {
			column, kind, _ := strings.Cut(c, "/")
			known[column] = map[string]shape.Type{"i": shape.Int, "f": shape.Float, "t": shape.Text}[kind]
		}
		return known
	}
	return nil
}
