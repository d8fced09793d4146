package rules

import (
	"strings"

	"rowhook/cdc"
)

// netting gathers the changes of one transaction and reduces them to their net effect: per table and primary key the
// first image before and the last one after. REPLACE logs a delete and an insert, or an update that moves the key;
// what counts is what the transaction did in the end (DESIGN 4).
type netting struct {
	changes []cdc.Change
}

// add takes a change in.
func (n *netting) add(c *cdc.Change) { n.changes = append(n.changes, *c) }

// discard keeps the first changes only: the others were rolled back, or will come again.
func (n *netting) discard(keep int) {
	clear(n.changes[keep:])
	n.changes = n.changes[:keep]
}

// take returns the net changes in the order of each key's first change, and begins anew. The slice is good until the
// next add.
func (n *netting) take() []cdc.Change {
	changes := n.changes
	n.changes = n.changes[:0]
	if len(changes) == 1 && !movesKey(&changes[0]) {
		return changes
	}
	type key struct {
		table cdc.TableName
		pk    string
	}
	var net []cdc.Change
	at := map[key]int{}
	put := func(c *cdc.Change, row cdc.Row, apply func(*cdc.Change)) {
		k := key{c.Table.TableName, primaryKey(c.Table, row)}
		i, ok := at[k]
		if !ok || len(c.Table.Key) == 0 { // without a key every row stands for itself
			i = len(net)
			at[k] = i
			net = append(net, cdc.Change{Table: c.Table, Statement: c.Statement})
		}
		if net[i].Statement != c.Statement {
			net[i].Statement = "" // no one statement wrote what is left
		}
		apply(&net[i])
	}
	for i := range changes {
		c := &changes[i]
		if c.Op != cdc.Insert {
			put(c, c.Before, func(o *cdc.Change) {
				if o.Before.Len() == 0 && o.After.Len() == 0 {
					o.Before = c.Before
				}
				o.After = cdc.Row{}
				if c.Op == cdc.Update && !movesKey(c) {
					o.After = c.After
				}
			})
		}
		if c.Op == cdc.Insert || c.Op == cdc.Update && movesKey(c) {
			put(c, c.After, func(o *cdc.Change) { o.After = c.After })
		}
	}
	kept := net[:0]
	for _, c := range net {
		switch {
		case c.Before.Len() == 0 && c.After.Len() == 0:
			continue // came and went
		case c.Before.Len() == 0:
			c.Op = cdc.Insert
		case c.After.Len() == 0:
			c.Op = cdc.Delete
		default:
			c.Op = cdc.Update
		}
		kept = append(kept, c)
	}
	return kept
}

// movesKey says whether an update changed the row's primary key.
func movesKey(c *cdc.Change) bool {
	if c.Op != cdc.Update {
		return false
	}
	for _, i := range c.Table.Key {
		if !c.Before.Same(c.After, i) {
			return true
		}
	}
	return false
}

// primaryKey is the row's key as text, unique within its table.
func primaryKey(t *cdc.Table, row cdc.Row) string {
	if len(t.Key) == 1 {
		return row.Text(t.Key[0])
	}
	parts := make([]string, len(t.Key))
	for i, k := range t.Key {
		parts[i] = row.Text(k)
	}
	return strings.Join(parts, "\x00")
}
