package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/marks"
	"rowhook/outbox/transfer"
	"rowhook/retry"
)

// Whole is an outbox that no other process works on, to be read or written as a whole. Make it with OpenWhole.
type Whole struct {
	s      *Store
	uptime atomic.Int64 // a time.Duration, which stands: nothing that is stored grows older
	load   load
	head   *transfer.Head        // of Put
	fresh  map[string]*marks.Set // of Put, by endpoint: the numbers of what is fresh
	left   map[string]*undone
}

var _ transfer.Target = (*Whole)(nil)

// largeTimeout is how long a statement may take: one with a payload of 64 MB takes longer than many a lease lasts, which is renewed
// meanwhile.
const largeTimeout = time.Minute

// OpenWhole opens the outbox, and makes it when there is none. It holds the reader's lease until it is closed. The error is
// outbox.ErrLocked while another process works on the outbox, or could.
func OpenWhole(ctx context.Context, cfg Config, log *slog.Logger) (*Whole, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.NoWait = true
	connector := newConnector(cfg, false)
	connector.timeout = max(connector.timeout, largeTimeout)
	o := &Whole{fresh: make(map[string]*marks.Set), left: make(map[string]*undone)}
	clock := func(before time.Duration) clock {
		o.uptime.Store(int64(before))
		return clock{stands: &o.uptime}
	}
	s, err := (&opening{cfg: &cfg, log: log, connector: connector, pools: openPools(connector), watch: &watch{cfg: &cfg, log: log}, clock: clock}).open(ctx)
	if err != nil {
		return nil, err
	}
	o.s = s
	if err := o.alone(ctx); err != nil {
		return nil, errors.Join(explain("open", &cfg, err), s.Close())
	}
	return o, nil
}

// Close lets other processes work on it.
func (o *Whole) Close() error { return o.s.Close() }

// alone waits until nobody else is a member of those who work on the outbox, and all that they handed over is recorded: one that
// ended a moment ago is gone soon, and one that was killed once it was silent for long enough.
func (o *Whole) alone(ctx context.Context) error {
	const asks = 20 // within a lease
	for patience := 2 * asks; ; patience-- {
		name, waiting, err := o.company(ctx)
		switch {
		case err != nil:
			return err
		case name == "" && waiting == 0:
			return nil
		case patience == 0 && name != "":
			return fmt.Errorf("%w: %s works on it, too", outbox.ErrLocked, name)
		case patience == 0:
			return fmt.Errorf("%d outcomes wait to be recorded: start rowhook once more, and stop it", waiting)
		}
		if err := retry.Pause(ctx, o.s.cfg.lease()/asks); err != nil {
			return err
		}
		if err := o.s.writer.usable(ctx); err != nil {
			return err
		}
	}
}

func (o *Whole) company(ctx context.Context) (name string, waiting int64, err error) {
	err = o.s.pools.reads.QueryRowContext(ctx, `SELECT COALESCE((SELECT MIN(id) FROM member WHERE id != ?), ''), (SELECT COUNT(*) FROM outcome)`,
		[]byte(o.s.lease.owner)).Scan(&name, &waiting)
	return name, waiting, err
}

// Export hands over all that there is.
func (o *Whole) Export(ctx context.Context, take func(context.Context, *transfer.Part) error) error {
	if err := o.s.writer.usable(ctx); err != nil {
		return err
	}
	e := &export{reader: o.s.reader}
	head, err := e.head(ctx)
	if err != nil {
		return explain("read", o.s.cfg, err)
	}
	if err := take(ctx, &transfer.Part{Head: head}); err != nil {
		return err
	}
	order, err := e.recordOrder(ctx)
	for err == nil && len(order) > 0 {
		p := new(transfer.Part)
		if order, err = e.records(ctx, order, p); err == nil {
			err = take(ctx, p)
		}
	}
	for seq := int64(0); err == nil; {
		p := new(transfer.Part)
		if err = e.deliveries(ctx, seq, p); err != nil {
			break
		}
		if len(p.Deliveries) == 0 {
			return o.s.writer.usable(ctx) // as nobody else could have written meanwhile
		}
		seq = p.Deliveries[len(p.Deliveries)-1].Seq
		if err := take(ctx, p); err != nil {
			return err
		}
	}
	return explain("read", o.s.cfg, err)
}

