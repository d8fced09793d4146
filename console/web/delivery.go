package web

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rowhook/api"
	"rowhook/outbox"
	"rowhook/words"
)

// gate is what can hold a delivery, as the page shows it.
type gate struct {
	Name, Class, Word string
	Text              string
	Link, LinkText    string
}

// gates are those of a delivery, in words. Behind is the one that goes before it.
func gates(list []api.Gate, d, behind *outbox.Stored) []gate {
	shown := make([]gate, len(list))
	for i, g := range list {
		name := string(g.Name)
		s := gate{Name: strings.ToUpper(name[:1]) + name[1:], Class: "done", Word: "free", Text: g.Text}
		switch g.State {
		case api.GateFree:
		case api.GateUnknown:
			s.Class, s.Word = "waiting", "not known"
		case api.GateHolds:
			s.Class, s.Word = "waiting", "holds it"
			switch g.Name {
			case api.OrderGate:
				s.Link, s.LinkText = rowLink(behind), "See "+title(behind)
			case api.BreakerGate:
				s.Class, s.Link, s.LinkText = "down", endpointLink(d.Endpoint), "See the endpoint"
			case api.PauseGate:
				s.Class, s.Link, s.LinkText = "paused", endpointLink(d.Endpoint), "Resume it there"
			case api.RateGate:
				s.Link, s.LinkText = endpointLink(d.Endpoint), "See the endpoint"
			case api.ScheduleGate:
				s.Text += " That is at " + d.Due.UTC().Format("15:04:05") + "."
			}
		}
		shown[i] = s
	}
	return shown
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
	find, err := v.c.finder(v.q.Context(), v.who)
	if err != nil {
		return nil, err
	}
	id := outbox.ID(raw)
	f := outbox.Filter{ID: &id, Bodies: bodies}
	if at, _ := strconv.ParseInt(v.q.URL.Query().Get("at"), 10, 64); at > 0 {
		f.After, f.Before = at-1, at+1
	} else {
		f.Before, _ = strconv.ParseInt(v.q.URL.Query().Get("before"), 10, 64)
	}
	found, steps, err := find.newest(v.q.Context(), f, looksWithin)
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
	find, err := v.c.finder(v.q.Context(), v.who)
	if err != nil {
		return err
	}
	p := deliveryPage{row: v.row(d), Done: v.done(), Undone: d.State == outbox.Fresh || d.State == outbox.Waiting, Object: objectText(d.Object)}
	if rule, ok := v.rule(d.Rule); ok {
		p.Rule = &rule
	}
	attempts, err := find.log.Attempts(v.q.Context(), d.Seq)
	if err != nil {
		return err
	}
	p.Attempts = v.timeline(d, attempts)
	if err := v.relate(find, d, &p); err != nil {
		return err
	}
	if p.Undone {
		behind, err := find.behind(v.q.Context(), d)
		if err != nil {
			return err
		}
		list := v.status().Gates(d, behind, v.now)
		p.Gates, p.Why = gates(list, d, behind), "It is to be sent."
		if why := api.Why(list); why != nil {
			p.Why = why.Text
		}
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

// relate finds what else there is about the same object.
func (v *view) relate(find finder, d *outbox.Stored, p *deliveryPage) error {
	if len(d.Keys) == 0 {
		return nil
	}
	parts := strings.SplitN(d.Keys[0], "/", 3)
	if len(parts) < 3 {
		return nil
	}
	p.All = query{Site: parts[0], Entity: parts[1], Key: parts[2]}.URL(0)
	p.AllText = "All of " + noun(parts[1]) + " " + parts[2] + " of " + parts[0]
	res, err := find.find(v.q.Context(), outbox.Filter{Key: d.Keys[0]}, 30)
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
func (p *picture) timeline(d *outbox.Stored, attempts []outbox.Attempt) (list []attempt) {
	for i, a := range slices.Backward(attempts) {
		t := attempt{Class: "slow", Response: cut(a.Response, maxAnswer)}
		t.Small = "After " + span(a.Latency) + "."
		switch {
		case a.Error == "":
			t.Class, t.Head = "done", fmt.Sprintf("%s Accepted with %d", clock(a.At, p.now), a.Status)
		case a.Status == 0:
			t.Class, t.Head = "down", clock(a.At, p.now)+" "+words.Sentence(a.Error)
		default:
			t.Head = clock(a.At, p.now) + " " + words.Sentence(a.Error)
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
