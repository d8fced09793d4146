package sqlite

import (
	"context"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// pruneStep is how many commits, or payloads that outlast theirs, are looked at in one transaction, pruneBytes how much of
// payloads is deleted or moved in it: few, as others wait meanwhile. Between two steps the file is left alone for pruneRest
// times as long as the last one took.
const (
	pruneStep  = 128
	pruneBytes = 512 << 10
	pruneRest  = 4
)

// pruning is one run of Prune.
type pruning struct {
	store   *Store
	keep    outbox.Keep
	deleted int
}

// Prune removes what need not be kept, the oldest first. Payloads that must be kept are moved out of those of their commit
// when others of it may go, so that they pin nothing. The file gives the room back that it has beyond keep.Bytes.
func (s *Store) Prune(ctx context.Context, keep outbox.Keep) (outbox.Pruned, error) {
	p := &pruning{s, keep, 0}
	// What waits in memory would hold the low-water mark back.
	err := s.persist(ctx, func() error {
		return s.write(&outbox.Batch{}, true, func(*change) error { return nil })
	})
	for _, step := range []func(c *change, after int64) (next int64, err error){p.singles, p.batches} {
		if err == nil {
			err = p.walk(ctx, step)
		}
	}
	if err == nil {
		err = p.shrink(ctx)
	}
	if err != nil {
		return outbox.Pruned{Deliveries: p.deleted}, err
	}
	size, err := sizeOnDisk(s.path)
	return outbox.Pruned{Deliveries: p.deleted, Bytes: size}, explain("prune", s.path, err)
}

// sizeOnDisk is what the file and the log in front of it take.
func sizeOnDisk(path string) (size int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	size = info.Size()
	if info, err = os.Stat(path + "-wal"); err == nil {
		size += info.Size()
	}
	return size, nil
}

// walk repeats a step until there is no next one, and lets others write in between.
func (p *pruning) walk(ctx context.Context, step func(c *change, after int64) (int64, error)) error {
	s := p.store
	for after := int64(0); after >= 0; {
		began, before := time.Now(), p.deleted
		err := s.persist(ctx, func() error {
			p.deleted = before // of one that was tried again
			return s.write(&outbox.Batch{}, false, func(c *change) (err error) {
				began = time.Now()
				after, err = step(c, after)
				return err
			})
		})
		if err != nil {
			return err
		}
		if p.deleted > before {
			s.rest(ctx, pruneRest*time.Since(began))
		}
	}
	return nil
}

// rest leaves the file to others for a while.
func (s *Store) rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.closing:
	case <-timer.C:
	}
}

// goes tells whether a delivery may go that was stored then.
func (p *pruning) goes(state outbox.State, stored time.Time, tooLarge bool) bool {
	switch state {
	case outbox.Delivered:
		return stored.Before(p.keep.Since) || tooLarge
	case outbox.Dead, outbox.Held:
		return stored.Before(p.keep.Dead)
	default:
		return false
	}
}

// tooLarge tells whether more is in use than may be.
func (p *pruning) tooLarge(c *change) (bool, error) {
	if p.keep.Bytes <= 0 {
		return false, nil
	}
	used, err := number(c.conn, `SELECT (page_count - freelist_count) * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`)
	return used > p.keep.Bytes, err
}

// singles removes deliveries whose payloads outlast those of their commit: they are the oldest.
func (p *pruning) singles(c *change, after int64) (next int64, err error) {
	type single struct {
		seq    int64
		stored time.Time
		size   int
	}
	var list []single
	err = each(c.conn, `SELECT seq, stored, length(body) FROM kept WHERE seq > ? ORDER BY seq LIMIT ?`, []any{after, int64(pruneStep)},
		func(s *sqlite3.Stmt) (bool, error) {
			list = append(list, single{s.ColumnInt64(0), timeColumn(s, 1), s.ColumnInt(2)})
			return true, nil
		})
	if err != nil || len(list) == 0 {
		return -1, err
	}
	size := 0
	for _, one := range list {
		large, err := p.tooLarge(c)
		if err != nil {
			return -1, err
		}
		r, err := c.find(one.seq)
		if err != nil {
			return -1, err
		}
		if r != nil && p.goes(r.state, one.stored, large) {
			if err := c.remove(r); err != nil {
				return -1, err
			}
			p.deleted++
			size += one.size
		}
		if next = one.seq; size >= pruneBytes {
			break
		}
	}
	return next, nil
}

// batch is a commit: its deliveries, when it was stored, and how long its payloads are.
type batch struct {
	first, last int64
	stored      time.Time
	size        int
}

