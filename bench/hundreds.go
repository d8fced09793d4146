package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// What a host with hundreds of sites may expect of discover: true.
const (
	schemas       = 300
	inNetwork     = 100  // sites of one schema more, a network's
	mostStart     = 10.0 // s until all are followed
	mostArrival   = 5.0  // s from a new site's tables to its first webhook
	mostHeldUp    = 2.0  // s that a change of another one takes meanwhile
	othersEvery   = 20 * time.Millisecond
	afterwards    = time.Second // in which others' changes go on
	networkSchema = "network"
)

// host is a server with hundreds of sites that rowhook finds by itself.
type host struct {
	*bench
	db    *sql.DB
	child *child

	mu    sync.Mutex
	heard map[int]time.Time // the first receipt of a change
	last  int
}

// hundreds has rowhook find hundreds of sites: how long a start takes, how much memory it has, and what the others notice when one comes,
// goes or is stopped.
func (b *bench) hundreds(ctx context.Context) (err error) {
	h := &host{bench: b, heard: map[int]time.Time{}, last: spaNumbers}
	if h.db, err = b.server.Open(""); err != nil {
		return err
	}
	defer h.db.Close()
	if err := errors.Join(h.build(ctx), h.writeFiles()); err != nil {
		return err
	}
	b.sink.reset()
	b.sink.observe(h.hear)
	defer b.sink.observe(nil)
	defer b.configure(b.sink.urls[:1], written{}) //nolint:errcheck // the next measurement would say
	began := time.Now()
	if h.child, err = b.follow(ctx); err != nil {
		return err
	}
	defer func() {
		b.sink.dead.Store(false)
		_, _, failed := h.child.stop()
		err = errors.Join(err, failed)
	}()
	h.say("sites: seconds of the first start", time.Since(began).Seconds(), mostStart, "%.1f s")
	for _, measure := range []func(context.Context) error{h.restart, h.check, h.comes, h.comesBesideSilence, h.stops, h.goes} {
		if err := measure(ctx); err != nil {
			return fmt.Errorf("%w\n%s", err, h.child.tail())
		}
	}
	_, rss, err := h.child.usage()
	h.say("sites: resident", rss, mostRSS, "%.0f MB")
	return err
}

func (h *host) say(what string, got, target float64, format string) {
	fmt.Printf("%s: "+format+"\n", what, got)
	h.figures = append(h.figures, figure{fmt.Sprintf("%s, of %d", what, schemas+inNetwork), got, target, format, false})
}

// build makes all sites, as copies of the salon's tables.
func (h *host) build(ctx context.Context) error {
	began := time.Now()
	if _, err := h.db.ExecContext(ctx, fmt.Sprintf("GRANT SELECT ON `kunde\\_%%`.* TO %s@'%%'; GRANT SELECT ON %s.* TO %[1]s@'%%'", user, networkSchema)); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for n := range schemas {
		g.Go(func() error { return h.create(ctx, place{n}.schema(), "wp_") })
	}
	for n := schemas; n < schemas+inNetwork; n++ {
		g.Go(func() error { return h.create(ctx, place{n}.schema(), place{n}.prefix()) })
	}
	err := g.Wait()
	fmt.Printf("%d schemas with a site each and one with %d, made in %.0f s\n", schemas, inNetwork, time.Since(began).Seconds())
	return err
}

// place is where the tables of a site are.
type place struct{ n int }

func (p place) schema() string {
	if p.n >= schemas && p.n < schemas+inNetwork {
		return networkSchema
	}
	return fmt.Sprintf("kunde_%d", p.n)
}

func (p place) prefix() string {
	if p.n > schemas && p.n < schemas+inNetwork {
		return fmt.Sprintf("wp_%d_", p.n-schemas+1)
	}
	return "wp_"
}

// create makes a site with an order.
func (h *host) create(ctx context.Context, schema, prefix string) error {
	var s strings.Builder
	fmt.Fprintf(&s, "CREATE DATABASE IF NOT EXISTS %s;", schema)
	for _, table := range ofASmallSite {
		fmt.Fprintf(&s, "CREATE TABLE %s.%s%s LIKE wordpress.wp_%[3]s;", schema, prefix, table)
	}
	for _, table := range []string{"vikappointments_config", "options"} {
		fmt.Fprintf(&s, "INSERT INTO %s.%s%s SELECT * FROM wordpress.wp_%[3]s;", schema, prefix, table)
	}
	fmt.Fprintf(&s, "INSERT INTO %s.%svikappointments_reservation SELECT * FROM wordpress.wp_vikappointments_reservation WHERE id = 1", schema, prefix)
	_, err := h.db.ExecContext(ctx, s.String())
	return err
}

