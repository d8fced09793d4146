// Package loader makes the payloads of closed events.
//
// Some payloads need no more than what the log showed. The others (the object behind a status change, an extended
// payload with all that belongs to an order) are selected from the site's database, in a snapshot that is proven to
// contain the event: the log can be read before the row is visible (DESIGN 6). One snapshot and one round of queries
// serve a whole batch of events; tables that change seldom are remembered until the log says that they did (lookup.go).
package loader

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rowhook/cdc"
	"rowhook/retry"
	"rowhook/rules"
)

// Payload is what one rule gets of an event.
type Payload struct {
	Rule    *rules.Rule
	Body    []byte    // JSON, at most Options.MaxPayload bytes
	Omitted []string  // the columns whose values are left out of Body, for they would make it larger than that
	Object  Object    // what Body shows in place of the whole object
	AsOf    time.Time // when the snapshot was taken that Body was read from; zero: Body is what the log showed
}

// Object says why a payload does not show the whole object.
type Object string

const (
	// Gone says that the object does not exist any more: Body is what the log showed of it.
	Gone Object = "gone"
	// Closure says that the appointment is a blocked time, which has nothing to extend: Body is its row.
	Closure Object = "closure"
	// Partial says that the object's data cannot be read: Body is what the log showed of it.
	Partial Object = "partial"
)

// Options say how payloads are made.
type Options struct {
	Plugin     bool // everything as the plugin would have loaded it (fidelity: plugin), not as it was committed
	MaxPayload int  // of a payload, in bytes; 0: DefaultMaxPayload
}

// DefaultMaxPayload is what receivers take at most, and more than most do; see Options.MaxPayload.
const DefaultMaxPayload = 16 << 20

// Loader reads sites' databases. It is safe for concurrent use.
type Loader struct {
	*maker
	pool    *pool
	src     server
	cache   *cache
	layouts layouts
	zones   zones
	locales locales
	shared  sharedTables
	large   chan struct{} // holds one while an event with large texts is loaded
	queries atomic.Int64  // so far, for benchmarks
}

// server is what a loader must know of the server whose log the events are from.
type server interface {
	MariaDB() bool
}

// New makes a loader over db, a pool to the server that src follows.
func New(db *sql.DB, src server, opts Options, log *slog.Logger) *Loader {
	opts.MaxPayload = cmp.Or(opts.MaxPayload, DefaultMaxPayload)
	return &Loader{
		maker: newMaker(opts, log), pool: newPool(db), src: src, cache: newCache(),
		locales: locales{packs: map[string]languagePack{}, told: map[string]*retry.Trouble{}}, large: make(chan struct{}, 1),
	}
}

// Immediate makes an event's payloads when the log showed all they need; false when Load must.
func (l *Loader) Immediate(ev *rules.Event) ([]Payload, bool) {
	if ev = l.spared([]*rules.Event{ev})[0]; l.needs(ev) != (needs{}) {
		return nil, false
	}
	payloads, err := l.compose(ev, object{}, l.whole(ev, object{}))
	return payloads, err == nil // else Load says why, and is tried again
}

// Load makes the payloads of events of one site: of each event its payloads, none where nobody wants it after all.
// It waits until the database shows what the log showed. TroubleOf tells of an error who has to wait. Where rows are large
// it makes the payloads of the first events only.
func (l *Loader) Load(ctx context.Context, events []*rules.Event) (_ [][]Payload, err error) {
	defer recovered(&err)
	events = l.spared(events)
	payloads, err := l.load(ctx, events)
	for errors.Is(err, errTooMuch) && len(events) > 1 {
		events = events[:len(events)/2]
		payloads, err = l.load(ctx, events)
	}
	if !errors.Is(err, errTooMuch) {
		return payloads, err
	}
	alone, err := l.loadLarge(ctx, events[0])
	debug.FreeOSMemory() // of the rows, before the payload is stored and read again
	return [][]Payload{alone}, err
}

