package main

import (
	"context"
	"fmt"
	"time"
)

const (
	parts       = 10
	leastSteady = 0.8 // of the first tenths' events a second, in the last ones
)

// depth drains a deep backlog: throughput must not fall, memory not grow.
func (b *bench) depth(ctx context.Context) error {
	if _, err := b.backlog(ctx, b.deep); err != nil {
		return err
	}
	if err := b.restore(); err != nil {
		return err
	}
	b.sink.reset()
	child, err := start(ctx, b.rowhookCommand())
	if err != nil {
		return err
	}
	fmt.Printf("%-8s %10s %12s %8s\n", "tenth", "events/s", "cpu us/event", "rss MB")
	var rates []float64
	most := 0.0
	at, cpu := time.Now(), time.Duration(0)
	for i := range parts {
		n := b.deep * (i + 1) / parts
		if err := b.sink.wait(ctx, n, child.ended); err != nil {
			return fmt.Errorf("%w\n%s", err, child.tail())
		}
		now := b.sink.last()
		used, rss, err := child.usage()
		if err != nil {
			return err
		}
		share := float64(b.deep) / parts
		rates = append(rates, share/now.Sub(at).Seconds())
		most = max(most, rss)
		fmt.Printf("%-8d %10.0f %12.1f %8.0f\n", i+1, rates[i], float64((used-cpu).Microseconds())/share, rss)
		at, cpu = now, used
	}
	if _, _, err := child.stop(); err != nil {
		return err
	}
	first, last := median(rates[:3]), median(rates[parts-3:])
	b.figures = append(b.figures,
		figure{fmt.Sprintf("depth: the last 3 of 10 parts of %d, by the first 3", b.deep), last / first, leastSteady, "%.2fx", true},
		figure{"depth: resident", most, mostRSS, "%.0f MB", false})
	return nil
}
