package sqlite

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"rowhook/outbox"
)

// TestHours: whatever the clock does, each outcome is in the hour that the clock showed; and what is kept has a bound.
func TestHours(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Route(t.Context(), map[string]string{"crm": "a", "chat": "b"}); err != nil {
		t.Fatal(err)
	}
	d := &outbox.Delivery{ID: outbox.ID{1}, Rule: "crm", Body: []byte("{}")}
	if err := s.Commit(t.Context(), &outbox.Batch{Deliveries: []*outbox.Delivery{d}}); err != nil {
		t.Fatal(err)
	}
	at := func(hours ...int64) {
		t.Helper()
		_, err := s.w.change(s.Uptime(), func(c *change) error {
			for _, hour := range hours {
				o := &outcome{Outcome: outbox.Outcome{Seq: 1, State: outbox.Delivered, Took: 20 * time.Millisecond}, Hour: hour}
				if err := c.tally(o, 1, c.ids["a"], false); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, want map[int64]int64) {
		t.Helper()
		for range 2 {
			list, err := s.Hours(t.Context(), "", time.Unix(0, 0))
			if err != nil {
				t.Fatal(err)
			}
			if len(list) != len(want) {
				t.Errorf("%s: got %+v", what, list)
			}
			for _, h := range list {
				if n := want[outbox.HourOf(h.Start)]; h.Endpoint != "a" || h.Delivered != n || h.Times[4] != n || h.Took != time.Duration(n)*20*time.Millisecond {
					t.Errorf("%s: got %+v, want %d", what, h, n)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
		}
	}
	at(1000)
	at(1000, 1000, 1001)
	want("forward", map[int64]int64{1000: 3, 1001: 1})
	at(1001)
	at(900, 900, 1001, 1001)
	at(1100)
	at(1002)
	want("back and forth", map[int64]int64{900: 2, 1000: 3, 1001: 4, 1002: 1, 1100: 1})
	for hour := range int64(2 * outbox.HoursKept) {
		at(2000+hour, 2000+hour)
	}
	kept := map[int64]int64{}
	for hour := range int64(outbox.HoursKept) {
		kept[2000+outbox.HoursKept+hour] = 2
	}
	want("many", kept)
	totals, err := s.Totals(t.Context())
	if err != nil || len(totals.Endpoints) != 1 || totals.Endpoints[0].Delivered != 11+4*outbox.HoursKept {
		t.Errorf("in all %+v, %v", totals, err)
	}
}

// TestEventsOfManySites: events are counted exactly however many sites a commit has, after each commit and after a start; and
// what is written beside the table stays little.
func TestEventsOfManySites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	want := map[string]int64{}
	for n := range 3*mostBeside + 5 {
		b := new(outbox.Batch)
		for i := range []int{1, fewEvents, 3 * fewEvents}[n%3] {
			e := outbox.EventCount{Site: fmt.Sprintf("site %d \"é\"", (n*7+i)%50), Kind: []string{"a.b", "c"}[i%2], N: int64(i + 1)}
			want[e.Site+"/"+e.Kind] += e.N
			b.Events = append(b.Events, e)
		}
		if err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if n%mostBeside == 3 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
		}
		totals, err := s.Totals(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, e := range totals.Events {
			got[e.Site+"/"+e.Kind] += e.N
		}
		if !maps.Equal(got, want) || len(totals.Events) != len(want) {
			t.Fatalf("after %d commits %v, want %v", n+1, got, want)
		}
	}
	if rows, err := number(s.w.conn, `SELECT count(*) FROM counted`); err != nil || rows == 0 || rows >= mostBeside {
		t.Errorf("%d commits lie beside, %v", rows, err)
	}
}

// TestDamagedCount: a count that cannot be read counts nothing, and holds up no commit, now or when it is to be added up.
func TestDamagedCount(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	many := make([]outbox.EventCount, fewEvents+1)
	for i := range many {
		many[i] = outbox.EventCount{Site: "salon", Kind: "k", N: 1}
	}
	for n := range mostBeside + 2 {
		if n == 1 {
			if err := s.w.conn.Exec(`UPDATE counted SET events = '{"k": {"salon": "many"'`); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Commit(t.Context(), &outbox.Batch{Events: many}); err != nil {
			t.Fatal(err)
		}
	}
	totals, err := s.Totals(t.Context())
	if want := int64((mostBeside + 1) * len(many)); err != nil || len(totals.Events) != 1 || totals.Events[0].N != want {
		t.Errorf("counted %+v, want %d, %v", totals.Events, want, err)
	}
}

// TestHoursBeside: commands and pages see them beside the daemon.
func TestHoursBeside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Route(t.Context(), map[string]string{"crm": "a"}); err != nil {
		t.Fatal(err)
	}
	d := &outbox.Delivery{ID: outbox.ID{1}, Rule: "crm", Body: []byte("{}")}
	if err := s.Commit(t.Context(), &outbox.Batch{Deliveries: []*outbox.Delivery{d}, Events: []outbox.EventCount{{Site: "salon", Kind: "coupon.save", N: 1}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context(), []outbox.Outcome{{Seq: 1, State: outbox.Delivered, Attempts: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), &outbox.Batch{Checkpoint: []byte("p")}); err != nil {
		t.Fatal(err)
	}
	beside, err := OpenLog(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	hours, err := beside.Hours(t.Context(), "a", time.Now().Add(-24*time.Hour))
	if err != nil || len(hours) != 1 || hours[0].Delivered != 1 {
		t.Errorf("got %+v, %v", hours, err)
	}
	totals, err := beside.Totals(t.Context())
	if err != nil || len(totals.Events) != 1 || len(totals.Rules) != 1 || totals.Rules[0].Delivered != 1 {
		t.Errorf("got %+v, %v", totals, err)
	}
}

// TestHoursDamaged: counts that cannot be read are no reason not to open.
func TestHoursDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Route(t.Context(), map[string]string{"crm": "a"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, times := range []string{"", "null", "{", "[1,2", `["a"]`, "[1e99]", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]", "[7]"} {
		alter(t, dir, `UPDATE endpoint SET hour = 5, ever_times = '`+times+`'`)
		s := open(t, dir)
		totals, err := s.Totals(t.Context())
		if err != nil || len(totals.Endpoints) == 0 {
			t.Errorf("%s: %+v, %v", times, totals, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