// batches removes commits, the oldest first, until one is too young to look at.
func (p *pruning) batches(c *change, after int64) (next int64, err error) {
	list, err := c.batches(after)
	if err != nil || len(list) == 0 {
		return -1, err
	}
	size := 0
	for _, b := range list {
		large, err := p.tooLarge(c)
		if err != nil {
			return -1, err
		}
		if !large && !b.stored.Before(p.keep.Since) && !b.stored.Before(p.keep.Dead) {
			return -1, nil
		}
		n, err := p.batch(c, b, large)
		if err != nil {
			return -1, err
		}
		if n > 0 {
			size += b.size
			p.deleted += n
		}
		if next = b.first; size >= pruneBytes {
			break
		}
	}
	return next, nil
}

// batches lists the next commits beyond after that are wholly below the low-water mark. A commit's last delivery is the one
// before the next commit's first.
func (c *change) batches(after int64) (list []batch, err error) {
	const sql = `SELECT first, stored, length(body) FROM batch WHERE first > ? ORDER BY first LIMIT ?`
	err = each(c.conn, sql, []any{after, int64(pruneStep + 1)}, func(s *sqlite3.Stmt) (bool, error) {
		first := s.ColumnInt64(0)
		if n := len(list); n > 0 {
			list[n-1].last = first - 1
		}
		list = append(list, batch{first, c.last, timeColumn(s, 1), s.ColumnInt(2)})
		return true, nil
	})
	if len(list) > pruneStep {
		list = list[:pruneStep]
	}
	for i, b := range list {
		if b.last > c.done.Low {
			return list[:i], err
		}
	}
	return list, err
}

// part is a delivery of a commit that is pruned.
type part struct {
	seq, label, off, length int64
	state                   outbox.State
}

// batch removes what may go of a commit. When that is not all of it, the rest moves out of it. It returns how many went.
func (p *pruning) batch(c *change, b batch, large bool) (n int, err error) {
	var stay []part
	all, last := 0, int64(0) // what follows up to the next commit may be left of one that is gone
	err = each(c.conn, `SELECT d.seq, d.label, d.off, d.len, `+state+` FROM delivery d LEFT JOIN failed f ON f.seq = d.seq
		WHERE d.seq BETWEEN ? AND ? AND d.batch = ? ORDER BY d.seq`, []any{b.first, b.last, b.first}, func(s *sqlite3.Stmt) (bool, error) {
		d := part{s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2), s.ColumnInt64(3), outbox.State(s.ColumnInt64(4))}
		all, last = all+1, d.seq
		if p.goes(d.state, b.stored, large) {
			c.count(d.label, d.state, -1)
		} else {
			stay = append(stay, d)
		}
		return true, nil
	})
	if err != nil || len(stay) == all && all > 0 {
		return 0, err
	}
	if err := c.moveOut(b, stay); err != nil {
		return 0, err
	}
	next := b.first
	for _, d := range stay { // those between the ones that stay
		if err := c.forgetRange(next, d.seq-1); err != nil {
			return 0, err
		}
		next = d.seq + 1
	}
	if err := c.forgetRange(next, last); err != nil {
		return 0, err
	}
	if err := c.stmt(`DELETE FROM batch WHERE first = ?`).int(b.first).run(); err != nil {
		return 0, err
	}
	return all - len(stay), c.stmt(`DELETE FROM clock WHERE first = ?`).int(b.first).run()
}

func (c *change) forgetRange(first, last int64) error {
	if first > last {
		return nil
	}
	return c.forget(first, last)
}

// moveOut gives payloads of a commit rows of their own.
func (c *change) moveOut(b batch, stay []part) error {
	if len(stay) == 0 {
		return nil
	}
	return c.stmt(`SELECT body FROM batch WHERE first = ?`).int(b.first).each(func(s *sqlite3.Stmt) (bool, error) {
		bodies := s.ColumnRawBlob(0)
		for _, d := range stay {
			body := []byte{seal}
			if d.off >= 0 {
				if d.off+d.length > int64(len(bodies)) {
					return false, sqlite3.CORRUPT
				}
				body = append(append(make([]byte, 0, d.length+1), bodies[d.off:d.off+d.length]...), seal)
			}
			err := c.stmt(`INSERT INTO kept(seq, stored, body) VALUES (?, ?, ?)`).int(d.seq).time(b.stored).blob(body).run()
			if err == nil {
				err = c.stmt(`UPDATE delivery SET batch = 0, off = min(off, 0) WHERE seq = ?`).int(d.seq).run()
			}
			if err != nil {
				return false, err
			}
		}
		return false, nil
	})
}
