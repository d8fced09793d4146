package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// reader is a connection that only reads, beside the one that writes. Every call sees one snapshot of the file.
type reader struct {
	path string

	mu   sync.Mutex
	conn *sqlite3.Conn // nil when closed
}

func openReader(ctx context.Context, path string) (*reader, error) {
	conn, err := connect(ctx, path, "ro")
	if err != nil {
		return nil, err
	}
	return &reader{path: path, conn: conn}, nil
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	conn := r.conn
	r.conn = nil
	return conn.Close()
}

// snapshot runs do in a read transaction; the end of ctx breaks it off.
func (r *reader) snapshot(ctx context.Context, do func(c *sqlite3.Conn) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return outbox.ErrClosed
	}
	outer := r.conn.SetInterrupt(ctx)
	err := r.conn.Exec(`BEGIN`)
	if err == nil {
		err = do(r.conn)
	}
	r.conn.SetInterrupt(outer)
	if !r.conn.GetAutocommit() {
		err = errors.Join(err, r.conn.Exec(`ROLLBACK`))
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// resume reads the position and the open events.
func (r *reader) resume(ctx context.Context) (res outbox.Resume, err error) {
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		err := each(c, `SELECT checkpoint FROM state`, nil, func(s *sqlite3.Stmt) (bool, error) {
			if s.ColumnType(0) != sqlite3.NULL {
				res.Checkpoint = s.ColumnBlob(0, []byte{})
			}
			return false, nil
		})
		if err != nil {
			return err
		}
		const sql = `SELECT key, data, ord, (SELECT sum(length(body) - 1) FROM piece WHERE of = -ord) FROM open ORDER BY ord`
		return each(c, sql, nil, func(s *sqlite3.Stmt) (bool, error) {
			rec := outbox.Record{Key: s.ColumnText(0)}
			if s.ColumnType(3) == sqlite3.NULL {
				rec.Data = s.ColumnBlob(1, []byte{})
			} else {
				rec.Large = &pieces{r, ofOpen(s.ColumnInt64(2)), s.ColumnInt64(3)}
			}
			res.Open = append(res.Open, rec)
			return true, nil
		})
	})
	return res, err
}

func (r *reader) meta(ctx context.Context, key string) (value string, err error) {
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		value, err = setting(c, key)
		return err
	})
	return value, err
}

// columns are those of a delivery d, as scanner.delivery wants them.
const columns = `d.seq, d.id, d.label, d.keys, d.gone, d.as_of, d.created, d.batch, d.off, d.len`

// fresh reads deliveries with after < Seq < before that are not in done: up to limit of them, and no more than one beyond
// maxBytes of bodies.
func (r *reader) fresh(ctx context.Context, after, before int64, limit, maxBytes int, done *marks) (list []*outbox.Delivery, err error) {
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		sc, err := newScanner(r, c)
		if err != nil {
			return err
		}
		defer sc.close()
		size := 0
		sql := `SELECT ` + columns + ` FROM delivery d WHERE d.seq > ? AND d.seq < ? ORDER BY d.seq`
		return each(c, sql, []any{after, before}, func(s *sqlite3.Stmt) (bool, error) {
			if done.has(s.ColumnInt64(0)) {
				return true, nil
			}
			d := new(outbox.Delivery)
			if err := sc.delivery(s, d, true); err != nil {
				return false, err
			}
			list = append(list, d)
			size += len(d.Body)
			return len(list) < limit && size < maxBytes, nil
		})
	})
	return list, err
}

