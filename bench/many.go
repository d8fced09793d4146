package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	manySites = 1000
	// mostMany is what an event may cost with many, by what it costs with one. On a busy machine two rounds differ by as much.
	mostMany = 1.1
	// warmUp is the share of the changes that is not counted: a site's first one has its tables looked at.
	warmUp = 0.2
)

// many measures what an event costs with fifty endpoints and with a thousand sites, by what it costs with one of each.
func (b *bench) many(ctx context.Context) error {
	db, err := b.server.Open("")
	if err != nil {
		return err
	}
	defer db.Close()
	if err := b.makeSites(ctx); err != nil {
		return err
	}
	defer db.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE many") //nolint:errcheck // the server ends with the bench
	defer b.configure(b.sink.urls[:1], written{})                          //nolint:errcheck // the next measurement would say
	worlds := []struct {
		name      string
		configure func() error
		each      int // deliveries of a change
		update    func(n int) string
	}{
		{"one of each", func() error { return b.configure(b.sink.urls[:1], written{}) }, 1, update},
		{fmt.Sprint(endpoints, " endpoints"), func() error { return b.configure(b.sink.urls, written{}) }, endpoints, update},
		{fmt.Sprint(manySites, " sites"), b.configureSites, 1, func(n int) string {
			return fmt.Sprintf("UPDATE many.s%d_vikappointments_reservation SET notes = '%d' WHERE id = %d", n%manySites, n, n/manySites%ofEachSite+1)
		}},
	}
	ratios := make([][]float64, len(worlds)) // of each round: a machine that others use is as slow for all of it
	for range b.rounds {
		var one float64
		for i, w := range worlds {
			if err := w.configure(); err != nil {
				return err
			}
			cost, rssMB, err := b.cost(ctx, b.changes/w.each, w.each, w.update)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			fmt.Printf("%-12s %8.1f us of CPU a delivery, %4.0f MB resident\n", w.name, cost, rssMB)
			if i == 0 {
				one = cost
			}
			ratios[i] = append(ratios[i], cost/one)
		}
	}
	for i, w := range worlds[1:] {
		b.figures = append(b.figures, figure{"many: CPU of a delivery with " + w.name + ", by that with one", median(ratios[i+1]), mostMany, "%.2fx", false})
	}
	return nil
}

// cost returns the CPU time of a delivery in microseconds and the most memory that was resident. What a start does, and the first
// change of each site, is not counted.
func (b *bench) cost(ctx context.Context, changes, each int, update func(n int) string) (micros, rssMB float64, err error) {
	child, err := b.follow(ctx)
	if err != nil {
		return 0, 0, err
	}
	first := int(float64(changes) * warmUp)
	if _, err := b.backlogs(ctx, child, first, each, update); err != nil {
		return 0, 0, err
	}
	used, err := b.backlogs(ctx, child, changes-first, each, update)
	if err != nil {
		return 0, 0, err
	}
	if _, rssMB, err = child.stop(); err != nil {
		return 0, 0, fmt.Errorf("%w\n%s", err, child.tail())
	}
	return float64(used.Microseconds()) / float64((changes-first)*each), rssMB, nil
}

// backlogs has rowhook deliver so many changes, some at a time, and returns the CPU time that took. It is frozen while they are made, for
// a server with thousands of tables makes them more slowly, and who follows it closely commits more often; but not for so long that its
// connection is given up.
func (b *bench) backlogs(ctx context.Context, child *child, changes, each int, update func(n int) string) (used time.Duration, err error) {
	const atOnce = 10_000
	for ; changes > 0; changes -= atOnce {
		n := min(changes, atOnce)
		if err := b.idle(ctx, child); err != nil {
			return 0, err
		}
		before, _, err := child.usage()
		if err != nil {
			return 0, err
		}
		b.sink.reset()
		err = child.freeze()
		if err == nil {
			err = b.write(ctx, n, update)
		}
		if err = errors.Join(err, child.thaw()); err != nil {
			return 0, err
		}
		if err := b.sink.wait(ctx, n*each, child.ended); err != nil {
			return 0, fmt.Errorf("%w\n%s", err, child.tail())
		}
		after, _, err := child.usage()
		if err != nil {
			return 0, err
		}
		used += after - before
	}
	return used, nil
}

// idle waits until a process does next to nothing.
func (b *bench) idle(ctx context.Context, child *child) error {
	const look, little = time.Second, 50 * time.Millisecond
	for {
		before, _, err := child.usage()
		if err != nil {
			return err
		}
		select {
		case <-time.After(look):
		case <-child.ended:
			return fmt.Errorf("rowhook ended: %s", child.tail())
		case <-ctx.Done():
			return ctx.Err()
		}
		after, _, err := child.usage()
		if err != nil || after-before < little {
			return err
		}
	}
}

// ofEachSite is how many orders each of many sites has.
const ofEachSite = 5

// makeSites makes sites in one schema, each with its prefix.
func (b *bench) makeSites(ctx context.Context) error {
	db, err := b.server.Open("")
	if err != nil {
		return err
	}
	defer db.Close()
	if err := execAll(ctx, db, []string{"CREATE DATABASE many", fmt.Sprintf("GRANT SELECT ON many.* TO %s@'%%'", user)}); err != nil {
		return err
	}
	fmt.Println("making", manySites, "sites")
	const makers = 4
	g, ctx := errgroup.WithContext(ctx)
	for m := range makers {
		g.Go(func() error {
			for n := m; n < manySites; n += makers {
				var s strings.Builder
				for _, table := range ofASmallSite {
					fmt.Fprintf(&s, "CREATE TABLE many.s%d_%s LIKE wordpress.wp_%[2]s;", n, table)
				}
				fmt.Fprintf(&s, "INSERT INTO many.s%d_vikappointments_reservation SELECT * FROM wordpress.wp_vikappointments_reservation WHERE id <= %d", n, ofEachSite)
				if _, err := db.ExecContext(ctx, s.String()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// configureSites writes a configuration with all of them and one rule.
func (b *bench) configureSites() error {
	if err := b.configure(b.sink.urls[:1], written{}); err != nil {
		return err
	}
	sites := make([]string, manySites)
	for n := range sites {
		sites[n] = fmt.Sprintf("{name: site%d, schema: many, prefix: s%[1]d_}", n)
	}
	file := filepath.Join(b.dir, "config.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	one := "sites: [{name: salon, schema: wordpress, prefix: wp_}]"
	if !strings.Contains(string(text), one) {
		return fmt.Errorf("%s has no %q", file, one)
	}
	return os.WriteFile(file, []byte(strings.Replace(string(text), one, "sites: ["+strings.Join(sites, ", ")+"]", 1)), 0o600)
}