// load makes payloads in which no text is large; errTooMuch when there is one.
func (l *Loader) load(ctx context.Context, events []*rules.Event) ([][]Payload, error) {
	objects, err := l.snapshotOf(ctx, events)
	if err != nil {
		return nil, err
	}
	payloads := make([][]Payload, len(events))
	for i, ev := range events {
		if payloads[i], err = l.compose(ev, objects[i], l.whole(ev, objects[i])); err != nil {
			return nil, err
		}
	}
	return payloads, nil
}

// snapshotOf reads what events need in a snapshot of its own.
func (l *Loader) snapshotOf(ctx context.Context, events []*rules.Event) ([]object, error) {
	newest, _ := l.newest(events)
	if newest == nil {
		return make([]object, len(events)), nil
	}
	snap, err := l.snapshot(ctx, newest)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", newest, err)
	}
	defer snap.close(ctx)
	objects, err := l.objects(ctx, snap, events)
	if err == nil && len(snap.left) > 0 {
		err = errTooMuch
	}
	return objects, err
}

// needs says what an event's payloads need besides what the log showed.
type needs struct {
	row      bool // the object's row
	same     bool // what the log did not show of the event's row
	joined   bool // all that belongs to the order
	settings bool // the site's settings
}

// plugin says whether an event's payloads are as the plugin would load them. It knows nothing of other tables.
func (m *maker) plugin(ev *rules.Event) bool { return m.opts.Plugin && !ev.Action.Entity.Custom }

func (m *maker) needs(ev *rules.Event) needs {
	var n needs
	if ev.Action.Kind == rules.Delete || ev.Action.Kind == rules.Fired || ev.Restored != nil {
		return n
	}
	n.row = ev.Action.Kind == rules.Save && ev.Row.Len() == 0
	n.same = partial(ev) && (!ev.Action.Entity.Custom || len(ev.Table.Key) > 0)
	if len(ev.Rules) == 0 {
		return needs{} // nobody wants it
	}
	for _, r := range ev.Rules {
		switch r.Load {
		case rules.Extended:
			n.row, n.joined = true, true
		case rules.Full:
			n.row = n.row || m.plugin(ev) || ev.Action.Kind == rules.StatusChange
			n.settings = n.settings || m.plugin(ev) || rendererOf(ev.Action.Entity).settings
		}
	}
	return n
}

// object is what was read for an event.
type object struct {
	record            // the object's row; missing when it is gone
	same   record     // the row that the event has a part of; missing when that is gone, or not needed
	orders *orders    // what belongs to it
	set    *lookupSet // the site's settings
	asOf   time.Time
	out    map[cell]bool // values that a payload leaves out
	whole  record        // the event's row completed; missing when that was not done beforehand
}

type objectKey struct {
	table cdc.TableName
	key   rules.Key
}

// rootKey is the key of an event's object.
func rootKey(ev *rules.Event) objectKey {
	return objectKey{ev.Action.Entity.TableOf(ev.Site), ev.IDs[0]}
}

// sameKey is the key of the row that an event has a part of.
func sameKey(ev *rules.Event) objectKey {
	if ev.Action.Entity.Custom {
		return objectKey{ev.Table.TableName, rules.KeyOf(ev.Table, ev.Row)}
	}
	id, _ := ev.Row.Int(ev.Table.Index("id")) // the key is always logged
	return objectKey{ev.Table.TableName, rules.NumberKey(id)}
}