// export reads what nobody changes meanwhile: it needs no snapshot, so no transaction is open while another store is written.
type export struct {
	reader
	words words
	ends  map[int64]*end
}

// head reads what is not many.
func (e *export) head(ctx context.Context) (h *transfer.Head, err error) {
	h = new(transfer.Head)
	var uptime int64
	err = e.db.QueryRowContext(ctx, `SELECT p.checkpoint, s.last, l.uptime, GREATEST(COALESCE((SELECT MAX(len) FROM delivery), 0),
		COALESCE((SELECT MAX(LENGTH(data)) FROM record), 0), COALESCE(LENGTH(p.checkpoint), 0))
		FROM progress p, state s, lease l WHERE p.id = 1 AND s.id = 1 AND l.name = 'reader'`).Scan(&h.Checkpoint, &h.Last, &uptime, &h.Largest)
	if err != nil {
		return nil, err
	}
	h.Uptime = duration(uptime)
	if e.words, err = readWords(ctx, e.db); err != nil {
		return nil, err
	}
	if e.ends, err = readEnds(ctx, e.db); err != nil {
		return nil, err
	}
	if err := e.settings(ctx, h); err != nil {
		return nil, err
	}
	return h, e.counted(ctx, h)
}

func (e *export) settings(ctx context.Context, h *transfer.Head) error {
	err := each(ctx, e.db, `SELECT k, v FROM setting`, nil, func(scan func(...any) error) (bool, error) {
		var s transfer.Setting
		err := scan(&s.Key, &s.Value)
		h.Settings = append(h.Settings, s)
		return true, err
	})
	if err != nil {
		return err
	}
	return each(ctx, e.db, `SELECT r.rule, e.name FROM route r JOIN endpoint e ON e.id = r.endpoint`, nil, func(scan func(...any) error) (bool, error) {
		var r transfer.Route
		err := scan(&r.Rule, &r.Endpoint)
		h.Routes = append(h.Routes, r)
		return true, err
	})
}

// counted reads what was counted.
func (e *export) counted(ctx context.Context, h *transfer.Head) error {
	totals, err := e.totals(ctx)
	if err != nil {
		return err
	}
	hours, err := e.hours(ctx, "", time.Time{})
	if err != nil {
		return err
	}
	counters, err := byRule(ctx, e.db)
	if err != nil {
		return err
	}
	h.Events = totals.Events
	for name, n := range counters {
		h.Rules = append(h.Rules, transfer.Rule{Name: name, States: n.states, Ever: n.ever})
	}
	tallies := make(map[string]outbox.Tally)
	for _, t := range totals.Endpoints {
		tallies[t.Endpoint] = t.Tally
	}
	for id, name := range e.words.endpoints {
		one := transfer.Endpoint{Name: name, Tally: tallies[name]}
		if end := e.ends[id]; end != nil {
			one.Last, one.Count, one.Bytes = end.last, end.count(), end.bytesIn-end.bytes
		}
		h.Endpoints = append(h.Endpoints, one)
	}
	h.AddHours(hours)
	return nil
}

// spot is a record, by its hash, and how long it is.
type spot struct {
	hash []byte
	size int64
}

// recordOrder reads in which order the records are.
func (e *export) recordOrder(ctx context.Context) (order []spot, err error) {
	return order, each(ctx, e.db, `SELECT h, LENGTH(data) FROM record ORDER BY ord`, nil, func(scan func(...any) error) (bool, error) {
		var p spot
		err := scan(&p.hash, &p.size)
		order = append(order, p)
		return true, err
	})
}

// records reads the first ones, and returns those that are left.
func (e *export) records(ctx context.Context, order []spot, p *transfer.Part) ([]spot, error) {
	var hashes []any
	for size := int64(0); len(order) > 0 && len(hashes) < transfer.PartLength && size < transfer.PartBytes; order = order[1:] {
		hashes = append(hashes, order[0].hash)
		size += order[0].size
	}
	return order, each(ctx, e.db, `SELECT owner, k, data FROM record WHERE h IN (?`+strings.Repeat(", ?", len(hashes)-1)+`) ORDER BY ord`, hashes, func(scan func(...any) error) (bool, error) {
		var r outbox.Record
		err := scan(&r.Owner, &r.Key, &r.Data)
		p.Records = append(p.Records, r)
		return true, err
	})
}

