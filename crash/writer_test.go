//go:build crash

package crash

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// site is one of the sites on the server.
type site struct{ name, schema, prefix string }

func (s *site) table(name string) string {
	return "`" + s.schema + "`.`" + s.prefix + "vikappointments_" + name + "`"
}

// tables are those of the entities.
var tables = map[string]string{"appointment": "reservation", "customer": "users", "service": "service"}

// Of each site's objects: appointments, of which some are multi-orders of three, customers and services.
const (
	bookings  = 40
	orders    = 5
	customers = 12
	services  = 6
	firstID   = 1000 // below are the sample's
)

// writing is the writers' load, with its journal.
type writing struct {
	db       *sql.DB
	objects  []*object // sorted; who locks several does it in this order
	pools    []pool
	padding  int           // bytes behind each number
	large    int           // one of so many numbers has largePadding bytes behind it; 0: none has
	every    time.Duration // each writer's pace
	received func() int64  // the last number that a receiver was told
	numbers  atomic.Int64
	done     atomic.Int64 // transactions committed
}

// pool is the objects of a kind that a site has.
type pool struct {
	site    *site
	entity  string
	objects []*object
	orders  [][]*object // parents and their two children
}

func newWriting(db *sql.DB, sites []*site) *writing {
	w := &writing{db: db}
	for _, s := range sites {
		for _, entity := range []string{"appointment", "customer", "service"} {
			p := pool{site: s, entity: entity}
			n := map[string]int{"appointment": bookings, "customer": customers, "service": services}[entity]
			for i := range n {
				o := &object{key: key{s.name, entity, int64(firstID + i)}, letter: "W"}
				p.objects = append(p.objects, o)
			}
			for i := range orders {
				if entity != "appointment" {
					break
				}
				parent := &object{key: key{s.name, entity, int64(2000 + 3*i)}, letter: "W", parent: true}
				one := &object{key: key{s.name, entity, parent.id + 1}, letter: "W"}
				two := &object{key: key{s.name, entity, parent.id + 2}, letter: "W"}
				p.orders = append(p.orders, []*object{parent, one, two})
			}
			w.pools = append(w.pools, p)
			w.objects = append(w.objects, p.objects...)
			for _, order := range p.orders {
				w.objects = append(w.objects, order...)
			}
		}
	}
	return w
}

// farBehind is how many numbers the receivers may be behind the writers: on a busy machine these would else get so far
// ahead that what is left at the end takes long. It is more than are written while a daemon is frozen for half a minute.
const farBehind = 10_000

// writer is one of those who write, with choices of its own.
type writer struct {
	*writing
	random *rand.Rand
}

// write writes until stop is closed, or ctx ends.
func (w *writer) write(ctx context.Context, stop <-chan struct{}) error {
	pace := time.NewTicker(w.every)
	defer pace.Stop()
	for {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-pace.C:
		}
		if w.numbers.Load()-w.received() > farBehind {
			continue
		}
		if err := w.once(ctx); err != nil {
			return err
		}
	}
}

// once makes one transaction of some kind.
func (w *writer) once(ctx context.Context) error {
	p := &w.pools[w.random.IntN(len(w.pools)/3)*3] // an appointment's
	switch dice := w.random.IntN(20); {
	case dice < 3:
		p = &w.pools[w.random.IntN(len(w.pools))]
	case dice < 5:
		order := p.orders[w.random.IntN(len(p.orders))]
		return w.transact(ctx, p.site, order, func(t *transaction) { t.multiOrder(order) })
	}
	objects := w.some(p)
	switch dice := w.random.IntN(20); {
	case dice < 3:
		return w.transact(ctx, p.site, objects, func(t *transaction) { t.remove(objects) })
	case dice < 4:
		return w.transact(ctx, p.site, objects, func(t *transaction) { t.churn(objects[0]) })
	case dice < 6:
		return w.transact(ctx, p.site, objects, func(t *transaction) { t.replace(objects) })
	case dice < 7:
		return w.transact(ctx, p.site, objects, func(t *transaction) { t.put(objects); t.rollBack = true })
	case dice < 8:
		return w.transact(ctx, p.site, objects, func(t *transaction) { t.partly(objects) })
	case dice < 11 && p.entity == "appointment":
		return w.transact(ctx, p.site, objects, func(t *transaction) { t.confirm(objects[0]) })
	case dice < 12 && p.entity == "appointment":
		return w.transact(ctx, p.site, objects, func(t *transaction) { t.keepHouse(objects[0]) })
	}
	return w.transact(ctx, p.site, objects, func(t *transaction) { t.put(objects) })
}