// objects reads what the events need, within the snapshot's bounds.
func (l *Loader) objects(ctx context.Context, snap *snapshot, events []*rules.Event) ([]object, error) {
	objects := make([]object, len(events))
	newest, settings := l.newest(events)
	snap.bytes, snap.left = 0, nil
	rows, err := l.rows(ctx, snap, events)
	if err != nil {
		return nil, fmt.Errorf("loading %d events of site %s: %w", len(events), newest.Site.Name, err)
	}
	for i, ev := range events {
		if l.needs(ev).row {
			objects[i].record = rows[rootKey(ev)]
		}
		if l.needs(ev).same {
			objects[i].same = rows[sameKey(ev)]
		}
		objects[i].asOf = snap.taken
	}
	if settings {
		err := l.join(ctx, snap, newest.Site, events, objects)
		if err != nil && (len(rows) > 0 || !isNoTable(err)) { // nothing is there any more: nothing to join
			return nil, fmt.Errorf("loading %d events of site %s: %w", len(events), newest.Site.Name, err)
		}
	}
	l.queries.Add(int64(snap.queries))
	return objects, nil
}

// newest is the event that the snapshot must contain, nil when none needs one, and whether some event needs settings.
func (m *maker) newest(events []*rules.Event) (newest *rules.Event, settings bool) {
	for _, ev := range events {
		n := m.needs(ev)
		if n == (needs{}) {
			continue
		}
		settings = settings || n.settings || n.joined
		if newest == nil || older(newest, ev) {
			newest = ev
		}
	}
	return newest, settings
}

// older says whether a's last transaction came before b's: by the log's clock, which runs on over servers, then by places.
func older(a, b *rules.Event) bool {
	if !a.Time.Equal(b.Time) {
		return a.Time.Before(b.Time)
	}
	return a.Last.Before(b.Last)
}

// rows selects the rows that events are about.
func (l *Loader) rows(ctx context.Context, snap *snapshot, events []*rules.Event) (map[objectKey]record, error) {
	wanted := map[cdc.TableName][]int64{}
	want := func(k objectKey) {
		id, _ := k.key.Number() // an object may have the id 0
		wanted[k.table] = append(wanted[k.table], id)
	}
	others := map[cdc.TableName][]string{} // conditions
	snap.keys = map[cdc.TableName][]string{}
	for _, ev := range events {
		n := l.needs(ev)
		if n.row {
			want(rootKey(ev))
		}
		switch {
		case n.same && ev.Action.Entity.Custom:
			others[ev.Table.TableName] = append(others[ev.Table.TableName], keyCondition(ev))
			snap.keys[ev.Table.TableName] = keyColumns(ev.Table)
		case n.same:
			want(sameKey(ev))
		}
	}
	for table, ids := range wanted {
		slices.Sort(ids)
		others[table] = append(others[table], "`id` IN ("+idList(slices.Compact(ids))+")")
	}
	rows := map[objectKey]record{}
	for table, conditions := range others {
		found, err := snap.all(ctx, table, strings.Join(conditions, " OR "))
		if isNoTable(err) {
			continue // dropped since, and its rows with it
		}
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			rows[objectKey{table, r.key()}] = r
		}
	}
	return rows, nil
}

// join reads what belongs to the orders that events are about.
func (l *Loader) join(ctx context.Context, snap *snapshot, site *rules.Site, events []*rules.Event, objects []object) error {
	set, err := l.lookupSet(ctx, snap, site)
	if err != nil {
		return err
	}
	roots := map[string][]record{}
	entities := map[string]*rules.Entity{}
	for i, ev := range events {
		objects[i].set = set
		if l.needs(ev).joined && !objects[i].missing() {
			name := ev.Action.Entity.Name
			entities[name] = ev.Action.Entity
			roots[name] = append(roots[name], objects[i].record, l.root(ev, objects[i]))
		}
	}
	joined := map[string]*orders{}
	for name, entity := range entities {
		if joined[name], err = l.readOrders(ctx, snap, set, site, entity, roots[name]); err != nil {
			return err
		}
	}
	for i, ev := range events {
		objects[i].orders = joined[ev.Action.Entity.Name]
	}
	return nil
}

// root is the row that an extended payload shows: what was committed, or with the plugin's fidelity what is loaded.
func (m *maker) root(ev *rules.Event, o object) record {
	if m.opts.Plugin || ev.Action.Kind != rules.Save || ev.Row.Len() == 0 {
		return o.record
	}
	return o.complete(ev)
}
