// Package trouble tells what befalls rowhook itself to those who have a rule for it: a receiver that is down, a site that is
// stopped, a log that is about to be purged. Each trouble is told once when it begins and once when it ends, over restarts too:
// what is told lies in the outbox, in one commit with its deliveries.
//
//	api.Daemon -> find -> Teller -> outbox -> (package deliver) -> a chat, a pager
package trouble

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/rules"
)

const (
	behindAfter = 5 * time.Minute // a lag that is trouble
	caughtUp    = time.Minute     // and one that is none any more
	purgeWithin = 6 * time.Hour   // a log that is kept no longer is trouble, when what is needed of it is not read
	purgeUnread = 10 * time.Minute
)

// Trouble is one, as it is stored and posted.
type Trouble struct {
	Event    string    `json:"event"` // endpoint_down
	Text     string    `json:"text"`  // all of it in a sentence, for a chat
	Since    time.Time `json:"since"`
	Ended    time.Time `json:"ended,omitzero"`     // zero: it lasts
	Site     string    `json:"site,omitempty"`     // of site_stopped and site_resumed
	Endpoint string    `json:"endpoint,omitempty"` // of endpoint_down and endpoint_up
	URL      string    `json:"url,omitempty"`      // when only that URL of the endpoint is in trouble; without what may be secret
	Rule     string    `json:"rule,omitempty"`     // of delivery_dead
	Count    int64     `json:"count,omitempty"`    // of delivery_dead: deliveries since it was told last
	Reason   string    `json:"reason,omitempty"`
	Fix      string    `json:"fix,omitempty"` // what to type

	rules []string // whose deliveries it holds up: none of them tells it
}

// key is what the trouble is about: there is one at a time.
func (t *Trouble) key() string {
	return strings.Join(slices.DeleteFunc([]string{t.Event, t.Site, t.Endpoint, t.URL, t.Rule}, func(s string) bool { return s == "" }), "/")
}

// about names what it befell, so that its end is delivered behind its beginning.
func (t *Trouble) about() string {
	switch {
	case t.Endpoint != "":
		return "rowhook/endpoint/" + t.Endpoint
	case t.Site != "":
		return "rowhook/site/" + t.Site
	case t.Rule != "":
		return "rowhook/rule/" + t.Rule
	}
	return "rowhook/reader"
}

// pair is the beginning of a kind of trouble and its end.
type pair struct {
	end  string // the event
	over string // what is said then
}

// pairs are the kinds of trouble that end, by the events of their beginnings.
var pairs = map[string]pair{
	word(rules.EndpointDown):  {word(rules.EndpointUp), "accepts deliveries again"},
	word(rules.SiteStopped):   {word(rules.SiteResumed), "is read with the others again"},
	word(rules.ReaderStopped): {word(rules.ReaderResumed), "the database's log is read again"},
	word(rules.ReaderBehind):  {word(rules.ReaderCaughtUp), "all that was committed is read"},
	word(rules.PurgeSoon):     {word(rules.PurgeAverted), "the log that is needed next is kept, or read"},
}

// word is an action without what all of them begin with.
func word(action string) string { return strings.TrimPrefix(action, "rowhook.") }

// action is the one that rules ask for.
func (t *Trouble) action() string { return "rowhook." + t.Event }

// ended is the event that tells that a trouble is over; nil when nobody is told.
func (t *Trouble) ended(now time.Time) *Trouble {
	p, ok := pairs[t.Event]
	if !ok {
		return nil
	}
	e := *t
	e.Event, e.Ended, e.Fix, e.rules = p.end, now, "", nil
	e.Text = t.subject() + p.over + ", after " + now.Sub(t.Since).Round(time.Second).String()
	return &e
}

// subject begins a sentence.
func (t *Trouble) subject() string {
	switch {
	case t.URL != "":
		return "rowhook: " + t.URL + " "
	case t.Endpoint != "":
		return "rowhook: " + t.Endpoint + " "
	case t.Site != "":
		return "rowhook: site " + t.Site + " "
	}
	return "rowhook: "
}

// maxReason is where a reason is cut, in bytes: a receiver may answer with a page.
const maxReason = 500

// say fills in the sentence.
func (t *Trouble) say(what string) {
	t.Reason = printable.Line(strings.ToValidUTF8(t.Reason[:min(len(t.Reason), maxReason)], ""))
	t.Text = t.subject() + what
	if t.Reason != "" {
		t.Text += ": " + t.Reason
	}
	if t.Fix != "" {
		t.Text += ". To do: " + t.Fix
	}
}

