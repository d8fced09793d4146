package trouble

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rowhook/api"
	"rowhook/outbox"
	"rowhook/pipeline"
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

// Teller looks for trouble and tells it. Make it with New.
type Teller struct {
	daemon Daemon
	outbox Outbox
	source string // what delivery ids are derived from
	log    *slog.Logger

	set atomic.Pointer[rules.Set]

	mu   sync.Mutex
	told map[string]*Trouble  // as the outbox has them, by key; nil: not read yet
	seen map[string]time.Time // since when one that is not told is there
	gone map[string]time.Time // and one that is told is not
	dead map[string]deadCount // by rule; nil: nobody wants to know
}

// deadCount is how many deliveries of a rule were dead when that was told last.
type deadCount struct {
	Dead int64     `json:"dead"`
	Told time.Time `json:"told,omitzero"`
}

// deadKey is the key of the record with those of all rules.
const deadKey = "dead"

// New makes a Teller for some rules.
func New(daemon Daemon, store Outbox, source string, set *rules.Set, log *slog.Logger) *Teller {
	t := &Teller{daemon: daemon, outbox: store, source: source, log: log, seen: map[string]time.Time{}, gone: map[string]time.Time{}}
	t.set.Store(set)
	return t
}

// SetRules replaces the rules.
func (t *Teller) SetRules(set *rules.Set) { t.set.Store(set) }

