package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"rowhook/outbox"
)

// BenchmarkCommit measures what a delivery costs: its commit, its claim, its outcome, and the position. It reports the CPU
// time of the process beside the wall time, which is mostly the disk's.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) { newBench(b, 1).drain(b, n) })
	}
	for _, endpoints := range []int{50, 1000} {
		b.Run(fmt.Sprintf("batch=256/endpoints=%d", endpoints), func(b *testing.B) { newBench(b, endpoints).drain(b, 256) })
	}
}

// BenchmarkIndex is BenchmarkCommit with an index by endpoint over all deliveries, which the schema does without.
func BenchmarkIndex(b *testing.B) {
	for _, endpoints := range []int{1, 50, 1000} {
		b.Run(fmt.Sprintf("batch=256/endpoints=%d", endpoints), func(b *testing.B) {
			w := newBench(b, endpoints)
			if err := w.w.conn.Exec(`CREATE INDEX delivery_endpoint ON delivery(endpoint, number)`); err != nil {
				b.Fatal(err)
			}
			w.drain(b, 256)
		})
	}
}

// BenchmarkCounting measures what is counted for pages and metrics, beside what a commit of 16 deliveries and their outcomes costs (see
// BenchmarkCommit, of which it is the smaller part by far): the same two rows written with the counts in them, and without.
func BenchmarkCounting(b *testing.B) {
	const batch = 16
	for name, counting := range map[string]bool{"without": false, "with": true} {
		b.Run(name, func(b *testing.B) {
			w := newBench(b, 1)
			w.commit(b, batch, func(int) int { return 0 })
			start := cpu(b)
			_, err := w.w.change(0, func(c *change) error {
				for b.Loop() {
					var q queue
					var n counter
					if counting {
						for range batch {
							o := outbox.Outcome{State: outbox.Delivered, Attempts: 1, Took: 3 * time.Millisecond}
							q.tally.Count(&o, false)
							n.ever.Count(&o, false)
						}
						q.last, n.states[outbox.Delivered] = 1, batch
						if err := errors.Join(c.putQueue(1, &q), c.putCounter("rule0", &n)); err != nil {
							return err
						}
						continue
					}
					err := errors.Join(
						c.stmt(`UPDATE endpoint SET last = last + ?, count = count + ?, bytes = bytes + ?, lagging = lagging + ? WHERE id = ?`).int(1).int(0).int(0).int(0).int(1).run(),
						c.stmt(`UPDATE counter SET fresh = fresh + ?, waiting = waiting + ?, delivered = delivered + ?, dead = dead + ?, held = held + ? WHERE rule = ?`).
							int(0).int(0).int(batch).int(0).int(0).text("rule0").run())
					if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(cpu(b)-start)/float64(b.N*batch), "cpu-ns/delivery")
		})
	}
}

// BenchmarkClaim measures reading back what an endpoint has in the file, while another one has far more there.
func BenchmarkClaim(b *testing.B) {
	for _, elsewhere := range []int{0, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("elsewhere=%d", elsewhere), func(b *testing.B) {
			w := newBench(b, 2)
			w.body = w.body[:100]
			for range elsewhere / 4000 {
				w.commit(b, 4000, func(int) int { return 0 })
			}
			const own = 4000
			w.commit(b, own, func(i int) int { return 1 })
			if _, err := w.Route(b.Context(), w.routes); err != nil { // all of it is in the backlog then
				b.Fatal(err)
			}
			start, after, n := cpu(b), int64(0), 0
			for b.Loop() {
				list, err := w.Claim(b.Context(), "endpoint1", after, 100)
				if err != nil || len(list) != 100 {
					b.Fatalf("got %d deliveries, %v", len(list), err)
				}
				after = (after + 100) % own
				n += len(list)
			}
			b.ReportMetric(float64(cpu(b)-start)/float64(n), "cpu-ns/delivery")
		})
	}
}

// bench is a store with many endpoints that take all at once.
type bench struct {
	*Store
	endpoints int
	routes    map[string]string
	body      []byte
	position  []byte
	created   time.Time
	after     []int64
	n         int
}

func newBench(b *testing.B, endpoints int) *bench {
	s, err := Open(b.Context(), b.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	w := &bench{
		Store: s, endpoints: endpoints, routes: make(map[string]string), body: bytes.Repeat([]byte(`{"id":12,"status":"C"}`), 1800/22),
		position: bytes.Repeat([]byte{'p'}, 120), created: time.Now(), after: make([]int64, endpoints),
	}
	for i := range endpoints {
		w.routes[ruleName(i)] = fmt.Sprintf("endpoint%d", i)
	}
	if _, err := s.Route(b.Context(), w.routes); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return w
}

func ruleName(i int) string { return fmt.Sprintf("crm-bookings-%d", i) }

// commit stores n deliveries, each for the endpoint that is chosen.
func (w *bench) commit(b *testing.B, n int, endpoint func(i int) int) {
	batch := outbox.Batch{Checkpoint: w.position, Deliveries: make([]*outbox.Delivery, n),
		Events: []outbox.EventCount{{Site: "salon", Kind: "appointment.save", N: int64(n)}}}
	for i := range batch.Deliveries {
		w.n++
		batch.Deliveries[i] = &outbox.Delivery{
			ID: outbox.ID{byte(w.n), byte(w.n >> 8), byte(w.n >> 16), 7}, Rule: ruleName(endpoint(i)), Site: "salon",
			Action: "onAfterSaveReservation", Kind: "appointment.save", Keys: []string{"salon/reservation/1234567"},
			Created: w.created, AsOf: w.created, Body: w.body,
		}
	}
	if err := w.Commit(b.Context(), &batch); err != nil {
		b.Fatal(err)
	}
}

// drain commits batches of n and settles all of each.
func (w *bench) drain(b *testing.B, n int) {
	start, first := cpu(b), w.n
	var outcomes []outbox.Outcome
	for b.Loop() {
		from := w.n
		w.commit(b, n, func(i int) int { return (from + i) % w.endpoints })
		outcomes = outcomes[:0]
		for e := from; e < from+min(n, w.endpoints); e++ {
			i := e % w.endpoints
			list, err := w.Claim(b.Context(), w.routes[ruleName(i)], w.after[i], n)
			if err != nil || len(list) == 0 {
				b.Fatalf("got %d deliveries, %v", len(list), err)
			}
			for _, d := range list {
				outcomes = append(outcomes, outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1, Took: time.Duration(d.Number) * time.Microsecond})
				w.after[i] = d.Number
			}
		}
		if len(outcomes) != n {
			b.Fatalf("%d of %d were claimed", len(outcomes), n)
		}
		if err := w.Settle(b.Context(), outcomes); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	deliveries := float64(w.n - first)
	b.ReportMetric(float64(cpu(b)-start)/deliveries, "cpu-ns/delivery")
	b.ReportMetric(float64(b.Elapsed())/deliveries, "ns/delivery")
}

// cpu is the time this process has spent on a processor.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
