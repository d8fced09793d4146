package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/api"
	"rowhook/outbox"
	"rowhook/words"
)

// row is a delivery as lists show it.
type row struct {
	*outbox.Stored
	Class, Word string
	Title       string
	Answer      string // what came of it, or why it waits
}

// row makes one of a delivery.
func (p *picture) row(d *outbox.Stored) row {
	r := row{Stored: d, Title: title(d), Class: d.State.String(), Word: d.State.String()}
	switch d.State {
	case outbox.Fresh, outbox.Waiting:
		r.Class, r.Word, r.Answer = "waiting", "waiting", p.waitsFor(d)
	case outbox.Delivered:
		if r.Answer = "accepted at once"; d.Last != nil {
			r.Answer = fmt.Sprintf("%d after %s", d.Last.Status, span(d.Last.Latency))
		}
	case outbox.Dead:
		r.Word = "dead letter"
		if r.Answer = "given up"; d.Last != nil {
			r.Answer = cut(d.Last.Error, 90) + ", given up"
		}
	case outbox.Held:
		if r.Answer = "its rule is gone"; !p.hides(d.Rule) {
			r.Answer = "its rule is disabled"
		}
	}
	return r
}

// cut is a text up to about so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// waitsFor says in a few words why a delivery is not delivered yet. What goes before it is not looked up.
func (p *picture) waitsFor(d *outbox.Stored) string {
	why := api.Why(p.status().Gates(d, nil, p.now))
	tried := ""
	if d.Last != nil {
		tried = cut(d.Last.Error, 60) + ", "
	}
	switch {
	case why == nil && d.Last == nil:
		return "to be sent"
	case why == nil:
		return tried + "due"
	case why.Name == api.PauseGate, why.Name == api.BreakerGate:
		first, _, _ := strings.Cut(why.Text, ". ")
		return strings.TrimSuffix(cut(first, 90), ".")
	case why.Name == api.RateGate:
		return tried + "as fast as its endpoint takes them"
	}
	return tried + "next attempt " + whole(words.In(d.Due.Sub(p.now)))
}

// title says what a delivery is about, and what became of that.
func title(d *outbox.Stored) string {
	kind := d.Kind[strings.LastIndex(d.Kind, ".")+1:]
	done := map[string]string{
		"save": "saved", "status_change": "status changed", "delete": "deleted", "publish": "published", "insert": "inserted", "update": "updated", "row": "changed",
	}[kind]
	if done == "" {
		done = strings.ReplaceAll(kind, "_", " ")
	}
	ids := make([]string, 0, len(d.Keys))
	entity := strings.TrimSuffix(d.Kind, "."+kind)
	for _, key := range d.Keys {
		parts := strings.SplitN(key, "/", 3)
		if len(parts) < 3 {
			ids = append(ids, key)
			continue
		}
		entity, ids = parts[1], append(ids, parts[2])
	}
	name := strings.TrimPrefix(noun(entity), "custom.")
	if len(ids) > 1 {
		name = strings.TrimPrefix(nounMany(entity), "custom.")
	}
	what := strings.ToUpper(name[:min(1, len(name))]) + name[min(1, len(name)):]
	if len(ids) > 0 {
		what += " " + words.Few(ids, "and")
	}
	if d.Site != "" {
		what += " of " + d.Site
	}
	return what + ", " + done
}

// deliveriesPage is a list of deliveries.
type deliveriesPage struct {
	Head    string
	Query   query
	Rows    []row
	Older   string // where the next page is
	Looked  time.Time
	Counted *counted
	Done    string // what was just done
	Narrow  bool   // a filter is set

	Rules, Endpoints, Sites, Entities []string
	All                               int // of everything that matches, where that is kept; -1: it is not
}

// counted is what a change of everything that matches would do, before it does.
type counted struct {
	Do, Verb string
	N        int
	More     bool // there are more: it takes several goes
	Lines    []string
	Before   int64
	Fields   []field
}

func (c *Console) deliveries(v *view) error { return v.showDeliveries(nil) }

