package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/outbox"
)

// gates are what can hold a delivery.
type gates struct {
	behind *outbox.Stored // an earlier one about the same object; nil: none
	down   time.Time      // since when the endpoint, or the URL, is down
	probe  time.Time      // when it is asked again
	paused *pause
	known  bool // the daemon says how the endpoint does
}

type pause struct {
	since  time.Time
	reason string
	url    string // "": the whole endpoint
}

// gatesOf looks at what the endpoint of a delivery does. What is before it is looked up by behind.
func (v *view) gatesOf(d *outbox.Stored) (g gates) {
	for _, e := range v.seen.status.Endpoints {
		if e.Name != d.Endpoint {
			continue
		}
		g.known, g.down, g.probe = true, e.DownSince, e.NextProbe
		for _, u := range e.URLs {
			if !slices.Contains(u.Rules, d.Rule) {
				continue
			}
			if u.Paused != nil {
				g.paused = &pause{u.Paused.Since, u.Paused.Reason, u.URL}
			}
			if !u.DownSince.IsZero() {
				g.down, g.probe = u.DownSince, u.Until
			}
		}
		if g.paused == nil && e.Paused != nil && len(e.URLs) == 0 {
			g.paused = &pause{since: e.Paused.Since, reason: e.Paused.Reason}
		}
	}
	return g
}

// gate is one of them, in words.
type gate struct {
	Name, Class, Word string
	Text              string
	Link, LinkText    string
}

func (v *view) gates(d *outbox.Stored, g gates) []gate {
	order := gate{Name: "Order", Class: "done", Word: "free", Text: "No earlier delivery about the same object waits at this endpoint."}
	if !d.Retried.IsZero() {
		order.Text = "It was sent again by hand, and is outside of the order."
	} else if g.behind != nil {
		order = gate{Name: "Order", Class: "waiting", Word: "holds it", Text: "It goes out when this one is delivered or given up:", Link: rowLink(g.behind), LinkText: title(g.behind)}
	}
	breaker := gate{Name: "Breaker", Class: "done", Word: "free", Text: "The endpoint is up."}
	switch {
	case !g.known:
		breaker.Class, breaker.Word, breaker.Text = "waiting", "not known", "The daemon does not say how the endpoint does."
	case !g.down.IsZero():
		breaker = gate{Name: "Breaker", Class: "down", Word: "holds it", Text: short(d.Endpoint) + " is down since " + clock(g.down, v.now) + ". Next probe " + v.in(g.probe) + "; when one gets through, all goes out."}
	}
	paused := gate{Name: "Pause", Class: "done", Word: "free", Text: "Neither the endpoint nor the URL is paused."}
	if g.paused != nil {
		what := "The endpoint"
		if g.paused.url != "" {
			what = "The URL"
		}
		paused = gate{Name: "Pause", Class: "paused", Word: "holds it", Text: what + " is paused since " + clock(g.paused.since, v.now) + ": " + g.paused.reason + ".",
			Link: "/endpoints?open=" + d.Endpoint + "#" + d.Endpoint, LinkText: "Resume it there"}
	}
	next := gate{Name: "Schedule", Class: "done", Word: "free", Text: "It is due."}
	if d.Due.After(v.now) {
		next = gate{Name: "Schedule", Class: "waiting", Word: "holds it", Text: "The next attempt is " + v.in(d.Due) + ", at " + clock(d.Due, v.now) + "; earlier when its endpoint comes back."}
	}
	return []gate{order, breaker, paused, next}
}

// rowLink is the address of a delivery. The number spares the outbox a search for the id.
func rowLink(d *outbox.Stored) string {
	return "/deliveries/" + d.ID.String() + "?at=" + strconv.FormatInt(d.Seq, 10)
}

// Link is the address of the delivery.
func (r row) Link() string { return rowLink(r.Stored) }

// deliveryPage is one delivery.
type deliveryPage struct {
	row
	Why      string // it waits, in a sentence
	Gates    []gate
	Attempts []attempt
	Rule     *Rule
	Object   string // what the payload shows in place of the object
	Payload  string // "": hidden
	Bytes    int    // of the payload
	Cut      bool
	Related  []row
	More     bool // there are more about the same object
	All      string
	AllText  string
	Done     string
	Undone   bool
}

// attempt is one in the time line.
type attempt struct {
	Class, Head, Small, Response string
}

// maxShown bounds a payload, maxAnswer an answer on a page, both in bytes.
const maxShown, maxAnswer = 256 << 10, 4 << 10

