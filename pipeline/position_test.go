package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
)

// TestSetPosition goes back in the log while events are on their way: they come first, and take in nothing more.
func TestSetPosition(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	b.src.schema = map[int][]cdc.SchemaRecord{0: {{Key: cdc.SchemaPrefix + "a", Data: []byte("columns")}}}
	if stored, err := ReadStored(t.Context(), b.store); stored != nil || err != nil {
		t.Fatalf("at first %+v, %v", stored, err)
	}
	end := b.run()
	b.src.write(txn{b.coupon(0, 1, "old")})
	b.next(0, 1)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	b.opts.Coalesce = time.Minute
	end = b.run()
	b.src.write(txn{b.coupon(0, 2, "open")})
	b.waitOpen()
	if err := end(); err != nil {
		t.Fatal(err)
	}
	back := cdc.Position{Flavor: "mariadb", Start: coord(0)}
	if err := SetPosition(t.Context(), b.store, back); err != nil {
		t.Fatal(err)
	}
	stored, err := ReadStored(t.Context(), b.store)
	if err != nil || stored.Position != back || stored.Events != 1 {
		t.Errorf("then %+v, %v", stored, err)
	}
	state, err := b.store.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range state.Open {
		var ev struct {
			Last   cdc.Coord
			Sealed bool
		}
		head, _, _ := bytes.Cut(r.Data, []byte{'\n'})
		if strings.HasPrefix(r.Key, "e") && (json.Unmarshal(head, &ev) != nil || ev.Last != (cdc.Coord{}) || !ev.Sealed) {
			t.Errorf("an open event is %s", r.Data)
		}
	}
	b.opts.Coalesce = 0
	b.run()
	want := []string{"coupons salon/coupon/2", "coupons salon/coupon/1", "coupons salon/coupon/2"}
	got := b.next(1, 3)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	last := len(b.src.since) - 1
	if b.src.since[last] != 0 || b.src.handed[last] != nil {
		t.Errorf("reading began at %d with schema %v", b.src.since[last], b.src.handed[last])
	}
}

// waitOpen waits until the store holds an event that is not a delivery.
func (b *bench) waitOpen() {
	b.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := patience(b.t).Done()
	for {
		stored, err := ReadStored(b.t.Context(), b.store)
		if err != nil {
			b.t.Fatal(err)
		}
		if stored != nil && stored.Events > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			b.t.Fatal("no event is stored")
		}
	}
}

func TestStoredPositionThatIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "[]", `{"position": 7}`} {
		if p, err := decodePosition([]byte(text)); err == nil || !strings.Contains(err.Error(), "position") {
			t.Errorf("%s is read as %s, %v", fmt.Sprintf("%q", text), p, err)
		}
	}
}
