package sqlite

import (
	"context"
	"errors"
	"io"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// removeStep is how many deliveries are dropped or erased in one transaction: few, as commits wait meanwhile.
const removeStep = 500

// Drop removes deliveries of any state but Delivered.
func (s *Store) Drop(ctx context.Context, f outbox.Filter) (n int, err error) {
	err = s.eachSelected(ctx, f, func(c *change, r *row) (bool, error) {
		if r.state == outbox.Delivered {
			return false, nil
		}
		n++
		return true, c.remove(r)
	})
	return n, err
}

// Erase removes the payloads and the answers of deliveries, and leaves their rows. Undelivered ones are left as they are.
// Nothing of what is erased is left in the files afterwards.
func (s *Store) Erase(ctx context.Context, f outbox.Filter) (n int, err error) {
	err = s.eachSelected(ctx, f, func(c *change, r *row) (bool, error) {
		if r.state.Undelivered() || r.off == isErased {
			return false, nil
		}
		n++
		return true, c.erase(r)
	})
	if err == nil && n > 0 {
		err = s.persist(ctx, s.wipe)
	}
	return n, err
}

// eachSelected calls do for the deliveries that a filter selects, in a few transactions, until it was of use for as many as
// the filter's limit says. All that is undelivered is in the backlog meanwhile.
func (s *Store) eachSelected(ctx context.Context, f outbox.Filter, do func(c *change, r *row) (use bool, err error)) error {
	limit := f.Limit
	f.Limit, f.Bodies = removeStep, false
	for {
		// What is pending is in the file then, and can be selected by.
		err := s.persist(ctx, func() error { return s.write(&outbox.Batch{}, false, nil) })
		if err != nil {
			return err
		}
		page, err := s.pages.list(ctx, f)
		if err != nil || len(page) == 0 {
			return explain("read", s.path, err)
		}
		used := 0
		err = s.persist(ctx, func() error {
			return s.write(&outbox.Batch{}, true, func(c *change) (err error) {
				used, err = c.eachOf(page, limit, do)
				return err
			})
		})
		if err != nil || used == limit && limit > 0 {
			return err
		}
		limit = max(0, limit-used)
		if last := page[len(page)-1].Seq; f.Newest {
			f.Before = last
		} else {
			f.After = last
		}
	}
}

// eachOf calls do for those of a list that are still there.
func (c *change) eachOf(list []*outbox.Stored, limit int, do func(c *change, r *row) (use bool, err error)) (used int, err error) {
	for _, d := range list {
		r, err := c.find(d.Seq)
		if err != nil {
			return used, err
		}
		if r == nil {
			continue
		}
		use, err := do(c, r)
		if err != nil {
			return used, err
		}
		if use {
			used++
		}
		if used == limit && limit > 0 {
			break
		}
	}
	return used, nil
}

// remove takes a delivery out of the store.
func (c *change) remove(r *row) error {
	c.count(r.label, r.state, -1)
	if r.state.Undelivered() {
		if err := c.unlist(r); err != nil {
			return err
		}
	}
	c.done.Add(r.seq)
	c.gone = append(c.gone, r.seq)
	return c.forget(r.seq, r.seq)
}

// forget deletes the rows of deliveries, but for the payloads that they share with others.
func (c *change) forget(first, last int64) error {
	for _, sql := range []string{
		`DELETE FROM delivery WHERE seq BETWEEN ? AND ?`, `DELETE FROM failed WHERE seq BETWEEN ? AND ?`,
		`DELETE FROM attempt WHERE seq BETWEEN ? AND ?`, `DELETE FROM retried WHERE seq BETWEEN ? AND ?`,
		`DELETE FROM omitted WHERE seq BETWEEN ? AND ?`, `DELETE FROM kept WHERE seq BETWEEN ? AND ?`,
		`DELETE FROM piece WHERE of BETWEEN ? AND ?`,
	} {
		if err := c.stmt(sql).int(first).int(last).run(); err != nil {
			return err
		}
	}
	return nil
}

// erase overwrites the payload of a delivery, and what was answered.
func (c *change) erase(r *row) error {
	switch {
	case r.off == inPieces:
		if err := c.stmt(`DELETE FROM piece WHERE of = ?`).int(r.seq).run(); err != nil {
			return err
		}
	case r.batch == 0:
		if err := c.stmt(`UPDATE kept SET body = ? WHERE seq = ?`).blob([]byte{seal}).int(r.seq).run(); err != nil {
			return err
		}
	case r.length > 0:
		if err := overwrite(c.conn, r.batch, r.off, r.length); err != nil {
			return err
		}
	}
	if err := c.stmt(`UPDATE delivery SET off = ?, len = 0 WHERE seq = ?`).int(isErased).int(r.seq).run(); err != nil {
		return err
	}
	return c.stmt(`UPDATE attempt SET response = '' WHERE seq = ?`).int(r.seq).run()
}

// overwrite writes zeros over a part of the payloads of a commit.
func overwrite(c *sqlite3.Conn, batch, off, length int64) (err error) {
	blob, err := c.OpenBlob("main", "batch", "body", batch, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, blob.Close()) }()
	if _, err := blob.Seek(off, io.SeekStart); err != nil {
		return err
	}
	zeros := make([]byte, min(length, pieceSize))
	for length > 0 {
		n, err := blob.Write(zeros[:min(length, int64(len(zeros)))])
		if err != nil {
			return err
		}
		length -= int64(n)
	}
	return nil
}

// wipe moves the log in front of the file into it and empties it, so that nothing is left there of what was overwritten.
func (s *Store) wipe() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.isClosed() {
		return outbox.ErrClosed
	}
	return explain("write", s.path, s.w.truncate())
}
