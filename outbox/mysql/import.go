package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rowhook/outbox"
	"rowhook/outbox/marks"
	"rowhook/outbox/transfer"
)

// halfCopy is the key in meta of a note that a schema is a copy in the making.
const halfCopy = "half_copy"

// checkWhole refuses a copy that was not completed.
func checkWhole(ctx context.Context, db rower) error {
	var half bool
	err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM meta WHERE k = '`+halfCopy+`')`).Scan(&half)
	if err == nil && half {
		err = transfer.ErrHalf
	}
	return err
}

// something is 1 when anything was ever stored in a schema.
const something = `SELECT EXISTS (SELECT 1 FROM delivery) OR EXISTS (SELECT 1 FROM record) OR EXISTS (SELECT 1 FROM label) OR
	EXISTS (SELECT 1 FROM endpoint) OR EXISTS (SELECT 1 FROM setting) OR EXISTS (SELECT 1 FROM progress WHERE checkpoint IS NOT NULL) OR
	EXISTS (SELECT 1 FROM state WHERE last > 0)`

const (
	// loadBytes is how much is written in one transaction, about, unless a single payload is more: half of the smallest packet, as
	// each byte may take two in SQL.
	loadBytes = minPacket/2 - 1<<20
	// rowBytes is roughly what a row takes in SQL beside its texts.
	rowBytes = 512
	// fewEndpoints is how many endpoints are written in one transaction, with all their hours.
	fewEndpoints = 50
)

// undone is how much is undelivered for an endpoint.
type undone struct{ count, bytes int64 }

// load is what the next transaction writes.
type load struct {
	settings   []transfer.Setting
	events     []outbox.EventCount
	records    []outbox.Record
	deliveries []*transfer.Delivery
	attempts   []tried
	size       int64
}

// tried is an attempt on record, the k-th one of a delivery.
type tried struct {
	seq, k int64
	transfer.Attempt
}

// Begin makes an empty schema half a copy.
func (o *Whole) Begin(ctx context.Context, h *transfer.Head) error {
	if limit := min(o.s.limits.Payload, o.s.limits.Bytes); h.Largest > limit {
		const mega = 1 << 20
		need := 2*(h.Largest+mega)/mega + 2
		return explain("write", o.s.cfg, fmt.Errorf("%w: a payload or a record has %d bytes, and this server takes %d; set max_allowed_packet = %dM in the server's my.cnf, type SET GLOBAL max_allowed_packet = %d; and copy again",
			outbox.ErrTooLarge, h.Largest, limit, need, need*mega))
	}
	return o.s.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
		var some bool
		if err := c.db.QueryRowContext(ctx, something).Scan(&some); err != nil {
			return err
		}
		if some {
			return transfer.ErrNotEmpty
		}
		c.packet.add(`INSERT INTO meta(k, v) VALUES ('`+halfCopy+`', ?)`, o.s.lease.owner)
		return nil
	})
}

// Put stores a part.
func (o *Whole) Put(ctx context.Context, p *transfer.Part) error {
	if p.Head != nil {
		if err := o.putHead(ctx, p.Head); err != nil {
			return err
		}
	}
	for _, r := range p.Records {
		if err := o.room(ctx, transfer.RecordSize(&r)); err != nil {
			return err
		}
		o.load.records = append(o.load.records, r)
	}
	for _, d := range p.Deliveries {
		if err := o.room(ctx, int64(len(d.Body)+len(outbox.JoinKeys(d.Keys))+len(outbox.JoinKeys(d.Omitted)))+rowBytes); err != nil {
			return err
		}
		o.load.deliveries = append(o.load.deliveries, d)
		o.note(d)
		for i, a := range d.Tried {
			if err := o.room(ctx, a.Size()); err != nil {
				return err
			}
			o.load.attempts = append(o.load.attempts, tried{d.Seq, int64(i + 1), a})
		}
	}
	return o.flush(ctx)
}

// putHead stores what deliveries and the rest need. What an endpoint has is known only at the end.
func (o *Whole) putHead(ctx context.Context, h *transfer.Head) error {
	o.head = h
	o.uptime.Store(int64(h.Uptime))
	for _, s := range h.Settings {
		if err := o.room(ctx, int64(len(s.Key)+len(s.Value))+rowBytes); err != nil {
			return err
		}
		o.load.settings = append(o.load.settings, s)
	}
	for _, e := range h.Events {
		if err := o.room(ctx, int64(len(e.Site)+len(e.Kind))+rowBytes); err != nil {
			return err
		}
		o.load.events = append(o.load.events, e)
	}
	if err := o.flush(ctx); err != nil {
		return err
	}
	return o.s.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
		if h.Checkpoint != nil {
			c.packet.add(`UPDATE progress SET checkpoint = ? WHERE id = 1`, h.Checkpoint)
		}
		c.newRoutes = make(map[string]int64)
		for _, e := range h.Endpoints {
			numberOf(e.Name, c.byName, c.newNames)
		}
		for _, r := range h.Routes {
			c.newRoutes[r.Rule] = numberOf(r.Endpoint, c.byName, c.newNames)
		}
		return nil
	})
}

// note counts a delivery that is undelivered.
func (o *Whole) note(d *transfer.Delivery) {
	if !d.State.Undelivered() {
		return
	}
	if o.left[d.Endpoint] == nil {
		o.left[d.Endpoint], o.fresh[d.Endpoint] = new(undone), new(marks.Set)
	}
	o.left[d.Endpoint].count++
	o.left[d.Endpoint].bytes += int64(len(d.Body))
	if d.State == outbox.Fresh {
		o.fresh[d.Endpoint].Add(d.Number)
	}
}

// room makes room for so much more in the next transaction.
func (o *Whole) room(ctx context.Context, size int64) error {
	if o.load.size > 0 && o.load.size+size > loadBytes {
		if err := o.flush(ctx); err != nil {
			return err
		}
	}
	o.load.size += size
	return nil
}

// flush writes what is gathered.
func (o *Whole) flush(ctx context.Context) error {
	l := o.load
	if o.load = (load{}); l.size == 0 {
		return nil
	}
	return o.s.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
		l.write(c)
		return nil
	})
}

func (l *load) write(c *change) {
	var settings, events, records, attempts [][]any
	for _, s := range l.settings {
		settings = append(settings, []any{hash(s.Key), s.Key, s.Value})
	}
	for _, e := range l.events {
		events = append(events, []any{hash(e.Site, e.Kind), e.Site, e.Kind, e.N})
	}
	for i, r := range l.records {
		records = append(records, []any{hash(r.Owner, r.Key), c.commits<<20 + int64(i), r.Owner, r.Key, r.Data})
	}
	for _, a := range l.attempts {
		attempts = append(attempts, []any{a.seq, a.k, a.N, micros(a.At), a.Latency.Microseconds(), a.Status, a.Error, a.Response})
	}
	c.packet.rows(`INSERT INTO setting(h, k, v) VALUES `, ``, settings)
	c.packet.rows(`INSERT INTO event(h, site, kind, n) VALUES `, ``, events)
	c.packet.rows(`INSERT INTO record(h, ord, owner, k, data) VALUES `, ``, records)
	c.load(l.deliveries)
	c.packet.rows(`INSERT INTO attempt(seq, k, n, at, latency, status, error, response) VALUES `, ``, attempts)
}

// load writes deliveries with what became of them.
func (c *change) load(list []*transfer.Delivery) {
	var rows, payloads, failed [][]any
	for _, d := range list {
		endpoint := int64(0)
		if d.Endpoint != "" {
			endpoint = numberOf(d.Endpoint, c.byName, c.newNames)
		}
		length, since := int64(len(d.Body)), d.Since
		if !d.State.Undelivered() {
			since = c.now // should it be undelivered again
		}
		var omitted any
		if len(d.Omitted) > 0 {
			omitted = outbox.JoinKeys(d.Omitted)
		}
		c.size += length + overhead
		rows = append(rows, []any{d.Seq, endpoint, d.Number, numberOf(label{d.Rule, d.Site, d.Action, d.Kind}, c.ids, c.newLabels), d.ID[:],
			outbox.JoinKeys(d.Keys), omitted, slices.Index(outbox.Objects(), d.Object) + 1, micros(d.AsOf), micros(d.Created), micros(d.Kept),
			since.Microseconds(), micros(d.Retried), length, d.Erased})
		if !d.Erased {
			payloads = append(payloads, []any{d.Seq, d.Body})
		}
		if d.State != outbox.Fresh && d.State != outbox.Delivered {
			failed = append(failed, []any{d.Seq, endpoint, d.Number, int64(d.State), d.Attempts, micros(d.Due), d.Failing.Microseconds()})
		}
	}
	c.packet.rows(`INSERT INTO delivery(seq, endpoint, n, label, id, aggs, omitted, object, as_of, created, kept, since, retried, len, erased) VALUES `, ``, rows)
	c.packet.rows(`INSERT INTO payload(seq, body) VALUES `, ``, payloads)
	c.packet.rows(`INSERT INTO failed(seq, endpoint, n, state, attempts, due, since) VALUES `, ``, failed)
}

// Complete stores what endpoints have, what was counted, and where numbers go on.
func (o *Whole) Complete(ctx context.Context) error {
	if o.head == nil {
		return errors.New("a copy of nothing")
	}
	for some := range slices.Chunk(o.head.Endpoints, fewEndpoints) {
		err := o.s.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
			for i := range some {
				o.end(c, &some[i])
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return o.s.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
		for _, r := range o.head.Rules {
			n := c.counter(0, c.labelOf(r.Name))
			n.states, n.ever = r.States, r.Ever
		}
		c.lastSeq = o.head.Last
		c.packet.add(`UPDATE lease SET uptime = ? WHERE name = 'reader'`, o.head.Uptime.Microseconds())
		return nil
	})
}

// end writes an endpoint. Its marks have every number but those of what is fresh.
func (o *Whole) end(c *change, e *transfer.Endpoint) {
	id := numberOf(e.Name, c.byName, c.newNames)
	end, left, fresh := c.end(id), o.left[e.Name], o.fresh[e.Name]
	if left == nil {
		left, fresh = new(undone), new(marks.Set)
	}
	end.last, end.added, end.bytesIn = e.Last, left.count, left.bytes
	end.marks = without(fresh, e.Last)
	c.grown[id] = true
	if len(e.Hours) == 0 {
		return
	}
	all := e.Tally
	c.tallies[tallyKey{id, 0}] = &all
	for _, hour := range e.Hours {
		of := hour.Tally
		c.tallies[tallyKey{id, outbox.HourOf(hour.Start)}] = &of
	}
}

// without is all numbers up to the last one but those of a set.
func without(s *marks.Set, last int64) (rest marks.Set) {
	begin := s.Low + 1
	for _, r := range append(slices.Clone(s.Runs), marks.Run{First: last + 1}) {
		switch {
		case r.First <= begin:
		case begin == 1:
			rest.Low = r.First - 1
		default:
			rest.Runs = append(rest.Runs, marks.Run{First: begin, Last: r.First - 1})
		}
		begin = r.Last + 1
	}
	return rest
}

// labelOf is some label of a rule.
func (c *change) labelOf(rule string) int64 {
	for _, labels := range []map[int64]label{c.labels, c.newLabels} {
		for id, l := range labels {
			if l.rule == rule {
				return id
			}
		}
	}
	return numberOf(label{rule: rule}, c.ids, c.newLabels)
}

// Approve makes the schema one that may be opened.
func (o *Whole) Approve(ctx context.Context) error {
	return o.s.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
		c.packet.add(`DELETE FROM meta WHERE k = '` + halfCopy + `'`)
		return nil
	})
}
