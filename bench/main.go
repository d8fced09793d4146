// Command bench measures rowhook against a loop that reads the same binary log with go-mysql, posts each change with
// net/http over 16 connections and keeps nothing. Both run as processes of their own, by turns, over the same backlog
// and into the same sink, so the ratio holds on a noisy machine. It is run by `make bench`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"rowhook/dbtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		return bare(ctx, os.Args[2:])
	}
	rowhook := flag.String("rowhook", "bin/rowhook", "the rowhook to measure")
	changes := flag.Int("changes", 100_000, "single-row transactions of the backlog")
	rounds := flag.Int("rounds", 3, "rounds of both")
	coalesce := flag.Duration("coalesce", 0, "rowhook's window")
	flag.Parse()
	dir, err := os.MkdirTemp("", "rowhook-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, rowhook: *rowhook, changes: *changes, coalesce: *coalesce}
	return b.run(ctx, *rounds)
}

// bench is one backlog and what is needed to drain it.
type bench struct {
	dir      string
	rowhook  string
	changes  int
	coalesce time.Duration
	server   *dbtest.Server
	sink     *sink
	start    string // the GTID position before the backlog
	columns  string // of the table that is written, for the bare loop
}

// result is one drain.
type result struct {
	wall, cpu time.Duration
	rssMB     float64
}

func (b *bench) run(ctx context.Context, rounds int) (err error) {
	data := filepath.Join(b.dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if b.server, err = dbtest.Launch(ctx, data, "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.server.Kill()) }()
	if b.sink, err = newSink(); err != nil {
		return err
	}
	defer b.sink.close()
	fmt.Printf("writing %d single-row transactions\n", b.changes)
	if err := b.prepare(ctx); err != nil {
		return err
	}
	fmt.Printf("%-8s %10s %12s %12s %8s\n", "", "events/s", "cpu us/event", "wall s", "rss MB")
	var ratios []float64
	for range rounds {
		loop, err := b.drain(ctx, "bare", b.bareCommand())
		if err != nil {
			return err
		}
		command, err := b.rowhookCommand(ctx)
		if err != nil {
			return err
		}
		ours, err := b.drain(ctx, "rowhook", command)
		if err != nil {
			return err
		}
		ratios = append(ratios, loop.wall.Seconds()/ours.wall.Seconds())
	}
	slices.Sort(ratios)
	fmt.Printf("rowhook / bare loop, events a second: median %.2fx of %d rounds (%.2f to %.2f)\n",
		ratios[len(ratios)/2], len(ratios), ratios[0], ratios[len(ratios)-1])
	return nil
}

// drain runs a command until the sink has everything, and measures from the start of the process to the last receipt.
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
