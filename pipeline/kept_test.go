package pipeline

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
)

// TestLogOfAStoppedSite: who is called at night hears how long there is time, again each hour, and when it is over.
func TestLogOfAStoppedSite(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		stands cdc.Standing
		left   time.Duration // until the file goes
		purged error
		want   string // what is said of the log; empty: nothing
		ways   string
	}{
		"by age":              {stands: cdc.Standing{Retention: 9 * time.Hour}, left: 3 * time.Hour, want: "purged in about 3 hours"},
		"soon":                {stands: cdc.Standing{Retention: time.Hour}, left: 10 * time.Minute, want: "purged in about 10 minutes"},
		"overdue":             {stands: cdc.Standing{Retention: time.Hour}, left: -time.Hour, want: "older than the server keeps it"},
		"being written":       {stands: cdc.Standing{Retention: 48 * time.Hour}, want: "purged in about 48 hours"},
		"hidden":              {stands: cdc.Standing{Hidden: true}, want: "at any time"},
		"size":                {stands: cdc.Standing{Limit: 1000}, want: "more than 1000 bytes"},
		"never":               {},
		"purged already":      {purged: &cdc.StopError{Reason: "the server no longer has the log", Gone: true}, want: "purged already", ways: "rowhook sites resume salon --from-now"},
		"the server is away":  {purged: context.DeadlineExceeded},
		"not a matter of age": {purged: &cdc.StopError{Reason: "another history"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			if test.left != 0 {
				test.stands.Until = now.Add(test.left)
			}
			b := newBench(t, 0)
			log := &lockedText{}
			b.log = slog.New(slog.NewTextHandler(log, nil))
			b.src.stands, b.src.purged = test.stands, test.purged
			b.src.trouble = map[uint64]*cdc.TableError{1: {Table: b.sites[0].Table("coupon"), Txn: cdc.Txn{Start: coord(1)}, Reason: "a statement", Lasting: true}}
			end := b.run()
			b.src.write(txn{b.coupon(0, 1, "a")})
			b.src.write(txn{b.coupon(0, 1, "b")})
			b.src.write(txn{b.coupon(1, 1, "c")})
			b.next(0, 2)
			<-b.src.stood
			var s SiteStatus
			b.await("it is known how long the log is kept", func() bool {
				s = b.site(t, 0)
				return test.want == "" || s.Stop.Kept != LogKept{}
			})
			if s.Stop == nil || !strings.Contains(s.Stop.Kept.Warning(now), test.want) || (s.Stop.Kept.Warning(now) == "") != (test.want == "") {
				t.Errorf("its log is %+v, want %q", s, test.want)
			}
			if ways := strings.Join(s.Ways, "|"); test.ways != "" && ways != test.ways {
				t.Errorf("the ways out are %s", ways)
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			if said := log.String(); strings.Contains(said, "may lose what it has not read") != (test.want != "") || !strings.Contains(said, test.want) {
				t.Errorf("it does not say %q:\n%s", test.want, said)
			}
			stored, err := ReadStored(t.Context(), b.store)
			if err != nil || len(stored.Stops) != 1 || stored.Stops[0].Kept.Until.Unix() != s.Stop.Kept.Until.Unix() || stored.Stops[0].Gone != s.Stop.Gone {
				t.Errorf("stored: %v %+v", err, stored)
			}
		})
	}
}

// TestWarningsComeAgain: each hour, and at once when it becomes another.
func TestWarningsComeAgain(t *testing.T) {
	t.Parallel()
	log := &lockedText{}
	s := newSites(&Config{Log: slog.New(slog.NewTextHandler(log, nil))}, nil, nil, nil, nil, nil)
	d := &detached{site: newBench(t, 0).sites[0], stop: Stop{Kept: LogKept{Until: time.Now().Add(2 * time.Hour)}}}
	for _, since := range []time.Duration{-1, 0, 59 * time.Minute, 61 * time.Minute} { // -1: never said
		before := len(log.String())
		if since >= 0 {
			d.kept.told = time.Now().Add(-since)
		}
		s.tellKept(d)
		if said, want := len(log.String()) > before, since < 0 || since > time.Hour; said != want {
			t.Errorf("%v after the last time it says so: %t", since, said)
		}
	}
}
