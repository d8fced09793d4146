package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"rowhook/api"
	"rowhook/outbox"
	"rowhook/words"
)

// endpointRow is an endpoint as the page shows it.
type endpointRow struct {
	Name, Class, Word, Small string
	Rules                    []Rule
	Waiting, Dead            int
	Oldest                   time.Duration
	Probe                    string
	LastError                string
	LastSuccess, DownSince   time.Time
	InFlight                 int
	Machine                  string // whose it is, of those that share the outbox
	Bytes                    int64
	URLs                     []urlRow
	Paused, Open             bool
	Own                      bool // it serves nobody else; otherwise how much waits there is not shown
	First                    *row // that goes out next
	Toggle                   string
	Spark                    spark
	Hours                    []hour // of an open row; none: they are not to be shown
	Outages                  []outageRow
	Pace                     string // the most that it is sent
	rank                     int
}

// outageRow is a time in which nothing got through.
type outageRow struct {
	Since, Until time.Time
	Lasted       time.Duration
	Probes       int
	Error        string
}

type urlRow struct {
	URL, Class, Text string
	Rules            []string
}

// endpointsPage is all of them, those that need a person first.
type endpointsPage struct {
	Head Head
	Rows []endpointRow
	Done string
	Day  bool // what was counted by the hour is shown
	Rest int  // how many more there are

	Uncounted string // why it is not
}

// maxListed is how many endpoints, rules or sites a page shows.
const maxListed = 300

// Head is the first line of a page: how many there are, and what is wrong.
type Head struct {
	Count string
	Parts []headPart
}

type headPart struct{ Class, Text string }

func (c *Console) endpoints(v *view) error {
	open := v.q.URL.Query().Get("open")
	p := endpointsPage{Done: map[string]string{
		"pause": "It is paused. What comes for it waits until somebody resumes it.", "resume": "It goes on, and what waited is due at once.", "retry": "What waited is due at once.",
	}[v.q.URL.Query().Get("done")]}
	states := map[string]int{}
	counted, why := v.hours()
	p.Day, p.Uncounted = counted != nil, why
	for _, e := range v.status().Endpoints {
		r := v.endpointRow(&e)
		if states[r.Class]++; counted != nil {
			r.Spark = counted.spark(e.Name)
		}
		if r.Open = e.Name == open; r.Open {
			r.Toggle = "/endpoints#" + e.Name
			if counted != nil {
				r.Hours = counted.of(e.Name)
			}
			r.First = v.first(&r)
		}
		p.Rows = append(p.Rows, r)
	}
	slices.SortStableFunc(p.Rows, func(a, b endpointRow) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(words.Endpoint(a.Name), words.Endpoint(b.Name)))
	})
	p.Head = Head{Count: words.Count(len(p.Rows), "endpoint", "endpoints"), Parts: headParts(states, []headPart{{"paused", "paused"}, {"down", "down"}, {"waiting", "not known"}, {"up", "up"}})}
	if v.q.URL.Query().Get("all") == "" && len(p.Rows) > maxListed {
		p.Rest = len(p.Rows) - maxListed
		p.Rows = p.Rows[:maxListed]
	}
	return v.show(http.StatusOK, "endpoints", "Endpoints: "+p.Head.Text(), "/endpoints", p)
}