// list selects deliveries with what became of them.
func (r *reader) list(ctx context.Context, f outbox.Filter) (list []*outbox.Stored, err error) {
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		sc, err := newScanner(r, c)
		if err != nil {
			return err
		}
		defer sc.close()
		from, args := selection(f)
		sql := `SELECT ` + columns + `, ` + state + `, ` + attempts + `, coalesce(f.due, 0),
			coalesce((SELECT at FROM retried WHERE seq = d.seq), 0), a.at, a.latency, a.status, a.error, a.response ` + from
		return each(c, sql, args, func(s *sqlite3.Stmt) (bool, error) {
			if f.Key != "" && !slices.Contains(splitKeys(s.ColumnText(3)), f.Key) {
				return true, nil
			}
			d := new(outbox.Stored)
			if err := sc.stored(s, d, f.Bodies); err != nil {
				return false, err
			}
			list = append(list, d)
			return len(list) != f.Limit, nil
		})
	})
	return list, err
}

// counts counts what is not delivered.
func (r *reader) counts(ctx context.Context) (list []Count, err error) {
	const sql = `SELECT l.rule, s.state, count(*), min(d.created) FROM (
			SELECT seq, state FROM failed
			UNION ALL SELECT d.seq, 0 FROM delivery d WHERE d.seq > (SELECT low FROM state) AND NOT ` + settled + `
		) s CROSS JOIN delivery d ON d.seq = s.seq JOIN label l ON l.id = d.label GROUP BY l.rule, s.state ORDER BY l.rule, s.state`
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		return each(c, sql, nil, func(s *sqlite3.Stmt) (bool, error) {
			list = append(list, Count{s.ColumnText(0), outbox.State(s.ColumnInt64(1)), s.ColumnInt(2), timeColumn(s, 3)})
			return true, nil
		})
	})
	return list, err
}