// find lists the troubles that there are.
func find(s *api.Status, now time.Time) (all []*Trouble) {
	for i := range s.Endpoints {
		all = append(all, ofEndpoint(&s.Endpoints[i])...)
	}
	for i := range s.Sites {
		all = append(all, ofSite(&s.Sites[i], now)...)
	}
	return append(all, ofReader(s.Reader, now)...)
}

func ofEndpoint(e *deliver.EndpointStatus) (all []*Trouble) {
	event := word(rules.EndpointDown)
	switch e.State() {
	case "paused":
		t := &Trouble{Event: event, Endpoint: e.Name, Since: e.Paused.Since, Reason: e.Paused.Reason, Fix: "rowhook endpoints resume " + e.Name, rules: e.Rules}
		t.say(fmt.Sprintf("is paused, %d deliveries wait", e.Undelivered))
		return append(all, t)
	case "down":
		t := &Trouble{Event: event, Endpoint: e.Name, Since: e.DownSince, Reason: e.LastError, Fix: "rowhook endpoints list", rules: e.Rules}
		t.say(fmt.Sprintf("is down, %d deliveries wait", e.Undelivered))
		return append(all, t)
	}
	for _, u := range e.URLs {
		t := &Trouble{Event: event, Endpoint: e.Name, URL: u.URL, Since: u.DownSince, Reason: e.LastError, Fix: "rowhook endpoints list", rules: u.Rules}
		if u.Paused != nil {
			t.Since, t.Reason = u.Paused.Since, u.Paused.Reason
		}
		t.say("is in trouble, its deliveries wait")
		all = append(all, t)
	}
	return all
}

func ofSite(s *pipeline.SiteStatus, now time.Time) (all []*Trouble) {
	if s.State == pipeline.SiteReading {
		return nil
	}
	t := &Trouble{Event: word(rules.SiteStopped), Site: s.Name, Since: since(s.Since, now), Reason: s.Reason, Fix: s.Fix}
	t.say("is " + string(s.State) + ", its events wait")
	all = append(all, t)
	if s.Stop == nil {
		return all
	}
	if left := s.Stop.Kept.Until.Sub(now); s.Stop.Kept.Missing || !s.Stop.Kept.Until.IsZero() && left < purgeWithin {
		t := &Trouble{Event: word(rules.PurgeSoon), Site: s.Name, Since: now, Reason: s.Stop.Kept.Warning(now), Fix: "rowhook sites list"}
		t.say("may lose what is not read")
		all = append(all, t)
	}
	return all
}

// since is when something began, now when that is not known.
func since(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}

func ofReader(r *api.Reader, now time.Time) (all []*Trouble) {
	lag := time.Duration(r.Lag * float64(time.Second))
	switch {
	case !r.Connected:
		t := &Trouble{Event: word(rules.ReaderStopped), Since: now, Reason: "the database does not send its log", Fix: "rowhook check"}
		t.say("nothing is read")
		all = append(all, t)
	case lag > behindAfter:
		t := &Trouble{Event: word(rules.ReaderBehind), Since: now, Fix: "rowhook position show"}
		t.Reason = fmt.Sprintf("what is read was committed %v ago", lag.Round(time.Second))
		t.say("it is behind")
		all = append(all, t)
	}
	if r.Purge != nil && *r.Purge < purgeWithin.Seconds() && (lag > purgeUnread || !r.Connected) {
		t := &Trouble{Event: word(rules.PurgeSoon), Since: now, Fix: "rowhook position show"}
		t.Reason = fmt.Sprintf("the server removes the log that is needed next in %v", time.Duration(*r.Purge*float64(time.Second)).Round(time.Minute))
		t.say("what is not read may be lost")
		all = append(all, t)
	}
	return all
}

// verdict is what is known of a trouble that was told.
type verdict uint8

const (
	lasts verdict = iota // or nothing is known: a daemon that was started again has not tried yet
	over
	obsolete // what it was about is not there any more
)

// judge tells what became of one that find does not find any more.
func (t *Trouble) judge(s *api.Status) verdict {
	switch t.Event {
	case word(rules.EndpointDown):
		i := slices.IndexFunc(s.Endpoints, func(e deliver.EndpointStatus) bool { return e.Name == t.Endpoint })
		switch {
		case i < 0:
			return obsolete
		case s.Endpoints[i].LastSuccess.After(t.Since):
			return over
		}
		return lasts
	case word(rules.SiteStopped), word(rules.PurgeSoon):
		of := rules.SiteOf(t.Site)
		if t.Site != "" && !slices.ContainsFunc(s.Sites, func(site pipeline.SiteStatus) bool { return rules.SiteOf(site.Name) == of }) {
			return obsolete
		}
	case word(rules.ReaderBehind):
		if !s.Reader.Connected || s.Reader.Lag > caughtUp.Seconds() {
			return lasts
		}
	}
	return over
}
