package mysql

import (
	"slices"
	"time"

	"rowhook/outbox"
)

// batch stores the position and the records of a batch, its deliveries, and counts its events.
func (c *change) batch(b *outbox.Batch) []*entry {
	if b.Checkpoint != nil {
		c.packet.add(`UPDATE progress SET checkpoint = ? WHERE id = 1`, b.Checkpoint)
	}
	c.records(b.Open)
	var events [][]any
	for _, e := range b.Events {
		events = append(events, []any{hash(e.Site, e.Kind), e.Site, e.Kind, e.N})
	}
	c.packet.rows(`INSERT INTO event(h, site, kind, n) VALUES `, ` ON DUPLICATE KEY UPDATE n = n + VALUES(n)`, events)
	return c.deliveries(b.Deliveries)
}

// records writes what a batch leaves of its records: of those under one key the last one counts, and one that was deleted in
// between is a new one.
func (c *change) records(list []outbox.Record) {
	type fate struct {
		at      int // of the last one
		deleted bool
	}
	type key struct{ owner, key string }
	fates := make(map[key]fate)
	for i, r := range list {
		k := key{r.Owner, r.Key}
		fates[k] = fate{i, fates[k].deleted || r.Data == nil}
	}
	var gone, put [][]any
	for i, r := range list {
		f := fates[key{r.Owner, r.Key}]
		if f.at != i {
			continue
		}
		h := hash(r.Owner, r.Key)
		if f.deleted {
			gone = append(gone, []any{h})
		}
		if r.Data != nil {
			put = append(put, []any{h, c.commits<<20 + int64(i), r.Owner, r.Key, r.Data})
		}
	}
	c.packet.rows(`DELETE FROM record WHERE h IN (`, `)`, gone)
	c.packet.rows(`INSERT INTO record(h, ord, owner, k, data) VALUES `, ` ON DUPLICATE KEY UPDATE data = VALUES(data)`, put)
}

// deliveries writes a row and a payload for each delivery. What they became is for the caller to tell once all is committed.
func (c *change) deliveries(list []*outbox.Delivery) []*entry {
	kept := time.Now()
	entries := make([]*entry, len(list))
	size := 0
	for _, d := range list {
		size += len(d.Body) + overhead
	}
	c.packet.sql.Grow(size)
	var held [][]any
	rows := c.packet.list(`INSERT INTO delivery(seq, endpoint, n, label, id, aggs, omitted, object, as_of, created, kept, since, retried, len, erased) VALUES `, ``)
	for i, d := range list {
		c.lastSeq++
		e := &entry{since: c.now, length: int64(len(d.Body)), label: numberOf(label{d.Rule, d.Site, d.Action, d.Kind}, c.ids, c.newLabels)}
		e.Delivery = *d
		e.Seq, e.Created, e.AsOf = c.lastSeq, outbox.Kept(d.Created), outbox.Kept(d.AsOf)
		e.Endpoint, e.Number = "", 0
		if id, ok := c.routes[d.Rule]; ok {
			e.endpoint, e.Endpoint, e.Number = id, c.nameOf(id), c.number(id, e.length)
			c.counter(id, e.label).states[outbox.Fresh]++
			c.woken[id] = true
		} else {
			c.counter(0, e.label).states[outbox.Held]++
			held = append(held, []any{e.Seq, 0, 0, int64(outbox.Held), 0, 0, 0})
		}
		c.size += e.size()
		var omitted any
		if len(d.Omitted) > 0 {
			omitted = outbox.JoinKeys(d.Omitted)
		}
		rows.add(e.Seq, e.endpoint, e.Number, e.label, d.ID[:], outbox.JoinKeys(d.Keys), omitted,
			slices.Index(outbox.Objects(), d.Object)+1, micros(e.AsOf), micros(e.Created), kept.UnixMicro(), c.now.Microseconds(), 0, e.length, 0)
		entries[i] = e
	}
	rows.end()
	payloads := c.packet.list(`INSERT INTO payload(seq, body) VALUES `, ``)
	for i, d := range list {
		payloads.add(entries[i].Seq, d.Body)
	}
	payloads.end()
	c.packet.rows(`INSERT INTO failed(seq, endpoint, n, state, attempts, due, since) VALUES `, ``, held)
	return entries
}
