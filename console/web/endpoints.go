package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"rowhook/outbox"
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
	Bytes                    int64
	URLs                     []urlRow
	Paused, Own, Open        bool
	First                    *row // that goes out next
	Toggle                   string
	Spark                    spark
	rank                     int
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
	s := v.status()
	byHour, err := v.hours()
	if err != nil {
		return err
	}
	p.Day = byHour != nil
	for _, e := range s.Endpoints {
		r := endpointRow{Name: e.Name, Class: "up", Word: "up", rank: 3, Waiting: e.Undelivered, Oldest: e.Oldest, LastError: e.LastError, LastSuccess: e.LastSuccess,
			DownSince: e.DownSince, InFlight: e.InFlight, Bytes: e.Bytes, Paused: e.Paused != nil, Own: v.ownsEndpoint(e.Name), Open: e.Name == open}
		for _, name := range e.Rules {
			if rule, ok := v.rule(name); ok {
				r.Rules = append(r.Rules, rule)
			}
		}
		for _, u := range e.URLs {
			switch {
			case len(u.Rules) == 0:
			case u.Paused != nil:
				r.Class, r.Word, r.Small, r.rank = "paused", "URL paused", u.Paused.Reason, 0
				r.URLs = append(r.URLs, urlRow{u.URL, "paused", "paused since " + clock(u.Paused.Since, v.now) + ": " + u.Paused.Reason, u.Rules})
				r.Paused = true
			default:
				if r.Class == "up" {
					r.Class, r.Word, r.Small, r.rank = "down", "URL down", "for "+span(v.now.Sub(u.DownSince)), 1
				}
				r.URLs = append(r.URLs, urlRow{u.URL, "down", "down since " + clock(u.DownSince, v.now) + ", asked again " + v.in(u.Until), u.Rules})
			}
		}
		switch {
		case e.Paused != nil:
			r.Class, r.Word, r.Small, r.rank = "paused", "paused", "since "+clock(e.Paused.Since, v.now)+": "+e.Paused.Reason, 0
		case !e.DownSince.IsZero():
			r.Class, r.Word, r.Small, r.rank = "down", "down", "for "+span(v.now.Sub(e.DownSince))+": "+cut(e.LastError, 60), 1
			r.Probe = v.in(e.NextProbe)
		}
		r.Spark = v.sparkOf(byHour[e.Name])
		states[r.Class]++
		r.Dead = v.deadOf(r.Rules)
		if r.Toggle = "/endpoints?open=" + e.Name + "#" + e.Name; r.Open {
			r.Toggle = "/endpoints#" + e.Name
			if err := v.complete(&r); err != nil {
				return err
			}
		}
		p.Rows = append(p.Rows, r)
	}
	slices.SortStableFunc(p.Rows, func(a, b endpointRow) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(short(a.Name), short(b.Name)))
	})
	p.Head = Head{Count: count(len(p.Rows), "endpoint", "endpoints"), Parts: headParts(states, []headPart{{"paused", "paused"}, {"down", "down"}, {"up", "up"}})}
	if v.q.URL.Query().Get("all") == "" && len(p.Rows) > maxListed {
		p.Rest = len(p.Rows) - maxListed
		p.Rows = p.Rows[:maxListed]
	}
	return v.show(http.StatusOK, "endpoints", "Endpoints: "+p.Head.Text(), "/endpoints", p)
}

// headParts are the states that there are, the worst first.
func headParts(n map[string]int, names []headPart) (parts []headPart) {
	for _, p := range names {
		if n[p.Class] > 0 {
			parts = append(parts, headPart{p.Class, number(n[p.Class]) + " " + p.Text})
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

// deadOf is how many dead letters these rules have.
func (v *view) deadOf(rules []Rule) (n int) {
	if !v.who.all() {
		return 0
	}
	for _, k := range v.seen.status.Outbox.Deliveries {
		if k.State == outbox.Dead.String() && slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == k.Rule }) {
			n += k.Count
		}
	}
	return n
}

// complete reads what only an open row shows.
func (v *view) complete(r *endpointRow) error {
	log, err := v.c.open(v.q.Context())
	if err != nil {
		return err
	}
	f := v.who.confine(outbox.Filter{Endpoints: []string{r.Name}, States: undelivered()})
	f.Newest, f.Limit = false, 1
	if r.Waiting == 0 && v.who.all() {
		return nil
	}
	ctx, stop := context.WithTimeout(v.q.Context(), aside) // what waits is at hand, but for a store with many other things that wait
	defer stop()
	first, err := log.List(ctx, f)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	if err == nil && len(first) > 0 {
		row := v.row(first[0])
		r.First = &row
	}
	return err
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