// selection is the filter in SQL, from FROM to ORDER BY, but for the exact match of a key. Few deliveries are waiting,
// dead or held: when only those are wanted their own table leads (a CROSS JOIN keeps SQLite from turning it round). Fresh
// ones are beyond the low-water mark.
func selection(f outbox.Filter) (sql string, args []any) {
	failed, fresh := len(f.States) > 0, len(f.States) > 0
	numbers := make([]string, len(f.States))
	for i, st := range f.States {
		numbers[i] = strconv.Itoa(int(st))
		failed = failed && st != outbox.Fresh && st != outbox.Delivered
		fresh = fresh && st == outbox.Fresh
	}
	from, seq, in := `FROM delivery d LEFT JOIN failed f ON f.seq = d.seq`, `d.seq`, state
	if failed || !f.DueBy.IsZero() {
		from, seq, in = `FROM failed f CROSS JOIN delivery d ON d.seq = f.seq`, `f.seq`, `f.state`
	}
	if !f.DueBy.IsZero() {
		seq = `+f.seq` // the plus makes SQLite look for what is due by its index instead
	}
	terms := []string{seq + ` > ?`}
	args = append(args, f.After)
	add := func(term string, values ...any) {
		terms = append(terms, term)
		args = append(args, values...)
	}
	if f.Before > 0 {
		add(seq+` < ?`, f.Before)
	}
	if len(numbers) > 0 {
		terms = append(terms, in+` IN (`+strings.Join(numbers, `, `)+`)`)
	}
	if fresh {
		terms = append(terms, seq+` > (SELECT low FROM state)`)
	}
	if !f.DueBy.IsZero() {
		add(`f.state = 1 AND f.due <= ?`, f.DueBy.UnixMicro())
	}
	if f.Entity != "" {
		add(`d.label IN (SELECT id FROM label WHERE substr(kind, 1, length(?) + 1) = ? || '.')`, f.Entity, f.Entity)
	}
	if !f.Since.IsZero() {
		add(`d.created >= ?`, f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		add(`d.created < ?`, f.Until.UnixMicro())
	}
	if f.Key != "" {
		add(`instr(d.keys, ?) > 0`, escapeKey.Replace(f.Key))
	}
	if f.ID != nil {
		add(`d.id = ?`, f.ID[:])
	}
	if len(f.Rules) > 0 {
		terms = append(terms, `d.label IN (SELECT id FROM label WHERE rule IN (?`+strings.Repeat(`, ?`, len(f.Rules)-1)+`))`)
		for _, rule := range f.Rules {
			args = append(args, rule)
		}
	}
	by := ` ORDER BY ` + seq
	if f.Newest {
		by += ` DESC`
	}
	return from + ` ` + lastAttempt + ` WHERE ` + strings.Join(terms, ` AND `) + by, args
}

// scanner turns rows into deliveries. It keeps the blob of the last batch open, as neighbours share it.
type scanner struct {
	r      *reader
	conn   *sqlite3.Conn
	labels map[int64]label
	blob   *sqlite3.Blob
	batch  int64 // the batch of blob
	sealed bool  // blobs end with a seal
}

func newScanner(r *reader, c *sqlite3.Conn) (sc *scanner, err error) {
	sc = &scanner{r: r, conn: c, labels: make(map[int64]label)}
	if sc.sealed, err = hasChecksums(c); err != nil {
		return nil, err
	}
	return sc, eachLabel(c, func(id int64, l label) { sc.labels[id] = l })
}

func (sc *scanner) close() { _ = sc.blob.Close() }

func (sc *scanner) delivery(s *sqlite3.Stmt, d *outbox.Delivery, body bool) error {
	d.Seq = s.ColumnInt64(0)
	copy(d.ID[:], s.ColumnRawBlob(1))
	l := sc.labels[s.ColumnInt64(2)]
	d.Rule, d.Site, d.Action, d.Kind = l.rule, l.site, l.action, l.kind
	d.Keys = splitKeys(s.ColumnText(3))
	if n := s.ColumnInt(4); n > 0 && n <= len(outbox.Objects()) {
		d.Object = outbox.Objects()[n-1]
	}
	d.AsOf, d.Created = timeColumn(s, 5), timeColumn(s, 6)
	if !body {
		return nil
	}
	if s.ColumnInt64(8) == inPieces {
		d.Large = &pieces{sc.r, d.Seq, s.ColumnInt64(9)}
		return nil
	}
	var err error
	d.Body, err = sc.body(s.ColumnInt64(7), s.ColumnInt64(8), s.ColumnInt64(9))
	if err != nil {
		return fmt.Errorf("payload of delivery %d: %w", d.Seq, err)
	}
	return nil
}

func (sc *scanner) stored(s *sqlite3.Stmt, d *outbox.Stored, body bool) error {
	if err := sc.delivery(s, &d.Delivery, body); err != nil {
		return err
	}
	d.State = outbox.State(s.ColumnInt64(10))
	d.Attempts = s.ColumnInt(11)
	d.Due, d.Retried = timeColumn(s, 12), timeColumn(s, 13)
	if s.ColumnType(14) != sqlite3.NULL {
		last := attemptColumns(s, 14)
		d.Last = &last
	}
	return nil
}

// attemptColumns reads an attempt from the columns at, latency, status, error and response.
func attemptColumns(s *sqlite3.Stmt, first int) outbox.Attempt {
	return outbox.Attempt{
		At: timeColumn(s, first), Latency: time.Duration(s.ColumnInt64(first+1)) * time.Microsecond,
		Status: s.ColumnInt(first + 2), Error: s.ColumnText(first + 3), Response: s.ColumnText(first + 4),
	}
}

// attempts reads what is on record of a delivery, the oldest attempt first.
func (r *reader) attempts(ctx context.Context, seq int64) (list []outbox.Attempt, err error) {
	const sql = `SELECT at, latency, status, error, response FROM attempt WHERE seq = ? ORDER BY id`
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		return each(c, sql, []any{seq}, func(s *sqlite3.Stmt) (bool, error) {
			list = append(list, attemptColumns(s, 0))
			return true, nil
		})
	})
	return list, err
}

// body reads one payload out of the blob of its batch.
func (sc *scanner) body(batch, off, length int64) (body []byte, err error) {
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
	if sc.sealed {
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