func (v *view) showDeliveries(change *counted) error {
	q, f := readQuery(v.q.Form, v.now)
	if v.q.Form == nil {
		q, f = readQuery(v.q.URL.Query(), v.now)
	}
	p := deliveriesPage{Query: q, Counted: change, All: -1, Narrow: len(q.values()) > 0, Done: v.done()}
	find, err := v.c.finder(v.q.Context(), v.who)
	if err != nil {
		return err
	}
	res, err := find.find(v.q.Context(), f, pageRows)
	if err != nil {
		return err
	}
	for _, d := range res.list {
		p.Rows = append(p.Rows, v.row(d))
	}
	if p.Looked = res.looked; res.before > 0 {
		p.Older = q.URL(res.before)
	}
	p.All = v.kept(q, res)
	p.Head = deliveriesHead(p)
	p.Rules, p.Endpoints, p.Sites, p.Entities = v.choices()
	at := "/deliveries"
	if q.State == "dead" {
		at = "/deliveries?state=dead"
	}
	return v.show(http.StatusOK, "deliveries", "Deliveries: "+strings.TrimSuffix(p.Head, "."), at, p)
}

// kept is how many match a filter, where that is known without counting: of a state, or a rule, or both; or all fit on the page.
func (p *picture) kept(q query, res found) int {
	if res.before == 0 && q.Before == 0 {
		return len(res.list)
	}
	if !p.who.all() || q.Endpoint+q.Site+q.Entity+q.Key+q.Since+q.Until != "" {
		return -1
	}
	n := 0
	for _, k := range p.seen.status.Outbox.Deliveries {
		if (q.Rule == "" || q.Rule == k.Rule) && (q.State == "" || slices.ContainsFunc(stateNames[q.State], func(s outbox.State) bool { return s.String() == k.State })) {
			n += k.Count
		}
	}
	return n
}

func deliveriesHead(p deliveriesPage) string {
	one, many := "delivery", "deliveries"
	if p.Query.State == "dead" {
		one, many = "dead letter", "dead letters"
	}
	switch {
	case p.Query.Wrong != "":
		return "That filter cannot be read."
	case len(p.Rows) == 0 && p.Older != "":
		return "None found yet."
	case len(p.Rows) == 0 && p.Narrow:
		return "No " + many + "."
	case len(p.Rows) == 0:
		return "No deliveries yet."
	case p.All >= 0:
		if p.Narrow && p.Query.State != "dead" {
			return words.Count(p.All, one+" matches.", many+" match.")
		}
		return words.Count(p.All, one+".", many+".")
	}
	return "The newest deliveries that match."
}

// choices are what the filter's lists offer.
func (v *view) choices() (rules, endpoints, sites, entities []string) {
	to, of := map[string]bool{}, map[string]bool{}
	for _, r := range v.rules {
		rules = append(rules, r.Name)
		if r.Endpoint != "" {
			to[r.Endpoint] = true
		}
		if r.Entity != "" {
			of[r.Entity] = true
		}
	}
	for _, s := range v.c.opts.Sites() {
		if v.who.sees(s.Name) {
			sites = append(sites, s.Name)
		}
	}
	slices.Sort(rules)
	return rules, slices.Sorted(maps.Keys(to)), sites, slices.Sorted(maps.Keys(of))
}

// done says what a change came to, which is in the address that it led to.
func (v *view) done() string {
	n, err := strconv.Atoi(v.q.URL.Query().Get("n"))
	if err != nil || n < 0 {
		return ""
	}
	switch v.q.URL.Query().Get("done") {
	case "retry":
		return words.Count(n, "delivery is", "deliveries are") + " due at once."
	case "drop":
		return words.Count(n, "delivery was", "deliveries were") + " removed."
	}
	return ""
}

// changeDeliveries retries, drops or exports everything that matches. Retry and drop count first.
func (c *Console) changeDeliveries(v *view) error {
	if err := v.q.ParseForm(); err != nil {
		return v.message(http.StatusBadRequest, "The form cannot be read", "")
	}
	q, f := readQuery(v.q.Form, v.now)
	do := v.q.Form.Get("do")
	if q.Wrong != "" || do != "retry" && do != "drop" && do != "export" {
		return v.message(http.StatusUnprocessableEntity, "That cannot be done", cmp.Or(q.Wrong, "There is no such change."))
	}
	f.Before = 0
	if do == "export" {
		return v.export(f)
	}
	if len(f.States) == 0 { // as the commands have it
		if f.States = []outbox.State{outbox.Dead, outbox.Held}; do == "retry" {
			f.States = []outbox.State{outbox.Waiting, outbox.Dead}
		}
	}
	sure, _ := strconv.Atoi(v.q.Form.Get("sure"))
	f.Before, _ = strconv.ParseInt(v.q.Form.Get("upto"), 10, 64)
	find, err := c.finder(v.q.Context(), v.who)
	if err != nil {
		return err
	}
	n, err := find.count(v.q.Context(), f, countsWithin)
	if err != nil {
		return err
	}
	if sure == 0 || sure != n.n {
		return v.showDeliveries(newCounted(do, q, n))
	}
	f = v.who.confine(f)
	f.Before = n.before
	var done int
	if do == "retry" {
		done, err = c.opts.Orders.Retry(v.q.Context(), f)
	} else {
		done, err = c.opts.Orders.Drop(v.q.Context(), f)
	}
	c.log.Info("the console changed deliveries", slog.String("user", v.who.name()), slog.String("did", do), slog.String("filter", q.values().Encode()),
		slog.Int("deliveries", done), slog.Any("error", err))
	if err != nil {
		return v.message(http.StatusConflict, "That was not done", err.Error())
	}
	values := q.values()
	values.Set("done", do)
	values.Set("n", strconv.Itoa(done))
	http.Redirect(v.w, v.q, "/deliveries?"+values.Encode(), http.StatusSeeOther)
	return nil
}

