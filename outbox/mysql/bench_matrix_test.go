//go:build matrix

package mysql

import (
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/outbox"
)

// BenchmarkCommit measures commits of deliveries for 50 endpoints, of 1.8 KB each, beside the outcomes of all of them, of which one in a
// hundred is a failure. It reports the CPU time of this process and of all the servers beside the wall time, and what those write.
//
//	go test -tags matrix -run '^$' -bench Commit -benchtime 3s ./outbox/mysql
func BenchmarkCommit(b *testing.B) {
	durable := []string{"--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1"}
	for _, kind := range dbtest.Servers(b) {
		b.Run(string(kind), func(b *testing.B) {
			server := dbtest.StartServer(b, kind, durable...)
			benchCommits(b, []*dbtest.Server{server}, server.Address())
		})
	}
	b.Run("galera", func(b *testing.B) {
		cluster := dbtest.StartCluster(b, durable...)
		benchCommits(b, cluster.Nodes, cluster.Addresses()...)
	})
}

func benchCommits(b *testing.B, servers []*dbtest.Server, addresses ...string) {
	b.Helper()
	servers[0].CreateUser(b, "rowhook", "secret", "ALL ON `outbox%`.*")
	for n, batch := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			cfg := config(servers[0], fmt.Sprint("outbox", n))
			cfg.Addresses = addresses
			s := open(b, cfg)
			routeMany(b, s, benchEndpoints)
			defer s.Close()
			var settler sync.WaitGroup
			made := make(chan *outbox.Batch, 64)
			settler.Go(func() {
				for c := range made {
					if err := s.Settle(b.Context(), outcomesOf(c)); err != nil {
						b.Error(err)
					}
				}
			})
			defer settler.Wait()
			defer close(made)
			before, took := usedBy(b, servers), []time.Duration(nil)
			for b.Loop() {
				c, began := benchBatch(batch), time.Now()
				if err := s.Commit(b.Context(), c); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
				made <- c
			}
			used := usedBy(b, servers)
			deliveries := float64(b.N * batch)
			slices.Sort(took)
			b.ReportMetric(deliveries/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64(took[len(took)/2])/1e6, "ms-p50")
			b.ReportMetric(float64(took[len(took)*99/100])/1e6, "ms-p99")
			b.ReportMetric(float64(used.client-before.client)/1e3/deliveries, "client-us/delivery")
			b.ReportMetric(float64(used.servers-before.servers)/1e3/deliveries, "server-us/delivery")
			b.ReportMetric(float64(used.written-before.written)/1e3/deliveries, "KB-written/delivery")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// benchEndpoints is among how many the deliveries are spread.
const benchEndpoints = 50

var benchBody = slices.Repeat([]byte("0123456789"), 180)

func benchBatch(n int) *outbox.Batch {
	c := &outbox.Batch{Checkpoint: []byte("position")}
	for i := range n {
		c.Deliveries = append(c.Deliveries, &outbox.Delivery{Rule: fmt.Sprintf("rule%02d", i%benchEndpoints), Kind: "appointment.save", Keys: []string{fmt.Sprint(i)}, Body: benchBody})
	}
	return c
}

// outcomesOf are what became of a batch that is stored.
func outcomesOf(c *outbox.Batch) []outbox.Outcome {
	list := make([]outbox.Outcome, len(c.Deliveries))
	for i, d := range c.Deliveries {
		list[i] = outbox.Outcome{Seq: d.Seq, State: outbox.Delivered, Attempts: 1, Took: time.Millisecond}
		if d.Seq%100 == 0 {
			now := time.Now()
			list[i] = outbox.Outcome{Seq: d.Seq, State: outbox.Waiting, Attempts: 1, Due: now.Add(time.Hour), Attempt: &outbox.Attempt{At: now, Status: 503}}
		}
	}
	return list
}

// benchUsage is what this process and the servers have used so far.
type benchUsage struct {
	client, servers time.Duration
	written         int64
}

func usedBy(b *testing.B, servers []*dbtest.Server) (u benchUsage) {
	b.Helper()
	var is syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &is); err != nil {
		b.Fatal(err)
	}
	u.client = time.Duration(is.Utime.Nano() + is.Stime.Nano())
	for _, s := range servers {
		cpu, written, err := s.Used()
		if err != nil {
			b.Fatal(err)
		}
		u.servers, u.written = u.servers+cpu, u.written+written
	}
	return u
}