// Run looks now and again until ctx ends. Without a rule for it, nothing is asked.
func (t *Teller) Run(ctx context.Context) {
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	var failing retry.Trouble
	for {
		if err := t.Look(ctx, time.Now()); err == nil {
			failing.Over()
		} else if ctx.Err() == nil && failing.Worth(err) {
			t.log.Warn("what befalls rowhook cannot be told to those who have a rule for it; trying again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// Look looks once, at a time, and tells what began or ended.
func (t *Teller) Look(ctx context.Context, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.wanted() {
		return nil
	}
	if err := t.resume(ctx); err != nil {
		return err
	}
	asking, stop := context.WithTimeout(ctx, lookEvery)
	defer stop()
	s, err := t.daemon.Status(asking)
	if err != nil || s.Reader == nil { // it is stuck, or not there yet: others tell that
		return err
	}
	b := t.begun(find(&s, now), now)
	t.ended(b, &s, now)
	if err := t.countDead(ctx, b, now); err != nil {
		return err
	}
	return t.commit(ctx, b)
}

// Stopped tells that the log cannot be read on, and waits until that is delivered, or for some seconds. The daemon is about to end.
func (t *Teller) Stopped(ctx context.Context, reason error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.wanted() || t.resume(ctx) != nil {
		return // the log says why the outbox cannot be read
	}
	now := time.Now()
	trouble := &Trouble{Event: word(rules.ReaderStopped), Since: now, Reason: reason.Error(), Fix: "journalctl -u rowhook; rowhook position show"}
	trouble.say("it has stopped")
	b := &bulletin{}
	if t.told[trouble.key()] == nil {
		t.tell(b, trouble, trouble)
	}
	if len(b.batch.Deliveries) == 0 || t.commit(ctx, b) != nil {
		return
	}
	ctx, stop := context.WithTimeout(ctx, lastWords)
	defer stop()
	for _, d := range b.batch.Deliveries {
		for !t.delivered(ctx, d) && retry.Pause(ctx, 100*time.Millisecond) == nil {
		}
	}
}

func (t *Teller) delivered(ctx context.Context, d *outbox.Delivery) bool {
	list, err := t.outbox.List(ctx, outbox.Filter{After: d.Seq - 1, Limit: 1})
	return err != nil || len(list) == 0 || list[0].Seq != d.Seq || list[0].State != outbox.Fresh && list[0].State != outbox.Waiting
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
	if t.told != nil {
		return nil
	}
	state, err := t.outbox.Resume(ctx)
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	t.told = map[string]*Trouble{}
	for _, r := range state.Open {
		if r.Owner != pipeline.TroubleOwner {
			continue
		}
		var err error
		if r.Key == deadKey {
			err = json.Unmarshal(r.Data, &t.dead)
		} else {
			trouble := new(Trouble)
			if err = json.Unmarshal(r.Data, trouble); err == nil {
				t.told[r.Key] = trouble
			}
		}
		if err != nil { // then it is told once more
			t.log.Warn("a trouble that was told cannot be read from the outbox", slog.String("key", r.Key), slog.Any("error", err))
		}
	}
	return nil
}

// bulletin is what one commit tells.
type bulletin struct {
	batch outbox.Batch
	after []func() // once it is durable
}

// begun tells of those that are there for long enough and were not told.
func (t *Teller) begun(found []*Trouble, now time.Time) *bulletin {
	b, there := &bulletin{}, map[string]bool{}
	for _, trouble := range found {
		key := trouble.key()
		there[key] = true
		delete(t.gone, key)
		if t.told[key] != nil {
			continue
		}
		if t.seen[key].IsZero() {
			t.seen[key] = now
		}
		if trouble.Since.After(t.seen[key]) {
			trouble.Since = t.seen[key]
		}
		if now.Sub(t.seen[key]) >= settledAfter {
			t.tell(b, trouble, trouble)
		}
	}
	for key := range t.seen {
		if !there[key] {
			delete(t.seen, key)
		}
	}
	for key := range t.told {
		if !there[key] && t.gone[key].IsZero() {
			t.gone[key] = now
		}
	}
	return b
}

// ended tells of those that were told and are over for long enough.
func (t *Teller) ended(b *bulletin, s *api.Status, now time.Time) {
	for key, trouble := range t.told {
		is := trouble.judge(s)
		if t.gone[key].IsZero() || is == lasts || is == over && now.Sub(t.gone[key]) < settledAfter {
			continue
		}
		if end := trouble.ended(now); is == over && end != nil {
			t.tell(b, end, nil)
		}
		b.batch.Open = append(b.batch.Open, outbox.Record{Owner: pipeline.TroubleOwner, Key: key})
		b.after = append(b.after, func() { delete(t.told, key); delete(t.gone, key) })
	}
}

// countDead tells of deliveries that were given up since that was told last. Those that tell something are not told of.
func (t *Teller) countDead(ctx context.Context, b *bulletin, now time.Time) error {
	if !slices.ContainsFunc(slices.Collect(t.set.Load().Enabled()), func(r *rules.Rule) bool { return r.WantsTold(rules.DeliveryDead, "") }) {
		if t.dead != nil { // who asks later is not told what is long ago
			b.batch.Open = append(b.batch.Open, outbox.Record{Owner: pipeline.TroubleOwner, Key: deadKey})
			b.after = append(b.after, func() { t.dead = nil })
		}
		return nil
	}
	totals, err := t.daemon.Totals(ctx)
	if err != nil {
		return err
	}
	counts, changed := map[string]deadCount{}, t.dead == nil
	for _, rule := range totals.Rules {
		was, known := t.dead[rule.Rule]
		counts[rule.Rule] = was
		switch {
		case t.dead == nil || t.tells(rule.Rule):
			counts[rule.Rule] = deadCount{Dead: rule.Dead}
		case rule.Dead > was.Dead && now.Sub(was.Told) >= deadAgain:
			trouble := &Trouble{Event: word(rules.DeliveryDead), Since: now, Rule: rule.Rule, Count: rule.Dead - was.Dead,
				Fix: "rowhook deliveries list --state dead --rule " + rule.Rule}
			trouble.say(fmt.Sprintf("%d deliveries of rule %s were given up", trouble.Count, rule.Rule))
			t.tell(b, trouble, nil)
			counts[rule.Rule] = deadCount{Dead: rule.Dead, Told: now}
		}
		changed = changed || !known && rule.Dead > 0 || counts[rule.Rule] != was
	}
	if !changed {
		return nil
	}
	data, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	b.batch.Open = append(b.batch.Open, outbox.Record{Owner: pipeline.TroubleOwner, Key: deadKey, Data: data})
	b.after = append(b.after, func() { t.dead = counts })
	return nil
}

// tells says whether a rule is for what befalls rowhook itself.
func (t *Teller) tells(name string) bool {
	return slices.ContainsFunc(t.set.Load().Rules, func(r *rules.Rule) bool { return r.Name == name && r.Tells() })
}

// tell makes deliveries of an event, but for rules whose own deliveries the trouble holds up. Keep is remembered, so that it is not
// told again, and its end is.
func (t *Teller) tell(b *bulletin, event, keep *Trouble) {
	n := len(b.batch.Deliveries)
	for r := range t.set.Load().Enabled() {
		if !r.WantsTold(event.action(), rules.SiteOf(event.Site)) {
			continue
		}
		if slices.Contains(event.rules, r.Name) {
			t.log.Warn("a trouble is not told through what is in trouble: let the rule post elsewhere", slog.String("rule", r.Name), slog.String("trouble", event.Text))
			continue
		}
		if d := t.delivery(event, r); shaped(d, r) {
			b.batch.Deliveries = append(b.batch.Deliveries, d)
		}
	}
	if len(b.batch.Deliveries) > n {
		b.batch.Events = append(b.batch.Events, outbox.EventCount{Site: event.Site, Kind: event.action(), N: 1})
	}
	if keep == nil {
		return
	}
	data, err := json.Marshal(keep)
	if err != nil {
		return // texts and times of this century: cannot be
	}
	key := keep.key()
	b.batch.Open = append(b.batch.Open, outbox.Record{Owner: pipeline.TroubleOwner, Key: key, Data: data})
	b.after = append(b.after, func() { t.told[key] = keep; delete(t.seen, key) })
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

// Sample is what a rule may be sent to try it.
func Sample(r *rules.Rule, now time.Time) []byte {
	event := &Trouble{Event: word(r.Action.String()), Since: now.UTC().Truncate(time.Second), Endpoint: "https://crm.example.com", Reason: "this is a sample", Fix: "nothing"}
	if event.Event == "*" {
		event.Event = word(rules.EndpointDown)
	}
	event.say("has nothing, " + event.Event + " would be told so")
	return body(event, r)
}

// commit makes a bulletin durable, if it says something.
func (t *Teller) commit(ctx context.Context, b *bulletin) error {
	if len(b.batch.Deliveries)+len(b.batch.Open) == 0 {
		return nil
	}
	if err := t.outbox.Commit(ctx, &b.batch); err != nil {
		return fmt.Errorf("committing to the outbox: %w", err)
	}
	for _, do := range b.after {
		do()
	}
	return nil
}
