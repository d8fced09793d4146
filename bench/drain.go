package main

import (
	"context"
	"fmt"
	"time"
)

// The targets of a drain.
const (
	leastRatio = 1.3 // of the bare loop's events a second
	mostRSS    = 64  // MB
)

// result is one drain.
type result struct {
	wall, cpu time.Duration
	rssMB     float64
}

// drainAll measures how long a backlog takes, from the start of the process to the last receipt.
func (b *bench) drainAll(ctx context.Context) error {
	start, err := b.backlog(ctx, b.changes)
	if err != nil {
		return err
	}
	fmt.Printf("%-8s %10s %12s %12s %8s\n", "", "events/s", "cpu us/event", "wall s", "rss MB")
	var ratios, cpu []float64
	most := 0.0
	for range b.rounds {
		loop, err := b.drain(ctx, "bare", b.bareCommand(start))
		if err != nil {
			return err
		}
		if err := b.restore(); err != nil {
			return err
		}
		ours, err := b.drain(ctx, "rowhook", b.rowhookCommand())
		if err != nil {
			return err
		}
		ratios = append(ratios, loop.wall.Seconds()/ours.wall.Seconds())
		cpu = append(cpu, loop.cpu.Seconds()/ours.cpu.Seconds())
		most = max(most, ours.rssMB)
	}
	fmt.Println("rowhook / bare loop, events a second:         ", spread(ratios))
	fmt.Println("rowhook / bare loop, events a second of a CPU:", spread(cpu))
	b.figures = append(b.figures,
		figure{"drain: events a second, by those of the bare loop", median(ratios), leastRatio, "%.2fx", true},
		figure{"drain: resident", most, mostRSS, "%.0f MB", false})
	return nil
}

// drain runs a command until the sink has everything.
func (b *bench) drain(ctx context.Context, name string, command []string) (result, error) {
	b.sink.reset()
	began := time.Now()
	child, err := start(ctx, command)
	if err != nil {
		return result{}, err
	}
	if err := b.sink.wait(ctx, b.changes, child.ended); err != nil {
		return result{}, fmt.Errorf("%s: %w\n%s", name, err, child.tail())
	}
	r := result{wall: b.sink.last().Sub(began)}
	r.cpu, r.rssMB, err = child.stop()
	if err != nil {
		return r, fmt.Errorf("%s: %w\n%s", name, err, child.tail())
	}
	n := float64(b.changes)
	fmt.Printf("%-8s %10.0f %12.1f %12.2f %8.0f\n", name, n/r.wall.Seconds(), float64(r.cpu.Microseconds())/n, r.wall.Seconds(), r.rssMB)
	return r, nil
}