func (c *Console) delivery(v *view) error { return v.showDelivery(false) }

// read reads the delivery that a request is about; nil when a message was shown in its place.
func (v *view) read(bodies bool) (*outbox.Stored, error) {
	raw, err := hex.DecodeString(v.q.PathValue("id"))
	if err != nil || len(raw) != len(outbox.ID{}) {
		return nil, v.message(http.StatusNotFound, "That is no id of a delivery", "An id has 32 letters and digits, as in the header webhook-id.")
	}
	log, err := v.c.open(v.q.Context())
	if err != nil {
		return nil, err
	}
	id := outbox.ID(raw)
	f := v.who.confine(outbox.Filter{ID: &id, Bodies: bodies})
	if at, _ := strconv.ParseInt(v.q.URL.Query().Get("at"), 10, 64); at > 0 {
		f.After, f.Before = at-1, at+1
	} else {
		f.Before, _ = strconv.ParseInt(v.q.URL.Query().Get("before"), 10, 64)
	}
	found, steps, err := newestOf(v.q.Context(), log, f, looksWithin)
	if found != nil || err != nil {
		return found, err
	}
	if !steps.ended() {
		return nil, v.show(http.StatusOK, "message", "Looking for the delivery", "/deliveries", map[string]any{"Title": "Not found yet",
			"Text": "The newest deliveries are looked through, and there are more.", "Further": fmt.Sprintf("/deliveries/%s?before=%d", id, steps.low)})
	}
	return nil, v.message(http.StatusNotFound, "There is no such delivery", "It may have been delivered so long ago that the log forgot it, or somebody dropped it.")
}

func (v *view) showDelivery(payload bool) error {
	d, err := v.read(payload)
	if d == nil {
		return err
	}
	log, err := v.c.open(v.q.Context())
	if err != nil {
		return err
	}
	p := deliveryPage{row: v.row(d), Done: v.done(), Undone: d.State == outbox.Fresh || d.State == outbox.Waiting, Object: objectText(d.Object)}
	if rule, ok := v.rule(d.Rule); ok {
		p.Rule = &rule
	}
	attempts, err := log.Attempts(v.q.Context(), d.Seq)
	if err != nil {
		return err
	}
	p.Attempts = v.timeline(d, attempts)
	if err := v.relate(d, &p); err != nil {
		return err
	}
	if p.Undone {
		g := v.gatesOf(d)
		if g.behind, err = v.behind(log, d); err != nil {
			return err
		}
		p.Gates = v.gates(d, g)
		p.Why = why(p.Gates)
	}
	if payload && !d.Erased {
		v.c.log.Info("somebody looked at a payload in the console", slog.String("user", v.who.name()), slog.String("id", d.ID.String()), slog.Any("keys", d.Keys))
		p.Payload, p.Bytes, p.Cut = pretty(d.Body)
	}
	at := "/deliveries"
	if d.State == outbox.Dead {
		at = "/deliveries?state=dead"
	}
	return v.show(http.StatusOK, "delivery", p.Title+": "+p.Word, at, p)
}

// why is the reason that a person wants first.
func why(gates []gate) string {
	for _, name := range []string{"Pause", "Breaker", "Order", "Schedule"} {
		for _, g := range gates {
			if g.Name == name && g.Word == "holds it" {
				return g.Text
			}
		}
	}
	return "It is to be sent."
}

// behind is the earlier delivery that this one waits for; nil: none.
func (v *view) behind(log Log, d *outbox.Stored) (*outbox.Stored, error) {
	if len(d.Keys) == 0 || d.Endpoint == "" {
		return nil, nil
	}
	f := outbox.Filter{Key: d.Keys[0], Endpoints: []string{d.Endpoint}, States: undelivered(), Before: d.Seq}
	found, _, err := newestOf(v.q.Context(), log, v.who.confine(f), aside)
	return found, err
}

// newestOf is the newest delivery that a filter selects, as far as one is found in time; nil: none. The steps tell how far back
// it looked.
func newestOf(ctx context.Context, log Log, f outbox.Filter, within time.Duration) (*outbox.Stored, *steps, error) {
	f.Newest, f.Limit = true, 1
	back, err := newSteps(ctx, log, f, within)
	if err != nil {
		return nil, nil, err
	}
	for back.next() {
		found, err := log.List(ctx, back.filter(f, 1))
		if err != nil {
			return nil, nil, err
		}
		if len(found) > 0 {
			return found[0], back, nil
		}
	}
	return nil, back, nil
}