func (h *host) writeFiles() error {
	config := fmt.Sprintf("database: {address: %q, user: %s, password: %s}\ndiscover: true\nrules: rules.yaml\nstate_dir: state\ncoalesce: 0s\nrestore: report\n",
		h.server.Address(), user, password)
	rules := fmt.Sprintf("rules:\n  - {name: bookings, action: appointment.save, load: full, url: %q}\n  - {name: coupons, action: coupon.save, url: %[1]q}\n"+
		"  - {name: silent, action: appointment.save, sites: [kunde_1], url: %q}\n", h.sink.urls[1], h.sink.urls[0])
	for name, text := range map[string]string{"config.yaml": config, "rules.yaml": rules} {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (h *host) hear(body []byte) {
	now, n := time.Now(), numberIn(body, "notes")
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, again := h.heard[n]; !again {
		h.heard[n] = now
	}
}

// change changes the order of a site, and says which change that is.
func (h *host) change(ctx context.Context, p place) (n int, err error) {
	h.mu.Lock()
	h.last++
	n = h.last
	h.mu.Unlock()
	_, err = h.db.ExecContext(ctx, fmt.Sprintf("UPDATE %s.%svikappointments_reservation SET notes = '%d' WHERE id = 1", p.schema(), p.prefix(), n))
	return n, err
}

// await waits until a change has arrived.
func (h *host) await(ctx context.Context, n int) (at time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		h.mu.Lock()
		at, is := h.heard[n]
		h.mu.Unlock()
		if is {
			return at, nil
		}
		select {
		case <-look.C:
		case <-h.child.ended:
			return at, errors.New("rowhook ended")
		case <-ctx.Done():
			return at, errors.New("waited in vain for a change")
		}
	}
}

// restart starts rowhook while a change waits in the log.
func (h *host) restart(ctx context.Context) error {
	if _, _, err := h.child.stop(); err != nil {
		return err
	}
	n, err := h.change(ctx, place{schemas + inNetwork - 1})
	if err != nil {
		return err
	}
	began := time.Now()
	if h.child, err = start(ctx, h.rowhookCommand()); err != nil {
		return err
	}
	at, err := h.await(ctx, n)
	h.say("sites: seconds from a start to a webhook", at.Sub(began).Seconds(), mostStart, "%.1f s")
	return err
}

// check is how long rowhook check takes.
func (h *host) check(ctx context.Context) error {
	began := time.Now()
	out, err := h.command(ctx, "check")
	if err != nil {
		return fmt.Errorf("rowhook check: %w\n%s", err, out)
	}
	h.say("sites: seconds of rowhook check", time.Since(began).Seconds(), 2*mostStart, "%.1f s")
	return nil
}

// beside does something while changes of all other sites go on, and is how many seconds the slowest of these took.
func (h *host) beside(ctx context.Context, do func(context.Context) error) (slowest float64, err error) {
	g, running := errgroup.WithContext(ctx)
	over := make(chan struct{})
	began := map[int]time.Time{}
	g.Go(func() error {
		pace := time.NewTicker(othersEvery)
		defer pace.Stop()
		for i := 0; ; i++ {
			select {
			case <-over:
				return nil
			case <-running.Done():
				return running.Err()
			case <-pace.C:
			}
			at := time.Now()
			n, err := h.change(running, place{10 + i*7%(schemas+inNetwork-10)})
			if err != nil {
				return err
			}
			began[n] = at
		}
	})
	g.Go(func() error {
		defer close(over)
		if err := do(running); err != nil {
			return err
		}
		select {
		case <-time.After(afterwards):
		case <-running.Done():
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return 0, err
	}
	for n, at := range began {
		arrived, err := h.await(ctx, n)
		if err != nil {
			return 0, err
		}
		slowest = max(slowest, arrived.Sub(at).Seconds())
	}
	return slowest, nil
}

// come makes a new site and waits for its first webhook.
func (h *host) come(ctx context.Context, p place) (took float64, err error) {
	began := time.Now()
	if err := h.create(ctx, p.schema(), p.prefix()); err != nil {
		return 0, err
	}
	n, err := h.change(ctx, p)
	if err != nil {
		return 0, err
	}
	at, err := h.await(ctx, n)
	return at.Sub(began).Seconds(), err
}

func (h *host) comes(ctx context.Context) error {
	var took float64
	slowest, err := h.beside(ctx, func(ctx context.Context) (err error) {
		took, err = h.come(ctx, place{1000})
		return err
	})
	h.say("sites: seconds from a new one's tables to its webhook", took, mostArrival, "%.1f s")
	h.say("sites: the slowest change of another meanwhile", slowest, mostHeldUp, "%.1f s")
	return err
}

// comesBesideSilence is comes while a receiver takes requests and answers none.
func (h *host) comesBesideSilence(ctx context.Context) error {
	h.sink.dead.Store(true)
	defer h.sink.dead.Store(false)
	slowest, err := h.beside(ctx, func(ctx context.Context) error {
		for range 20 {
			n, err := h.change(ctx, place{1})
			if err == nil {
				_, err = h.await(ctx, n)
			}
			if err != nil {
				return err
			}
		}
		_, err := h.come(ctx, place{1001})
		return err
	})
	h.say("sites: the same, beside a receiver that answers nothing", slowest, mostHeldUp, "%.1f s")
	return err
}

// stops writes what cannot be read into a site.
func (h *host) stops(ctx context.Context) error {
	slowest, err := h.beside(ctx, func(ctx context.Context) error {
		return execAll(ctx, h.db, []string{
			"ALTER TABLE kunde_2.wp_vikappointments_coupon MODIFY id VARCHAR(20)", "INSERT INTO kunde_2.wp_vikappointments_coupon (id, code) VALUES ('a', 'b')",
		})
	})
	h.say("sites: the slowest change of another when one is stopped", slowest, mostHeldUp, "%.1f s")
	return err
}

// goes drops a site, and waits until it is let go.
func (h *host) goes(ctx context.Context) error {
	slowest, err := h.beside(ctx, func(ctx context.Context) error {
		if _, err := h.db.ExecContext(ctx, "DROP DATABASE kunde_3"); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, settling)
		defer cancel()
		again := time.NewTicker(200 * time.Millisecond)
		defer again.Stop()
		for {
			if err := h.child.cmd.Process.Signal(syscall.SIGHUP); err != nil { // it looks at once
				return err
			}
			select {
			case <-again.C:
			case <-ctx.Done():
				return errors.New("the dropped site is not let go")
			}
			out, err := h.command(ctx, "sites", "list")
			if err == nil && !strings.Contains(string(out), "kunde_3 ") {
				return nil
			}
		}
	})
	h.say("sites: the slowest change of another when one is dropped", slowest, mostHeldUp, "%.1f s")
	return err
}
