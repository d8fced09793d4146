package rules

import (
	"strings"

	"rowhook/cdc"
)

// apply takes in one net change that is no delete of an object.
func (e *Engine) apply(b *binding, c *cdc.Change) error {
	if c.Op == cdc.Insert && e.restored(b, c) {
		return nil
	}
	switch b.role {
	case partRow:
		return e.applyPart(b, c)
	case historyRow:
		return e.applyHistory(b, c)
	}
	switch {
	case b.entity.Hooks:
		e.applyHooks(b, c)
		return nil
	case b.entity.Custom:
		e.applyRow(b, c)
		return nil
	}
	agg := aggregate{b.site, b.entity, b.keyOf(c.After)}
	e.prolong(agg)
	if parent, ok := e.parentOf(b, agg, c); ok {
		e.prolong(parent)
	}
	st := e.statement(b, c)
	if c.Op == cdc.Insert {
		e.startMaking(b, agg, c, st)
	}
	if c.Op == cdc.Insert && b.insertsParent(c.After, st) {
		return nil // fires its status only
	}
	if !e.isSave(b, c, st) {
		e.refresh(agg, c)
		return nil
	}
	if e.wants(agg, Save) {
		ev := e.saveRow(agg, c)
		if e.lastCounts(b) {
			ev.Named, ev.Passed = nil, nil
		}
		e.wrote(ev, c, st)
	}
	if c.Op == cdc.Update && !e.opts.Plugin && b.entity.Status != nil && differs(c.Before, c.After, b.status) {
		e.statusColumn(agg, c, c.After.Text(b.status))
	}
	return nil
}

// wrote takes into a save what a change of its object's row wrote, by its statement where that is known.
func (e *Engine) wrote(ev *Event, c *cdc.Change, st *statement) {
	ev.name(c, st)
	if e.opts.Plugin {
		ev.pass(c, st)
	}
	if c.Op == cdc.Insert {
		ev.Insert = true
	} else {
		ev.markChanged(c)
	}
	e.mark(ev)
}

// isSave says whether a change of an object's row is a save: for the documentation every change that is not
// housekeeping; for the plugin what its own models write, and of appointments only what takes their lock (FINDINGS 8).
func (e *Engine) isSave(b *binding, c *cdc.Change, st *statement) bool {
	switch {
	case !e.opts.Plugin:
		return c.Op == cdc.Insert || b.matters(c.Before, c.After)
	case st == nil, b.entity.Hooks && !st.class, !b.entity.Hooks && !st.model:
		return false
	}
	return b.entity.Lock == "" || st.names(b.entity.Lock)
}

// statement is what is known of the statement that wrote a row, nil when nothing is. Of several in one transaction it is
// what those tell together that saved it, as their events would when each had a transaction of its own.
func (e *Engine) statement(b *binding, c *cdc.Change) *statement {
	if len(e.parts) == 0 {
		return e.statementOf(b.site, c)
	}
	switch {
	case c.Op == cdc.Delete:
		return e.statementOf(b.site, &e.parts[len(e.parts)-1])
	case b.role != rootRow:
		return e.statementOf(b.site, &e.parts[0])
	}
	var joint *statement
	for i := range e.parts {
		part := &e.parts[i]
		if i > 0 && !part.Before.Whole() { // it was what the part before made of it
			part.Before = e.parts[i-1].After
		}
		switch st := e.statementOf(b.site, part); {
		case !e.isSave(b, part, st):
		case st == nil:
			return nil
		case e.lastCounts(b):
			joint = nil
			fallthrough
		default:
			joint = joint.join(st)
		}
	}
	return joint
}

// lastCounts says whether of several saves of an object in one page request the last alone tells what was saved: the plugin
// puts them together, but what a save was not given is null, which only orders drop (FINDINGS 4).
func (e *Engine) lastCounts(b *binding) bool { return e.opts.Plugin && b.entity.Status == nil }

// statementOf is what is known of the statement of one change: a trigger's rows travel under their parent's text, which
// counts only for the table that it names.
func (e *Engine) statementOf(site *Site, c *cdc.Change) *statement {
	if c.Statement != e.text {
		e.text = c.Statement
		e.parsed, e.known = parseStatement(c.Statement)
	}
	st := &e.parsed
	if !e.known || !strings.EqualFold(st.table, c.Table.Name) {
		st = nil
	}
	if e.opts.Plugin {
		e.forms.saw(site, c, st != nil && st.model, &e.txn)
	}
	return st
}

// applyPart takes in a changed option or item: a save of its order.
func (e *Engine) applyPart(b *binding, c *cdc.Change) error {
	order, ok, err := e.orderOf(b, c)
	if !ok || err != nil {
		return err
	}
	agg := aggregate{b.site, b.entity, order}
	e.prolong(agg)
	if e.opts.Plugin || c.Op == cdc.Update && !b.matters(c.Before, c.After) || !e.wants(agg, Save) {
		return nil
	}
	e.mark(e.saveEvent(agg, c))
	return nil
}
