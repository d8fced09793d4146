package api

import (
	"slices"
	"strings"
	"time"

	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/words"
)

// TroubleKind is a kind of trouble.
type TroubleKind string

// The kinds of trouble. Those of the reader come first, for then everything waits.
const (
	ReaderStopped  TroubleKind = "reader_stopped"  // nothing is read
	PurgeSoon      TroubleKind = "purge_soon"      // the server removes the log that is needed next
	ReaderBehind   TroubleKind = "reader_behind"   //
	SiteStopped    TroubleKind = "site_stopped"    // its changes are not read
	SiteWaits      TroubleKind = "site_waits"      // they are, and its events cannot be loaded
	SiteUnfit      TroubleKind = "site_unfit"      // something about its tables is not as it must be
	SiteCatchesUp  TroubleKind = "site_catches_up" // it goes on from where it stopped
	EndpointPaused TroubleKind = "endpoint_paused" // or one of its URLs
	EndpointDown   TroubleKind = "endpoint_down"   // or one of its URLs
	DeadLetters    TroubleKind = "dead_letters"
	HeldDeliveries TroubleKind = "held_deliveries" // their rule is gone
	RuleLacks      TroubleKind = "rule_lacks"      // something without which a rule gets no events
	OtherRules     TroubleKind = "other_rules"     // a machine has, of those that share the outbox
	LastingWrong   TroubleKind = "lasting"         // what the log repeats each hour, and nothing else here shows
)

// Trouble is one thing that is not as it should be, in the words that people read, wherever they look: the console, `rowhook status`,
// and what is told by rules.
type Trouble struct {
	Kind     TroubleKind `json:"kind"`
	NeedsYou bool        `json:"needs_you"` // false: it passes by itself
	State    string      `json:"state"`     // in a word or two: "stopped", "down"
	What     string      `json:"what"`      // that is in that state: "Site spa"
	Name     string      `json:"-"`         // how What ends, if that is the name of a site, an endpoint or a rule
	Since    time.Time   `json:"since,omitzero"`
	Text     string      `json:"text"`             // what waits, whether anything is lost, and whether it can wait
	Reason   string      `json:"reason,omitempty"` // the words of a server, a receiver or a person
	Fix      []string    `json:"fix,omitempty"`    // what to type
	Site     string      `json:"site,omitempty"`
	Endpoint string      `json:"endpoint,omitempty"`
	URL      string      `json:"url,omitempty"` // when only that URL of the endpoint is in trouble; without what may be secret
	Rules    []string    `json:"rules,omitempty"`
	Waiting  int         `json:"waiting,omitempty"` // deliveries, or events of a site

	// Lasts is how far behind the reader is, or how long the log is still kept.
	Lasts time.Duration `json:"-"`
}

// Verb is how the state is said of What in a sentence.
func (t *Trouble) Verb() string {
	switch t.State {
	case "waits", "catches up":
		return t.State
	case "set-up":
		return "is not as it must be"
	case "other rules":
		return "has other rules"
	case "":
		return ""
	}
	return "is " + t.State
}

// Headline is the trouble in a few words: "Site spa is stopped".
func (t *Trouble) Headline() string {
	switch t.Kind {
	case PurgeSoon, DeadLetters, HeldDeliveries, LastingWrong:
		return t.What
	}
	return t.What + " " + t.Verb()
}

const (
	// storesWithin is how long a commit of the outbox may take before that is trouble.
	storesWithin = 10 * time.Second
	// keptFor is how long the log must be kept that is needed next.
	keptFor = 24 * time.Hour
	// behindFor is how far behind the log is worth a word.
	behindFor = 5 * time.Second
)

// Troubles lists what is not as it should be, in the order in which a person wants to know.
func (s *Status) Troubles(now time.Time) (all []Trouble) {
	if s.StandsBy {
		return nil
	}
	all = s.ofReader(now)
	for i := range s.Sites {
		all = append(all, ofSite(&s.Sites[i], now)...)
	}
	for i := range s.Endpoints {
		all = append(all, ofEndpoint(&s.Endpoints[i], now)...)
	}
	all = append(all, DeadOf(s.kept(outbox.Dead), false)...)
	all = append(all, HeldOf(s.kept(outbox.Held), false)...)
	all = append(all, s.otherRules()...)
	all = append(all, ofLacks(s.Lacks)...)
	return append(all, ofWrong(s.Wrong)...)
}

