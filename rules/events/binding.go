package events

import (
	"strings"

	"rowhook/cdc"
	"rowhook/rules"
)

// role says what a table's rows are to its entity.
type role uint8

const (
	rootRow    role = iota + 1 // the object itself
	partRow                    // an option of an appointment, an item of a package order
	historyRow                 // a status of an order
)

// binding ties a table of the log to a site and an entity, with the positions of the columns that decide.
type binding struct {
	site   *rules.Site
	entity *rules.Entity // of history rows: decided by the row
	role   role
	first  bool // of the bindings of its table that count its rows

	housekeeping []bool // by column
	key          []int  // of the row; empty: it has none
	id           int
	status       int
	parent       int // id_parent
	employee     int // id_employee
	closure      int // of appointments: it blocks a time, and books nothing
	lock         int // the entity's Lock
	created      int // createdon: when the row was made, in UTC
	order        int // of parts and history: the order's id
	statusType   int // of history: the order's kind
	only         int // Entity.Only's column
	published    int // of hooks
}

// bind finds the sites and the entities of a table; none when nobody watches it.
func (c *catalog) bind(t *cdc.Table) (bindings []*binding) {
	for _, site := range c.sites {
		name, ok := strings.CutPrefix(t.Name, site.Prefix)
		if !ok || t.Schema != site.Schema || site.Named() != "" && site.Named() != name {
			continue
		}
		if site.Named() == "" {
			if b := c.bindPlugin(site, name, t); b != nil {
				bindings = append(bindings, b)
			}
		}
		for _, e := range c.set.Named(site) {
			if e.Table == name {
				b := newBinding(site, c.intern(e), rootRow, t)
				b.key = e.KeyOf(t)
				if e.Hooks {
					b.lock, b.published = t.Index(e.Lock), t.Index("published")
				}
				if e.Only != nil {
					b.only = t.Index(e.Only.Column)
				}
				bindings = append(bindings, b)
			}
		}
	}
	for _, b := range bindings { // of a table that two parts share, the plugin's own: both may be in engines of their own
		if !b.site.Shares() {
			b.first = true
			break
		}
	}
	return bindings
}

// bindPlugin is what one of the plugin's tables is to its entity, nil when it is not among those that make events.
func (c *catalog) bindPlugin(site *rules.Site, name string, t *cdc.Table) *binding {
	if name == rules.HistoryTable {
		b := newBinding(site, nil, historyRow, t)
		b.order, b.status, b.statusType = t.Index(rules.HistoryOrder), t.Index(rules.HistoryStatus), t.Index(rules.HistoryType)
		b.id, b.created = t.Index("id"), t.Index("createdon")
		return b
	}
	for _, e := range c.entities {
		switch {
		case name == e.Table:
			b := newBinding(site, e, rootRow, t)
			b.id, b.lock, b.created, b.closure = t.Index(e.Key[0]), t.Index(e.Lock), t.Index("createdon"), t.Index("closure")
			b.key = []int{b.id}
			if e.Status != nil {
				b.status = t.Index(e.Status.Column)
			}
			if e.Parent != nil {
				b.parent, b.employee = t.Index(e.Parent.Column), t.Index(e.Parent.Staff)
			}
			b.markHousekeeping(t, e.Housekeeping)
			return b
		case e.Parts != nil && name == e.Parts.Table:
			b := newBinding(site, e, partRow, t)
			b.id, b.order, b.created = t.Index("id"), t.Index(e.Parts.Order), t.Index("createdon")
			b.key = []int{b.id}
			b.markHousekeeping(t, e.Parts.Housekeeping)
			return b
		}
	}
	return nil
}

// newBinding is one that knows no column yet.
func newBinding(site *rules.Site, entity *rules.Entity, r role, t *cdc.Table) *binding {
	b := &binding{
		site: site, entity: entity, role: r, housekeeping: make([]bool, len(t.Columns)),
		id: -1, status: -1, parent: -1, employee: -1, closure: -1, lock: -1, created: -1, order: -1, statusType: -1, only: -1, published: -1,
	}
	for _, i := range t.Period {
		b.housekeeping[i] = true
	}
	return b
}

// keyOf is a row's key; empty where the table has none.
func (b *binding) keyOf(row cdc.Row) rules.Key { return rules.KeyAt(row, b.key) }

func (b *binding) markHousekeeping(t *cdc.Table, columns []string) {
	for _, c := range columns {
		if i := t.Index(c); i >= 0 {
			b.housekeeping[i] = true
		}
	}
}

// isHousekeeping says whether a column's value is nothing that a receiver would want to hear of.
func (b *binding) isHousekeeping(i int) bool { return i >= len(b.housekeeping) || b.housekeeping[i] }

// matters says whether an update changed anything that is not housekeeping (DESIGN 5, documented).
func (b *binding) matters(before, after cdc.Row) bool {
	for i := before.NextChange(after, 0); i >= 0; i = before.NextChange(after, i+1) {
		switch {
		case b.isHousekeeping(i):
		case i == b.parent && after.Text(i) == after.Text(b.id): // an ordinary booking gets its own id as parent in a second statement
		default:
			return true
		}
	}
	return false
}

// insertsParent says whether an INSERT made the parent of a multi-order. The plugin names id_parent when it makes one;
// a statement that is known and leaves it to its default made a booking without an employee.
func (b *binding) insertsParent(row cdc.Row, st *statement) bool {
	if b.entity == nil || b.entity.Parent == nil || !rules.RowIsParent(row, b.parent, b.employee) {
		return false
	}
	return st == nil || len(st.columns) == 0 || st.names(b.entity.Parent.Column)
}
