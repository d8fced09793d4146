package trouble

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"rowhook/api"
	"rowhook/outbox"
	"rowhook/retry"
	"rowhook/rules"
)

const (
	lookEvery = 5 * time.Second
	// settledAfter is how long a trouble must last, or be over, until that is told: who restarts a receiver wakes nobody.
	settledAfter = 10 * time.Second
	// deadAgain is the time between two that tell of dead deliveries of one rule.
	deadAgain = 10 * time.Minute
	// lastWords is how long the end of a daemon waits until it is told why.
	lastWords = 10 * time.Second
)

// Daemon is what is asked how it is; an *api.Daemon.
type Daemon interface {
	Status(ctx context.Context) (api.Status, error)
	Totals(ctx context.Context) (outbox.Totals, error)
}

// Outbox is where what is told goes; an outbox.Store.
type Outbox interface {
	Resume(ctx context.Context) (outbox.Resume, error)
	Commit(ctx context.Context, b *outbox.Batch) error
	List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error)
}

// Poster makes single requests for what the outbox does not take; a *deliver.Worker.
type Poster interface {
	Post(ctx context.Context, d *outbox.Delivery) error
	// Receiver is the same for rules that post to the same.
	Receiver(rule string) string
}

// Teller looks for trouble and tells it. Make it with New. The goroutine of Run owns all that is not safe for several.
type Teller struct {
	daemon Daemon
	source string // what delivery ids are derived from
	log    *slog.Logger
	set    atomic.Pointer[rules.Set]
	ending chan ending   // asks Run to tell the last thing
	ended  chan struct{} // closed when Run has

	book    *book // nil: not read yet
	outward outward
}

// ending is why the daemon ends.
type ending struct {
	reason error
	told   chan struct{} // closed when that is told, as far as it is
}

// New makes a Teller for some rules.
func New(daemon Daemon, store Outbox, poster Poster, source string, set *rules.Set, log *slog.Logger) *Teller {
	t := &Teller{
		daemon: daemon, source: source, log: log, ending: make(chan ending), ended: make(chan struct{}),
		outward: outward{store: store, poster: poster, log: log},
	}
	t.set.Store(set)
	return t
}

// SetRules replaces the rules.
func (t *Teller) SetRules(set *rules.Set) { t.set.Store(set) }

