package sqlite

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// pruneStep is how many commits are deleted in one transaction: few, as deliveries wait meanwhile.
const pruneStep = 64

// Prune deletes deliveries that were stored before olderThan, whole commits at a time: those that have only delivered
// ones and lie below the low-water mark. It returns how many deliveries it deleted. The file does not shrink; its pages
// are used again.
func (s *Store) Prune(ctx context.Context, olderThan time.Time) (deleted int, err error) {
	for after := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return deleted, err
		}
		n, last, err := s.pruneOnce(after, olderThan)
		deleted += n
		if err != nil || last == 0 {
			return deleted, explain("prune", s.path, err)
		}
		after = last
	}
}

// pruneOnce deletes what it may of the next few commits. Last is the last one it looked at, 0 at the end.
func (s *Store) pruneOnce(after int64, olderThan time.Time) (deleted int, last int64, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.isClosed() {
		return 0, 0, outbox.ErrClosed
	}
	return s.w.prune(after, olderThan)
}

func (w *writer) prune(after int64, olderThan time.Time) (deleted int, last int64, err error) {
	err = transact(w.conn, func() error {
		batches, err := w.oldBatches(after, olderThan)
		if err != nil {
			return err
		}
		for _, b := range batches {
			n, err := w.dropBatch(b)
			if err != nil {
				return err
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

// oldBatches lists commits beyond after that are old enough and wholly settled, with their last delivery.
func (w *writer) oldBatches(after int64, olderThan time.Time) (list []run, err error) {
	const sql = `SELECT first, last FROM (
			SELECT first, stored, coalesce((SELECT min(first) - 1 FROM batch n WHERE n.first > b.first), ?) AS last
			FROM batch b WHERE first > ? AND stored < ? ORDER BY first LIMIT ?)
		WHERE last <= ?`
	args := []any{w.last, after, olderThan.UnixMicro(), int64(pruneStep), w.done.low}
	err = each(w.conn, sql, args, func(s *sqlite3.Stmt) (bool, error) {
		list = append(list, run{s.ColumnInt64(0), s.ColumnInt64(1)})
		return true, nil
	})
	return list, err
}

// dropBatch deletes a commit, unless a delivery of it failed and is still listed.
func (w *writer) dropBatch(b run) (deleted int, err error) {
	failed := false
	err = each(w.conn, `SELECT 1 FROM failed WHERE seq BETWEEN ? AND ?`, []any{b.first, b.last}, func(*sqlite3.Stmt) (bool, error) {
		failed = true
		return false, nil
	})
	if err != nil || failed {
		return 0, err
	}
	for _, sql := range []string{
		`DELETE FROM batch WHERE first BETWEEN ? AND ?`,
		`DELETE FROM attempt WHERE seq BETWEEN ? AND ?`,
		`DELETE FROM delivery WHERE seq BETWEEN ? AND ?`,
	} {
		if err := each(w.conn, sql, []any{b.first, b.last}, func(*sqlite3.Stmt) (bool, error) { return true, nil }); err != nil {
			return 0, err
		}
	}
	return int(w.conn.Changes()), nil
}
