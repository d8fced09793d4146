// Command follow measures what reading costs: rowhook's whole stage (cdc.Source.Follow into a sink that counts, with the
// tables that the daemon watches) against a bare loop of go-mysql with its defaults that counts events. The log is that
// of a busy WordPress, which writes mostly what nobody watches. Both run as processes of their own, by turns, over the
// same log; what counts is the ratio of their CPU time. It fails when the ratio is above its target.
// It is run by `make bench-cdc`.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"rowhook/cdc"
	"rowhook/dbtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "follow:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "bare":
			return bare(ctx, os.Args[2:])
		case "stage":
			return stage(ctx, os.Args[2:])
		}
	}
	statements := flag.Int("statements", 100_000, "statements in the log")
	rounds := flag.Int("rounds", 7, "rounds of both")
	most := flag.Float64("most", 1.3, "the largest ratio that passes")
	flag.Parse()
	dir, err := os.MkdirTemp("", "rowhook-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir}
	return b.run(ctx, *statements, *rounds, *most)
}

// bench is one log and where it is.
type bench struct {
	dir    string
	server *dbtest.Server
	start  cdc.Position
	schema []cdc.SchemaRecord // as a daemon has it stored with the position
	end    cdc.Coord
	counts counts // what must be found in the log
}

// run writes the log and measures both readers. Each reads it once before, for the server's caches.
func (b *bench) run(ctx context.Context, statements, rounds int, most float64) (err error) {
	data := filepath.Join(b.dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if b.server, err = dbtest.Launch(ctx, data, "--max-binlog-size=1G"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.server.Kill()) }()
	fmt.Printf("writing %d single-row transactions\n", statements)
	if err := b.write(ctx, statements); err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	fmt.Printf("%d bytes of log, %d rows of watched tables, %d of wp_options\n", b.end.Offset-b.start.Start.Offset, b.counts.Watched, b.counts.Lookups)
	var ratios, stages, bares []float64
	for round := range rounds + 1 {
		loop, err := b.measure(ctx, "bare")
		if err != nil {
			return err
		}
		ours, err := b.measure(ctx, "stage")
		if err != nil {
			return err
		}
		if round == 0 {
			continue
		}
		fmt.Printf("round %d: bare loop %v, rowhook's stage %v, ratio %.2f\n", round, loop, ours, ours.Seconds()/loop.Seconds())
		ratios = append(ratios, ours.Seconds()/loop.Seconds())
		stages, bares = append(stages, ours.Seconds()), append(bares, loop.Seconds())
	}
	each := 1e6 / float64(statements)
	fmt.Printf("CPU us a transaction: bare loop %.1f, rowhook's stage %.1f\n", median(bares)*each, median(stages)*each)
	ratio := median(ratios)
	fmt.Printf("rowhook's stage / bare loop, CPU: median %.2fx of %d rounds (%.2f to %.2f), at most %.2fx is the target\n",
		ratio, rounds, slices.Min(ratios), slices.Max(ratios), most)
	if ratio > most {
		return errors.New("the target is missed")
	}
	return nil
}

// median sorts.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// measure runs a reader as a process and returns the CPU time it took.
func (b *bench) measure(ctx context.Context, reader string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	begin, err := json.Marshal(stored{b.start, b.schema})
	if err != nil {
		return 0, err
	}
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, os.Args[0], reader, b.server.Address(), string(begin), b.end.File, strconv.FormatUint(b.end.Offset, 10))
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", reader, err, complaint.Bytes())
	}
	var got counts
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		return 0, fmt.Errorf("%s said %q: %w", reader, out.Bytes(), err)
	}
	if want := b.counts; reader == "stage" && (got.Watched != want.Watched || got.Lookups != want.Lookups) {
		return 0, fmt.Errorf("the stage found %+v, want %+v", got, want)
	} else if got.Transactions != want.Transactions {
		return 0, fmt.Errorf("%s found %d transactions, want %d", reader, got.Transactions, want.Transactions)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// counts is what a reader found in the log.
type counts struct {
	Transactions, Events, Watched, Lookups int
}

// where is what a reader is told: where the log is, where it begins, and where it ends.
type where struct {
	stored

	address string
	end     cdc.Coord
}

// stored is what a daemon begins with.
type stored struct {
	Start  cdc.Position
	Schema []cdc.SchemaRecord
}

func parseWhere(args []string) (where, error) {
	if len(args) != 4 {
		return where{}, errors.New("this is for the benchmark itself")
	}
	w := where{address: args[0], end: cdc.Coord{File: args[2]}}
	if err := json.Unmarshal([]byte(args[1]), &w.stored); err != nil {
		return w, err
	}
	var err error
	w.end.Offset, err = strconv.ParseUint(args[3], 10, 64)
	return w, err
}
