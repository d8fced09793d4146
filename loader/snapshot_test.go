package loader

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"testing"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/rules"
)

type mariaDB struct{}

func (mariaDB) MariaDB() bool { return true }

// end is where the server's log ends.
func end(t *testing.T, s *dbtest.Server) cdc.Coord {
	t.Helper()
	var file, offset, doDB, ignoreDB string
	if err := s.DB(t, "").QueryRowContext(t.Context(), "SHOW MASTER STATUS").Scan(&file, &offset, &doDB, &ignoreDB); err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(offset, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return cdc.Coord{File: file, Offset: n}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	salon := dbtest.Salon(t, server, "wordpress", "wp_")
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	l := New(server.DB(t, ""), mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
	status := entity(t, "appointment.status_change")
	full := []*rules.Rule{{Name: "full", Load: rules.Full}}
	book := func() int64 {
		id, err := salon.Book(t.Context(), dbtest.Booking{})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	change := func(id int64, last cdc.Coord) *rules.Event {
		return &rules.Event{Site: site, Action: status, IDs: []rules.Key{rules.NumberKey(id)}, Status: "W", Rules: full, Last: last}
	}
	body := func(p []Payload) map[string]any {
		t.Helper()
		var v map[string]any
		if err := json.Unmarshal(p[0].Body, &v); err != nil {
			t.Fatalf("%s: %v", p[0].Body, err)
		}
		return v
	}

	one, two := book(), book()
	payloads, err := l.Load(t.Context(), []*rules.Event{change(one, end(t, server)), change(9999, end(t, server)), change(two, end(t, server))})
	if err != nil {
		t.Fatal(err)
	}
	if got := body(payloads[0])["id"]; got != strconv.FormatInt(one, 10) {
		t.Errorf("the first order's id is %v", got)
	}
	if got := body(payloads[2]); got["id"] != strconv.FormatInt(two, 10) || got["total_cost"] == nil || payloads[2][0].AsOf.IsZero() {
		t.Errorf("the second order is %v", got)
	}
	if payloads[1][0].Object != Gone {
		t.Error("an order that does not exist is not marked as gone")
	}

	// A snapshot must contain the event: this one's transaction ends one byte behind the log, so only the next commit
	// can show it, and what Load returns proves that it waited for that.
	last := end(t, server)
	last.Offset++
	next := two + 1
	got := make(chan []Payload, 1)
	go func() {
		p, err := l.Load(t.Context(), []*rules.Event{change(next, last)})
		if err != nil {
			t.Error(err)
			p = [][]Payload{nil}
		}
		got <- p[0]
	}()
	if id := book(); id != next {
		t.Fatalf("booked %d, want %d", id, next)
	}
	if p := <-got; len(p) == 0 || p[0].Object != "" {
		t.Errorf("loaded %+v from a snapshot that does not contain the event", p)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Load(ctx, []*rules.Event{change(one, last)}); err == nil {
		t.Error("a cancelled load succeeded")
	}
}
