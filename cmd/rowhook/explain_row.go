package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/rules"
)

// mostChanges bounds how many changes that made no event are explained.
const mostChanges = 1000

// rowWatch is a Replay that notes what the log shows of the row that was asked for: what makes no event is explained, too.
type rowWatch struct {
	*pipeline.Replay
	e     *explaining
	sites []*rules.Site
	n     int // changes of the transaction that is being read
	open  []rowChange
}

// rowChange is a change of the row.
type rowChange struct {
	at   int // its number in the transaction
	site string
	what string // it is, with the columns
	why  string // it may be no event
	txn  string
	time time.Time
}

// Change is cdc.Sink.
func (w *rowWatch) Change(c *cdc.Change) error {
	w.n++
	for _, site := range w.sites {
		if w.e.order.table != "" && w.e.named(c.Table.Name, site) && c.Table.Schema == site.Schema && strings.HasPrefix(c.Table.Name, site.Prefix) && w.e.isKey(c) {
			w.open = append(w.open, rowChange{at: w.n, site: site.Name, what: changeText(c), why: w.e.whyNoEvent(c, site)})
			break
		}
	}
	return w.Replay.Change(c)
}

// Discard is cdc.Sink.
func (w *rowWatch) Discard(keep int) {
	w.n = min(w.n, keep)
	w.open = slices.DeleteFunc(w.open, func(r rowChange) bool { return r.at > keep })
	w.Replay.Discard(keep)
}

// Commit is cdc.Sink.
func (w *rowWatch) Commit(c *cdc.Commit) error {
	if !c.IsProgress() {
		for _, r := range w.open {
			r.txn, r.time = c.Txn.ID(), c.Time
			if w.e.rows = append(w.e.rows, r); len(w.e.rows) > mostChanges {
				w.e.rows = w.e.rows[1:]
			}
		}
		w.n, w.open = 0, w.open[:0]
	}
	return w.Replay.Commit(c)
}

// isKey says whether a change is of the row that was asked for.
func (e *explaining) isKey(c *cdc.Change) bool {
	key := c.Table.Key
	if i := c.Table.Index("id"); len(key) == 0 && i >= 0 {
		key = []int{i}
	}
	if len(key) == 0 {
		return false
	}
	return c.Before.Len() > 0 && string(rules.KeyAt(c.Before, key)) == e.order.key || c.After.Len() > 0 && string(rules.KeyAt(c.After, key)) == e.order.key
}

// changed are the columns of an update that are others now.
func changed(c *cdc.Change) (names []string) {
	for i := c.Before.NextChange(c.After, 0); i >= 0; i = c.Before.NextChange(c.After, i+1) {
		names = append(names, c.Table.Columns[i])
	}
	return names
}

func changeText(c *cdc.Change) string {
	if names := changed(c); c.Op == cdc.Update && len(names) > 0 {
		return c.Op.String() + " of " + few(names)
	}
	return c.Op.String()
}

// whyNoEvent says why a change makes no event, if it makes none.
func (e *explaining) whyNoEvent(c *cdc.Change, site *rules.Site) string {
	kind, row := rules.Save, c.After
	if c.Op == cdc.Delete {
		kind, row = rules.Delete, c.Before
	}
	byRow := "a rule for rows of the table has it:  action: custom, table: " + strings.TrimPrefix(c.Table.Name, site.Prefix)
	i := slices.IndexFunc(rules.Entities(), func(en *rules.Entity) bool { return en.TableOf(site) == c.Table.TableName })
	if i < 0 {
		return "no event; the rules for the table are for something else"
	}
	entity := rules.Entities()[i]
	names := changed(c)
	action := rules.Action{Entity: entity, Kind: kind}
	switch {
	case c.Op == cdc.Update && len(names) == 0:
		return "nothing is another value, which is no save"
	case c.Op == cdc.Update && !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(entity.Housekeeping, n) }):
		return "these columns alone are no save; " + byRow
	case entity.IsParent(c.Table, row):
		return "it is the parent of an order of several appointments, which are told of instead"
	case !slices.ContainsFunc(e.set.Rules, func(r *rules.Rule) bool { return r.Action.Kind == kind && r.Action.Entity.Is(entity) }):
		return "no rule is for " + action.String()
	case e.plugin:
		return "with fidelity: plugin only what the plugin would post is an event, and the statement is not one of those with which it saves"
	}
	return partOfOther
}

// partOfOther is why a change has no event of its own that would make one.
const partOfOther = "it belongs to an event that began with another transaction, as all that makes an order does; or it is of a restore (restore: warn)"

// explainRows says why changes of the row made no event: those of transactions that no event began with.
func (e *explaining) explainRows() (n int, err error) {
	for _, r := range e.rows {
		if e.txns[r.txn] {
			continue
		}
		n++
		if e.order.asJSON {
			err = writeJSONLine(e.out, explained{Time: r.time, Site: r.site, Event: r.what, IDs: []any{e.order.key}, Txn: r.txn, NoEvent: r.why})
		} else {
			_, err = fmt.Fprintf(e.out, "%s  %s  %s  [%s]  [%s]\n  no event of its own: %s\n", clock(r.time), r.site, printable.Line(r.what), printable.Line(e.order.key), r.txn, printable.Line(r.why))
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
