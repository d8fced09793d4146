package rules

import (
	"fmt"
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/rules/shape"
)

// Misnamed is a column that a rule names and its table does not have. Rule files do not know what columns a table has; the server does.
type Misnamed struct {
	Found string // where, which, and the nearest name that there is
	// Spared says that events are posted all the same: what a field names is only not kept, or not hidden.
	Spared bool
}

// RowTable is the table of a site whose columns the rule names in conditions, templates and fields; false where it names none.
func (r *Rule) RowTable(s *Site) (cdc.TableName, bool) {
	switch {
	case r.misnamed == nil || r.Action.Entity == nil || r.Action.Entity.Relay:
		return cdc.TableName{}, false
	case r.Action.Kind == StatusChange:
		return s.WordPressTable(HistoryTable), true
	case r.Action.Kind == Save, r.Action.Kind == Delete, r.Action.Kind == Publish, r.Action.Kind == Rows:
		return r.Action.Entity.TableOf(s), true
	}
	return cdc.TableName{}, false
}

// Misnamed lists what the rule names that a table does not have.
func (r *Rule) Misnamed(table cdc.TableName, columns []string) []Misnamed {
	return r.misnamed(table, columns)
}

// misnamed checks a rule's shape again, once it is known which columns there are. It may be asked any number of times, and reads no
// file: what its texts take in was taken in before.
func (c check) misnamed(e entry, rule *Rule) func(cdc.TableName, []string) []Misnamed {
	return func(table cdc.TableName, columns []string) (list []Misnamed) {
		again := check{src: c.src.Apart(), key: c.key}
		to := &Rule{Action: rule.Action, Load: rule.Load, Type: rule.Type, On: rule.On}
		again.shapeOf(e, to, namesIn(columns, rule))
		for _, fault := range config.Errors(again.src.Err()) {
			found, _, _ := strings.Cut(fault.Message, "\n")
			if column, is := strings.CutPrefix(found, "unknown field "); is {
				found = fmt.Sprintf("table %s has no column %s", table, column)
			}
			list = append(list, Misnamed{Found: fmt.Sprintf("%s:%d: %s: %s", fault.File, fault.Line, fault.Key, found)})
		}
		for _, doubt := range to.Doubts {
			if !slices.Contains(rule.Doubts, doubt) {
				list = append(list, Misnamed{Found: fmt.Sprintf("%s (table %s)", doubt, table), Spared: true})
			}
		}
		return list
	}
}

// namesIn is what a rule may name where a table has these columns.
func namesIn(columns []string, rule *Rule) *shape.Names {
	names := &shape.Names{Row: shape.Columns{}}
	for _, column := range columns {
		names.Row[column] = shape.Any // any value may be NULL
	}
	if rule.Action.Kind == Rows {
		row := shape.NewTree(columns...)
		names.Payload = rule.payload().With(rowField, row)
		for _, field := range rowFields {
			names.Payload = names.Payload.With(field, row)
		}
	}
	return names
}

// remembered are texts as they were expanded.
type remembered map[string]expanded

type expanded struct {
	text  string
	taken []string
}

// by is an expansion whose results are kept.
func (m remembered) by(expand config.Expand) config.Expand {
	return func(text string) (string, []string, error) {
		made, taken, err := expand(text)
		m[text] = expanded{made, taken}
		return made, taken, err
	}
}

// again is a text as it was expanded.
func (m remembered) again(text string) (string, []string, error) {
	return m[text].text, m[text].taken, nil
}
