package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/dbtest"
)

const (
	spaEvery   = 10 * time.Millisecond // a change of the spa
	salonRate  = 20                    // changes of the salon a second
	manyRate   = 500                   // of many bookings
	together   = 20                    // changes of the salon in a packet, at a rate above salonRate
	firstOrder = 1000
	seeded     = 200              // orders of each site
	settling   = 90 * time.Second // in which all must be delivered once a trouble is over
	// changed is a column that extended payloads show as it is.
	changed = "purchaser_nominative"
	// spaNumbers begins the numbers of the spa's changes: those of the salon's are smaller.
	spaNumbers = 1 << 24
)

// ofASmallSite are the tables that make events, and those that an order's payload needs at the least.
var ofASmallSite = []string{
	"vikappointments_reservation", "vikappointments_res_opt_assoc", "vikappointments_package_order", "vikappointments_package_order_item",
	"vikappointments_order_status", "vikappointments_service",
	"vikappointments_employee", "vikappointments_users", "vikappointments_config", "vikappointments_coupon", "vikappointments_invoice",
	"options", "users",
}

// neighbourhood is a spa and a salon, or many salons, on one server and followed by one rowhook.
type neighbourhood struct {
	*bench
	trouble
	db    *sql.DB
	child *child
	slow  *slowReceiver // the salons'

	mu     sync.Mutex
	heard  map[int]time.Time // of the spa: the first receipt of a change
	salons map[int]bool      // changes of the salons: whether they are delivered
	change int               // the last of the spa
	last   int               // of the salons
}

func (b *bench) newNeighbourhood(ctx context.Context, t trouble) (w *neighbourhood, err error) {
	w = &neighbourhood{bench: b, trouble: t, heard: map[int]time.Time{}, salons: map[int]bool{}, change: spaNumbers}
	w.sites, w.rate = max(1, t.sites), max(salonRate, t.rate)
	if w.db, err = b.server.Open(""); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close(ctx))
		}
	}()
	if w.set != nil {
		if _, err := w.db.ExecContext(ctx, w.set[0]); err != nil {
			return nil, err
		}
		w.db.Close() // what is set counts for new connections
		if w.db, err = b.server.Open(""); err != nil {
			return nil, err
		}
	}
	if w.slow, err = newSlowReceiver(w.salonHeard); err != nil {
		return nil, err
	}
	for _, schema := range []string{"spa", "salon"} {
		if err := w.build(ctx, schema); err != nil {
			return nil, err
		}
	}
	for n := 1; n < w.sites; n++ {
		var s strings.Builder
		for _, table := range ofASmallSite {
			fmt.Fprintf(&s, "CREATE TABLE salon.%s%s LIKE salon.wp_%[2]s; INSERT INTO salon.%[1]s%[2]s SELECT * FROM salon.wp_%[2]s;", w.prefix(n), table)
		}
		if _, err := w.db.ExecContext(ctx, s.String()); err != nil {
			return nil, err
		}
	}
	if err := w.writeFiles(true); err != nil {
		return nil, err
	}
	b.sink.reset()
	b.sink.observe(w.spaHeard)
	if w.child, err = b.follow(ctx); err != nil {
		return nil, err
	}
	return w, w.warm(ctx)
}

// warm has every site delivered something, so that a start's work is not in what is measured.
func (w *neighbourhood) warm(ctx context.Context) error {
	if err := errors.Join(w.changeSalon(ctx, 4*w.sites), w.changeSpa(ctx), w.settled(ctx)); err != nil {
		return fmt.Errorf("before anything is measured: %w", err)
	}
	return nil
}

// build makes a site's schema anew.
func (w *neighbourhood) build(ctx context.Context, schema string) error {
	if _, err := w.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+schema); err != nil {
		return err
	}
	if err := dbtest.CreateSalon(ctx, w.server, schema, "wp_"); err != nil {
		return err
	}
	return execAll(ctx, w.db, []string{insertOrders(schema, firstOrder, seeded), fmt.Sprintf("GRANT SELECT ON %s.* TO %s@'%%'", schema, user)})
}

func (w *neighbourhood) prefix(n int) string {
	if n == 0 {
		return "wp_"
	}
	return fmt.Sprintf("s%d_", n)
}