func (s *Status) kept(state outbox.State) (n int) {
	for _, k := range s.Outbox.Deliveries {
		if k.State == state.String() {
			n += k.Count
		}
	}
	return n
}

// ofReader are those of reading the log.
func (s *Status) ofReader(now time.Time) (all []Trouble) {
	if t := s.unread(); t != nil {
		return append(all, *t)
	}
	if s.Member {
		return nil // who reads it does not say at the moment
	}
	stopped := Trouble{Kind: ReaderStopped, NeedsYou: true, State: "stopped", What: "Reading the log"}
	r := s.Reader
	switch {
	case r == nil && s.Hindrance == nil:
		stopped.Text = "rowhook is starting: it does not follow the log yet. What is stored goes out meanwhile."
		return append(all, stopped)
	case r == nil:
		stopped.Since, stopped.Reason = s.Hindrance.Since, s.Hindrance.Reason
		stopped.Text = "The database cannot be followed; rowhook tries again by itself. What is stored goes out meanwhile, and as long as the server keeps its log, nothing is lost."
		stopped.fix(s.Hindrance.Fix, "rowhook check")
		return append(all, stopped)
	case r.Stuck():
		stopped.Since = now.Add(-seconds(r.Storing))
		stopped.Text = "The outbox cannot be written: its disk is full, or another program holds it. Reading waits and nothing is lost; it goes on by itself when there is room."
		stopped.Fix = []string{"df -h", "journalctl -u rowhook -n 50"}
		all = append(all, stopped)
	case !r.Connected:
		stopped.Text = "The database does not send its log. rowhook connects again by itself; as long as the server keeps its log, nothing is lost."
		stopped.Fix = []string{"rowhook check"}
		all = append(all, stopped)
	}
	if p := r.Purge; p != nil && seconds(*p) < keptFor && !r.CaughtUp {
		soon := Trouble{Kind: PurgeSoon, NeedsYou: true, State: "purged soon", What: "The log is kept for " + words.Span(seconds(*p)) + " more", Lasts: seconds(*p),
			Text: "Then the server removes the part of its log that is read next, and changes are lost. ", Fix: Typed(r.Longer)}
		if len(soon.Fix) > 0 {
			soon.Text += "Have it kept for longer:"
		} else {
			soon.Text += "The hosting keeps none for longer: what keeps rowhook from reading has to end before that."
		}
		all = append(all, soon)
	}
	if lag := seconds(r.Lag); r.Connected && !r.CaughtUp && lag > behindFor {
		all = append(all, Trouble{Kind: ReaderBehind, State: "behind", What: "Reading the log", Lasts: lag, Since: now.Add(-lag),
			Text: "What is read was committed " + words.Span(lag) + " ago. All that was committed since then is read, loaded and posted in its order."})
	}
	return all
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// fix has a fix typed, if it is a statement or a command, or else said, and or typed.
func (t *Trouble) fix(fix, or string) {
	if t.Fix = Typed(fix); len(t.Fix) > 0 {
		return
	}
	if fix != "" {
		t.Text = words.Join(t.Text, words.Sentence("To fix it: "+fix))
	}
	if or != "" {
		t.Fix = []string{or}
	}
}

// Typed is a fix that is a statement or a command, as lines to type; none when it is a sentence.
func Typed(fix string) []string {
	first, _, _ := strings.Cut(fix, " ")
	switch first {
	case "GRANT", "SET", "ALTER", "INSTALL", "CREATE", "CALL", "gcloud", "rowhook", "systemctl":
		return strings.Split(strings.TrimSpace(fix), "\n")
	}
	return nil
}

// ofSite are those of a site.
func ofSite(s *pipeline.SiteStatus, now time.Time) (all []Trouble) {
	if s.State == pipeline.SiteReading && s.Reason == "" {
		return nil
	}
	t := Trouble{NeedsYou: true, What: "Site " + s.Name, Name: s.Name, Site: s.Name, Since: s.Since, Reason: s.Reason, Waiting: s.Events}
	waits := ""
	if s.Events > 0 {
		waits = words.Count(s.Events, "event waits", "events wait") + "; nothing is lost."
	}
	switch s.State {
	case pipeline.SiteCatching:
		t.Kind, t.State, t.NeedsYou, t.Reason = SiteCatchesUp, "catches up", false, ""
		t.Text = words.Join("It goes on from where it stopped.", waits)
		return append(all, t)
	case pipeline.SiteStopped:
		t.Kind, t.State, t.Text = SiteStopped, "stopped", words.Join("Its changes are not read; the other sites go on.", waits)
	case pipeline.SiteWaiting:
		t.Kind, t.State, t.Text = SiteWaits, "waits", words.Join("It is read, but its events cannot be loaded.", waits)
	default:
		t.Kind, t.State, t.Text = SiteUnfit, "set-up", words.Join("It is read, but something about its tables is not as it must be.", waits)
	}
	t.fix(s.Fix, "")
	if len(t.Fix) == 0 && len(s.Ways) > 0 {
		t.Fix = []string{"rowhook sites list"}
	}
	all = append(all, t)
	if s.Stop == nil {
		return all
	}
	if kept := &s.Stop.Kept; kept.Missing || !kept.Until.IsZero() && kept.Until.Sub(now) < keptFor {
		all = append(all, Trouble{Kind: PurgeSoon, NeedsYou: true, State: "purged soon", What: keptText(s.Name, kept, now), Site: s.Name, Lasts: kept.Until.Sub(now),
			Text: words.Sentence(kept.Warning(now)), Fix: []string{"rowhook sites list"}})
	}
	return all
}

func keptText(site string, kept *pipeline.LogKept, now time.Time) string {
	switch left := kept.Until.Sub(now); {
	case kept.Missing:
		return "The log that site " + site + " needs is purged"
	case left <= 0:
		return "The log that site " + site + " needs is about to be purged"
	default:
		return "The log that site " + site + " needs is kept for " + words.Span(left) + " more"
	}
}

// ofEndpoint are those of a receiver.
func ofEndpoint(e *deliver.EndpointStatus, now time.Time) (all []Trouble) {
	waits := ""
	if e.Undelivered > 0 {
		waits = words.Count(e.Undelivered, "delivery waits", "deliveries wait") + "; none is lost."
	}
	name := words.Endpoint(e.Name)
	paused := 0
	for _, u := range e.URLs {
		t := Trouble{What: "One URL of " + name, Name: name, Endpoint: e.Name, URL: u.URL, Rules: u.Rules, Waiting: e.Undelivered}
		switch {
		case len(u.Rules) == 0:
		case u.Paused != nil && (e.Paused == nil || *e.Paused == *u.Paused):
			paused++
			t.Kind, t.NeedsYou, t.State, t.Since, t.Reason = EndpointPaused, true, "paused", u.Paused.Since, u.Paused.Reason
			t.Text = words.Join(u.URL+" is paused: nothing is posted there until a person says so.", waits, "Give rule "+words.List(u.Rules, "and")+" its new URL, or resume it.")
			t.Fix = []string{"rowhook endpoints resume " + e.Name}
			all = append(all, t)
		case u.Paused == nil && !u.DownSince.IsZero():
			t.Kind, t.State, t.Since, t.Reason = EndpointDown, "down", u.DownSince, e.LastError
			t.Text = u.URL + " fails while others of the endpoint get through. It is asked again " + words.In(u.Until.Sub(now)) + "."
			t.Fix = []string{"rowhook endpoints list"}
			all = append(all, t)
		}
	}
	t := Trouble{What: "Endpoint " + name, Name: name, Endpoint: e.Name, Rules: e.Rules, Waiting: e.Undelivered}
	switch {
	case e.Paused != nil && paused == 0:
		t.Kind, t.NeedsYou, t.State, t.Since, t.Reason = EndpointPaused, true, "paused", e.Paused.Since, e.Paused.Reason
		t.Text = words.Join("Nothing is posted there until a person says so.", waits)
		t.Fix = []string{"rowhook endpoints resume " + e.Name}
		all = append(all, t)
	case e.Paused == nil && !e.DownSince.IsZero():
		t.Kind, t.State, t.Since, t.Reason = EndpointDown, "down", e.DownSince, e.LastError
		t.Text = words.Join(waits, "Next probe "+words.In(e.NextProbe.Sub(now))+". When one gets through, all go out at once.")
		t.Fix = []string{"rowhook endpoints list"}
		all = append(all, t)
	}
	return all
}

// DeadOf is about dead letters; none when there are none. AtLeast says that not all were counted.
func DeadOf(n int, atLeast bool) []Trouble {
	if n == 0 {
		return nil
	}
	return []Trouble{{Kind: DeadLetters, NeedsYou: true, State: "dead letters", What: about(n, atLeast) + words.Plural(n, " delivery was", " deliveries were") + " given up", Waiting: n,
		Text: "They are kept, and can wait until morning. See why, then send them again or drop them.", Fix: []string{"rowhook deliveries list --state dead"}}}
}

// HeldOf is about deliveries whose rule is gone or disabled; none when there are none.
func HeldOf(n int, atLeast bool) []Trouble {
	if n == 0 {
		return nil
	}
	return []Trouble{{Kind: HeldDeliveries, NeedsYou: true, State: "held", What: about(n, atLeast) + words.Plural(n, " delivery has", " deliveries have") + " no rule any more", Waiting: n,
		Text: "They go out when their rule is back under its name, or stay until somebody drops them. It can wait until morning.", Fix: []string{"rowhook deliveries list --state held"}}}
}

func about(n int, atLeast bool) string {
	if atLeast {
		return "at least " + words.Number(n)
	}
	return words.Number(n)
}

// Report is how a daemon does, with what of that is not as it should be.
type Report struct {
	Verdict  string    `json:"verdict"`
	Troubles []Trouble `json:"troubles"`
	Status   *Status   `json:"status"`
}

// NewReport is a report of a moment.
func NewReport(s *Status, now time.Time) Report {
	all := s.Troubles(now)
	answer, rest := s.Verdict(all, s.Outbox.Unused)
	return Report{Verdict: answer + " " + rest, Troubles: append([]Trouble{}, all...), Status: s} // [] rather than null
}

// NeedsYou says whether a person has to do something.
func (r *Report) NeedsYou() bool {
	return slices.ContainsFunc(r.Troubles, func(t Trouble) bool { return t.NeedsYou })
}

// Verdict says in a sentence whether all is well: its beginning, which is the answer, and how the rest goes. Nothing says that no
// delivery was ever made.
func (s *Status) Verdict(troubles []Trouble, nothing bool) (answer, rest string) {
	var needs []Trouble
	for _, t := range troubles {
		if t.NeedsYou {
			needs = append(needs, t)
		}
	}
	otherwise := s.otherwise(troubles)
	switch {
	case s.StandsBy:
		return "Standing by:", standingBy
	case len(needs) > 0 && needs[0].Kind == ReaderStopped:
		return "Stopped:", "nothing is read. " + needs[0].Text
	case len(needs) == 1:
		return "One thing needs you:", words.Lower(needs[0].Headline()) + ". " + words.Sentence(otherwise)
	case len(needs) > 0:
		return words.InWords(len(needs)) + " things need you,", "first of all: " + words.Lower(needs[0].Headline()) + ". " + words.Sentence(otherwise)
	case nothing:
		return "Nothing yet:", "the log is read, and no delivery was made so far."
	}
	return "All is well:", otherwise
}

// otherwise is how it goes but for what needs a person.
func (s *Status) otherwise(troubles []Trouble) string {
	behind := "all is read that was committed"
	switch r := s.Reader; {
	case s.Member:
		behind = "the machine that holds the outbox is at work, and did not say in time how far it has read"
	case r != nil && !r.CaughtUp:
		behind = words.Span(seconds(r.Lag)) + " behind the log"
	}
	down := 0
	for _, t := range troubles {
		if t.Kind == EndpointDown {
			down++
		}
	}
	if down > 0 {
		return behind + "; " + words.Count(down, "receiver is", "receivers are") + " down, and what waits for " + words.Plural(down, "it", "them") + " goes out by itself."
	}
	return behind + "."
}

// standingBy is what a daemon says that has no outbox.
const standingBy = "the server with the outbox does not answer, or this rowhook is about to join the others that share it. It goes on by itself."
