package main

import (
	"context"
	"fmt"
)

const (
	leastBeside = 0.8 // of the events a second that are without a dead endpoint
	eachOf      = 1000
)

// neighbours measures what an endpoint that is dead costs the 49 others: every change goes to all of them. It takes in
// requests and answers none, which is the worst that an endpoint can do.
func (b *bench) neighbours(ctx context.Context) error {
	if err := b.configure(b.sink.urls, written{}); err != nil {
		return err
	}
	defer b.configure(b.sink.urls[:1], written{}) //nolint:errcheck // the next measurement would say
	if _, err := b.backlog(ctx, eachOf); err != nil {
		return err
	}
	healthy := len(b.sink.urls) - 1
	fmt.Printf("%d changes to each of %d endpoints, to the %d others when one is dead\n%-8s %10s %12s %12s %8s\n", eachOf, healthy+1, healthy,
		"", "events/s", "cpu us/event", "wall s", "rss MB")
	changes := b.changes
	defer func() { b.changes = changes }()
	var ratios []float64
	for range b.rounds {
		var rates [2]float64
		for i, name := range []string{"healthy", "one dead"} {
			b.sink.dead.Store(i == 1)
			if err := b.restore(); err != nil {
				return err
			}
			b.changes = eachOf * (healthy + 1 - i)
			r, err := b.drain(ctx, name, b.rowhookCommand())
			if err != nil {
				return err
			}
			rates[i] = float64(b.changes) / r.wall.Seconds()
		}
		ratios = append(ratios, rates[1]/rates[0])
	}
	b.sink.dead.Store(false)
	fmt.Println("one dead / all healthy, events a second:", spread(ratios))
	b.figures = append(b.figures,
		figure{"neighbours: events a second of 49 beside a dead one, by all 50", median(ratios), leastBeside, "%.2fx", true})
	return nil
}