// more is what is known of a delivery beside storedColumns.
type more struct {
	kept  time.Time
	tried int64 // bytes of its attempts
}

// deliveries reads some beyond a Seq.
func (e *export) deliveries(ctx context.Context, seq int64, p *transfer.Part) error {
	var items []*item
	const from = `FROM delivery d LEFT JOIN failed f ON f.seq = d.seq` + lastAttempt + ` WHERE d.seq > ? ORDER BY d.seq LIMIT ?`
	err := each(ctx, e.db, storedColumns+from, []any{seq, transfer.PartLength}, func(scan func(...any) error) (bool, error) {
		it, err := scanItem(scan, &e.words, e.ends)
		items = append(items, it)
		return true, err
	})
	if err != nil || len(items) == 0 {
		return err
	}
	known, err := e.more(ctx, seq, items[len(items)-1].Seq)
	if err != nil {
		return err
	}
	size := int64(0)
	for i, it := range items {
		if size >= transfer.PartBytes {
			items = items[:i]
			break
		}
		size += it.length + known[it.Seq].tried
	}
	if err := e.payloads(ctx, items); err != nil {
		return err
	}
	bySeq := make(map[int64]*transfer.Delivery)
	for _, it := range items {
		d := &transfer.Delivery{Delivery: it.Delivery, State: it.State, Attempts: it.Attempts, Due: it.Due, Retried: it.Retried,
			Kept: known[it.Seq].kept, Failing: it.failing, Erased: it.Erased}
		if d.State.Undelivered() {
			d.Since = it.since
		}
		p.Deliveries = append(p.Deliveries, d)
		bySeq[d.Seq] = d
	}
	return e.attempts(ctx, seq, items[len(items)-1].Seq, bySeq)
}

func (e *export) more(ctx context.Context, after, last int64) (map[int64]more, error) {
	known := make(map[int64]more)
	const query = `SELECT d.seq, d.kept, COALESCE((SELECT SUM(LENGTH(error) + LENGTH(response) + 256) FROM attempt WHERE seq = d.seq), 0)
		FROM delivery d WHERE d.seq > ? AND d.seq <= ?`
	return known, each(ctx, e.db, query, []any{after, last}, func(scan func(...any) error) (bool, error) {
		var seq, kept int64
		var m more
		err := scan(&seq, &kept, &m.tried)
		m.kept = timeOf(kept)
		known[seq] = m
		return true, err
	})
}

// payloads reads them. A missing one is an error: nobody removes any.
func (e *export) payloads(ctx context.Context, items []*item) error {
	there := slices.Clone(items)
	for len(there) > 0 {
		some, err := bodies(ctx, e.db, slices.Clone(there))
		if err != nil {
			return err
		}
		for i, it := range some {
			if it != there[i] || it.length != int64(len(it.Body)) {
				return fmt.Errorf("payload of delivery %d: %w", there[i].Seq, errColumn)
			}
		}
		if len(some) == 0 {
			return fmt.Errorf("payload of delivery %d: %w", there[0].Seq, errColumn)
		}
		there = there[len(some):]
	}
	return nil
}

// attempts reads those of deliveries.
func (e *export) attempts(ctx context.Context, after, last int64, bySeq map[int64]*transfer.Delivery) error {
	const query = `SELECT seq, n, at, latency, status, error, response FROM attempt WHERE seq > ? AND seq <= ? ORDER BY seq, k`
	return each(ctx, e.db, query, []any{after, last}, func(scan func(...any) error) (bool, error) {
		var a transfer.Attempt
		var seq, at, latency int64
		err := scan(&seq, &a.N, &at, &latency, &a.Status, &a.Error, &a.Response)
		a.At, a.Latency = timeOf(at), duration(latency)
		if d := bySeq[seq]; d != nil {
			d.Tried = append(d.Tried, a)
		}
		return true, err
	})
}