func newCounted(do string, q query, n counts) *counted {
	c := &counted{Do: do, N: n.n, More: !n.all, Before: n.before, Fields: q.Fields(), Verb: map[string]string{"retry": "Retry", "drop": "Drop"}[do]}
	add := func(s outbox.State, text string) {
		if k := n.byState[s]; k > 0 {
			c.Lines = append(c.Lines, words.Number(k)+" "+text)
		}
	}
	if do == "drop" {
		add(outbox.Dead, "dead letters go for good, with their payloads.")
		add(outbox.Held, "held ones, whose rule is gone or disabled, go for good.")
		add(outbox.Fresh, "that were not tried yet are never sent.")
		add(outbox.Waiting, "waiting ones are never sent.")
		add(outbox.Delivered, "delivered ones are left as they are: they stay on record until keep.age.")
		return c
	}
	add(outbox.Waiting, "waiting ones become due at once, in their order. What is paused or down still holds them.")
	add(outbox.Dead, "dead letters are sent again. They come after newer ones of the same object: outside of the order.")
	add(outbox.Delivered, "delivered ones are sent once more, under the same id: outside of the order.")
	add(outbox.Fresh, "that are on their way are left as they are.")
	add(outbox.Held, "held ones are left as they are: their rule is gone or disabled.")
	return c
}

// export writes everything that matches, payloads and all, an object a line.
func (v *view) export(f outbox.Filter) error {
	log, err := v.c.open(v.q.Context())
	if err != nil {
		return err
	}
	select {
	case v.c.exports <- struct{}{}:
		defer func() { <-v.c.exports }()
	default:
		return v.message(http.StatusServiceUnavailable, "Others export at this moment", "Try again when they have it all, or type: rowhook deliveries export")
	}
	v.made() // it takes as long as who reads it
	v.c.log.Info("the console exports deliveries with their payloads", slog.String("user", v.who.name()))
	v.w.Header().Set("Content-Type", "application/x-ndjson")
	v.w.Header().Set("Content-Disposition", `attachment; filename="deliveries.jsonl"`)
	f = v.who.confine(f)
	f.Bodies, f.Limit = true, 100
	steps, err := newSteps(v.q.Context(), log, f, 24*time.Hour)
	if err != nil {
		return err
	}
	out := json.NewEncoder(v.w)
	extend := http.NewResponseController(v.w)
	for f.Newest = true; steps.next(); {
		part := steps.filter(f, f.Limit)
		for {
			page, err := log.List(v.q.Context(), part)
			if err != nil {
				return fmt.Errorf("exporting: %w", err)
			}
			if len(page) == 0 {
				break
			}
			_ = extend.SetWriteDeadline(time.Now().Add(time.Minute)) // as long as somebody takes it
			for _, d := range page {
				if gone := out.Encode(api.WithPayload(d)); gone != nil {
					return nil // the browser has gone
				}
			}
			part.Before = page[len(page)-1].Seq
		}
	}
	return nil
}

// search leads to what was searched for.
func (c *Console) search(v *view) error {
	text := v.q.URL.Query().Get("q")
	if to, ok := v.readSearch(text); ok {
		http.Redirect(v.w, v.q, to, http.StatusSeeOther)
		return nil
	}
	return v.message(http.StatusOK, "Nothing has that name",
		"Search for a booking by its number (12), for others by what they are (customer 7, package order 3, employee 2), by the id of a delivery (32 letters and digits), or by the name of a site, a rule or an endpoint.")
}
