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

// sees says whether somebody may see a site, or a part of it.
func (s session) sees(site string) bool { return s.all() || slices.Contains(s.sites, api.SiteOf(site)) }

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
