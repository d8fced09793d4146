package web

import (
	"slices"
	"time"

	"rowhook/api"
	"rowhook/outbox"
)

// picture is how things stand at a moment, as far as somebody may see it. It knows no request and asks nobody.
type picture struct {
	now   time.Time // in UTC
	who   session
	seen  seen
	all   []Rule // that are in force
	rules []Rule // that this one may see
	own   counts // of a user of some sites: how many deliveries were in a state when they were last counted
	sure  bool   // own is of all of them

	named  map[string]Rule // the rules by their names; nil: not made yet
	scoped *api.Status     // what this one may see; nil: not made yet
	told   *troubles       // what is not as it should be; nil: nobody has looked yet
}

func newPicture(who session, is seen, rules []Rule) *picture {
	p := &picture{now: time.Now().UTC(), who: who, seen: is, all: rules}
	for _, r := range rules {
		if who.seesRule(r) {
			p.rules = append(p.rules, r)
		}
	}
	return p
}

// rule is a rule by its name, if this one may see it.
func (p *picture) rule(name string) (Rule, bool) {
	if p.named == nil {
		p.named = make(map[string]Rule, len(p.rules))
		for _, r := range p.rules {
			p.named[r.Name] = r
		}
	}
	r, ok := p.named[name]
	return r, ok
}

func (p *picture) hides(rule string) bool {
	_, ok := p.rule(rule)
	return !ok
}

// ownsEndpoint says whether all rules of an endpoint are this one's.
func (p *picture) ownsEndpoint(name string) bool {
	if p.who.all() {
		return true
	}
	found := false
	for _, r := range p.all {
		if r.Endpoint == name && !r.Disabled {
			if found = true; !p.who.owns(r) {
				return false
			}
		}
	}
	return found
}

// status has the sites and endpoints that this one may see.
func (p *picture) status() *api.Status {
	if p.scoped == nil {
		is := p.seen.status
		if !p.who.all() {
			is = p.scope(is)
		}
		p.scoped = &is
	}
	return p.scoped
}

func (p *picture) scope(s api.Status) api.Status {
	is := s
	is.Sites, is.Endpoints, is.Outbox.Deliveries, is.Machines, is.Wrong = nil, nil, nil, nil, nil
	is.Lacks = slices.DeleteFunc(slices.Clone(s.Lacks), func(l api.Lack) bool { return p.hides(l.Rule) || !p.who.sees(l.Site) })
	if s.Hindrance != nil { // what the database says names its address and user
		is.Hindrance = &api.Hindrance{Since: s.Hindrance.Since}
	}
	for _, site := range s.Sites {
		if p.who.sees(site.Name) {
			is.Sites = append(is.Sites, site)
		}
	}
	for _, e := range s.Endpoints {
		if e.Rules = slices.DeleteFunc(slices.Clone(e.Rules), p.hides); len(e.Rules) == 0 {
			continue
		}
		e.URLs = slices.Clone(e.URLs)
		for i := range e.URLs {
			e.URLs[i].Rules = slices.DeleteFunc(slices.Clone(e.URLs[i].Rules), p.hides)
		}
		if !p.ownsEndpoint(e.Name) { // how much waits for other sites is not this user's to know
			e.Undelivered, e.Bytes, e.Oldest, e.Pending, e.InFlight = 0, 0, 0, 0, -1
		}
		e.Machine = ""
		is.Endpoints = append(is.Endpoints, e)
	}
	return is
}

// counted is how many deliveries are in a state; of a user's own sites, how many were when they were last counted.
func (p *picture) counted(state outbox.State) (n int, atLeast bool) {
	if !p.who.all() {
		return p.own.byState[state], !p.sure
	}
	for _, k := range p.seen.status.Outbox.Deliveries {
		if k.State == state.String() {
			n += k.Count
		}
	}
	return n, false
}

// waiting is how much is not delivered yet, and for how long the oldest has been waiting.
func (p *picture) waiting() (n int, oldest time.Duration, more bool) {
	if !p.who.all() {
		return p.own.byState[outbox.Fresh] + p.own.byState[outbox.Waiting], 0, !p.sure
	}
	for _, e := range p.seen.status.Endpoints {
		n, oldest = n+e.Undelivered, max(oldest, e.Oldest)
	}
	return n, oldest, false
}

// deadOf is how many dead letters these rules have, which are all this one's.
func (p *picture) deadOf(rules []Rule) (n int) {
	for _, k := range p.seen.status.Outbox.Deliveries {
		if k.State == outbox.Dead.String() && slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == k.Rule }) {
			n += k.Count
		}
	}
	return n
}