// endpointRow is an endpoint with how it does.
func (p *picture) endpointRow(e *api.EndpointStatus) endpointRow {
	r := endpointRow{Name: e.Name, Class: "up", Word: "up", rank: 3, Waiting: e.Undelivered, Oldest: e.Oldest, LastError: e.LastError, LastSuccess: e.LastSuccess,
		DownSince: e.DownSince, InFlight: e.InFlight, Machine: e.Machine, Bytes: e.Bytes, Paused: e.Paused != nil, Own: p.ownsEndpoint(e.Name), Pace: paceOf(e.Pace), Toggle: endpointLink(e.Name)}
	for _, name := range e.Rules {
		if rule, ok := p.rule(name); ok {
			r.Rules = append(r.Rules, rule)
		}
	}
	for _, u := range e.URLs {
		switch {
		case len(u.Rules) == 0:
		case u.Paused != nil:
			r.Class, r.Word, r.Small, r.rank = "paused", "URL paused", u.Paused.Reason, 0
			r.URLs = append(r.URLs, urlRow{u.URL, "paused", "paused since " + clock(u.Paused.Since, p.now) + ": " + u.Paused.Reason, u.Rules})
			r.Paused = true
		default:
			if r.Class == "up" {
				r.Class, r.Word, r.Small, r.rank = "down", "URL down", "for "+span(p.now.Sub(u.DownSince)), 1
			}
			r.URLs = append(r.URLs, urlRow{u.URL, "down", "down since " + clock(u.DownSince, p.now) + ", asked again " + whole(words.In(u.Until.Sub(p.now))), u.Rules})
		}
	}
	switch {
	case e.Elsewhere && e.Paused == nil:
		r.Class, r.Word, r.Small, r.rank = "waiting", "not known", "it is nobody's at this moment", 2
		if e.Machine != "" {
			r.Small = "held by " + e.Machine + ", which does not answer"
		}
	case e.Paused != nil:
		r.Class, r.Word, r.Small, r.rank = "paused", "paused", "since "+clock(e.Paused.Since, p.now)+": "+e.Paused.Reason, 0
	case !e.DownSince.IsZero():
		r.Class, r.Word, r.Small, r.rank = "down", "down", "for "+span(p.now.Sub(e.DownSince))+": "+cut(e.LastError, 60), 1
		r.Probe = whole(words.In(e.NextProbe.Sub(p.now)))
	}
	for _, o := range e.Outages {
		row := outageRow{Since: o.Since, Until: o.Until, Probes: o.Probes, Error: o.Error}
		if row.Lasted = p.now.Sub(o.Since); !o.Until.IsZero() {
			row.Lasted = o.Until.Sub(o.Since)
		}
		r.Outages = append(r.Outages, row)
	}
	if r.Own {
		r.Dead = p.deadOf(r.Rules)
	}
	return r
}

// paceOf says how fast an endpoint may be sent to.
func paceOf(p api.Pace) string {
	var all []string
	if p.Every > 0 {
		all = append(all, "a request every "+span(p.Every))
	}
	if p.Most > 0 {
		all = append(all, words.Count(p.Most, "request", "requests")+" at once")
	}
	return strings.Join(all, ", ")
}

// headParts are the states that there are, the worst first.
func headParts(n map[string]int, names []headPart) (parts []headPart) {
	for _, p := range names {
		if n[p.Class] > 0 {
			parts = append(parts, headPart{p.Class, words.Number(n[p.Class]) + " " + p.Text})
		}
	}
	return parts
}

// Text is the line without its colours.
func (h Head) Text() string {
	texts := make([]string, len(h.Parts))
	for i, p := range h.Parts {
		texts[i] = p.Text
	}
	return strings.TrimSuffix(h.Count+", "+strings.Join(texts, ", "), ", ")
}

// first is what goes out next to an endpoint, as far as that is at hand; nil: nothing, or it is not.
func (v *view) first(r *endpointRow) *row {
	if r.Waiting == 0 && r.Own {
		return nil
	}
	ctx, stop := context.WithTimeout(v.q.Context(), aside) // what waits is, but for a store with many other things that wait
	defer stop()
	find, err := v.c.finder(ctx, v.who)
	if err != nil {
		return nil
	}
	f := v.who.confine(outbox.Filter{Endpoints: []string{r.Name}, States: api.UndeliveredStates(), Limit: 1})
	first, err := find.log.List(ctx, f)
	if err != nil || len(first) == 0 {
		return nil
	}
	row := v.row(first[0])
	return &row
}

// changeEndpoint pauses or resumes an endpoint, or has what waits there tried at once.
func (c *Console) changeEndpoint(v *view) error {
	name, do := v.q.PostFormValue("name"), v.q.PostFormValue("do")
	if !v.ownsEndpoint(name) {
		return v.message(http.StatusForbidden, "That is not yours to change", "This endpoint is not there, or it serves sites that you do not see, too.")
	}
	var err error
	switch do {
	case "pause":
		err = c.opts.Orders.Pause(v.q.Context(), name, "by "+v.who.name()+" in the console")
	case "resume":
		err = c.opts.Orders.Resume(v.q.Context(), name)
	case "retry":
		_, err = c.opts.Orders.Retry(v.q.Context(), v.who.confine(outbox.Filter{Endpoints: []string{name}, States: []outbox.State{outbox.Waiting}}))
	default:
		return v.message(http.StatusUnprocessableEntity, "That cannot be done", "There is no such change.")
	}
	c.log.Info("the console changed an endpoint", slog.String("user", v.who.name()), slog.String("did", do), slog.String("endpoint", name), slog.Any("error", err))
	if err != nil {
		return v.message(http.StatusConflict, "That was not done", err.Error())
	}
	http.Redirect(v.w, v.q, "/endpoints?done="+do, http.StatusSeeOther)
	return nil
}