// writeFiles writes the configuration, with the salon's rule or without.
func (w *neighbourhood) writeFiles(whole bool) error {
	sites := []string{"{name: spa, schema: spa, prefix: wp_}"}
	names := make([]string, w.sites)
	for n := range w.sites {
		names[n] = fmt.Sprintf("salon%d", n)
		sites = append(sites, fmt.Sprintf("{name: %s, schema: salon, prefix: %s}", names[n], w.prefix(n)))
	}
	rule := "  - {name: %s, action: appointment.save, sites: [%s], load: extended, url: %q}\n"
	text := "rules:\n" + fmt.Sprintf(rule, "spa", "spa", w.sink.urls[0])
	if whole {
		text += fmt.Sprintf(rule, "salon", strings.Join(names, ", "), w.slow.url())
	}
	config := fmt.Sprintf("database: {address: %q, user: %s, password: %s}\nsites: [%s]\nrules: rules.yaml\nstate_dir: state\ncoalesce: 0s\n",
		w.server.Address(), user, password, strings.Join(sites, ", "))
	for name, text := range map[string]string{"config.yaml": config, "rules.yaml": text} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// close ends what is left of it, and takes back what was set.
func (w *neighbourhood) close(ctx context.Context) (err error) {
	w.sink.observe(nil)
	if w.child != nil {
		_, _, err = w.child.stop()
	}
	if w.slow != nil {
		err = errors.Join(err, w.slow.close(ctx))
	}
	if w.set != nil {
		_, failed := w.db.ExecContext(context.WithoutCancel(ctx), w.set[1])
		err = errors.Join(err, failed)
	}
	return errors.Join(err, w.db.Close())
}

func (w *neighbourhood) spaHeard(body []byte) {
	now, n := time.Now(), numberIn(body, changed)
	w.mu.Lock()
	defer w.mu.Unlock()
	for ok := false; !ok && n > spaNumbers; n -= seeded {
		if _, ok = w.heard[n]; !ok {
			w.heard[n] = now
		}
		if w.set == nil { // all that the log shows is the event's own
			return
		}
	} // else the payload may show a later change of the row, which it was loaded with
}

func (w *neighbourhood) salonHeard(body []byte) {
	n := numberIn(body, changed)
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; n > 0; n -= seeded {
		w.salons[n] = true
		if w.set == nil { // as with the spa
			return
		}
	}
}

// begin lets the trouble come.
func (w *neighbourhood) begin(ctx context.Context) error {
	if w.trouble.slow {
		w.slow.delay(w.late)
	}
	if w.rules { // events that are stored, and no deliveries yet
		if err := execAll(ctx, w.db, w.do); err != nil {
			return err
		}
		if err := w.changeSalon(ctx, salonRate); err != nil {
			return err
		}
		if err := w.changeSpa(ctx); err != nil { // behind them
			return err
		}
	}
	if w.down {
		if err := w.stop(); err != nil {
			return err
		}
		if !w.quiet && !w.rules {
			if err := w.changeSalon(ctx, 4*w.sites); err != nil { // what a restart finds
				return err
			}
		}
	}
	if !w.rules {
		if err := execAll(ctx, w.db, w.do); err != nil {
			return err
		}
	} else if err := w.writeFiles(false); err != nil {
		return err
	}
	if w.down {
		return w.start(ctx)
	}
	return nil
}

// end takes the trouble away.
func (w *neighbourhood) end(ctx context.Context) error {
	w.slow.delay(0)
	if err := execAll(ctx, w.db, w.undo); err != nil {
		return err
	}
	switch {
	case w.quiet:
		if err := w.build(ctx, "salon"); err != nil {
			return err
		}
	case w.rules:
		if err := errors.Join(w.stop(), w.writeFiles(true), w.start(ctx)); err != nil {
			return err
		}
	case w.resume:
		if out, err := w.command(ctx, "sites", "resume", "salon0"); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
	}
	return w.changeSalon(ctx, salonRate) // it goes on with the next ones, too
}

func (w *neighbourhood) stop() error {
	_, _, err := w.child.stop()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, w.child.tail())
	}
	w.child = nil
	return err
}

// start starts rowhook again, and returns when it delivers the spa's changes.
func (w *neighbourhood) start(ctx context.Context) (err error) {
	if w.child, err = start(ctx, w.rowhookCommand()); err != nil {
		return err
	}
	return w.changeSpa(ctx)
}

// changeSpa makes one change and waits until it is delivered.
func (w *neighbourhood) changeSpa(ctx context.Context) error {
	w.change++
	if _, err := w.db.ExecContext(ctx, w.update("spa", "wp_", w.change)); err != nil {
		return err
	}
	return w.await(ctx, "the spa's change", func() bool { return !w.heard[w.change].IsZero() })
}

