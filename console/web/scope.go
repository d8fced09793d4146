package web

import (
	"slices"

	"rowhook/api"
	"rowhook/outbox"
)

// What a user of some sites sees are the deliveries of those sites, the rules that may fire for one of them, and the endpoints of
// these rules. Such a user changes what is theirs alone: not an endpoint or a rule that serves other sites, too.

// all says whether somebody may see everything.
func (s session) all() bool { return s.sites == nil }

func (s session) sees(site string) bool { return s.all() || slices.Contains(s.sites, site) }

func (s session) seesRule(r Rule) bool {
	return s.all() || len(r.Sites) == 0 || slices.ContainsFunc(r.Sites, s.sees)
}

// owns says whether a rule is for sites of this user only.
func (s session) owns(r Rule) bool {
	return s.all() || len(r.Sites) > 0 && !slices.ContainsFunc(r.Sites, func(site string) bool { return !s.sees(site) })
}

// noSite is what no site is called.
const noSite = "\x00"

// confine leaves of a filter what somebody may see.
func (s session) confine(f outbox.Filter) outbox.Filter {
	switch {
	case s.all():
	case len(f.Sites) == 0:
		f.Sites = s.sites
	default:
		if f.Sites = slices.DeleteFunc(slices.Clone(f.Sites), func(site string) bool { return !s.sees(site) }); len(f.Sites) == 0 {
			f.Sites = []string{noSite}
		}
	}
	return f
}

// ownsEndpoint says whether all rules of an endpoint are this user's.
func (v *view) ownsEndpoint(name string) bool {
	if v.who.all() {
		return true
	}
	found := false
	for _, r := range v.c.opts.Rules() {
		if r.Endpoint == name && !r.Disabled {
			if found = true; !v.who.owns(r) {
				return false
			}
		}
	}
	return found
}

// rule is a rule by its name, if this user may see it.
func (v *view) rule(name string) (Rule, bool) {
	if v.named == nil {
		v.named = make(map[string]Rule, len(v.rules))
		for _, r := range v.rules {
			v.named[r.Name] = r
		}
	}
	r, ok := v.named[name]
	return r, ok
}

// status has the sites and endpoints that this user may see.
func (v *view) status() api.Status {
	s := v.seen.status
	if v.who.all() {
		return s
	}
	is := s
	is.Sites, is.Endpoints = nil, nil
	for _, site := range s.Sites {
		if v.who.sees(site.Name) {
			is.Sites = append(is.Sites, site)
		}
	}
	for _, e := range s.Endpoints {
		if e.Rules = slices.DeleteFunc(slices.Clone(e.Rules), v.hides); len(e.Rules) == 0 {
			continue
		}
		e.URLs = slices.Clone(e.URLs)
		for i := range e.URLs {
			e.URLs[i].Rules = slices.DeleteFunc(slices.Clone(e.URLs[i].Rules), v.hides)
		}
		// How much waits for other sites is not this user's to know.
		e.Undelivered, e.Bytes, e.Oldest, e.Pending, e.InFlight = 0, 0, 0, 0, 0
		is.Endpoints = append(is.Endpoints, e)
	}
	return is
}

func (v *view) hides(rule string) bool {
	_, ok := v.rule(rule)
	return !ok
}
