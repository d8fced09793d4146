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
	rule.Action = Action{customEntity(e.Table), Rows}
	for _, key := range []string{"type", "statuses"} {
		if c.has(key) {
			c.faultf(key, "is not for action: custom; write on: [insert, update, delete] with what the rule wants of it")
		}
	}
	rule.On = c.on(e.On)
	rule.Load = c.load(e.Load, rule.Action)
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
