package sqlite

import (
	"errors"
	"slices"
	"time"

	"rowhook/outbox"
)

// commit stores the position and the records of a batch, and counts its events.
func (c *change) commit(b *outbox.Batch) error {
	if b.Checkpoint != nil {
		if err := c.stmt(`UPDATE state SET checkpoint = ?`).blob(b.Checkpoint).run(); err != nil {
			return err
		}
	}
	for _, r := range b.Open {
		var err error
		if r.Data == nil {
			err = c.stmt(`DELETE FROM record WHERE owner = ? AND key = ?`).text(r.Owner).text(r.Key).run()
		} else {
			err = c.stmt(`INSERT INTO record(owner, key, data) VALUES (?, ?, ?) ON CONFLICT(owner, key) DO UPDATE SET data = excluded.data`).
				text(r.Owner).text(r.Key).blob(r.Data).run()
		}
		if err != nil {
			return err
		}
	}
	return c.countEvents(b.Events)
}

// deliveries writes the payloads as one blob, or a few, and a row for each delivery. The first few of them, which have no
// room in memory, go to the backlog. What they became is for the caller to tell once the transaction is committed.
func (c *change) deliveries(list []*outbox.Delivery, backlog int) (entries []*entry, err error) {
	stored := time.Now()
	entries = make([]*entry, len(list))
	for first := 0; first < len(list); {
		c.body = c.body[:0]
		batch, next := c.last+1, first
		large := len(list[first].Body) > maxBlob // is a blob by itself, and is not copied
		for ; next < len(list); next++ {
			d := list[next]
			if next > first && (large || len(c.body)+len(d.Body) > maxBlob) {
				break
			}
			if entries[next], err = c.delivery(batch, d, next < backlog); err != nil {
				return nil, err
			}
		}
		if large {
			err = c.largeBatch(batch, stored, list[first].Body)
		} else {
			c.body = append(c.body, seal)
			err = c.stmt(`INSERT INTO batch(first, stored, body) VALUES (?, ?, ?)`).int(batch).time(stored).blob(c.body).run()
		}
		if err != nil {
			return nil, err
		}
		if err := c.stmt(`INSERT INTO clock(first, uptime) VALUES (?, ?)`).int(batch).duration(c.now).run(); err != nil {
			return nil, err
		}
		if cap(c.body) > maxBlob {
			c.body = []byte{} // a large one does not stay in memory
		}
		first = next
	}
	return entries, nil
}

// largeBatch writes a large payload piece by piece: bound to a statement SQLite would hold it twice, and keep that memory.
func (w *writer) largeBatch(batch int64, stored time.Time, body []byte) error {
	err := w.stmt(`INSERT INTO batch(first, stored, body) VALUES (?, ?, zeroblob(?))`).int(batch).time(stored).int(int64(len(body) + 1)).run()
	if err != nil {
		return err
	}
	blob, err := w.conn.OpenBlob("main", "batch", "body", batch, true)
	if err != nil {
		return err
	}
	for rest := body; len(rest) > 0 && err == nil; {
		n := min(len(rest), pieceSize)
		_, err = blob.Write(rest[:n])
		rest = rest[n:]
	}
	if err == nil {
		_, err = blob.Write([]byte{seal})
	}
	return errors.Join(err, blob.Close())
}

// delivery writes the row of a delivery, and adds its payload to the blob.
func (c *change) delivery(batch int64, d *outbox.Delivery, lags bool) (*entry, error) {
	l := label{d.Rule, d.Site, d.Action, d.Kind}
	id, ok := c.labels[l]
	if !ok {
		id = int64(len(c.labels) + 1)
		err := c.stmt(`INSERT INTO label(id, rule, site, action, kind) VALUES (?, ?, ?, ?, ?)`).
			int(id).text(l.rule).text(l.site).text(l.action).text(l.kind).run()
		if err != nil {
			return nil, err
		}
		c.labels[l], c.byID[id] = id, l
	}
	c.last++
	e := &entry{label: id, since: c.now, length: int64(len(d.Body))}
	e.Delivery = *d
	e.Seq, e.Created, e.AsOf = c.last, outbox.Kept(d.Created), outbox.Kept(d.AsOf)
	e.Endpoint, e.Number = "", 0
	if e.endpoint, ok = c.routes[d.Rule]; ok {
		e.Endpoint, e.Number = c.writer.queues[e.endpoint].name, c.number(e.endpoint)
	}
	off := int64(len(c.body))
	if len(d.Body) <= maxBlob {
		c.body = append(c.body, d.Body...)
	}
	err := c.stmt(`INSERT INTO delivery(seq, batch, label, id, keys, gone, as_of, created, off, len, endpoint, number)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).
		int(c.last).int(batch).int(id).blob(d.ID[:]).text(outbox.JoinKeys(d.Keys)).int(int64(slices.Index(outbox.Objects(), d.Object) + 1)).
		time(d.AsOf).time(d.Created).int(off).int(e.length).int(e.endpoint).int(e.Number).run()
	if err == nil && len(d.Omitted) > 0 {
		err = c.stmt(`INSERT INTO omitted(seq, columns) VALUES (?, ?)`).int(c.last).text(outbox.JoinKeys(d.Omitted)).run()
	}
	if err != nil {
		return nil, err
	}
	return e, c.enter(e, ok, lags)
}

// number gives the next number of an endpoint.
func (c *change) number(endpoint int64) int64 {
	q := c.queue(endpoint)
	q.last++
	return c.writer.queues[endpoint].last + q.last
}
