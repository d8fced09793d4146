package mysql

import (
	"context"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

// Drop removes deliveries of any state but Delivered.
func (s *Store) Drop(ctx context.Context, f outbox.Filter) (int, error) {
	return s.walk(ctx, f, func(r *row) bool { return r.state != outbox.Delivered }, func(c *change, rows []*row) { c.remove(rows) })
}

// Erase removes the payloads and the answers of deliveries that are settled.
func (s *Store) Erase(ctx context.Context, f outbox.Filter) (int, error) {
	return s.walk(ctx, f, func(r *row) bool { return !r.state.Undelivered() && !r.erased }, (*change).erase)
}

// walk does something to the deliveries that a filter selects, up to its limit, in small transactions. It tells how many.
func (s *Store) walk(ctx context.Context, f outbox.Filter, fits func(r *row) bool, do func(c *change, rows []*row)) (done int, err error) {
	f.Bodies = false
	limit := f.Limit
	for {
		var listed []*outbox.Stored
		f.Limit = step
		if listed, err = s.List(ctx, f); err != nil || len(listed) == 0 {
			return done, err
		}
		var seqs []int64
		for _, d := range listed {
			seqs = append(seqs, d.Seq)
		}
		n := 0
		err = s.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
			n = 0
			if err := c.find(ctx, seqs); err != nil {
				return err
			}
			var rows []*row
			for _, seq := range seqs {
				if r := c.rows[seq]; r != nil && fits(r) && (limit == 0 || done+n < limit) {
					rows = append(rows, r)
					n++
				}
			}
			do(c, rows)
			return nil
		})
		if err != nil {
			return done, err
		}
		done += n
		if limit > 0 && done >= limit || len(listed) < step {
			return done, nil
		}
		if last := seqs[len(seqs)-1]; f.Newest {
			f.Before = last
		} else {
			f.After = last
		}
	}
}

// remove takes deliveries away, with all that belongs to them.
func (c *change) remove(rows []*row) {
	var seqs []int64
	for _, r := range rows {
		c.counter(r.endpoint, r.label).states[r.state]--
		if r.state.Undelivered() {
			c.end(r.endpoint).leave(r.length)
		}
		if r.state == outbox.Fresh {
			c.end(r.endpoint).marks.Add(r.n)
		}
		c.disarranged[r.endpoint] = c.disarranged[r.endpoint] || r.state.Undelivered()
		c.size -= r.length + overhead
		r.gone = true
		c.rows[r.seq] = r
		seqs = append(seqs, r.seq)
	}
	for _, table := range []string{"delivery", "payload", "failed", "attempt"} {
		c.packet.each(`DELETE FROM `+table+` WHERE seq IN `, seqs)
	}
}

// erase removes what deliveries told of people.
func (c *change) erase(rows []*row) {
	var seqs []int64
	for _, r := range rows {
		c.size -= r.length
		seqs = append(seqs, r.seq)
		for i := range r.added {
			r.added[i].Response = ""
		}
	}
	c.packet.each(`DELETE FROM payload WHERE seq IN `, seqs)
	c.packet.each(`UPDATE delivery SET erased = 1, len = 0 WHERE seq IN `, seqs)
	c.packet.each(`UPDATE attempt SET response = '' WHERE seq IN `, seqs)
}

// pruneRest is how many times as long as a step of Prune took the server is left alone behind it.
const pruneRest = 4

// Prune removes what need not be kept, the oldest first, a few at a time.
func (s *Store) Prune(ctx context.Context, keep outbox.Keep) (p outbox.Pruned, err error) {
	if err := s.flush(ctx); err != nil {
		return p, err
	}
	for after := int64(0); after >= 0; {
		began := time.Now()
		large := false
		if keep.Bytes > 0 {
			if p.Bytes, err = s.reader.size(ctx); err != nil {
				return p, explain("read", s.cfg, err)
			}
			large = p.Bytes > keep.Bytes
		}
		n, next := 0, int64(-1)
		err = s.writer.commit(ctx, &outbox.Batch{}, func(c *change) (err error) {
			n, next, err = c.prune(ctx, keep, after, p.Bytes, large)
			return err
		})
		if err != nil {
			return p, err
		}
		p.Deliveries += n
		if after = next; n > 0 && after >= 0 {
			if err := retry.Pause(ctx, pruneRest*time.Since(began)); err != nil {
				return p, err
			}
		}
	}
	p.Bytes, err = s.reader.size(ctx)
	return p, explain("read", s.cfg, err)
}

// prune removes some of the deliveries beyond a Seq. It returns the Seq to go on from, -1: what follows is too young to look at.
func (c *change) prune(ctx context.Context, keep outbox.Keep, after, size int64, large bool) (n int, next int64, err error) {
	var rows, gone []*row
	err = c.each(ctx, `WHERE d.seq > ? ORDER BY d.seq LIMIT ?`, func(r *row) { rows = append(rows, r) }, after, step)
	if err != nil {
		return 0, -1, err
	}
	young := false
	for _, r := range rows {
		large = large && size > keep.Bytes
		young = !large && !r.kept.Before(keep.Since) && !r.kept.Before(keep.Dead)
		old := false
		switch r.state {
		case outbox.Delivered:
			old = r.kept.Before(keep.Since) || large
		case outbox.Dead, outbox.Held:
			old = r.kept.Before(keep.Dead)
		}
		if old {
			gone = append(gone, r)
			size -= r.length + overhead
		}
	}
	c.remove(gone)
	if young || len(rows) < step {
		return len(gone), -1, c.pruneHours(ctx)
	}
	return len(gone), rows[len(rows)-1].seq, nil
}
