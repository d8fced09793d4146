package sqlite

import (
	"errors"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// A value that is bound to a statement lies in SQLite's memory twice, and that memory never shrinks. So a large one is
// stored as a hole first, which is then filled in pieces; and it is read in pieces too.

// maxPiece is how much of a large value passes through SQLite's memory at once.
const maxPiece = 1 << 20

// large is blob, but for values beyond maxBlob: they stay a hole for writer.fill.
func (b *bind) large(v []byte) *bind {
	if len(v) <= maxBlob {
		return b.blob(v)
	}
	b.n++
	if b.err == nil {
		b.err = b.stmt.BindZeroBlob(b.n, int64(len(v)))
	}
	return b
}

// fill writes the value that bind.large left out.
func (w *writer) fill(table, column string, row int64, value []byte) (err error) {
	if len(value) <= maxBlob {
		return nil
	}
	blob, err := w.conn.OpenBlob("main", table, column, row, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, blob.Close()) }()
	for len(value) > 0 {
		n, err := blob.Write(value[:min(len(value), maxPiece)])
		if err != nil {
			return err
		}
		value = value[n:]
	}
	return nil
}

// fillOpen is fill for an open event.
func (w *writer) fillOpen(r outbox.Record) error {
	var row int64
	err := each(w.conn, `SELECT ord FROM open WHERE key = ?`, []any{r.Key}, func(s *sqlite3.Stmt) (bool, error) {
		row = s.ColumnInt64(0)
		return false, nil
	})
	if err != nil {
		return err
	}
	return w.fill("open", "data", row, r.Data)
}
