package rules

import (
	"strings"

	"rowhook/cdc"
)

// Site is one WordPress install: a schema and a table prefix.
type Site struct {
	Name   string
	Schema string
	Prefix string // wp_
	Root   string // WordPress' folder, empty when unknown
	// Client is what the site's programs see texts through; nil: their connections are in UTF-8.
	Client *cdc.Client
}

// Table is the name of one of the plugin's tables: Table("reservation").
func (s *Site) Table(name string) cdc.TableName {
	return cdc.TableName{Schema: s.Schema, Name: s.Prefix + "vikappointments_" + name}
}

// Tables lists the tables of a site that make events.
func (s *Site) Tables() []cdc.TableName {
	var names []cdc.TableName
	for _, e := range entities() {
		names = append(names, s.Table(e.Table))
		if e.Parts != "" {
			names = append(names, s.Table(e.Parts))
		}
	}
	return append(names, s.Table(historyTable))
}

// historyTable holds one row for each status an order ever had.
const historyTable = "order_status"

// role says what a table's rows are to its entity.
type role uint8

const (
	rootRow    role = iota + 1 // the object itself
	partRow                    // an option of an appointment, an item of a package order
	historyRow                 // a status of an order
)

// binding ties a table of the log to a site and an entity, with the positions of the columns that decide.
type binding struct {
	site   *Site
	entity *Entity // of history rows: decided by the row
	role   role

	housekeeping []bool // by column
	id           int
	status       int
	parent       int // id_parent
	employee     int // id_employee
	closure      int // of appointments: it blocks a time, and books nothing
	lock         int // the entity's Lock
	created      int // createdon: when the row was made, in UTC
	order        int // of parts and history: the order's id
	statusType   int // of history: the order's kind
}

// bind finds the site and the entity of a table; nil when nobody watches it.
func (c *catalog) bind(t *cdc.Table) *binding {
	for _, site := range c.sites {
		base, ok := strings.CutPrefix(t.Name, site.Prefix+"vikappointments_")
		if !ok || t.Schema != site.Schema {
			continue
		}
		b := &binding{
			site: site, housekeeping: make([]bool, len(t.Columns)),
			id: t.Index("id"), status: t.Index("status"), parent: t.Index(parentColumn), employee: t.Index(staffColumn),
			order: -1, closure: t.Index("closure"), lock: -1, created: t.Index("createdon"), statusType: t.Index("type"),
		}
		for _, i := range t.Period {
			b.housekeeping[i] = true
		}
		if base == historyTable {
			b.role, b.order = historyRow, t.Index("id_order")
			return b
		}
		for _, e := range c.entities {
			switch base {
			case e.Table:
				b.role, b.entity, b.lock = rootRow, e, t.Index(e.Lock)
				b.markHousekeeping(t, e.Housekeeping)
				return b
			case e.Parts:
				b.role, b.entity, b.order = partRow, e, t.Index(e.PartOrder)
				b.markHousekeeping(t, e.PartHousekeeping)
				return b
			}
		}
	}
	return nil
}

func (b *binding) markHousekeeping(t *cdc.Table, columns []string) {
	for _, c := range columns {
		if i := t.Index(c); i >= 0 {
			b.housekeeping[i] = true
		}
	}
}

// matters says whether an update changed anything that is not housekeeping (DESIGN 5, documented).
func (b *binding) matters(before, after cdc.Row) bool {
	for i := range b.housekeeping {
		if b.housekeeping[i] || !differs(before, after, i) {
			continue
		}
		if i == b.parent && b.role == rootRow && after.Text(i) == after.Text(b.id) {
			continue // an ordinary booking gets its own id as parent in a second statement
		}
		return true
	}
	return false
}

// catalog is the entities as one engine uses them, so that pointers can be compared.
type catalog struct {
	sites    []*Site
	entities []*Entity
	bridge   *Entity // of events that are not about the plugin's objects
	bindings map[*cdc.Table]*binding
}

func newCatalog(sites []*Site) *catalog {
	return &catalog{sites: sites, entities: entities(), bridge: restored().Entity, bindings: map[*cdc.Table]*binding{}}
}

// binding is bind, remembered. A table that changed is a new Table, so nothing here goes stale.
func (c *catalog) binding(t *cdc.Table) *binding {
	b, ok := c.bindings[t]
	if !ok {
		const most = 256 // every connection makes its tables anew
		if len(c.bindings) >= most {
			clear(c.bindings)
		}
		b = c.bind(t)
		c.bindings[t] = b
	}
	return b
}

// byName is the entity that rules call name, nil when there is none.
func (c *catalog) byName(name string) *Entity {
	if name == c.bridge.Name {
		return c.bridge
	}
	for _, e := range c.entities {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// byStatusType is the entity whose history rows have this type, nil for others (subscriptions).
func (c *catalog) byStatusType(t string) *Entity {
	for _, e := range c.entities {
		if e.StatusType != "" && e.StatusType == t {
			return e
		}
	}
	return nil
}

// site is the site of a name, nil when it is not configured.
func (c *catalog) site(name string) *Site {
	for _, s := range c.sites {
		if s.Name == name {
			return s
		}
	}
	return nil
}
