package web

import (
	"net/url"
	"strings"

	"rowhook/api"
	"rowhook/outbox"
	"rowhook/words"
)

// trouble is one thing that is not as it should be, as the page shows it. What is said of it is api's.
type trouble struct {
	Class, Word string // its state: "stopped", "down"
	What        string // "Site salon" but for the name, where that is a link
	Name, Link  string
	Tail        string // "since 02:51"
	Text        string
	Said        string   // the words of a server
	Cmds        []string // what to type
	Look        string   // what the link at its side says; "": there is none
	Act         *act
}

// act is a form with one button.
type act struct {
	To, Button string
	Fields     []field
}

type field struct{ Name, Value string }

// troubles are those that need a person, and those that pass by themselves.
type troubles struct {
	needs, itself                 []trouble
	dead, endpoints, rules, sites int // how many need a person, for the navigation
	all                           []api.Trouble
	silent                        bool // the daemon does not answer
}

// troubles looks at everything once for a page.
func (p *picture) troubles() *troubles {
	if p.told != nil {
		return p.told
	}
	t := &troubles{}
	p.told = t
	if p.seen.at.IsZero() {
		t.silent = true
		t.needs = []trouble{{Class: "stopped", Word: "stopped", What: "Reading the log",
			Text: "The daemon does not answer: " + p.seen.err.Error() + ". Nothing that is stored is lost.", Cmds: []string{"journalctl -u rowhook -n 50"}}}
		return t
	}
	all := p.status().Troubles(p.now)
	if !p.who.all() { // how many there are is kept by rule only, and was counted for this one
		dead, more := p.counted(outbox.Dead)
		all = append(all, api.DeadOf(dead, more)...)
		held, more := p.counted(outbox.Held)
		all = append(all, api.HeldOf(held, more)...)
	}
	t.all = all
	paused := map[string]bool{}
	for i := range all {
		is := &all[i]
		if !is.NeedsYou {
			t.itself = append(t.itself, p.trouble(is))
			continue
		}
		t.needs = append(t.needs, p.trouble(is))
		switch is.Kind {
		case api.SiteStopped, api.SiteWaits, api.SiteUnfit:
			t.sites++
		case api.EndpointPaused:
			paused[is.Endpoint] = true
		case api.DeadLetters:
			t.dead = is.Waiting
		case api.RuleLacks:
			t.rules++
		}
	}
	t.endpoints = len(paused)
	return t
}

// classes are how the page shows what kinds of trouble.
var classes = map[api.TroubleKind]string{
	api.ReaderStopped: "stopped", api.PurgeSoon: "stopped", api.ReaderBehind: "behind",
	api.SiteStopped: "stopped", api.SiteWaits: "held", api.SiteUnfit: "needs", api.SiteCatchesUp: "behind",
	api.EndpointPaused: "paused", api.EndpointDown: "down", api.DeadLetters: "dead", api.HeldDeliveries: "held", api.RuleLacks: "needs",
	api.OtherRules: "needs", api.LastingWrong: "needs",
}

// trouble is one for the page.
func (p *picture) trouble(is *api.Trouble) trouble {
	t := trouble{Class: classes[is.Kind], Word: is.State, What: strings.TrimSuffix(is.What, is.Name), Name: is.Name, Text: is.Text}
	if !is.Since.IsZero() {
		t.Tail = "since " + clock(is.Since, p.now)
	}
	switch is.Kind {
	case api.ReaderStopped:
		t.Said, t.Cmds = is.Reason, is.Fix
	case api.ReaderBehind:
		t.Tail = "by " + span(is.Lasts)
	case api.PurgeSoon:
		t.Cmds = is.Fix
	case api.SiteStopped, api.SiteWaits, api.SiteUnfit, api.SiteCatchesUp:
		t.Link, t.Said, t.Cmds = rowAt("/sites", is.Site), is.Reason, is.Fix
		if len(is.Fix) == 1 && is.Fix[0] == "rowhook sites list" { // what that lists is a click away
			t.Cmds, t.Look = nil, "Ways out"
		}
	case api.EndpointPaused:
		t.Link = endpointLink(is.Endpoint)
		t.Text = words.Join("Reason: "+words.Sentence(is.Reason), is.Text)
		if p.ownsEndpoint(is.Endpoint) {
			t.Act = &act{"/endpoints", "Resume", []field{{"name", is.Endpoint}, {"do", "resume"}}}
		}
	case api.EndpointDown:
		t.Link, t.Tail = endpointLink(is.Endpoint), "for "+span(p.now.Sub(is.Since))
		t.Text = words.Join(words.Sentence(is.Reason), is.Text)
		if is.URL == "" {
			t.What = ""
		}
	case api.DeadLetters:
		t.Link, t.Look = "/deliveries?state=dead", "Look at them"
	case api.HeldDeliveries:
		t.Link, t.Look = "/deliveries?state=held", "Look at them"
	case api.RuleLacks:
		t.Link, t.Cmds = "/rules#"+is.Name, is.Fix
	case api.OtherRules:
		t.Cmds = is.Fix
	case api.LastingWrong:
		t.Said, t.Cmds = is.Reason, is.Fix
	}
	return t
}

// endpointLink is the address of an endpoint's row, open.
func endpointLink(name string) string { return rowAt("/endpoints", name) }

// rowAt is the address of a row of a page, open.
func rowAt(page, name string) string { return address(page, name, url.Values{"open": {name}}) }

// address is a page's, with what is asked of it, at one of its rows.
func address(page, row string, asked url.Values) string {
	return (&url.URL{Path: page, RawQuery: asked.Encode(), Fragment: row}).String()
}
