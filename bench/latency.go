package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// The latency is measured at a steady rate.
const (
	changesEvery = 5 * time.Millisecond
	changesOf    = 1000 // a round
	mostMedian   = 2.0  // ms
	mostP99      = 5.0
)

// latency measures the time from the start of a statement, which commits, to the receipt of its request. What the server
// needs for the statement is in it; counted from the return of the commit it would be less.
func (b *bench) latency(ctx context.Context) error {
	db, err := b.server.Open("wordpress")
	if err != nil {
		return err
	}
	defer db.Close()
	fmt.Printf("%d changes a second, from statement to receipt\n%-8s %8s %8s %8s %8s   from commit: %8s %8s\n",
		time.Second/changesEvery, "ms", "p50", "p90", "p99", "max", "p50", "p99")
	all := map[string]*delays{"bare": {}, "rowhook": {}}
	for range b.rounds {
		gtid, err := position(ctx, db)
		if err != nil {
			return err
		}
		loop, err := start(ctx, b.bareCommand(gtid))
		if err != nil {
			return err
		}
		if err := b.steady(ctx, db, loop, 1, all["bare"]); err != nil {
			return fmt.Errorf("bare: %w\n%s", err, loop.tail())
		}
		ours, err := b.follow(ctx)
		if err != nil {
			return err
		}
		if err := b.steady(ctx, db, ours, 1, all["rowhook"]); err != nil {
			return fmt.Errorf("rowhook: %w\n%s", err, ours.tail())
		}
	}
	for _, name := range []string{"bare", "rowhook"} {
		d := all[name]
		fmt.Printf("%-8s %8.2f %8.2f %8.2f %8.2f %23.2f %8.2f\n", name, percentile(d.start, 50), percentile(d.start, 90),
			percentile(d.start, 99), percentile(d.start, 100), percentile(d.commit, 50), percentile(d.commit, 99))
	}
	b.figures = append(b.figures,
		figure{"latency: from statement to receipt, p50", percentile(all["rowhook"].start, 50), mostMedian, "%.2f ms", false},
		figure{"latency: from statement to receipt, p99", percentile(all["rowhook"].start, 99), mostP99, "%.2f ms", false})
	return nil
}

// delays are latencies in milliseconds, from the start of the statement and from the return of its commit.
type delays struct{ start, commit []float64 }

// steady makes changes at the rate while a process follows, and ends it. Each is received so many times, of which the last one counts.
func (b *bench) steady(ctx context.Context, db *sql.DB, child *child, each int, into *delays) error {
	var mu sync.Mutex
	received := make(map[int]time.Time, changesOf)
	b.sink.reset()
	b.sink.observe(func(body []byte) {
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		received[numberIn(body, "notes")] = now
	})
	defer b.sink.observe(nil)
	const warm = changesOf / 10 // not counted
	first := b.made + 1
	b.made += changesOf
	began, ended := make([]time.Time, changesOf), make([]time.Time, changesOf)
	pace := time.NewTicker(changesEvery)
	defer pace.Stop()
	for n := range changesOf {
		select {
		case <-pace.C:
		case <-child.ended:
			return fmt.Errorf("it ended early")
		}
		began[n] = time.Now()
		if _, err := db.ExecContext(ctx, update(first+n)); err != nil {
			return err
		}
		ended[n] = time.Now()
	}
	if err := b.sink.wait(ctx, each*changesOf, child.ended); err != nil {
		return err
	}
	if _, _, err := child.stop(); err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	for n := warm; n < changesOf; n++ {
		at := received[first+n]
		into.start = append(into.start, at.Sub(began[n]).Seconds()*1000)
		into.commit = append(into.commit, at.Sub(ended[n]).Seconds()*1000)
	}
	return nil
}

// numberIn reads which change a request is about, from the column that was changed.
func numberIn(body []byte, column string) int {
	_, rest, _ := bytes.Cut(body, []byte(`"`+column+`":"`))
	text, _, _ := bytes.Cut(rest, []byte(`"`))
	n, _ := strconv.Atoi(string(text)) // 0 where there is none
	return n
}
