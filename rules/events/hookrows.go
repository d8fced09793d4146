package events

import (
	"rowhook/cdc"
	"rowhook/rules"
)

// isObject says whether a row is an object of the binding's entity.
func (b *binding) isObject(row cdc.Row) bool {
	only := b.entity.Only
	return only == nil || b.only >= 0 && row.Text(b.only) == only.Value
}

// applyHooks takes in a row behind hooks that was inserted or updated.
func (t *translator) applyHooks(b *binding, c *cdc.Change) {
	if b.entity.Relay && b.isObject(c.After) {
		t.applyRelay(b, c)
		return
	}
	if !b.isObject(c.After) || b.entity.Hook == rules.SubscriptionHook && c.Op != cdc.Insert {
		return
	}
	agg := t.windows.objectOf(b, c.After)
	t.windows.prolong(agg)
	st := t.statements.of(b, c, &t.windows.txn)
	switch {
	case b.isPublishing(c):
		t.applyPublish(agg, c, st)
		return
	case !t.statements.isSave(b, c, st):
		t.windows.refresh(agg, c)
		return
	case !t.catalog.wants(agg, rules.Save):
		return
	}
	t.wrote(t.windows.saveRow(agg, c), c, st)
}

// isPublishing says whether a change is what the plugin's lists do to publish an object: it changes that column and no other.
func (b *binding) isPublishing(c *cdc.Change) bool {
	if b.published < 0 || c.Op != cdc.Update || b.entity.IsSingle() || !differs(c.Before, c.After, b.published) {
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
func (t *translator) applyPublish(agg aggregate, c *cdc.Change, st *statement) {
	if q := t.windows.open.queues[agg]; q != nil {
		q.seal() // what is saved later is told later
	}
	if !t.catalog.wants(agg, rules.Publish) || t.opts.Plugin && (st == nil || !st.publishes) {
		return
	}
	ev := t.windows.newEvent(agg, rules.Publish, c)
	ev.Row, ev.sealed = c.After, true
	ev.markChanged(c)
	t.windows.open.enqueue(agg, ev)
	t.windows.mark(ev)
}
