package sqlite

import (
	"bytes"
	"fmt"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"rowhook/outbox"
)

// BenchmarkCommit measures what a delivery costs: its commit, its outcome, and the position. It reports the CPU time of
// the process beside the wall time, which is mostly the disk's.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) { benchmarkCommit(b, n) })
	}
}

func benchmarkCommit(b *testing.B, n int) {
	s, err := Open(b.Context(), b.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	body := bytes.Repeat([]byte(`{"id":12,"status":"C"}`), 1800/22)
	position := bytes.Repeat([]byte{'p'}, 120)
	created := time.Now()
	outcomes := make([]outbox.Outcome, n)
	after := int64(0)
	start := cpu(b)
	deliveries := 0
	for b.Loop() {
		batch := outbox.Batch{Checkpoint: position, Deliveries: make([]*outbox.Delivery, n)}
		for i := range batch.Deliveries {
			batch.Deliveries[i] = &outbox.Delivery{
				ID: outbox.ID{byte(i), byte(after), byte(after >> 8), 7}, Rule: "crm-bookings", Site: "salon", Action: "onAfterSaveReservation",
				Kind: "appointment.save", Keys: []string{"salon/reservation/1234567"}, Created: created, AsOf: created, Body: body,
			}
		}
		if err := s.Commit(b.Context(), &batch); err != nil {
			b.Fatal(err)
		}
		list, err := s.Next(b.Context(), after, n)
		if err != nil || len(list) != n {
			b.Fatalf("got %d deliveries, %v", len(list), err)
		}
		for i, d := range list {
			outcomes[i] = outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1}
		}
		if err := s.Settle(outcomes); err != nil {
			b.Fatal(err)
		}
		after = list[n-1].Seq
		deliveries += n
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(cpu(b)-start)/float64(deliveries), "cpu-ns/delivery")
	b.ReportMetric(float64(b.Elapsed())/float64(deliveries), "ns/delivery")
}

// cpu is the time this process has spent on a processor.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