// changeSalon makes changes of the salons.
func (w *neighbourhood) changeSalon(ctx context.Context, n int) error {
	list := make([]string, n)
	w.mu.Lock()
	for i := range list {
		w.last++
		w.salons[w.last] = false
		list[i] = w.update("salon", w.prefix(w.last%w.sites), w.last)
	}
	w.mu.Unlock()
	_, err := w.db.ExecContext(ctx, strings.Join(list, ";"))
	return err
}

func (w *neighbourhood) update(schema, prefix string, n int) string {
	return fmt.Sprintf("UPDATE %s.%svikappointments_reservation SET %s = '%d' WHERE id = %d", schema, prefix, changed, n, firstOrder+n%seeded)
}

// measure changes the spa for a while, and the salons, and returns the p99 from the spa's statements to their receipts in ms.
func (w *neighbourhood) measure(ctx context.Context, salons bool) (float64, error) {
	g, ctx := errgroup.WithContext(ctx)
	over := make(chan struct{})
	if salons {
		g.Go(func() error {
			n := 1
			if w.rate > salonRate {
				n = together
			}
			pace := time.NewTicker(time.Second * time.Duration(n) / time.Duration(w.rate))
			defer pace.Stop()
			for {
				select {
				case <-pace.C:
				case <-over:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
				if err := w.changeSalon(ctx, n); err != nil {
					return err
				}
			}
		})
	}
	first, began := w.change+1, make([]time.Time, w.phase/spaEvery)
	g.Go(func() error {
		defer close(over)
		return w.paceSpa(ctx, began)
	})
	if err := g.Wait(); err != nil {
		return 0, err
	}
	if err := w.await(context.WithoutCancel(ctx), "the spa's changes", func() bool { return !w.heard[w.change].IsZero() }); err != nil {
		return 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var delays []float64
	for i, at := range began {
		heard, ok := w.heard[first+i]
		if !ok {
			return 0, fmt.Errorf("change %d of the spa is not delivered, a later one is", i+1)
		}
		delays = append(delays, heard.Sub(at).Seconds()*1000)
	}
	return percentile(delays, 99), nil
}

// paceSpa makes the spa's changes, and notes when each began.
func (w *neighbourhood) paceSpa(ctx context.Context, began []time.Time) error {
	pace := time.NewTicker(spaEvery)
	defer pace.Stop()
	for i := range began {
		select {
		case <-pace.C:
		case <-w.child.ended:
			return fmt.Errorf("rowhook ended: %s", w.child.tail())
		case <-ctx.Done():
			return ctx.Err()
		}
		w.change++
		began[i] = time.Now()
		if _, err := w.db.ExecContext(ctx, w.update("spa", "wp_", w.change)); err != nil {
			return err
		}
	}
	return nil
}

// await waits until something is so, which is looked at under the lock.
func (w *neighbourhood) await(ctx context.Context, what string, is func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		w.mu.Lock()
		done := is()
		w.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-look.C:
		case <-w.child.ended:
			return fmt.Errorf("rowhook ended: %s", w.child.tail())
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s: %s", what, w.child.tail())
		}
	}
}

// open is how many of the salons' changes are not delivered.
func (w *neighbourhood) open() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, delivered := range w.salons {
		if !delivered {
			n++
		}
	}
	return n
}

// settled waits until all changes of the salons are delivered.
func (w *neighbourhood) settled(ctx context.Context) error {
	return w.await(ctx, "the salon's changes", func() bool {
		return !slices.Contains(slices.Collect(maps.Values(w.salons)), false)
	})
}

// stands is how rowhook says that the salon stands.
func (w *neighbourhood) stands(ctx context.Context) (string, error) {
	out, err := w.command(ctx, "sites", "list", "--json")
	var list struct {
		Sites []struct{ Name, State, Reason string }
	}
	if err == nil {
		err = json.Unmarshal(out, &list)
	}
	if err != nil {
		return "", fmt.Errorf("rowhook sites list: %w\n%s", err, out)
	}
	for _, s := range list.Sites {
		if s.Name == "salon0" && s.Reason != "" {
			return s.State + ": " + shortened(s.Reason), nil
		}
	}
	return "reading", nil
}

// shortened is the beginning of a text, for a table.
func shortened(s string) string {
	const most = 70
	s = strings.ReplaceAll(s, "|", "/")
	if len(s) > most {
		return strconv.Quote(s[:most] + "...")
	}
	return strconv.Quote(s)
}
