package rules

import "rowhook/cdc"

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
	st := e.statements.of(b, c, &e.txn)
	if c.Op == cdc.Insert {
		e.startMaking(b, agg, c, st)
	}
	if c.Op == cdc.Insert && b.insertsParent(c.After, st) {
		return nil // fires its status only
	}
	if !e.statements.isSave(b, c, st) {
		e.refresh(agg, c)
		return nil
	}
	if e.wants(agg, Save) {
		opens := e.open.openSave(agg) == nil
		ev := e.saveRow(agg, c)
		if opens && c.Op == cdc.Update && e.before[agg.entity.Name] {
			ev.Before = c.Before
		}
		if e.statements.lastCounts(b) {
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
