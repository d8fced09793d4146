package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"rowhook/outbox"
	"rowhook/words"
)

// overview is the front page: is it well, what needs a person, what goes on by itself.
type overview struct {
	Class, Verdict, Rest string
	Numbers              []figure
	Needs, Itself        []trouble
	More, MoreItself     int  // how many more of them there are
	First                bool // nothing was ever made: what to do next
	Rules                int
	Sites                []Site
	Day                  *day        // nil: it is not to be shown
	Uncounted            string      // why not
	Machines             [][3]string // that share the outbox: name, work, endpoints; none: nobody shares it
}

// figure is one of the numbers of a page.
type figure struct{ Name, Value, Link, Sub string }

func (v *view) overviewPage() overview {
	t := v.troubles()
	o := overview{Needs: t.needs, Itself: t.itself, Rules: len(v.rules), Sites: v.c.opts.Sites()}
	o.Needs, o.More = most(o.Needs)
	o.Itself, o.MoreItself = most(o.Itself)
	var counted *hours
	if counted, o.Uncounted = v.hours(); counted != nil {
		o.Day = counted.day()
	}
	o.Numbers, o.First = v.figures()
	if o.Day != nil {
		o.Numbers[2] = deliveredToday(o.Day)
	}
	o.Class, o.Verdict, o.Rest = v.verdict(t, o.First)
	o.Machines = v.status().MachineLines()
	return o
}

// most are the first of many troubles, and how many more there are.
func most(all []trouble) ([]trouble, int) {
	const enough = 25
	if len(all) <= enough {
		return all, 0
	}
	return all[:enough], len(all) - enough
}

// deliveredToday is the figure of what went well in a day.
func deliveredToday(d *day) figure {
	f := figure{Name: "Delivered, 24\u00a0h", Value: words.Number(d.Delivered.Sum), Link: "/deliveries?state=delivered&since=24h", Sub: "nothing was tried"}
	if all := d.Delivered.Sum + d.Failed.Sum; all > 0 {
		f.Sub = percent(int64(d.Delivered.Sum), int64(all)) + " of the attempts"
	}
	return f
}

func (c *Console) overview(v *view) error {
	o := v.overviewPage()
	return v.show(http.StatusOK, "overview", "Overview: "+strings.ToLower(strings.TrimRight(o.Verdict, ",:.")), "/", o)
}

// verdict says in a sentence whether it is well.
func (p *picture) verdict(t *troubles, nothing bool) (class, answer, rest string) {
	switch {
	case t.silent:
		return "stopped", "Stopped:", "nothing is read. " + t.needs[0].Text
	case p.seen.status.StandsBy:
		class = "waiting"
	case len(t.needs) > 0:
		class = t.needs[0].Class
	default:
		class = "up"
	}
	answer, rest = p.status().Verdict(t.all, nothing)
	return class, answer, rest
}

// figures are the five numbers.
func (p *picture) figures() (list []figure, nothing bool) {
	s := p.status()
	behind := figure{Name: "Behind the log", Value: "–", Sub: "the log is not read"}
	kept := figure{Name: "Log kept for", Value: "–", Sub: "for ever, or not known"}
	if r := s.Reader; r != nil {
		behind.Value, behind.Sub = span(asTime(r.Lag)), "of what is committed"
		if r.CaughtUp {
			behind.Value, behind.Sub = "0\u00a0s", "all is read"
		}
		if r.Purge != nil {
			kept.Value, kept.Sub = span(asTime(*r.Purge)), "from our position on"
		}
	}
	n, oldest, more := p.waiting()
	waiting := p.number("Waiting", "waiting", n, more)
	switch {
	case waiting.Sub != "":
	case n == 0:
		waiting.Sub = "nothing waits"
	case oldest == 0:
		waiting.Sub = "to be delivered"
	default:
		waiting.Sub = "oldest " + span(oldest)
	}
	delivered := figure{Name: "Delivered", Value: "–", Link: "/deliveries?state=delivered", Sub: "not counted by site"}
	if p.who.all() {
		done, _ := p.counted(outbox.Delivered)
		if delivered = p.number("Delivered", "delivered", done, false); delivered.Sub == "" {
			delivered.Sub = "that are kept on record"
		}
	}
	dead, more := p.counted(outbox.Dead)
	letters := p.number("Dead letters", "dead", dead, more)
	switch {
	case letters.Sub != "":
	case dead == 0:
		letters.Sub = "none"
	default:
		letters.Sub = "kept until somebody decides"
	}
	return []figure{behind, waiting, delivered, letters, kept}, p.who.all() && s.Outbox.Unused
}

// number is how many deliveries are in a state, or that this is not known. AtLeast says that not all were counted.
func (p *picture) number(name, state string, n int, atLeast bool) figure {
	f := figure{Name: name, Value: words.Number(n), Link: "/deliveries?state=" + state}
	switch {
	case p.seen.at.IsZero() || p.seen.status.StandsBy:
		f.Value, f.Sub = "–", "not known"
	case atLeast && n == 0:
		f.Value, f.Sub = "–", "not counted yet"
	case atLeast:
		f.Value += "+"
	}
	return f
}

// asTime is a number of seconds.
func asTime(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// day is the last 24 hours.
type day struct {
	Delivered, Failed chart
	Hours             []hour
}

// hour is one of them.
type hour struct {
	At                time.Time
	Delivered, Failed int
	P50, P95          time.Duration
}

// Newest are the hours, the newest first.
func (d *day) Newest() []hour {
	list := slices.Clone(d.Hours)
	slices.Reverse(list)
	return list
}
