package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"rowhook/cdc"
)

// longestTable is how many characters a table's name has at most.
const longestTable = 64

// mostKeyColumns is how many columns a key of MySQL has at most.
const mostKeyColumns = 16

// custom checks what a rule for rows of any table wants and fills it in.
func (c check) custom(e entry, rule *Rule) {
	switch {
	case !c.has("table") || e.Table == "":
		c.faultf("table", "is missing; write the table's name without the site's prefix, for example posts")
	case utf8.RuneCountInString(e.Table) > longestTable || strings.ContainsAny(e.Table, "`\x00\n\r"):
		c.faultf("table", "%s is no name of a table; write it without the site's prefix and without quotes, for example posts", c.quote("table"))
	case strings.Contains(e.Table, "."):
		c.faultf("table", "%s has a dot: a rule is for tables of its sites' schemas; write the name alone, without the site's prefix, for example posts", c.quote("table"))
	}
	rule.Action = Action{customEntity(e.Table, c.columns(e.Key)...), Rows}
	for i := range rule.Action.Entity.Key {
		key := fmt.Sprintf("%s.key[%d]", c.key, i)
		rule.KeyPlaces = append(rule.KeyPlaces, c.src.Place(key)+": "+key)
	}
	for _, key := range []string{"type", "statuses"} {
		if c.has(key) {
			c.faultf(key, "is not for action: custom; write on: [insert, update, delete] with what the rule wants of it")
		}
	}
	rule.On = c.on(e.On)
	rule.Load = c.load(e.Load, rule.Action)
}

// columns are the names of columns that make a key.
func (c check) columns(names []string) []string {
	if len(names) == 0 && c.has("key") {
		c.faultf("key", "is empty; write the columns that tell the rows apart, or remove it: then it is the table's primary key")
	}
	if len(names) > mostKeyColumns {
		c.faultf("key", "has %d columns; a key has %d at most", len(names), mostKeyColumns)
		return nil
	}
	for i, name := range names {
		key := fmt.Sprintf("key[%d]", i)
		switch {
		case name == "" || utf8.RuneCountInString(name) > longestTable || strings.ContainsAny(name, "`,.\x00\n\r"):
			c.faultf(key, "%s is no name of a column that can be a key here; write it without quotes, for example order_id", c.quote(key))
		case slices.Contains(names[:i], name):
			c.faultf(key, "%s is there twice; remove one", c.quote(key))
		}
	}
	return names
}

// on is what happens to rows that a rule wants: everything when it does not say.
func (c check) on(names []string) []cdc.Op {
	all := []cdc.Op{cdc.Insert, cdc.Update, cdc.Delete}
	if len(names) == 0 {
		if c.has("on") {
			c.faultf("on", "is empty, so the rule would want nothing; write insert, update or delete, or remove it")
		}
		return all
	}
	var ops []cdc.Op
	for i, name := range names {
		at := slices.IndexFunc(all, func(op cdc.Op) bool { return op.String() == name })
		switch {
		case at < 0:
			key := fmt.Sprintf("on[%d]", i)
			c.faultf(key, "%s is not known; write insert, update or delete", c.quote(key))
		case !slices.Contains(ops, all[at]):
			ops = append(ops, all[at])
		}
	}
	return ops
}
