package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// What is large passes through memory piece by piece, on its way into the file and out of it. A piece is a row of its own,
// as SQLite reads a value from its beginning to find what stands in its middle.

// pieceSize is how long a piece is, in bytes; the last one is shorter.
const pieceSize = 64 << 10

// inPieces is the place of a payload, within its batch, that is stored in pieces.
const inPieces = -1

// largeBody is the payload of a delivery that is stored in pieces, nil when it is not large.
func largeBody(d *outbox.Delivery) outbox.Blob {
	if d.Large == nil && len(d.Body) > maxBlob {
		return bytes.NewReader(d.Body)
	}
	return d.Large
}

// writePieces stores a large value under a number. Each piece ends with a seal.
func (w *writer) writePieces(of int64, value outbox.Blob) error {
	piece := make([]byte, pieceSize+1)
	for n, off := int64(0), int64(0); off < value.Size(); n++ {
		size := min(pieceSize, value.Size()-off)
		if k, err := value.ReadAt(piece[:size], off); int64(k) < size {
			return errors.Join(err, io.ErrUnexpectedEOF)
		}
		piece[size] = seal
		put := bind{stmt: w.putPiece}
		if err := put.int(of).int(n).blob(piece[:size+1]).run(); err != nil {
			return err
		}
		off += size
	}
	return nil
}

// writeLargeOpen stores a large open event: a row without data, and its pieces.
func (w *writer) writeLargeOpen(r outbox.Record) error {
	put := bind{stmt: w.putOpen}
	if err := put.text(r.Key).blob([]byte{}).run(); err != nil {
		return err
	}
	var row int64
	err := each(w.conn, `SELECT ord FROM open WHERE key = ?`, []any{r.Key}, func(s *sqlite3.Stmt) (bool, error) {
		row = s.ColumnInt64(0)
		return false, nil
	})
	if err != nil {
		return err
	}
	return w.writePieces(ofOpen(row), r.Large)
}

// ofOpen is the number that the pieces of an open event have; those of a delivery have its own.
func ofOpen(row int64) int64 { return -row }

// pieces is a large value in the file.
type pieces struct {
	r    *reader
	of   int64
	size int64
}

// Size is how many bytes it is long.
func (p *pieces) Size() int64 { return p.size }

// ReadAt reads a part of it.
func (p *pieces) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("reading a payload from %d on", off)
	}
	wanted := b[:max(0, min(int64(len(b)), p.size-off))]
	if len(wanted) > 0 {
		err = p.r.snapshot(context.Background(), func(c *sqlite3.Conn) (err error) {
			n, err = p.read(c, wanted, off)
			return err
		})
	}
	if err == nil && n < len(b) {
		return n, io.EOF
	}
	return n, explain("read", p.r.path, err)
}

func (p *pieces) read(c *sqlite3.Conn, b []byte, off int64) (n int, err error) {
	const sql = `SELECT body, n FROM piece WHERE of = ? AND n >= ? ORDER BY n`
	next := off / pieceSize
	err = each(c, sql, []any{p.of, next}, func(s *sqlite3.Stmt) (bool, error) {
		body := s.ColumnRawBlob(0)
		size := min(pieceSize, p.size-next*pieceSize)
		if s.ColumnInt64(1) != next || int64(len(body)) != size+1 || body[size] != seal {
			return false, fmt.Errorf("piece %d of %d: %w", next, p.of, sqlite3.CORRUPT)
		}
		n += copy(b[n:], body[off+int64(n)-next*pieceSize:size])
		next++
		return n < len(b), nil
	})
	if err == nil && n < len(b) {
		err = fmt.Errorf("piece %d of %d is missing: %w", next, p.of, sqlite3.CORRUPT)
	}
	return n, err
}
