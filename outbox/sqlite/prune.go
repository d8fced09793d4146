package sqlite

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// pruneStep is how many commits are looked at in one transaction, pruneBytes how much of payloads is deleted in it: few,
// as commits wait meanwhile. Between two steps the file is left alone for pruneRest times as long as the last one took.
const (
	pruneStep  = 128
	pruneBytes = 512 << 10
	pruneRest  = 4
)

// Keep is how much of what was delivered is kept.
type Keep struct {
	Since time.Time // what was stored before may go
	Bytes int64     // when more is in use, the oldest may go; 0: no limit
}

// Prune deletes old deliveries, whole commits at a time: those that have only delivered ones and lie below the low-water
// mark. What waits, is dead or is held always stays. It returns how many deliveries it deleted. The file does not shrink;
// its pages are used again, and count as free.
func (s *Store) Prune(ctx context.Context, keep Keep) (deleted int, err error) {
	for after := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return deleted, err
		}
		n, last, took, err := s.pruneOnce(after, keep)
		deleted += n
		if err != nil || last == 0 {
			return deleted, explain("prune", s.path, err)
		}
		after = last
		if n == 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-s.closing:
		case <-time.After(pruneRest * took):
		}
	}
}

// pruneOnce deletes what it may of the next few commits. Last is the last one it looked at, 0 at the end; took is how long
// others could not write.
func (s *Store) pruneOnce(after int64, keep Keep) (deleted int, last int64, took time.Duration, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.isClosed() {
		return 0, 0, 0, outbox.ErrClosed
	}
	began := time.Now()
	deleted, last, err = s.w.prune(after, keep)
	s.w.checkpoint()
	return deleted, last, time.Since(began), err
}

func (w *writer) prune(after int64, keep Keep) (deleted int, last int64, err error) {
	err = transact(w.conn, func() error {
		batches, err := w.batches(after)
		if err != nil {
			return err
		}
		size := 0
		for _, b := range batches {
			if size >= pruneBytes {
				return nil // the rest in another step
			}
			may, err := w.expendable(b, keep)
			if err != nil || !may {
				last = 0
				return err
			}
			n, pieces, err := w.dropBatch(b.run)
			if err != nil {
				return err
			}
			if n > 0 {
				size += b.size + pieces*pieceSize
			}
			deleted += n
			last = b.first
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return deleted, last, nil
}

// batch is a commit: its deliveries, when it was stored, and how long its payloads are.
type batch struct {
	run
	stored time.Time
	size   int
}

// batches lists the next commits beyond after that are wholly settled. A commit's last delivery is the one before the next
// commit's first.
func (w *writer) batches(after int64) (list []batch, err error) {
	const sql = `SELECT first, stored, length(body) FROM batch WHERE first > ? ORDER BY first LIMIT ?`
	err = each(w.conn, sql, []any{after, int64(pruneStep + 1)}, func(s *sqlite3.Stmt) (bool, error) {
		first := s.ColumnInt64(0)
		if n := len(list); n > 0 {
			list[n-1].last = first - 1
		}
		list = append(list, batch{run{first, w.last}, timeColumn(s, 1), s.ColumnInt(2)})
		return true, nil
	})
	if len(list) > pruneStep {
		list = list[:pruneStep]
	}
	for i, b := range list {
		if b.last > w.done.low {
			return list[:i], err
		}
	}
	return list, err
}

// expendable tells whether a commit may go for its age or for the size of the whole. If not, no later one may.
func (w *writer) expendable(b batch, keep Keep) (bool, error) {
	if b.stored.Before(keep.Since) || keep.Bytes == 0 {
		return b.stored.Before(keep.Since), nil
	}
	used, err := number(w.conn, `SELECT (page_count - freelist_count) * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`)
	return used > keep.Bytes, err
}

// dropBatch deletes a commit, with the pieces of its large payloads, unless a delivery of it failed and is still listed.
func (w *writer) dropBatch(b run) (deleted, pieces int, err error) {
	failed := false
	err = each(w.conn, `SELECT 1 FROM failed WHERE seq BETWEEN ? AND ?`, []any{b.first, b.last}, func(*sqlite3.Stmt) (bool, error) {
		failed = true
		return false, nil
	})
	if err != nil || failed {
		return 0, 0, err
	}
	for _, from := range []struct {
		sql string
		n   *int // rows deleted; nil: nobody asks
	}{
		{`DELETE FROM batch WHERE first BETWEEN ? AND ?`, nil},
		{`DELETE FROM piece WHERE of BETWEEN ? AND ?`, &pieces},
		{`DELETE FROM attempt WHERE seq BETWEEN ? AND ?`, nil},
		{`DELETE FROM retried WHERE seq BETWEEN ? AND ?`, nil},
		{`DELETE FROM delivery WHERE seq BETWEEN ? AND ?`, &deleted},
	} {
		if err := each(w.conn, from.sql, []any{b.first, b.last}, func(*sqlite3.Stmt) (bool, error) { return true, nil }); err != nil {
			return 0, 0, err
		}
		if from.n != nil {
			*from.n = int(w.conn.Changes())
		}
	}
	return deleted, pieces, nil
}