// relate finds what else there is about the same object.
func (v *view) relate(d *outbox.Stored, p *deliveryPage) error {
	if len(d.Keys) == 0 {
		return nil
	}
	parts := strings.SplitN(d.Keys[0], "/", 3)
	if len(parts) < 3 {
		return nil
	}
	p.All = query{Site: parts[0], Entity: parts[1], Key: parts[2]}.URL(0)
	p.AllText = "All of " + noun(parts[1]) + " " + parts[2] + " of " + parts[0]
	res, err := v.find(outbox.Filter{Key: d.Keys[0]}, 30)
	if err != nil {
		return err
	}
	p.More = res.before > 0
	has := false
	for _, r := range slices.Backward(res.list) {
		has = has || r.Seq == d.Seq
		p.Related = append(p.Related, v.row(r))
	}
	if !has {
		p.Related = append([]row{v.row(d)}, p.Related...)
	}
	return nil
}

// timeline is what was tried, the newest first.
func (v *view) timeline(d *outbox.Stored, attempts []outbox.Attempt) (list []attempt) {
	for i, a := range slices.Backward(attempts) {
		t := attempt{Class: "slow", Response: cut(a.Response, maxAnswer)}
		t.Small = "After " + span(a.Latency) + "."
		switch {
		case a.Error == "":
			t.Class, t.Head = "done", fmt.Sprintf("%s Accepted with %d", clock(a.At, v.now), a.Status)
		case a.Status == 0:
			t.Class, t.Head = "down", clock(a.At, v.now)+" "+sentence(a.Error)
		default:
			t.Head = clock(a.At, v.now) + " " + sentence(a.Error)
		}
		if i == len(attempts)-1 && d.State == outbox.Dead {
			t.Class, t.Small = "dead", t.Small+" It was the last: the delivery was given up."
		}
		list = append(list, t)
	}
	return list
}

func objectText(object string) string {
	return map[string]string{
		"gone":    "It was gone before it was loaded: the payload is the row of the event.",
		"closure": "It is a blocked time, which has nothing to extend: the payload is its row.",
		"partial": "It cannot be read from the tables: the payload is what the log showed.",
	}[object]
}

// pretty is a payload for people.
func pretty(body []byte) (text string, size int, isCut bool) {
	size = len(body)
	if isCut = size > maxShown; isCut {
		return strings.ToValidUTF8(string(body[:maxShown]), "\ufffd"), size, true
	}
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return strings.ToValidUTF8(string(body), "\ufffd"), size, false
	}
	return b.String(), size, false
}

// changeDelivery retries or drops one delivery, or shows its payload.
func (c *Console) changeDelivery(v *view) error {
	do := v.q.PostFormValue("do")
	if do == "payload" {
		return v.showDelivery(true)
	}
	d, err := v.read(false)
	if d == nil {
		return err
	}
	f := outbox.Filter{ID: &d.ID, After: d.Seq - 1, Before: d.Seq + 1}
	var n int
	switch do {
	case "retry":
		n, err = c.opts.Orders.Retry(v.q.Context(), f)
	case "drop":
		if v.q.PostFormValue("sure") != "1" {
			return v.showDrop(d)
		}
		n, err = c.opts.Orders.Drop(v.q.Context(), f)
	default:
		return v.message(http.StatusUnprocessableEntity, "That cannot be done", "There is no such change.")
	}
	c.log.Info("the console changed a delivery", slog.String("user", v.who.name()), slog.String("did", do), slog.String("id", d.ID.String()), slog.Any("error", err))
	if err != nil {
		return v.message(http.StatusConflict, "That was not done", err.Error())
	}
	to := rowLink(d) + "&"
	if do == "drop" {
		to = "/deliveries?"
	}
	http.Redirect(v.w, v.q, fmt.Sprintf("%sdone=%s&n=%d", to, do, n), http.StatusSeeOther)
	return nil
}

// showDrop asks before a delivery is dropped.
func (v *view) showDrop(d *outbox.Stored) error {
	text := cmp.Or(map[outbox.State]string{
		outbox.Dead: "It was given up. It goes for good, with its payload.", outbox.Held: "Its rule is gone or disabled. It goes for good, with its payload.",
		outbox.Delivered: "It is delivered: it stays on record until keep.age, and nothing changes.",
	}[d.State], "It is not delivered yet, and then never will be.")
	return v.show(http.StatusOK, "message", "Drop "+title(d), "/deliveries", map[string]any{"Title": "Drop “" + title(d) + "”?", "Text": text, "Drop": v.row(d)})
}
