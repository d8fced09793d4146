package events

import (
	"rowhook/cdc"
	"rowhook/rules"
)

// translator makes events of net changes: what a change of a row means follows from the role of its table.
type translator struct {
	opts    *Options
	catalog *catalog
	windows *windows

	statements statements
	restores   restores
	owner      Owner                  // of parts; nil: nobody knows
	orphans    map[cdc.TableName]bool // tables with a row whose order nobody knew
}

func newTranslator(o *Options, c *catalog, w *windows) translator {
	return translator{
		opts: o, catalog: c, windows: w, restores: newRestores(), orphans: map[cdc.TableName]bool{},
		statements: statements{plugin: o.Plugin, forms: formWatch{o.Log, map[*rules.Site]*strangeForms{}}},
	}
}

// apply takes in one net change that is no delete of an object.
func (t *translator) apply(b *binding, c *cdc.Change) error {
	if c.Op == cdc.Insert && t.restored(b, c) {
		return nil
	}
	switch b.role {
	case partRow:
		return t.applyPart(b, c)
	case historyRow:
		return t.applyHistory(b, c)
	}
	switch {
	case b.entity.Hooks:
		t.applyHooks(b, c)
		return nil
	case b.entity.Custom:
		t.applyRow(b, c)
		return nil
	}
	agg := aggregate{b.site, b.entity, b.keyOf(c.After)}
	t.windows.prolong(agg)
	if parent, ok := t.parentOf(b, agg, c); ok {
		t.windows.prolong(parent)
	}
	st := t.statements.of(b, c, &t.windows.txn)
	if c.Op == cdc.Insert {
		t.startMaking(b, agg, c, st)
	}
	if c.Op == cdc.Insert && b.insertsParent(c.After, st) {
		return nil // fires its status only
	}
	if !t.statements.isSave(b, c, st) {
		t.windows.refresh(agg, c)
		return nil
	}
	if t.catalog.wants(agg, rules.Save) {
		opens := t.windows.open.openSave(agg) == nil
		ev := t.windows.saveRow(agg, c)
		if opens && c.Op == cdc.Update && t.catalog.before[agg.entity.Name] {
			ev.Before = c.Before
		}
		if t.statements.lastCounts(b) {
			ev.Named, ev.Passed = nil, nil
		}
		t.wrote(ev, c, st)
	}
	if c.Op == cdc.Update && !t.opts.Plugin && b.entity.Status != nil && differs(c.Before, c.After, b.status) {
		t.statusColumn(agg, c, c.After.Text(b.status))
	}
	return nil
}

// wrote takes into a save what a change of its object's row wrote, by its statement where that is known.
func (t *translator) wrote(ev *event, c *cdc.Change, st *statement) {
	ev.name(c, st)
	if t.opts.Plugin {
		ev.pass(c, st)
	}
	if c.Op == cdc.Insert {
		ev.Insert = true
	} else {
		ev.markChanged(c)
	}
	t.windows.mark(ev)
}

// applyPart takes in a changed option or item: a save of its order.
func (t *translator) applyPart(b *binding, c *cdc.Change) error {
	order, ok, err := t.orderOf(b, c)
	if !ok || err != nil {
		return err
	}
	agg := aggregate{b.site, b.entity, order}
	t.windows.prolong(agg)
	if t.opts.Plugin || c.Op == cdc.Update && !b.matters(c.Before, c.After) || !t.catalog.wants(agg, rules.Save) {
		return nil
	}
	t.windows.mark(t.windows.saveEvent(agg, c))
	return nil
}
