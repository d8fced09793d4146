package sqlite

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// Older versions stored what was large in pieces, each in a row of its own that ends with a seal.

// pieceSize is how long a piece is, in bytes; the last one is shorter. It is also how much of a payload is read at once.
const pieceSize = 64 << 10

// Places of a payload, within its batch, that are none.
const (
	inPieces = -1
	isErased = -2
)

// readPieces reads a large value whole.
func readPieces(c *sqlite3.Conn, of int64) (value []byte, err error) {
	next := int64(0)
	err = each(c, `SELECT body, n FROM piece WHERE of = ? ORDER BY n`, []any{of}, func(s *sqlite3.Stmt) (bool, error) {
		body := s.ColumnRawBlob(0)
		last := len(body) - 1
		if s.ColumnInt64(1) != next || last < 0 || body[last] != seal {
			return false, fmt.Errorf("piece %d of %d: %w", next, of, sqlite3.CORRUPT)
		}
		value = append(value, body[:last]...)
		next++
		return true, nil
	})
	return value, err
}
