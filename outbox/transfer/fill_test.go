package transfer_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
	"rowhook/outbox/sqlite"
)

// moment is a time as a store keeps it.
var moment = time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)

// alter changes the file in a directory as another program would.
func alter(t *testing.T, dir, sql string) {
	t.Helper()
	c, err := sqlite3.Open(filepath.Join(dir, "outbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Exec(sql); err != nil {
		t.Fatal(err)
	}
}

// older lays down what an older rowhook left, some of it in pieces, some open records among it.
func older(t *testing.T, schema string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"outbox.db", "outbox.db-wal"} {
		packed, err := os.Open(filepath.Join("..", "sqlite", "testdata", schema, name+".gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		r, err := gzip.NewReader(packed)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// inPieces is the last delivery's payload as a version before stored it.
const inPieces = `INSERT INTO piece SELECT 27, n, CAST(zeroblob(65536) || x'01' AS BLOB) FROM (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2);
	INSERT INTO piece VALUES (27, 3, CAST('the end' || x'01' AS BLOB));
	UPDATE delivery SET off = -1, len = 3 * 65536 + 7 WHERE seq = 27;`

// routes are where the rules of fill go.
func routes() map[string]string {
	return map[string]string{"crm": "a", "strict": "a", "down": "d", "paused": "p", "chat": "b", "slack": "a"}
}

// openLocal opens the outbox in a directory, as a daemon does.
func openLocal(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// filler puts everything into a store that there can be.
type filler struct {
	*testing.T
	outbox.Store
	n int
}

// deliveries makes deliveries of a rule.
func (f *filler) deliveries(rule string, n int) (list []*outbox.Delivery) {
	for range n {
		f.n++
		d := &outbox.Delivery{ID: outbox.ID{0xfe, byte(f.n), byte(f.n >> 8)}, Rule: rule, Site: "salon" + fmt.Sprint(f.n%3), Action: "onAfterSaveReservation",
			Kind: "appointment.save", Keys: []string{fmt.Sprintf("salon/reservation/%d", f.n), "a\nb\\c\xff"}, Created: moment.Add(time.Duration(f.n) * time.Second),
			Body: fmt.Appendf(nil, `{"id": %d, "text": "%s"}`, f.n, strings.Repeat("x'\"\\\x00\xff", f.n%300))}
		switch f.n % 7 {
		case 0:
			d.Object, d.AsOf = outbox.Objects()[f.n%len(outbox.Objects())], moment
		case 1:
			d.Omitted = []string{"notes", "log\nfile"}
		case 2:
			d.Body, d.Kind = nil, "coupon.save"
		}
		list = append(list, d)
	}
	return list
}

func (f *filler) commit(b *outbox.Batch) {
	f.Helper()
	must(f.T, f.Commit(f.Context(), b))
}

func (f *filler) settle(outcomes ...outbox.Outcome) {
	f.Helper()
	must(f.T, f.Settle(f.Context(), outcomes))
}

func failed(d *outbox.Delivery, state outbox.State, attempts int, due time.Time) outbox.Outcome {
	return outbox.Outcome{Seq: d.Seq, State: state, Attempts: attempts, Due: due, Attempt: &outbox.Attempt{At: moment.Add(time.Duration(attempts) * time.Minute),
		Latency: time.Duration(attempts) * 1500 * time.Microsecond, Status: 503, Error: "503 Service Unavailable", Response: "down\x00\xff" + strings.Repeat("'", attempts*40)}}
}

func delivered(d *outbox.Delivery) outbox.Outcome {
	return outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1, Took: 3 * time.Millisecond}
}

// fill puts deliveries in every state into the outbox in a directory, and all else that there is: of some much. Days pass meanwhile.
func fill(t *testing.T, dir string, much int) {
	t.Helper()
	for _, part := range []func(f *filler){func(f *filler) { f.fill(much) }, (*filler).rest} {
		store := openLocal(t, dir)
		part(&filler{T: t, Store: store, n: 30_000 * int(store.Uptime()/(72*time.Hour))})
		must(t, store.Close())
		alter(t, dir, fmt.Sprint(`UPDATE state SET uptime = uptime + `, (73*time.Hour).Microseconds()))
	}
}

func (f *filler) fill(much int) {
	t := f.T
	t.Helper()
	_, err := f.Route(t.Context(), routes())
	must(t, err)
	for round := range much {
		var list []*outbox.Delivery
		for _, rule := range []string{"crm", "slack", "chat", "down", "nowhere", "paused"} {
			list = append(list, f.deliveries(rule, 10)...)
		}
		b := &outbox.Batch{Checkpoint: fmt.Appendf(nil, "binlog.000001:%d\x00\xff", round), Deliveries: list, Events: []outbox.EventCount{{Site: "salon1", Kind: "appointment.save", N: int64(len(list))}}}
		for i := range 60 { // so that they are more than one part
			b.Open = append(b.Open, outbox.Record{Owner: []string{"events", "schema", "backfill"}[i%3], Key: fmt.Sprint("key\n\xff", round, i), Data: []byte(strings.Repeat("record\x00", i))})
			if round > 0 && i%4 == 0 { // one of before is gone
				b.Open = append(b.Open, outbox.Record{Owner: []string{"events", "schema", "backfill"}[i%3], Key: fmt.Sprint("key\n\xff", round-1, i)})
			}
		}
		f.commit(b)
		f.treat(round, list)
	}
}

// treat gives deliveries every fate.
func (f *filler) treat(round int, list []*outbox.Delivery) {
	f.Helper()
	var outcomes []outbox.Outcome
	for i, d := range list {
		switch (i + round) % 12 {
		case 0, 1, 2:
			outcomes = append(outcomes, delivered(d))
		case 3:
			outcomes = append(outcomes, failed(d, outbox.Waiting, 1, moment.Add(time.Hour)), failed(d, outbox.Waiting, 2, moment.Add(2*time.Hour)))
		case 4:
			for n := range 5 {
				outcomes = append(outcomes, failed(d, outbox.Waiting, n+1, moment))
			}
			outcomes = append(outcomes, failed(d, outbox.Dead, 6, time.Time{}))
		case 5:
			late := failed(d, outbox.Delivered, 2, time.Time{})
			late.Attempt.Status, late.Attempt.Error = 200, ""
			outcomes = append(outcomes, failed(d, outbox.Waiting, 1, moment), late)
		case 6:
			outcomes = append(outcomes, outbox.Outcome{Seq: d.Seq, State: outbox.Dead})
		}
	}
	f.settle(outcomes...)
	if round%3 != 2 {
		return
	}
	for i, d := range list { // some are sent again, which takes them out of memory
		if i%9 == 0 {
			f.settle(outbox.Outcome{Seq: d.Seq, State: outbox.Waiting, Due: moment, Retried: moment.Add(time.Duration(i) * time.Second)})
		}
	}
}

// rest moves, drops and erases some, and sets settings.
func (f *filler) rest() {
	t, to := f.T, routes()
	t.Helper()
	delete(to, "chat") // its deliveries are held
	to["down"] = "e"   // and these move
	_, err := f.Route(t.Context(), to)
	must(t, err)
	to["chat"] = "b" // they come back, under new numbers
	delete(to, "paused")
	_, err = f.Route(t.Context(), to)
	must(t, err)
	_, err = f.Erase(t.Context(), outbox.Filter{States: []outbox.State{outbox.Delivered, outbox.Dead, outbox.Held}, Rules: []string{"crm", "paused"}, Limit: 70})
	must(t, err)
	_, err = f.Drop(t.Context(), outbox.Filter{Rules: []string{"slack"}, Limit: 20})
	must(t, err)
	_, err = f.Prune(t.Context(), outbox.Keep{Dead: time.Now().Add(time.Hour)}) // dead and held ones go: payloads move
	must(t, err)
	for round := range 5 {
		list := f.deliveries([]string{"crm", "chat", "nowhere", "down", "slack"}[round], 100)
		f.commit(&outbox.Batch{Deliveries: list, Checkpoint: []byte("the last\x00")})
		f.treat(round, list)
	}
	for key, value := range map[string]string{"source_id": "abc", "deliver_pauses": `{"p": "\xff"}`, "long": strings.Repeat("é", 100_000)} {
		was, err := f.Get(t.Context(), key)
		must(t, err)
		must(t, f.CompareAndSet(t.Context(), key, was, value))
	}
}
