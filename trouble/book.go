package trouble

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"rowhook/api"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/rules"
)

// book is what was told, and what is there and may be told soon. It decides what to tell: it asks nobody, and waits for nothing.
type book struct {
	told map[string]*Trouble  // by key
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

// readBook is a book as the outbox has it.
func readBook(open []outbox.Record, log *slog.Logger) *book {
	b := &book{told: map[string]*Trouble{}, seen: map[string]time.Time{}, gone: map[string]time.Time{}}
	for _, r := range open {
		if r.Owner != pipeline.TroubleOwner {
			continue
		}
		var err error
		if r.Key == deadKey {
			err = json.Unmarshal(r.Data, &b.dead)
		} else {
			trouble := new(Trouble)
			if err = json.Unmarshal(r.Data, trouble); err == nil {
				b.told[r.Key] = trouble
			}
		}
		if err != nil { // then it is told once more
			log.Warn("a trouble that was told cannot be read from the outbox", slog.String("key", r.Key), slog.Any("error", err))
		}
	}
	return b
}

// news is what a look at the daemon finds to be told, and what is to be remembered of that.
type news struct {
	events  []*Trouble
	records []outbox.Record
}

// record notes something under a key; nil: nothing any more.
func (n *news) record(key string, v any) {
	r := outbox.Record{Owner: pipeline.TroubleOwner, Key: key}
	if v != nil {
		r.Data, _ = json.Marshal(v) // texts and times of this century: cannot fail
	}
	n.records = append(n.records, r)
}

// begun tells of those that are there for long enough and were not told.
func (b *book) begun(n *news, found []*Trouble, now time.Time) {
	there := map[string]bool{}
	for _, trouble := range found {
		key := trouble.key()
		there[key] = true
		delete(b.gone, key)
		if b.told[key] != nil {
			continue
		}
		if b.seen[key].IsZero() {
			b.seen[key] = now
		}
		if trouble.Since.After(b.seen[key]) {
			trouble.Since = b.seen[key]
		}
		if now.Sub(b.seen[key]) >= settledAfter {
			b.tell(n, trouble)
		}
	}
	for key := range b.seen {
		if !there[key] {
			delete(b.seen, key)
		}
	}
	for key := range b.told {
		if !there[key] && b.gone[key].IsZero() {
			b.gone[key] = now
		}
	}
}

// tell tells of one that begins.
func (b *book) tell(n *news, trouble *Trouble) {
	key := trouble.key()
	n.events = append(n.events, trouble)
	n.record(key, trouble)
	b.told[key] = trouble
	delete(b.seen, key)
}

// ended tells of those that were told and are over for long enough, or about something that is gone as long.
func (b *book) ended(n *news, s *api.Status, now time.Time) {
	for key, trouble := range b.told {
		is := trouble.judge(s)
		if b.gone[key].IsZero() || is == lasts || now.Sub(b.gone[key]) < settledAfter {
			continue
		}
		if end := trouble.ended(is, now); end != nil {
			n.events = append(n.events, end)
		}
		n.record(key, nil)
		delete(b.told, key)
		delete(b.gone, key)
	}
}

// died tells of deliveries that were given up since that was told last. Those of rules that tell something are not told of.
func (b *book) died(n *news, counts []outbox.RuleCount, tells func(rule string) bool, now time.Time) {
	is, changed := map[string]deadCount{}, b.dead == nil
	for _, rule := range counts {
		was, known := b.dead[rule.Rule]
		is[rule.Rule] = was
		switch {
		case b.dead == nil || tells(rule.Rule):
			is[rule.Rule] = deadCount{Dead: rule.Dead}
		case rule.Dead > was.Dead && now.Sub(was.Told) >= deadAgain:
			n.events = append(n.events, died(rule.Rule, rule.Dead-was.Dead, now))
			is[rule.Rule] = deadCount{Dead: rule.Dead, Told: now}
		}
		changed = changed || !known && rule.Dead > 0 || is[rule.Rule] != was
	}
	if changed {
		n.record(deadKey, is)
		b.dead = is
	}
}

// forgetDead is for when nobody wants to know: a later question is not answered with what is long ago.
func (b *book) forgetDead(n *news) {
	if b.dead != nil {
		n.record(deadKey, nil)
		b.dead = nil
	}
}

func died(rule string, count int64, now time.Time) *Trouble {
	t := &Trouble{Event: word(rules.DeliveryDead), Since: now, Rule: rule, Count: count, Fix: "rowhook deliveries list --state dead --rule " + rule}
	what := fmt.Sprintf("%d deliveries of rule %s were given up", count, rule)
	if count == 1 {
		what = "1 delivery of rule " + rule + " was given up"
	}
	t.say(what, "")
	return t
}
