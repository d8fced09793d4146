package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rowhook/outbox"
)

// trouble is one thing that is not as it should be: what, since when, what waits, whether anything is lost, and what to type.
type trouble struct {
	Class, Word string // its state: "stopped", "down"
	Kind, Name  string // "Site", "salon"
	Link        string
	Tail        string // "since 02:51"
	Text        string
	Said        string   // the words of a server
	Cmds        []string // what to type
	Look        string   // what the link at its side says; "": there is none
	Act         *act

	rank int
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
	stopped                       bool
}

// troubles looks at everything once for a page.
func (v *view) troubles() *troubles {
	if v.told == nil {
		v.told = &troubles{}
		v.readerTroubles(v.told)
		v.siteTroubles(v.told)
		v.endpointTroubles(v.told)
		v.deliveryTroubles(v.told)
		v.ruleTroubles(v.told)
		byRank := func(a, b trouble) int { return cmp.Compare(a.rank, b.rank) }
		slices.SortStableFunc(v.told.needs, byRank)
		slices.SortStableFunc(v.told.itself, byRank)
	}
	return v.told
}

const (
	// storesWithin is how long a commit of the outbox may take, purgeSoon for how long the log must be kept, both in seconds.
	storesWithin, purgeSoon = 10, 24 * 3600
	// behindFor is from how many seconds on it is worth a word how far behind the log it is.
	behindFor = 5
)