// Run looks now and again until ctx ends. Without a rule for it, nothing is asked. It may be called once.
func (t *Teller) Run(ctx context.Context) {
	defer close(t.ended)
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	var failing retry.Trouble
	for {
		if err := t.look(ctx, time.Now()); err == nil {
			failing.Over()
		} else if ctx.Err() == nil && failing.Worth(err) {
			t.log.Warn("what befalls rowhook cannot be told to those who have a rule for it; trying again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		case e := <-t.ending:
			t.tellEnding(ctx, e)
		}
	}
}

// Stopped tells that the log cannot be read on, and waits until that is delivered, or for some seconds. The daemon is about to end.
func (t *Teller) Stopped(ctx context.Context, reason error) {
	ctx, stop := context.WithTimeout(ctx, lastWords+lookEvery) // it may be looking
	defer stop()
	e := ending{reason, make(chan struct{})}
	select {
	case t.ending <- e:
	case <-t.ended:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-e.told:
	case <-t.ended:
	case <-ctx.Done():
	}
}

// look looks once, at a time, and tells what began or ended.
func (t *Teller) look(ctx context.Context, now time.Time) error {
	if !t.wanted() {
		return nil
	}
	if err := t.resume(ctx); err != nil {
		return err
	}
	asking, stop := context.WithTimeout(ctx, lookEvery)
	defer stop()
	s, err := t.daemon.Status(asking)
	if err != nil || s.Reader == nil && s.Hindrance == nil && !s.Resting { // it is stuck, or starting: others tell that
		return err
	}
	n := &news{}
	t.book.begun(n, find(&s, now), now)
	t.book.ended(n, &s, now)
	if err := t.countDead(asking, n, now); err != nil {
		return err
	}
	t.take(n)
	return t.outward.send(ctx, now, s.Reader != nil && s.Reader.Stuck())
}

// tellEnding tells why the daemon ends.
func (t *Teller) tellEnding(ctx context.Context, e ending) {
	defer close(e.told)
	ctx, stop := context.WithTimeout(ctx, lastWords)
	defer stop()
	if !t.wanted() || t.resume(ctx) != nil {
		return // the log says why the outbox cannot be read
	}
	now := time.Now()
	trouble := &Trouble{Event: word(rules.ReaderStopped), Since: now, Reason: e.reason.Error(), Fix: "journalctl -u rowhook; rowhook position show"}
	trouble.say("Reading the log has stopped", "")
	if t.book.told[trouble.key()] != nil {
		return
	}
	n := &news{}
	t.book.tell(n, trouble)
	t.take(n)
	t.outward.lanes = nil // there is no later
	if t.outward.send(ctx, now, false) == nil {
		t.outward.awaitLast(ctx)
	}
}

// wanted says whether there is a rule for what befalls rowhook.
func (t *Teller) wanted() bool {
	for r := range t.set.Load().Enabled() {
		if r.Action.Kind == rules.Told {
			return true
		}
	}
	return false
}

// resume reads what was told, once.
func (t *Teller) resume(ctx context.Context) error {
	if t.book != nil {
		return nil
	}
	state, err := t.outward.store.Resume(ctx)
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	t.book = readBook(state.Open, t.log)
	return nil
}

// countDead tells of deliveries that were given up, if anybody wants to know.
func (t *Teller) countDead(ctx context.Context, n *news, now time.Time) error {
	if !slices.ContainsFunc(slices.Collect(t.set.Load().Enabled()), func(r *rules.Rule) bool { return r.WantsTold(rules.DeliveryDead, "") }) {
		t.book.forgetDead(n)
		return nil
	}
	totals, err := t.daemon.Totals(ctx)
	if err != nil {
		return err
	}
	t.book.died(n, totals.Rules, t.tells, now)
	return nil
}

// tells says whether a rule is for what befalls rowhook itself.
func (t *Teller) tells(name string) bool {
	return slices.ContainsFunc(t.set.Load().Rules, func(r *rules.Rule) bool { return r.Name == name && r.Tells() })
}

// take makes of news what goes out.
func (t *Teller) take(n *news) {
	for _, event := range n.events {
		list := t.deliveries(event)
		if len(list) > 0 {
			t.outward.add(list, outbox.EventCount{Site: event.Site, Kind: event.action(), N: 1})
		}
	}
	t.outward.remember(n.records)
}

// deliveries are those of an event, but for rules whose own deliveries the trouble holds up.
func (t *Teller) deliveries(event *Trouble) (list []*outbox.Delivery) {
	for r := range t.set.Load().Enabled() {
		if !r.WantsTold(event.action(), rules.SiteOf(event.Site)) {
			continue
		}
		if slices.Contains(event.rules, r.Name) {
			t.log.Warn("a trouble is not told through what is in trouble: let the rule post elsewhere", slog.String("rule", r.Name), slog.String("trouble", event.Text))
			continue
		}
		if d := t.delivery(event, r); shaped(d, r) {
			list = append(list, d)
		}
	}
	return list
}

// delivery is what a rule gets of an event. Its id is the same whenever it is made.
func (t *Teller) delivery(event *Trouble, r *rules.Rule) *outbox.Delivery {
	created := event.Since
	if !event.Ended.IsZero() {
		created = event.Ended
	}
	h := sha256.New()
	for _, s := range []string{t.source, event.key(), strconv.FormatInt(created.UnixMicro(), 10), r.Name} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	d := &outbox.Delivery{Rule: r.Name, Site: event.Site, Action: event.action(), Kind: event.action(), Keys: []string{event.about()}, Created: created}
	copy(d.ID[:], h.Sum(nil))
	d.Body = body(event, r)
	return d
}

// body is what a rule posts of an event.
func body(event *Trouble, r *rules.Rule) (text []byte) {
	if r.Slack {
		text, _ = json.Marshal(map[string]string{"text": event.Text}) // a text: cannot fail
	} else {
		text, _ = json.Marshal(event) // texts and times of this century: cannot fail
	}
	return text
}

// Sample is what a rule may be sent to try it, as one is made of its event: of rowhook.* of an endpoint that is down. Site is one that
// the rule is for.
func Sample(r *rules.Rule, site string, now time.Time) (action, about string, text []byte) {
	event := &Trouble{Event: word(r.Action.String()), Since: now.UTC().Truncate(time.Second), Reason: "this is a sample", Fix: "nothing"}
	if event.Event == "*" {
		event.Event = word(rules.EndpointDown)
	}
	begins := event.Event
	for beginning, p := range pairs {
		if p.end == event.Event {
			begins, event.Ended, event.Since, event.Fix = beginning, event.Since, event.Since.Add(-time.Minute), ""
		}
	}
	switch begins {
	case word(rules.EndpointDown):
		event.Endpoint = "https://crm.example.com"
	case word(rules.SiteStopped):
		event.Site = site
	case word(rules.DeliveryDead):
		event.Rule, event.Count = "crm-bookings", 1
	}
	event.say("all is well, "+event.Event+" would be told so", "")
	return event.action(), event.about(), body(event, r)
}
