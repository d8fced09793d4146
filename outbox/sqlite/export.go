package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
	"rowhook/outbox/transfer"
)

// Whole is an outbox that no daemon has open, to be read or written as a whole. Make it with OpenWhole.
type Whole struct {
	path string
	lock *os.File
	w    *writer
	r    *reader
	ends map[string]*backlogged // of Put, by endpoint
}

var _ transfer.Target = (*Whole)(nil)

// OpenWhole opens the outbox in dir, and makes both when they do not exist; one of an older rowhook is brought up to date. The error
// is outbox.ErrLocked when a daemon has it open.
func OpenWhole(ctx context.Context, dir string) (*Whole, error) {
	path, err := filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return nil, fmt.Errorf("open the outbox: %w", err)
	}
	dir = filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, explain("open", path, err)
	}
	o := &Whole{path: path, ends: make(map[string]*backlogged)}
	if err := o.open(ctx, dir); err != nil {
		return nil, explain("open", path, errors.Join(err, o.close()))
	}
	makePrivate(dir)
	return o, nil
}

func (o *Whole) open(ctx context.Context, dir string) (err error) {
	if err := checkFiles(dir); err != nil {
		return err
	}
	if o.lock, err = acquire(ctx, dir); err != nil {
		return err
	}
	if o.w, err = openWriter(ctx, o.path); err != nil {
		return err
	}
	o.r, err = openReader(ctx, o.path)
	return err
}

// Close lets others open it. What was open for reading or writing as a whole has not grown older.
func (o *Whole) Close() error { return explain("close", o.path, o.close()) }

func (o *Whole) close() error {
	var errs []error
	if o.r != nil {
		errs = append(errs, o.r.close())
	}
	if o.w != nil {
		errs = append(errs, o.w.close())
	}
	if o.lock != nil {
		errs = append(errs, o.lock.Close())
	}
	return errors.Join(errs...)
}

// errUnrouted is for the file of a rowhook that knew no endpoints: a daemon says where its deliveries go, when it starts.
var errUnrouted = errors.New("an older rowhook wrote it, and what it has to deliver has no numbers yet: start the daemon of this version with it once, and stop it")

// Export hands over all that there is.
func (o *Whole) Export(ctx context.Context, take func(context.Context, *transfer.Part) error) error {
	head, err := o.head(ctx)
	if err != nil {
		return explain("read", o.path, err)
	}
	if err := take(ctx, &transfer.Part{Head: head}); err != nil {
		return err
	}
	for ord := int64(0); ; {
		p := new(transfer.Part)
		if ord, err = o.r.recordsAfter(ctx, ord, p); err != nil {
			return explain("read", o.path, err)
		}
		if len(p.Records) == 0 {
			break
		}
		if err := take(ctx, p); err != nil {
			return err
		}
	}
	for seq := int64(0); ; {
		p := new(transfer.Part)
		if err := o.r.deliveriesAfter(ctx, seq, p); err != nil {
			return explain("read", o.path, err)
		}
		if len(p.Deliveries) == 0 {
			return nil
		}
		seq = p.Deliveries[len(p.Deliveries)-1].Seq
		if err := take(ctx, p); err != nil {
			return err
		}
	}
}

