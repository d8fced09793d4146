package sqlite

import (
	"context"
	"fmt"
	"slices"

	"rowhook/outbox"
	"rowhook/outbox/transfer"
)

// halfCopy stands in place of the schema's version while a file is a copy in the making: neither this program nor an older one
// opens such a file.
const halfCopy = "half a copy"

// errHalf says what to do about a copy that was not completed.
var errHalf = fmt.Errorf("%w: remove %s, %[2]s-wal and %[2]s-shm there, and copy again; what was copied is as it was", transfer.ErrHalf, fileName)

// errNotEmpty says what to do where something is stored already.
var errNotEmpty = fmt.Errorf("%w: if nobody needs what it has, stop rowhook and remove %s, %[2]s-wal and %[2]s-shm there", transfer.ErrNotEmpty, fileName)

// something is 1 when anything was ever stored in a file.
const something = `SELECT EXISTS (SELECT 1 FROM delivery) OR EXISTS (SELECT 1 FROM record) OR EXISTS (SELECT 1 FROM label) OR
	EXISTS (SELECT 1 FROM endpoint WHERE id > 0) OR EXISTS (SELECT 1 FROM meta WHERE key != '` + schemaKey + `') OR
	EXISTS (SELECT 1 FROM state WHERE checkpoint IS NOT NULL OR last > 0)`

// backlogged is how much is undelivered for an endpoint.
type backlogged struct{ id, count, bytes int64 }

// Begin makes an empty file half a copy. Whatever a Head says, there is room for it.
func (o *Whole) Begin(ctx context.Context, _ *transfer.Head) error {
	return o.change(ctx, func(c *copying) error {
		switch some, err := number(c.conn, something); {
		case err != nil:
			return err
		case some != 0:
			return errNotEmpty
		}
		return c.stmt(`UPDATE meta SET value = ? WHERE key = ?`).text(halfCopy).text(schemaKey).run()
	})
}

// Put stores a part.
func (o *Whole) Put(ctx context.Context, p *transfer.Part) error {
	return o.change(ctx, func(c *copying) error {
		if p.Head != nil {
			if err := c.head(p.Head); err != nil {
				return err
			}
		}
		for _, r := range p.Records {
			err := c.stmt(`INSERT INTO record(owner, key, data) VALUES (?, ?, ?)`).text(r.Owner).text(r.Key).blob(r.Data).run()
			if err != nil {
				return err
			}
		}
		return c.deliveries(p.Deliveries)
	})
}

