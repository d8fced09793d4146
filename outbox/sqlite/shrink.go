package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// shrinkStep is how many pages are given back in one transaction.
const shrinkStep = 256

// shrink makes the file smaller when it is larger than it may be and has room to give back. Otherwise what was removed is
// room for what comes.
func (p *pruning) shrink(ctx context.Context) error {
	s := p.store
	for p.keep.Bytes > 0 {
		more, began := false, time.Now()
		err := s.persist(ctx, func() (err error) {
			s.writing.Lock()
			defer s.writing.Unlock()
			if s.isClosed() {
				return outbox.ErrClosed
			}
			began = time.Now()
			more, err = s.w.shrink(p.keep.Bytes, s.log)
			return explain("prune", s.path, err)
		})
		if err != nil || !more {
			return err
		}
		s.rest(ctx, pruneRest*time.Since(began))
	}
	return nil
}

// shrink gives some pages back, and tells whether there are more to give. In the end the log in front of the file is empty.
func (w *writer) shrink(limit int64, log *slog.Logger) (more bool, err error) {
	pages, err := number(w.conn, `PRAGMA page_count`)
	if err != nil {
		return false, err
	}
	free, err := number(w.conn, `PRAGMA freelist_count`)
	if err != nil {
		return false, err
	}
	mode, err := number(w.conn, `PRAGMA auto_vacuum`)
	if err != nil {
		return false, err
	}
	surplus := min(free, pages-limit/pageSize)
	switch {
	case surplus <= 0:
		return false, w.tryTruncate()
	case mode == 0:
		log.Info("the outbox is written anew, once, as the file of an older rowhook cannot shrink; nothing is committed meanwhile",
			slog.Int64("bytes", pages*pageSize), slog.Int64("unused", free*pageSize))
		w.closeStmts()
		if err := w.conn.Exec(`PRAGMA auto_vacuum = INCREMENTAL; VACUUM`); err != nil {
			return false, err
		}
		return false, w.tryTruncate()
	}
	if err := w.conn.Exec(fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, min(surplus, shrinkStep))); err != nil {
		return false, err
	}
	w.checkpoint()
	return true, nil
}

// tryTruncate empties the log in front of the file, unless somebody reads an older state of the file.
func (w *writer) tryTruncate() error {
	if err := w.truncate(); !errors.Is(err, sqlite3.BUSY) {
		return err
	}
	return nil
}
