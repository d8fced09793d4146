package events

import (
	"slices"

	"rowhook/cdc"
	"rowhook/rules"
)

// catalog is the entities as one engine uses them, so that pointers can be compared.
type catalog struct {
	sites    []*rules.Site
	entities []*rules.Entity          // of the plugin
	customs  map[string]*rules.Entity // those that rules name, or named, by name
	told     *rules.Entity            // of events that are not about the plugin's objects
	set      *rules.Set               // names the others
	wanted   map[wantedKey]bool
	before   map[string]bool // the entities of which a rule wants to know the row as it was
	gone     map[string]bool // those of them of which it wants deletes
	bindings map[*cdc.Table][]*binding
}

func newCatalog(sites []*rules.Site) *catalog {
	return &catalog{
		sites: sites, entities: rules.Entities(), customs: map[string]*rules.Entity{}, told: rules.RestoredAction().Entity, set: &rules.Set{}, bindings: map[*cdc.Table][]*binding{},
	}
}

// use takes over a set of rules, with the tables that they name.
func (c *catalog) use(set *rules.Set) {
	c.set = set
	clear(c.bindings)
	c.wanted, c.before, c.gone = map[wantedKey]bool{}, map[string]bool{}, map[string]bool{}
	for r := range set.Enabled() {
		if r.Shape.Before() {
			c.before[r.Action.Entity.Name] = true
			if slices.Contains(r.Kinds(), rules.Delete) {
				c.gone[r.Action.Entity.Name] = true
			}
		}
		for _, s := range c.sites {
			if !r.For(s) {
				continue
			}
			for _, k := range r.Kinds() {
				c.wanted[wantedKey{s, r.Action.Entity.Name, k}] = true
			}
		}
	}
}

// wants says whether some rule asks for a kind of event of an object.
func (c *catalog) wants(a aggregate, k rules.Kind) bool {
	return c.wanted[wantedKey{a.site, a.entity.Name, k}]
}

// bound is bind, remembered. A table that changed is a new Table, so nothing here goes stale.
func (c *catalog) bound(t *cdc.Table) []*binding {
	b, ok := c.bindings[t]
	if !ok {
		// Every connection makes its tables anew; a site has some ten.
		if len(c.bindings) >= 256+32*len(c.sites) {
			clear(c.bindings)
		}
		b = c.bind(t)
		c.bindings[t] = b
	}
	return b
}

// of is the binding of a table to an entity at a site, nil when there is none.
func (c *catalog) of(t *cdc.Table, site *rules.Site, entity *rules.Entity) *binding {
	for _, b := range c.bound(t) {
		if b.site == site && b.entity == entity {
			return b
		}
	}
	return nil
}

// intern is the one of an entity that rules name.
func (c *catalog) intern(e *rules.Entity) *rules.Entity {
	if is := c.customs[e.Name]; is != nil {
		return is
	}
	c.customs[e.Name] = e
	return e
}

// byName is the entity that rules call name, nil when there is none.
func (c *catalog) byName(name string) *rules.Entity {
	if name == c.told.Name {
		return c.told
	}
	e := rules.EntityOf(name)
	if e != nil && e.Custom {
		return c.intern(e)
	}
	return e
}

// byStatusType is the entity whose history rows have this type, nil for others (subscriptions).
func (c *catalog) byStatusType(t string) *rules.Entity {
	for _, e := range c.entities {
		if e.Status != nil && e.Status.Type == t {
			return e
		}
	}
	return nil
}

// site is the site of a name, or the part of it that an entity is of; nil when it is not configured.
func (c *catalog) site(name string, e *rules.Entity) *rules.Site {
	for _, s := range c.sites {
		if s.Name == name && s.Has(e) {
			return s
		}
	}
	return nil
}

// part is the catalog of one site, with the same entities.
func (c *catalog) part(site *rules.Site) *catalog {
	return &catalog{
		sites: []*rules.Site{site}, entities: c.entities, customs: c.customs, told: c.told, set: c.set, bindings: map[*cdc.Table][]*binding{},
	}
}

// drop takes out a site, and add takes one in. The rules are to be set again behind it.
func (c *catalog) drop(site *rules.Site) {
	c.sites = slices.DeleteFunc(slices.Clone(c.sites), func(s *rules.Site) bool { return s == site })
}

func (c *catalog) add(site *rules.Site) { c.sites = append(slices.Clone(c.sites), site) }