// Complete stores how much is undelivered.
func (o *Whole) Complete(ctx context.Context) error {
	return o.change(ctx, func(c *copying) error {
		for _, e := range o.ends {
			err := c.stmt(`UPDATE endpoint SET count = ?, bytes = ?, lagging = ? WHERE id = ?`).int(e.count).int(e.bytes).int(e.count).int(e.id).run()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Approve makes the file one that may be opened.
func (o *Whole) Approve(ctx context.Context) error {
	return o.change(ctx, func(c *copying) error {
		return c.stmt(`UPDATE meta SET value = ? WHERE key = ?`).text(fmt.Sprint(version)).text(schemaKey).run()
	})
}

// copying is a write transaction of a copy.
type copying struct {
	*writer
	ends map[string]*backlogged
}

func (o *Whole) change(ctx context.Context, do func(c *copying) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := transact(o.w.conn, func() error { return do(&copying{o.w, o.ends}) }); err != nil {
		return explain("write", o.path, err)
	}
	o.w.checkpoint()
	return nil
}

// head stores what is not many. All that is undelivered is in the backlog: so everything is settled, or there.
func (c *copying) head(h *transfer.Head) error {
	err := c.stmt(`UPDATE state SET checkpoint = ?, low = ?, last = ?, uptime = ?`).blob(h.Checkpoint).int(h.Last).int(h.Last).duration(h.Uptime).run()
	if err != nil {
		return err
	}
	for _, s := range h.Settings {
		if err := c.stmt(`INSERT INTO meta(key, value) VALUES (?, ?)`).text(s.Key).text(s.Value).run(); err != nil {
			return err
		}
	}
	for i := range h.Endpoints {
		if err := c.endpoint(int64(i+1), &h.Endpoints[i]); err != nil {
			return err
		}
	}
	for _, r := range h.Routes {
		if c.ends[r.Endpoint] == nil {
			return fmt.Errorf("rule %q goes to the endpoint %q, which is not there", r.Rule, r.Endpoint)
		}
		if err := c.stmt(`INSERT INTO route(rule, endpoint) VALUES (?, ?)`).text(r.Rule).int(c.ends[r.Endpoint].id).run(); err != nil {
			return err
		}
	}
	for _, r := range h.Rules {
		put := c.stmt(`INSERT INTO counter(rule, fresh, waiting, delivered, dead, held, ever_delivered, ever_failed, ever_dead)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`).text(r.Name)
		for _, n := range r.States {
			put.int(n)
		}
		if err := put.int(r.Ever.Delivered).int(r.Ever.Failed).int(r.Ever.Dead).run(); err != nil {
			return err
		}
	}
	for _, e := range h.Events {
		if err := c.stmt(`INSERT INTO event(site, kind, n) VALUES (?, ?, ?)`).text(e.Site).text(e.Kind).int(e.N).run(); err != nil {
			return err
		}
	}
	return nil
}

// endpoint stores an endpoint, and its hours: what it had when each began.
func (c *copying) endpoint(id int64, e *transfer.Endpoint) error {
	c.ends[e.Name] = &backlogged{id: id}
	begin, last := e.Tally, int64(0)
	for _, hour := range e.Hours {
		begin = begin.Minus(hour.Tally)
	}
	for _, hour := range e.Hours {
		last = outbox.HourOf(hour.Start)
		put := c.stmt(`INSERT INTO hour(endpoint, hour, ` + everAtHour + `) VALUES (?, ?, ?, ?, ?, ?, ?)`).int(id).int(last)
		if err := bindTally(put, begin).run(); err != nil {
			return err
		}
		begin = begin.Plus(hour.Tally)
	}
	put := c.stmt(`INSERT INTO endpoint(id, name, last, count, bytes, lagging, hour, ` + everOfEndpoint + `) VALUES (?, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?)`).
		int(id).text(e.Name).int(e.Last).int(last)
	return bindTally(put, e.Tally).run()
}

// deliveries stores deliveries. Those that were stored together share a blob, as far as that gets no larger than others.
func (c *copying) deliveries(list []*transfer.Delivery) error {
	for first := 0; first < len(list); {
		next, size := first+1, len(list[first].Body)
		for next < len(list) && size+len(list[next].Body) <= maxBlob && list[next].Kept.Equal(list[first].Kept) {
			size += len(list[next].Body)
			next++
		}
		if err := c.batch(list[first:next]); err != nil {
			return err
		}
		first = next
	}
	return nil
}

// batch stores deliveries with their payloads as one blob.
func (c *copying) batch(list []*transfer.Delivery) error {
	c.body = c.body[:0]
	batch, stored := list[0].Seq, list[0].Kept
	large := len(list[0].Body) > maxBlob
	off := int64(0)
	for _, d := range list {
		if err := c.delivery(batch, off, d); err != nil {
			return err
		}
		off += int64(len(d.Body))
		if !large {
			c.body = append(c.body, d.Body...)
		}
	}
	if large {
		return c.largeBatch(batch, stored, list[0].Body)
	}
	c.body = append(c.body, seal)
	return c.stmt(`INSERT INTO batch(first, stored, body) VALUES (?, ?, ?)`).int(batch).time(stored).blob(c.body).run()
}

// delivery stores a delivery with what became of it.
func (c *copying) delivery(batch, off int64, d *transfer.Delivery) error {
	label, err := c.label(d)
	if err != nil {
		return err
	}
	if d.Erased {
		off = isErased
	}
	end := c.ends[d.Endpoint]
	if end == nil {
		end = new(backlogged)
	}
	err = c.stmt(`INSERT INTO delivery(seq, batch, label, id, keys, gone, as_of, created, off, len, endpoint, number)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).
		int(d.Seq).int(batch).int(label).blob(d.ID[:]).text(outbox.JoinKeys(d.Keys)).int(int64(slices.Index(outbox.Objects(), d.Object) + 1)).
		time(d.AsOf).time(d.Created).int(off).int(int64(len(d.Body))).int(end.id).int(d.Number).run()
	if err == nil && len(d.Omitted) > 0 {
		err = c.stmt(`INSERT INTO omitted(seq, columns) VALUES (?, ?)`).int(d.Seq).text(outbox.JoinKeys(d.Omitted)).run()
	}
	if err == nil && !d.Retried.IsZero() {
		err = c.stmt(`INSERT INTO retried(seq, at) VALUES (?, ?)`).int(d.Seq).time(d.Retried).run()
	}
	if err == nil && d.State.Undelivered() {
		end.count++
		end.bytes += int64(len(d.Body))
		err = c.stmt(`INSERT INTO backlog(endpoint, number, seq, since) VALUES (?, ?, ?, ?)`).int(end.id).int(d.Number).int(d.Seq).duration(d.Since).run()
	}
	if err != nil {
		return err
	}
	return c.fate(d)
}

// fate stores what became of a delivery that was not accepted at once.
func (c *copying) fate(d *transfer.Delivery) error {
	if d.State != outbox.Fresh && d.State != outbox.Delivered {
		err := c.stmt(`INSERT INTO failed(seq, state, attempts, due, since) VALUES (?, ?, ?, ?, ?)`).
			int(d.Seq).int(int64(d.State)).int(int64(d.Attempts)).time(d.Due).duration(d.Failing).run()
		if err != nil {
			return err
		}
	}
	for _, a := range d.Tried {
		err := c.stmt(`INSERT INTO attempt(seq, n, at, latency, status, error, response) VALUES (?, ?, ?, ?, ?, ?, ?)`).
			int(d.Seq).int(int64(a.N)).time(a.At).duration(a.Latency).int(int64(a.Status)).text(a.Error).text(a.Response).run()
		if err != nil {
			return err
		}
	}
	return nil
}

// label is the number of what a delivery has in common with others.
func (c *copying) label(d *transfer.Delivery) (int64, error) {
	l := label{d.Rule, d.Site, d.Action, d.Kind}
	if id, ok := c.labels[l]; ok {
		return id, nil
	}
	id := int64(len(c.labels) + 1)
	c.labels[l] = id
	return id, c.stmt(`INSERT INTO label(id, rule, site, action, kind) VALUES (?, ?, ?, ?, ?)`).
		int(id).text(l.rule).text(l.site).text(l.action).text(l.kind).run()
}