// some are one to three of the pool's objects, in the order of locking.
func (w *writer) some(p *pool) []*object {
	n := 1
	if w.random.IntN(4) == 0 {
		n += w.random.IntN(3)
	}
	places := w.random.Perm(len(p.objects))[:min(n, len(p.objects))]
	slices.Sort(places)
	objects := make([]*object, len(places))
	for i, at := range places {
		objects[i] = p.objects[at]
	}
	return objects
}

// transaction is one that is being written.
type transaction struct {
	w        *writer
	ctx      context.Context //nolint:containedctx // of this transaction only; it outlasts the test
	tx       *sql.Tx
	site     *site
	effects  map[*object]*effect
	rollBack bool
	err      error
}

// transact locks the objects, makes a transaction, and enters in the journal what it did.
func (w *writer) transact(ctx context.Context, s *site, objects []*object, do func(*transaction)) error {
	for _, o := range objects {
		o.mu.Lock()
		defer o.mu.Unlock()
	}
	number := w.numbers.Add(1)
	tx, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	t := &transaction{w: w, ctx: context.WithoutCancel(ctx), tx: tx, site: s, effects: map[*object]*effect{}}
	for _, o := range objects {
		t.effects[o] = &effect{existed: o.exists, exists: o.exists, letter: o.letter}
	}
	do(t)
	t.exec("INSERT INTO %s.marks VALUES (%d)", s.schema, number)
	switch {
	case t.err != nil && !lostServer(t.err) && !strings.Contains(t.err.Error(), "Deadlock"):
		return t.err
	case t.err != nil || t.rollBack:
		return nil // the defer rolls back
	}
	if err := tx.Commit(); err != nil {
		committed, err := w.asked(ctx, s, number, err)
		if err != nil || !committed {
			return err
		}
	}
	for _, o := range objects {
		e := t.effects[o]
		o.exists, o.letter = e.exists, e.letter
		o.steps = append(o.steps, e.steps(o, number)...)
	}
	w.done.Add(1)
	return nil
}

// begin waits for a server that was killed.
func (w *writing) begin(ctx context.Context) (tx *sql.Tx, err error) {
	err = w.persist(ctx, func() error {
		tx, err = w.db.BeginTx(context.WithoutCancel(ctx), nil)
		return err
	})
	return tx, err
}

// asked finds out whether a transaction was committed whose answer did not come.
func (w *writing) asked(ctx context.Context, s *site, number int64, commitErr error) (committed bool, err error) {
	if !lostServer(commitErr) {
		return false, commitErr
	}
	err = w.persist(ctx, func() error {
		return w.db.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) > 0 FROM %s.marks WHERE n = %d", s.schema, number)).Scan(&committed)
	})
	return committed, err
}

// persist tries something until the server is there.
func (w *writing) persist(ctx context.Context, do func() error) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	late := time.After(standstill)
	for {
		err := do()
		if err == nil || !lostServer(err) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return err
		}
	}
}

// lostServer says whether an error only tells that the server went away.
func lostServer(err error) bool {
	text := err.Error()
	for _, known := range []string{"invalid connection", "bad connection", "connect:", "EOF", "broken pipe", "reset by peer", "Server shutdown", "closed network"} {
		if strings.Contains(text, known) {
			return true
		}
	}
	return errors.Is(err, sql.ErrConnDone)
}

func (t *transaction) exec(format string, args ...any) {
	if t.err != nil {
		return
	}
	query := fmt.Sprintf(format, args...)
	if _, err := t.tx.ExecContext(t.ctx, query); err != nil {
		t.err = fmt.Errorf("%.100s: %w", query, err)
	}
}
