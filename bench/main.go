// Command bench measures rowhook against a loop that reads the same binary log with go-mysql, posts each change with
// net/http over 16 connections and keeps nothing. Both run as processes of their own, by turns, over the same changes
// and into the same sink, so the ratio holds on a noisy machine. It is run by `make bench`, and fails when a target is
// missed. Its arguments are what to measure: drain, latency, depth, neighbours, isolation, many, shaped, shared, processes, sites; all when there are none.
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
	"strings"
	"syscall"
	"text/tabwriter"
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

// measurements are by their names on the command line.
var measurements = map[string]func(*bench, context.Context) error{
	"drain": (*bench).drainAll, "latency": (*bench).latency, "depth": (*bench).depth, "neighbours": (*bench).neighbours,
	"isolation": (*bench).isolation, "many": (*bench).many, "shaped": (*bench).shaped, "shared": (*bench).shared, "processes": (*bench).processes, "sites": (*bench).hundreds,
}

func run(ctx context.Context) error {
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		return bare(ctx, os.Args[2:])
	}
	b := new(bench)
	flag.StringVar(&b.rowhook, "rowhook", "bin/rowhook", "the rowhook to measure")
	flag.IntVar(&b.changes, "changes", 100_000, "drain: single-row transactions of the backlog")
	flag.IntVar(&b.deep, "deep", 1_000_000, "depth: the same")
	flag.IntVar(&b.rounds, "rounds", 5, "rounds of everything")
	flag.DurationVar(&b.phase, "phase", 8*time.Second, "isolation: how long is measured, before a trouble and during it")
	flag.StringVar(&b.only, "trouble", "", "isolation: only troubles whose names have this in them")
	flag.DurationVar(&b.late, "late", 5*time.Second, "isolation: how late the slow receiver answers")
	flag.DurationVar(&b.coalesce, "coalesce", 0, "rowhook's window")
	flag.Parse()
	what := flag.Args()
	if len(what) == 0 {
		what = []string{"drain", "latency", "depth", "neighbours", "isolation", "many", "shaped", "shared", "processes", "sites"}
	}
	for _, name := range what {
		if measurements[name] == nil {
			return fmt.Errorf("there is nothing to measure that is called %q", name)
		}
	}
	dir, err := os.MkdirTemp("", "rowhook-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	return b.run(ctx, what)
}

// bench is a database with a salon, and a receiver.
type bench struct {
	rowhook       string
	changes, deep int
	rounds        int
	coalesce      time.Duration
	phase, late   time.Duration // of isolation
	only          string        // the same: what the names of troubles must have in them

	dir     string
	server  *dbtest.Server
	sink    *sink
	columns string // of the table that is written, for the bare loop
	made    int    // changes so far
	figures []figure
}

func (b *bench) run(ctx context.Context, what []string) (err error) {
	data := filepath.Join(b.dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	// The server shall not be what is measured: it need not survive a power cut.
	if b.server, err = dbtest.Launch(ctx, data, "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.server.Kill()) }()
	if b.sink, err = newSink(); err != nil {
		return err
	}
	defer b.sink.close()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, name := range what {
		if err := measurements[name](b, ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return report(b.figures)
}

// figure is what was measured of something that has a target.
type figure struct {
	what        string
	got, target float64
	format      string // of both numbers, with their unit
	least       bool   // the target is the least that will do, or the most
}

func (f figure) met() bool {
	if f.least {
		return f.got >= f.target
	}
	return f.got <= f.target
}

// report prints all figures with their targets, and returns an error that names those that missed theirs.
func report(figures []figure) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(table, "\n| Measured\t| Figure\t| Target\t| \t|\n|---\t|---\t|---\t|---\t|")
	var missed []string
	for _, f := range figures {
		bound, result := "at most ", "met"
		if f.least {
			bound = "at least "
		}
		if !f.met() {
			result = "MISSED"
			missed = append(missed, f.what)
		}
		fmt.Fprintf(table, "| %s\t| "+f.format+"\t| "+bound+f.format+"\t| %s\t|\n", f.what, f.got, f.target, result)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(missed) > 0 {
		return fmt.Errorf("missed: %s", strings.Join(missed, "; "))
	}
	return nil
}

// median and percentile sort the list.
func median(list []float64) float64 { return percentile(list, 50) }

func percentile(list []float64, p int) float64 {
	slices.Sort(list)
	return list[min(len(list)-1, len(list)*p/100)]
}

// spread is a list's median and range.
func spread(list []float64) string {
	return fmt.Sprintf("median %.2f (%.2f to %.2f) of %d rounds", median(list), list[0], list[len(list)-1], len(list))
}
