package events

import (
	"maps"
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/rules"
)

// catalog is the entities as one engine uses them, so that pointers can be compared.
type catalog struct {
	sites    []*rules.Site
	parts    map[string][]*rules.Site // the parts of each
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
	c := &catalog{
		sites: sites, parts: make(map[string][]*rules.Site, len(sites)), entities: rules.Entities(), customs: map[string]*rules.Entity{},
		told: rules.RestoredAction().Entity, set: &rules.Set{}, bindings: map[*cdc.Table][]*binding{},
	}
	for _, s := range sites {
		c.parts[s.Name] = append(c.parts[s.Name], s)
	}
	return c
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
	}
	for _, s := range c.sites {
		c.want(s)
	}
}

// want notes what rules want of a site.
func (c *catalog) want(site *rules.Site) {
	for r := range c.set.Enabled() {
		if !r.For(site) || !site.Has(r.Action.Entity) {
			continue
		}
		for _, k := range r.Kinds() {
			c.wanted[wantedKey{site, r.Action.Entity.Name, k}] = true
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
		// Every connection makes its tables anew; a site has some ten, and a part for each that rules name.
		if len(c.bindings) >= 256+32*len(c.parts)+2*len(c.sites) {
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

// site is the site of a name, or the part of it that an entity is of; nil when it is not here. A table that no rule names any more
// gets a part as well: its events have to be somewhere.
func (c *catalog) site(name string, e *rules.Entity) *rules.Site {
	parts := c.parts[name]
	if i := slices.IndexFunc(parts, func(s *rules.Site) bool { return s.Has(e) }); i >= 0 {
		return parts[i]
	}
	if i := slices.IndexFunc(parts, func(s *rules.Site) bool { return s.Named() == "" }); i >= 0 && e.Custom {
		part := parts[i].Part(e.Table)
		c.add(part)
		return part
	}
	return nil
}

// part is the catalog of one site, with the same entities.
func (c *catalog) part(site *rules.Site) *catalog {
	part := newCatalog([]*rules.Site{site})
	part.customs, part.set = c.customs, c.set
	return part
}

// drop takes out a site.
func (c *catalog) drop(site *rules.Site) {
	without := func(all []*rules.Site) []*rules.Site {
		return slices.DeleteFunc(slices.Clone(all), func(s *rules.Site) bool { return s == site })
	}
	c.sites, c.parts[site.Name] = without(c.sites), without(c.parts[site.Name])
	c.unbind(site)
}

// add takes one in.
func (c *catalog) add(site *rules.Site) {
	c.sites, c.parts[site.Name] = append(slices.Clip(c.sites), site), append(c.parts[site.Name], site)
	c.want(site)
	c.unbind(site)
}

// unbind forgets whose a site's tables are.
func (c *catalog) unbind(site *rules.Site) {
	maps.DeleteFunc(c.bindings, func(t *cdc.Table, _ []*binding) bool {
		return t.Schema == site.Schema && strings.HasPrefix(t.Name, site.Prefix)
	})
}
