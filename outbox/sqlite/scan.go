package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// dictionary is what a connection knows of the tables label and endpoint, whose rows never change.
type dictionary struct {
	labels    map[int64]label
	endpoints map[int64]string
	sealed    bool // blobs end with a seal
}

func readDictionary(c *sqlite3.Conn) (d dictionary, err error) {
	d = dictionary{labels: make(map[int64]label), endpoints: make(map[int64]string)}
	if d.sealed, err = hasChecksums(c); err != nil {
		return d, err
	}
	err = each(c, `SELECT id, rule, site, action, kind FROM label`, nil, func(s *sqlite3.Stmt) (bool, error) {
		id, l := labelColumns(s)
		d.labels[id] = l
		return true, nil
	})
	if err != nil {
		return d, err
	}
	return d, each(c, `SELECT id, name FROM endpoint`, nil, func(s *sqlite3.Stmt) (bool, error) {
		d.endpoints[s.ColumnInt64(0)] = s.ColumnText(1)
		return true, nil
	})
}

// scanner turns rows into deliveries. It keeps the blob of the last batch open, as neighbours share it.
type scanner struct {
	conn  *sqlite3.Conn
	words *dictionary
	blob  *sqlite3.Blob
	batch int64 // the batch of blob
}

// scan runs do in a snapshot, with a scanner.
func (r *reader) scan(ctx context.Context, do func(c *sqlite3.Conn, sc *scanner) error) error {
	return r.snapshot(ctx, func(c *sqlite3.Conn) error {
		sc := &scanner{conn: c, words: &r.words}
		defer func() { _ = sc.blob.Close() }()
		return do(c, sc)
	})
}

// know makes sure that the dictionary has what a row names.
func (sc *scanner) know(label, endpoint int64) error {
	_, a := sc.words.labels[label]
	_, b := sc.words.endpoints[endpoint]
	if a && b {
		return nil
	}
	d, err := readDictionary(sc.conn)
	if err != nil {
		return err
	}
	*sc.words = d
	return nil
}

// delivery reads the columns, without the payload.
func (sc *scanner) delivery(s *sqlite3.Stmt, d *outbox.Delivery) error {
	if err := sc.know(s.ColumnInt64(2), s.ColumnInt64(10)); err != nil {
		return err
	}
	d.Seq = s.ColumnInt64(0)
	copy(d.ID[:], s.ColumnRawBlob(1))
	l := sc.words.labels[s.ColumnInt64(2)]
	d.Rule, d.Site, d.Action, d.Kind = l.rule, l.site, l.action, l.kind
	d.Keys = outbox.SplitKeys(s.ColumnText(3))
	if n := s.ColumnInt(4); n > 0 && n <= len(outbox.Objects()) {
		d.Object = outbox.Objects()[n-1]
	}
	d.AsOf, d.Created = timeColumn(s, 5), timeColumn(s, 6)
	if d.Endpoint = sc.words.endpoints[s.ColumnInt64(10)]; d.Endpoint != "" {
		d.Number = s.ColumnInt64(11)
	}
	if s.ColumnType(12) != sqlite3.NULL {
		d.Omitted = outbox.SplitKeys(s.ColumnText(12))
	}
	return nil
}

// stored reads the columns of a delivery, and of what became of it.
func (sc *scanner) stored(s *sqlite3.Stmt, d *outbox.Stored, body bool) error {
	if err := sc.delivery(s, &d.Delivery); err != nil {
		return err
	}
	d.Erased = s.ColumnInt64(8) == isErased
	d.Due, d.Retried = timeColumn(s, plainColumns), timeColumn(s, plainColumns+1)
	if s.ColumnType(plainColumns+2) != sqlite3.NULL {
		last := attemptColumns(s, plainColumns+2)
		d.Last = &last
	}
	d.State = outbox.State(s.ColumnInt64(plainColumns + fateColumns))
	d.Attempts = s.ColumnInt(plainColumns + fateColumns + 1)
	if !body {
		return nil
	}
	return sc.body(s, &d.Delivery)
}

// attemptColumns reads an attempt from the columns at, latency, status, error and response.
func attemptColumns(s *sqlite3.Stmt, first int) outbox.Attempt {
	return outbox.Attempt{
		At: timeColumn(s, first), Latency: durationColumn(s, first+1),
		Status: s.ColumnInt(first + 2), Error: s.ColumnText(first + 3), Response: s.ColumnText(first + 4),
	}
}

// body reads the payload of a delivery, wherever it is.
func (sc *scanner) body(s *sqlite3.Stmt, d *outbox.Delivery) (err error) {
	batch, off, length := s.ColumnInt64(7), s.ColumnInt64(8), s.ColumnInt64(9)
	switch {
	case off == isErased:
		return nil
	case off == inPieces:
		d.Body, err = readPieces(sc.conn, d.Seq)
	case batch == 0:
		d.Body, err = readKept(sc.conn, d.Seq)
	default:
		d.Body, err = sc.part(batch, off, length)
	}
	if err == nil && int64(len(d.Body)) != length {
		err = fmt.Errorf("%d bytes of %d: %w", len(d.Body), length, sqlite3.CORRUPT)
	}
	if err != nil {
		return fmt.Errorf("payload of delivery %d: %w", d.Seq, err)
	}
	return nil
}

// readKept reads a payload that outlasts those of its commit.
func readKept(c *sqlite3.Conn, seq int64) (body []byte, err error) {
	err = each(c, `SELECT body FROM kept WHERE seq = ?`, []any{seq}, func(s *sqlite3.Stmt) (bool, error) {
		body = s.ColumnBlob(0, []byte{})
		if n := len(body) - 1; n < 0 || body[n] != seal {
			return false, fmt.Errorf("its end is missing: %w", sqlite3.CORRUPT)
		}
		body = body[:len(body)-1]
		return false, nil
	})
	return body, err
}

// part reads one payload out of the blob of its batch.
func (sc *scanner) part(batch, off, length int64) (body []byte, err error) {
	if sc.blob == nil || sc.batch != batch {
		if err := sc.open(batch); err != nil {
			return nil, err
		}
	}
	if off < 0 || length < 0 || off > sc.blob.Size() || length > sc.blob.Size()-off {
		return nil, fmt.Errorf("bytes %d to %d of %d: %w", off, off+length, sc.blob.Size(), sqlite3.CORRUPT)
	}
	body = make([]byte, length)
	if length == 0 {
		return body, nil
	}
	if _, err := sc.blob.Seek(off, io.SeekStart); err != nil {
		return nil, err
	}
	for rest := body; len(rest) > 0; {
		n, err := sc.blob.Read(rest[:min(len(rest), pieceSize)])
		if err != nil && !errors.Is(err, io.EOF) || n == 0 {
			return nil, errors.Join(err, io.ErrUnexpectedEOF)
		}
		rest = rest[n:]
	}
	return body, nil
}

// open opens the payloads of a batch.
func (sc *scanner) open(batch int64) (err error) {
	_ = sc.blob.Close()
	sc.batch = 0
	if sc.blob, err = sc.conn.OpenBlob("main", "batch", "body", batch, false); err != nil {
		return err
	}
	if sc.words.sealed {
		var last [1]byte
		if _, err := sc.blob.Seek(-1, io.SeekEnd); err != nil {
			return err
		}
		if _, err := io.ReadFull(sc.blob, last[:]); err != nil {
			return err
		}
		if last[0] == 0 {
			return fmt.Errorf("the end of the payloads is missing: %w", sqlite3.CORRUPT)
		}
	}
	sc.batch = batch
	return nil
}
