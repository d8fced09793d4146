package rules

import "rowhook/cdc"

// isObject says whether a row is an object of the binding's entity.
func (b *binding) isObject(row cdc.Row) bool {
	only := b.entity.Only
	return only == nil || b.only >= 0 && row.Text(b.only) == only.Value
}

// applyHooks takes in a row behind hooks that was inserted or updated.
func (e *Engine) applyHooks(b *binding, c *cdc.Change) {
	if b.entity.Relay && b.isObject(c.After) {
		e.applyRelay(b, c)
		return
	}
	if !b.isObject(c.After) || b.entity.Hook == SubscriptionHook && c.Op != cdc.Insert {
		return
	}
	agg := e.objectOf(b, c.After)
	e.prolong(agg)
	st := e.statements.of(b, c, &e.txn)
	switch {
	case b.isPublishing(c):
		e.applyPublish(agg, c, st)
		return
	case !e.statements.isSave(b, c, st):
		e.refresh(agg, c)
		return
	case !e.wants(agg, Save):
		return
	}
	e.wrote(e.saveRow(agg, c), c, st)
}

// isPublishing says whether a change is what the plugin's lists do to publish an object: it changes that column and no other.
func (b *binding) isPublishing(c *cdc.Change) bool {
	if b.published < 0 || c.Op != cdc.Update || b.entity.isSingle() || !differs(c.Before, c.After, b.published) {
		return false
	}
	for i := c.Before.NextChange(c.After, 0); i >= 0; i = c.Before.NextChange(c.After, i+1) {
		if i != b.published && !b.isHousekeeping(i) {
			return false
		}
	}
	return true
}

// applyPublish makes an event of its own of each change, in the order of the log.
func (e *Engine) applyPublish(agg aggregate, c *cdc.Change, st *statement) {
	if q := e.open.queues[agg]; q != nil {
		q.seal() // what is saved later is told later
	}
	if !e.wants(agg, Publish) || e.opts.Plugin && (st == nil || !st.publishes) {
		return
	}
	ev := e.newEvent(agg, Publish, c)
	ev.Row, ev.sealed = c.After, true
	ev.markChanged(c)
	e.open.enqueue(agg, ev)
	e.mark(ev)
}
