// Package trouble tells what befalls rowhook itself to those who have a rule for it: a receiver that is down, a site that is
// stopped, a log that is about to be purged. Each trouble is told once when it begins and once when it ends, over restarts too:
// what is told lies in the outbox, in one commit with its deliveries. While the outbox cannot be written, which is a trouble to be told
// itself, what is told is posted from memory, and written down when that goes again.
//
//	api.Daemon -> find -> book (what was told) -> Teller -> outbox -> (package deliver) -> a chat, a pager
package trouble

import (
	"slices"
	"strings"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/rules"
	"rowhook/words"
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

// ended is the event that tells that a trouble is over, or that what it was about is gone; nil when nobody is told.
func (t *Trouble) ended(is verdict, now time.Time) *Trouble {
	p, ok := pairs[t.Event]
	if !ok {
		return nil
	}
	e := *t
	e.Event, e.Ended, e.Fix, e.rules = p.end, now, "", nil
	over := p.over
	switch {
	case is != obsolete:
	case t.Endpoint != "":
		over = "is no receiver of any rule any more"
	default:
		over = "is not followed any more"
	}
	e.Text = "rowhook: " + t.subject() + over + ", after " + now.Sub(t.Since).Round(time.Second).String()
	return &e
}

// subject begins a sentence.
func (t *Trouble) subject() string {
	switch {
	case t.URL != "":
		return t.URL + " "
	case t.Endpoint != "":
		return t.Endpoint + " "
	case t.Site != "":
		return "site " + t.Site + " "
	}
	return ""
}

// maxReason is where a reason is cut, in bytes: a receiver may answer with a page.
const maxReason = 500

// say fills in all of it in a few sentences: what, why, what that means, and what to type.
func (t *Trouble) say(what, means string) {
	t.Reason = printable.Line(strings.ToValidUTF8(t.Reason[:min(len(t.Reason), maxReason)], ""))
	if t.Reason != "" {
		what += ": " + t.Reason
	}
	t.Text = words.Join("rowhook: "+words.Sentence(what), means)
	if t.Fix != "" {
		t.Text = words.Join(t.Text, "To do: "+t.Fix)
	}
}

// find lists the troubles that there are and that somebody may be told of.
func find(s *api.Status, now time.Time) (all []*Trouble) {
	for _, found := range s.Troubles(now) {
		if event := eventOf(&found, s.Reader); event != "" {
			all = append(all, of(&found, event, now))
		}
	}
	return all
}

// eventOf is the event that begins with a trouble, "" when it is none that is told.
func eventOf(t *api.Trouble, r *api.Reader) string {
	switch t.Kind {
	case api.EndpointPaused, api.EndpointDown:
		return word(rules.EndpointDown)
	case api.SiteStopped, api.SiteWaits, api.SiteCatchesUp:
		return word(rules.SiteStopped)
	case api.ReaderStopped:
		return word(rules.ReaderStopped)
	case api.ReaderBehind:
		if t.Lasts > behindAfter {
			return word(rules.ReaderBehind)
		}
	case api.PurgeSoon:
		if t.Lasts < purgeWithin && (t.Site != "" || r != nil && (!r.Connected || r.Lag > purgeUnread.Seconds())) {
			return word(rules.PurgeSoon)
		}
	case api.SiteUnfit, api.DeadLetters, api.HeldDeliveries, api.RuleLacks, api.LastingWrong: // check says the first and the last; countDead tells of the second
	}
	return ""
}

// of is a trouble as it is told.
func of(t *api.Trouble, event string, now time.Time) *Trouble {
	told := &Trouble{Event: event, Since: since(t.Since, now), Site: t.Site, Endpoint: t.Endpoint, URL: t.URL, Reason: t.Reason, Fix: strings.Join(t.Fix, "; "), rules: t.Rules}
	told.say(t.Headline(), t.Text)
	return told
}

// since is when something began, now when that is not known.
func since(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
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
	if t.Event == word(rules.EndpointDown) {
		i := slices.IndexFunc(s.Endpoints, func(e deliver.EndpointStatus) bool { return e.Name == t.Endpoint })
		switch {
		case len(s.Endpoints) == 0: // they are not known yet: there is one at least, which this is told to
			return lasts
		case i < 0:
			return obsolete
		case s.Endpoints[i].LastSuccess.After(t.Since):
			return over
		}
		return lasts
	}
	if s.Reader == nil { // it follows no log, and knows no sites
		return lasts
	}
	switch t.Event {
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