// head reads what is not many.
func (o *Whole) head(ctx context.Context) (*transfer.Head, error) {
	totals, err := o.r.totals(ctx)
	if err != nil {
		return nil, err
	}
	hours, err := o.r.hours(ctx, "", time.Time{})
	if err != nil {
		return nil, err
	}
	h := &transfer.Head{Events: totals.Events}
	unrouted := int64(0)
	err = o.r.snapshot(ctx, func(c *sqlite3.Conn) error {
		for _, from := range []struct {
			sql string
			row func(s *sqlite3.Stmt)
		}{
			{`SELECT checkpoint, last, uptime, max(coalesce((SELECT max(len) FROM delivery), 0), coalesce((SELECT max(length(data)) FROM record), 0),
				coalesce(length(checkpoint), 0)) FROM state`, func(s *sqlite3.Stmt) {
				if s.ColumnType(0) != sqlite3.NULL {
					h.Checkpoint = s.ColumnBlob(0, []byte{})
				}
				h.Last, h.Uptime, h.Largest = s.ColumnInt64(1), durationColumn(s, 2), s.ColumnInt64(3)
			}},
			{`SELECT key, value FROM meta WHERE key != '` + schemaKey + `'`, func(s *sqlite3.Stmt) {
				h.Settings = append(h.Settings, transfer.Setting{Key: s.ColumnText(0), Value: s.ColumnText(1)})
			}},
			{`SELECT r.rule, e.name FROM route r JOIN endpoint e ON e.id = r.endpoint`, func(s *sqlite3.Stmt) {
				h.Routes = append(h.Routes, transfer.Route{Rule: s.ColumnText(0), Endpoint: s.ColumnText(1)})
			}},
			{`SELECT id, name, last, count, bytes, ` + everOfEndpoint + ` FROM endpoint`, func(s *sqlite3.Stmt) {
				if s.ColumnInt64(0) == 0 {
					unrouted = s.ColumnInt64(3)
					return
				}
				h.Endpoints = append(h.Endpoints, transfer.Endpoint{Name: s.ColumnText(1), Last: s.ColumnInt64(2), Count: s.ColumnInt64(3),
					Bytes: s.ColumnInt64(4), Tally: tallyColumns(s, 5)})
			}},
			{`SELECT rule, fresh, waiting, delivered, dead, held, ever_delivered, ever_failed, ever_dead FROM counter`, func(s *sqlite3.Stmt) {
				r := transfer.Rule{Name: s.ColumnText(0), Ever: outbox.OutcomeCount{Delivered: s.ColumnInt64(6), Failed: s.ColumnInt64(7), Dead: s.ColumnInt64(8)}}
				for i := range r.States {
					r.States[i] = s.ColumnInt64(1 + i)
				}
				h.Rules = append(h.Rules, r)
			}},
		} {
			err := each(c, from.sql, nil, func(s *sqlite3.Stmt) (bool, error) {
				from.row(s)
				return true, nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && unrouted > 0 {
		err = errUnrouted
	}
	h.AddHours(hours)
	return h, err
}

// recordsAfter reads records beyond a place in their order. It returns the place of the last one.
func (r *reader) recordsAfter(ctx context.Context, ord int64, p *transfer.Part) (int64, error) {
	size := int64(0)
	return ord, r.snapshot(ctx, func(c *sqlite3.Conn) error {
		return each(c, `SELECT ord, owner, key, data FROM record WHERE ord > ? ORDER BY ord`, []any{ord}, func(s *sqlite3.Stmt) (bool, error) {
			one := outbox.Record{Owner: s.ColumnText(1), Key: s.ColumnText(2), Data: s.ColumnBlob(3, []byte{})}
			p.Records = append(p.Records, one)
			ord = s.ColumnInt64(0)
			size += transfer.RecordSize(&one)
			return len(p.Records) < transfer.PartLength && size < transfer.PartBytes, nil
		})
	})
}

// wholeColumns are what is known of a delivery beside columns.
const wholeColumns = `, coalesce(f.due, 0), coalesce((SELECT at FROM retried WHERE seq = d.seq), 0),
	coalesce((SELECT stored FROM kept WHERE seq = d.seq), (SELECT stored FROM batch WHERE first = d.batch), 0),
	coalesce((SELECT since FROM backlog WHERE endpoint = d.endpoint AND number = d.number), (SELECT uptime FROM clock WHERE first = d.batch), 0),
	coalesce(f.since, 0), a.id IS NOT NULL, ` + state + `, ` + attempts

// deliveriesAfter reads deliveries beyond a Seq.
func (r *reader) deliveriesAfter(ctx context.Context, seq int64, p *transfer.Part) error {
	size := int64(0)
	return r.scan(ctx, func(c *sqlite3.Conn, sc *scanner) error {
		const sql = `SELECT ` + columns + wholeColumns + byDelivery + ` ` + lastAttempt + ` WHERE d.seq > ? ORDER BY d.seq`
		return each(c, sql, []any{seq}, func(s *sqlite3.Stmt) (bool, error) {
			d := new(transfer.Delivery)
			if err := sc.whole(s, d); err != nil {
				return false, err
			}
			p.Deliveries = append(p.Deliveries, d)
			size += d.Size()
			return len(p.Deliveries) < transfer.PartLength && size < transfer.PartBytes, nil
		})
	})
}

// whole reads the columns of a delivery, wholeColumns, its payload and its attempts.
func (sc *scanner) whole(s *sqlite3.Stmt, d *transfer.Delivery) error {
	if err := sc.delivery(s, &d.Delivery); err != nil {
		return err
	}
	const at = plainColumns
	d.Erased = s.ColumnInt64(8) == isErased
	d.Due, d.Retried, d.Kept = timeColumn(s, at), timeColumn(s, at+1), timeColumn(s, at+2)
	d.Failing = durationColumn(s, at+4)
	d.State, d.Attempts = outbox.State(s.ColumnInt64(at+6)), s.ColumnInt(at+7)
	if d.State.Undelivered() {
		d.Since = durationColumn(s, at+3)
	}
	if err := sc.body(s, &d.Delivery); err != nil || !s.ColumnBool(at+5) {
		return err
	}
	return each(sc.conn, `SELECT at, latency, status, error, response, n FROM attempt WHERE seq = ? ORDER BY id`, []any{d.Seq}, func(s *sqlite3.Stmt) (bool, error) {
		d.Tried = append(d.Tried, transfer.Attempt{Attempt: attemptColumns(s, 0), N: s.ColumnInt(5)})
		return true, nil
	})
}
