package pipeline

import (
	"log/slog"
	"strings"
	"testing"

	"rowhook/outbox"
	"rowhook/rules"
)

// TestEventsOfARuleThatIsGone: events that name a rule or an entity that is gone stay in the outbox, of that site alone, and are
// named; they go on when they are back.
func TestEventsOfARuleThatIsGone(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	end := b.run()
	b.src.write(txn{b.item(0, 1)}) // waits for the database
	b.await("it is stored", func() bool {
		stored, err := ReadStored(t.Context(), b.store)
		return err == nil && stored != nil && stored.BySite["salon"] == 1
	})
	if err := end(); err != nil {
		t.Fatal(err)
	}
	state, err := b.store.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unreadable := outbox.Record{Owner: eventsOwner}
	for _, r := range state.Open {
		if r.Owner == eventsOwner && strings.Contains(string(r.Data), `"entity":"package_order"`) {
			unreadable.Key = r.Key[:len(r.Key)-1] + "f"
			unreadable.Data = []byte(strings.Replace(string(r.Data), `"entity":"package_order"`, `"entity":"no_more"`, 1))
		}
	}
	if err := b.store.Commit(t.Context(), &outbox.Batch{Checkpoint: state.Checkpoint, Open: []outbox.Record{unreadable}}); err != nil {
		t.Fatal(err)
	}
	all := b.rules
	b.rules = strings.Join(strings.Split(all, "\n")[:2], "\n") // no rule for orders
	log := &lockedText{}
	b.log = slog.New(slog.NewTextHandler(log, nil))
	b.run()
	b.src.write(txn{b.coupon(0, 1, "a"), b.coupon(1, 1, "b")})
	b.next(0, 2) // all others go on, the site's own too
	s := b.site(t, 0)
	for _, want := range []string{"rules that wanted stored events are gone", "orders", "cannot be read", "no_more"} {
		if s.State != SiteWaiting || !strings.Contains(s.Reason, want) || !strings.Contains(log.String(), want) || s.Events != 2 {
			t.Errorf("%q is missing in %+v, or in\n%s", want, s, log)
		}
	}
	if s := b.site(t, 1); s.State != SiteReading {
		t.Errorf("the other site: %+v", s)
	}
	set, err := rules.Parse("rules.yaml", []byte(all), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.line.SetRules(t.Context(), &rules.Set{Rules: set}); err != nil {
		t.Fatal(err)
	}
	b.await("with the rule it waits for the database again, the other for its entity", func() bool {
		s := b.site(t, 0)
		return s.Events == 2 && !strings.Contains(s.Reason, "rules that wanted")
	})
}
