package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// reader is a connection that only reads, beside the one that writes. Every call sees one snapshot of the file.
type reader struct {
	path string

	mu    sync.Mutex
	conn  *sqlite3.Conn // nil when closed
	words dictionary
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
	if err := ctx.Err(); err != nil {
		return err
	}
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
		return each(c, `SELECT owner, key, data FROM record ORDER BY ord`, nil, func(s *sqlite3.Stmt) (bool, error) {
			res.Open = append(res.Open, outbox.Record{Owner: s.ColumnText(0), Key: s.ColumnText(1), Data: s.ColumnBlob(2, []byte{})})
			return true, nil
		})
	})
	return res, err
}

func (r *reader) setting(ctx context.Context, key string) (value string, err error) {
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		value, err = setting(c, key)
		return err
	})
	return value, err
}

// columns are those of a delivery d, as scanner.delivery wants them; fate are those behind them that scanner.stored wants.
const (
	columns = `d.seq, d.id, d.label, d.keys, d.gone, d.as_of, d.created, d.batch, d.off, d.len, d.endpoint, d.number,
		(SELECT columns FROM omitted WHERE seq = d.seq)`
	plainColumns = 13
	fate         = `, coalesce(f.due, 0), coalesce((SELECT at FROM retried WHERE seq = d.seq), 0), a.at, a.latency, a.status, a.error, a.response, `
	fateColumns  = 7
)

// inBacklog selects from the backlog of an endpoint.
const inBacklog = `SELECT ` + columns + fate + `coalesce(f.state, 0), coalesce(f.attempts, 0), b.since, coalesce(f.since, 0)
	FROM backlog b CROSS JOIN delivery d ON d.seq = b.seq LEFT JOIN failed f ON f.seq = d.seq ` + lastAttempt + ` WHERE b.endpoint = ?`

// backlog reads what an endpoint has in the backlog beyond a number: up to limit, and no more than one beyond maxRecent
// bytes of payloads. Use leaves some out, and makes the others show what the file does not know yet.
func (r *reader) backlog(ctx context.Context, endpoint, after int64, limit int, now time.Duration, use func(*outbox.Stored) bool) ([]*outbox.Stored, error) {
	return r.undelivered(ctx, inBacklog+` AND b.number > ? ORDER BY b.number`, []any{endpoint, after}, limit, now, use)
}

// numbers reads those with certain numbers, in the same way.
func (r *reader) numbers(ctx context.Context, endpoint int64, numbers []int64, now time.Duration, use func(*outbox.Stored) bool) ([]*outbox.Stored, error) {
	text, err := json.Marshal(numbers)
	if err != nil {
		return nil, err
	}
	return r.undelivered(ctx, inBacklog+` AND b.number IN (SELECT value FROM json_each(?)) ORDER BY b.number`,
		[]any{endpoint, string(text)}, len(numbers), now, use)
}

func (r *reader) undelivered(ctx context.Context, sql string, args []any, limit int, now time.Duration, use func(*outbox.Stored) bool) (list []*outbox.Stored, err error) {
	size := 0
	err = r.scan(ctx, func(c *sqlite3.Conn, sc *scanner) error {
		return each(c, sql, args, func(s *sqlite3.Stmt) (bool, error) {
			d := new(outbox.Stored)
			if err := sc.stored(s, d, false); err != nil {
				return false, err
			}
			const at = plainColumns + fateColumns + 2
			d.Age = now - durationColumn(s, at)
			if since := durationColumn(s, at+1); since > 0 {
				d.Failing = now - since
			}
			if !use(d) {
				return true, nil
			}
			if err := sc.body(s, &d.Delivery); err != nil {
				return false, err
			}
			list = append(list, d)
			size += len(d.Body)
			return len(list) < limit && size < maxRecent, nil
		})
	})
	return list, err
}

// list selects deliveries with what became of them.
func (r *reader) list(ctx context.Context, f outbox.Filter) (list []*outbox.Stored, err error) {
	size := 0
	err = r.scan(ctx, func(c *sqlite3.Conn, sc *scanner) error {
		from, args, err := selection(c, f)
		if err != nil {
			return err
		}
		sql := `SELECT ` + columns + fate + state + `, ` + attempts + from
		return each(c, sql, args, func(s *sqlite3.Stmt) (bool, error) {
			if (f.Key != "" || f.Object != "") && !f.About(outbox.SplitKeys(s.ColumnText(3))) {
				return true, nil
			}
			d := new(outbox.Stored)
			if err := sc.stored(s, d, f.Bodies); err != nil {
				return false, err
			}
			list = append(list, d)
			size += len(d.Body)
			return len(list) != f.Limit && size < maxRecent, nil
		})
	})
	return list, err
}

// counts reads how many deliveries there are, by rule and state.
func (r *reader) counts(ctx context.Context) (list []outbox.Count, err error) {
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		const sql = `SELECT rule, fresh, waiting, delivered, dead, held FROM counter ORDER BY rule`
		return each(c, sql, nil, func(s *sqlite3.Stmt) (bool, error) {
			for state := outbox.Fresh; state <= outbox.Held; state++ {
				if n := s.ColumnInt(int(state) + 1); n > 0 {
					list = append(list, outbox.Count{Rule: s.ColumnText(0), State: state, N: n})
				}
			}
			return true, nil
		})
	})
	return list, err
}

// due reads what lies undelivered, by endpoint.
func (r *reader) due(ctx context.Context) (map[string]outbox.Due, error) {
	due := make(map[string]outbox.Due)
	err := r.snapshot(ctx, func(c *sqlite3.Conn) error {
		return each(c, `SELECT name, count, bytes FROM endpoint WHERE count > 0 AND id > 0`, nil, func(s *sqlite3.Stmt) (bool, error) {
			due[s.ColumnText(0)] = outbox.Due{Count: s.ColumnInt(1), Bytes: s.ColumnInt64(2)}
			return true, nil
		})
	})
	return due, err
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
