package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"rowhook/rules/shape"
	"rowhook/words"
)

// filter checks which fields a rule keeps and which it hides, and fills it in.
func (c check) filter(e entry, s *Shape, rule *Rule, names *shape.Names) {
	c.paths("fields", e.Fields)
	c.paths("redact", e.Redact)
	if len(e.Fields)+len(e.Redact) == 0 {
		return
	}
	payload := names.Payload
	if e.Previous {
		payload = payload.With(previousField, shape.NewTree(slices.Collect(maps.Keys(names.Row))...))
	}
	rule.Doubts = slices.Concat(rule.Doubts, c.doubts("fields", e.Fields, rule, payload), c.doubts("redact", e.Redact, rule, payload))
	hide := append(slices.Clone(e.Redact), again(e.Redact, rule)...)
	columns := columnsBehind(e.Redact, rule, payload)
	if e.Previous {
		for _, path := range slices.Concat(e.Redact, columns) {
			hide = append(hide, previousField+"."+path)
		}
	}
	s.Filter = shape.NewFilter(e.Fields, hide)
	s.standIn = shape.NewFilter(e.Fields, slices.Concat(hide, columns))
}

func (c check) paths(key string, paths []string) {
	if c.has(key) && len(paths) == 0 {
		c.faultf(key, "is empty; name fields, or remove it")
	}
	if len(paths) > mostPaths {
		c.faultf(key, "names %d fields; a rule may name %d", len(paths), mostPaths)
	}
	for i, p := range paths {
		if len(p) > longestPath || p == "" || strings.HasPrefix(p, ".") || strings.HasSuffix(p, ".") || strings.Contains(p, "..") {
			item := fmt.Sprintf("%s[%d]", key, i)
			c.faultf(item, "%s is no field; write its name, and of a field within another both, with a dot between them", c.quote(item))
		}
	}
}

// doubts tells of fields that the payload has not got, as far as is known: a version of the plugin may have more columns.
func (c check) doubts(key string, paths []string, rule *Rule, payload *shape.Tree) (doubts []string) {
	for i, path := range paths {
		item := fmt.Sprintf("%s.%s[%d]", c.key, key, i)
		parts := strings.Split(path, ".")
		if found, at := payload.Find(parts); found < len(parts) {
			doubts = append(doubts, fmt.Sprintf("%s: %s: what %s posts has no %s that is known%s; see that its name is right: a name that is not there %s nothing",
				c.src.Place(item), item, rule.Action, strings.Join(parts[:found+1], "."), words.DidYouMean(parts[found], at.Below()), map[string]string{"fields": "keeps", "redact": "hides"}[key]))
		}
	}
	return doubts
}

// previousField is where a payload has the columns as they were, rowField where that of a table's row has them as they are; it shows
// some of them in the others, too.
const (
	previousField = "previous"
	rowField      = "data"
)

var rowFields = []string{"old", "key", "keys"}

// again is where else the payload of a table's row shows what these paths are of.
func again(paths []string, rule *Rule) (others []string) {
	if rule.Action.Kind != Rows {
		return nil
	}
	for _, path := range paths {
		if below, ok := strings.CutPrefix(path+".", rowField+"."); ok {
			for _, other := range rowFields {
				others = append(others, strings.TrimSuffix(other+"."+below, "."))
			}
		}
	}
	return others
}

// columnsBehind are the columns, but for the key, that extended payloads show at these paths under other names: where a row stands
// in such a payload's place, it has them by their own.
func columnsBehind(paths []string, rule *Rule, payload *shape.Tree) (columns []string) {
	if rule.Load != Extended {
		return nil
	}
	tables := []string{rule.Action.Entity.Table}
	if rule.Action.Kind == StatusChange {
		tables = append(tables, HistoryTable)
	}
	for _, path := range paths {
		parts := strings.Split(path, ".")
		if _, own := tablesColumns()[tables[0]][parts[0]]; own {
			continue
		}
		_, at := payload.Find(parts)
		for t := range at.All {
			for _, table := range tables {
				columns = append(columns, columnsIn(t.About, table)...)
			}
		}
	}
	return slices.DeleteFunc(columns, func(name string) bool { return slices.Contains(rule.Action.Entity.Key, name) })
}

// columnsIn are the columns of a table that the description of a payload's value names, with the table's name or without any.
func columnsIn(about, table string) (columns []string) {
	for _, word := range strings.FieldsFunc(about, func(r rune) bool { return r != '.' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		of, name, _ := strings.Cut(word, ".")
		if name == "" {
			name = of
		} else if of != table {
			continue
		}
		if _, is := tablesColumns()[table][name]; is {
			columns = append(columns, name)
		}
	}
	return columns
}