// readerTroubles are those of reading the log.
func (v *view) readerTroubles(t *troubles) {
	stop := func(tail, text string, cmds ...string) {
		t.stopped = true
		t.needs = append(t.needs, trouble{Class: "stopped", Word: "stopped", Kind: "Reading the log", Tail: tail, Text: text, Cmds: cmds})
	}
	r := v.seen.status.Reader
	switch {
	case v.seen.at.IsZero():
		stop("", "The daemon does not answer: "+v.seen.err.Error()+". Nothing that is stored is lost.", "journalctl -u rowhook -n 50")
		return
	case r == nil:
		stop("", "rowhook waits for the database, or for a set-up that it can follow; it tries again by itself. What is stored goes out when it has begun.", "rowhook check")
		return
	case r.Storing > storesWithin:
		stop("for "+span(seconds(r.Storing)), "The outbox cannot be written: its disk is full, or another program holds it. Reading waits and nothing is lost; it goes on by itself.", "df -h", "journalctl -u rowhook -n 50")
	case !r.Connected:
		stop("", "The database does not send its log. rowhook connects again by itself; as long as the server keeps its log, nothing is lost.", "rowhook check")
	}
	if p := r.Purge; p != nil && *p < purgeSoon && !r.CaughtUp {
		t.needs = append(t.needs, trouble{Class: "stopped", Word: "purged soon", Kind: "The log is kept for " + span(seconds(*p)) + " more",
			Text: "Then the server removes the part of its log that is read next, and changes are lost. Keep it for longer, on the database server:",
			Cmds: []string{"SET GLOBAL binlog_expire_logs_seconds = 1209600;"}})
	}
	if r.Connected && !r.CaughtUp && r.Lag > behindFor {
		t.itself = append(t.itself, trouble{Class: "behind", Word: "behind", Kind: "Reading the log", Tail: "by " + span(seconds(r.Lag)),
			Text: "What was committed since then is read, loaded and posted in its order."})
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// siteTroubles are those of single sites.
func (v *view) siteTroubles(t *troubles) {
	for _, s := range v.status().Sites {
		if s.State == "reading" && s.Reason == "" {
			continue
		}
		about := trouble{Kind: "Site", Name: s.Name, Link: "/sites?open=" + s.Name + "#" + s.Name, Said: s.Reason, Class: "stopped", Word: string(s.State), rank: 1}
		if !s.Since.IsZero() {
			about.Tail = "since " + clock(s.Since, v.now)
		}
		waits := ""
		if s.Events > 0 {
			waits = " " + count(s.Events, "event waits", "events wait") + "; nothing is lost."
		}
		switch s.State {
		case "catching up":
			about.Class, about.Word, about.Text = "behind", "catching up", "It goes on from where it stopped."+waits
			t.itself = append(t.itself, about)
			continue
		case "stopped":
			about.Text = "Its changes are not read; the other sites go on." + waits
		case "waiting":
			about.Class, about.Word, about.Text = "held", "waits", "It is read, but its events cannot be loaded."+waits
		default:
			about.Class, about.Word, about.Text = "needs", "set-up", "It is read, but something about its tables is not as it must be."+waits
		}
		if about.Cmds = typed(s.Fix); len(about.Cmds) == 0 && s.Fix != "" {
			about.Text += " To fix it: " + s.Fix
		}
		if len(about.Cmds) == 0 && len(s.Ways) > 0 {
			about.Look = "Ways out"
		}
		t.sites++
		t.needs = append(t.needs, about)
	}
}

// typed is a fix that is a statement or a command, as lines to type; none when it is a sentence.
func typed(fix string) []string {
	first, _, _ := strings.Cut(fix, " ")
	switch first {
	case "GRANT", "SET", "ALTER", "INSTALL", "CREATE", "rowhook", "systemctl":
		return strings.Split(strings.TrimSpace(fix), "\n")
	}
	return nil
}

// endpointTroubles are those of receivers.
func (v *view) endpointTroubles(t *troubles) {
	for _, e := range v.status().Endpoints {
		link := "/endpoints?open=" + e.Name + "#" + e.Name
		waits := "Nothing waits."
		if e.Undelivered > 0 {
			waits = count(e.Undelivered, "delivery waits", "deliveries wait") + "; none is lost."
		}
		resume := func(name string) *act {
			if !v.ownsEndpoint(e.Name) {
				return nil
			}
			return &act{"/endpoints", "Resume", []field{{"name", name}, {"do", "resume"}}}
		}
		paused := 0
		for _, u := range e.URLs {
			switch {
			case u.Paused != nil && len(u.Rules) > 0 && (e.Paused == nil || *e.Paused == *u.Paused):
				paused++
				t.needs = append(t.needs, trouble{Class: "paused", Word: "paused", Kind: "One URL of", Name: short(e.Name), Link: link, Tail: "since " + clock(u.Paused.Since, v.now), rank: 2,
					Text: fmt.Sprintf("%s: %s. Nothing is posted there until a person says so. %s Give rule %s its new URL, or resume.", u.URL, u.Paused.Reason, waits, list(u.Rules, "and")), Act: resume(e.Name)})
			case u.Paused == nil && !u.DownSince.IsZero() && len(u.Rules) > 0:
				t.itself = append(t.itself, trouble{Class: "down", Word: "down", Kind: "One URL of", Name: short(e.Name), Link: link, Tail: "for " + span(v.now.Sub(u.DownSince)), rank: 1,
					Text: u.URL + " fails while others of the endpoint get through. It is asked again " + v.in(u.Until) + "."})
			}
		}
		switch {
		case e.Paused != nil && paused == 0:
			t.needs = append(t.needs, trouble{Class: "paused", Word: "paused", Kind: "Endpoint", Name: short(e.Name), Link: link, Tail: "since " + clock(e.Paused.Since, v.now), rank: 2,
				Text: "Reason: " + e.Paused.Reason + ". Nothing is posted there until a person says so. " + waits, Act: resume(e.Name)})
			paused = 1
		case e.Paused == nil && !e.DownSince.IsZero():
			t.itself = append(t.itself, trouble{Class: "down", Word: "down", Kind: "", Name: short(e.Name), Link: link, Tail: "for " + span(v.now.Sub(e.DownSince)), rank: 1,
				Text: sentence(e.LastError) + " " + waits + " Next probe " + v.in(e.NextProbe) + ". When one gets through, all go out at once."})
		}
		if paused > 0 {
			t.endpoints++
		}
	}
}

// in is when something happens, from now.
func (v *view) in(at time.Time) string {
	if !at.After(v.now) {
		return "at once"
	}
	return "in " + span(at.Sub(v.now))
}

// sentence is a text with a capital and an end.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// deliveryTroubles are dead letters, and those whose rule is gone.
func (v *view) deliveryTroubles(t *troubles) {
	plus := func(n int, atLeast bool) string {
		if atLeast {
			return "at least " + number(n)
		}
		return number(n)
	}
	dead, more := v.counted(outbox.Dead)
	if t.dead = dead; dead > 0 {
		t.needs = append(t.needs, trouble{Class: "dead", Word: "dead letters", Kind: plus(dead, more) + plural(dead, " delivery was", " deliveries were") + " given up", rank: 3,
			Text: "They are kept, and can wait until morning. See why, then send them again or drop them.", Link: "/deliveries?state=dead", Look: "Look at them"})
	}
	if held, more := v.counted(outbox.Held); held > 0 {
		t.needs = append(t.needs, trouble{Class: "held", Word: "held", Kind: plus(held, more) + plural(held, " delivery has", " deliveries have") + " no rule any more", rank: 4,
			Text: "They go out when their rule is back under its name, or stay until somebody drops them. It can wait until morning.", Link: "/deliveries?state=held", Look: "Look at them"})
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// ruleTroubles are rules that get no events as things are.
func (v *view) ruleTroubles(t *troubles) {
	for _, r := range v.rules {
		if len(r.Lacks) == 0 || r.Disabled {
			continue
		}
		t.rules++
		lack := r.Lacks[0]
		t.needs = append(t.needs, trouble{Class: "needs", Word: "set-up", Kind: "Rule", Name: r.Name, Link: "/rules#" + r.Name, rank: 5, Text: "It can wait until morning. " + lack.Text, Cmds: lack.Cmds})
	}
}
