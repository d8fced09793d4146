package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"rowhook/outbox"
)

// reader reads what is stored, on connections of its own.
type reader struct{ db *sql.DB }

// snapshot runs do in a transaction that sees one moment.
func (r reader) snapshot(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return do(tx)
}

// resume reads the position and the records.
func (r reader) resume(ctx context.Context) (res outbox.Resume, err error) {
	err = r.snapshot(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT checkpoint FROM progress WHERE id = 1`).Scan(&res.Checkpoint); err != nil {
			return err
		}
		return each(ctx, tx, `SELECT owner, k, data FROM record ORDER BY ord`, nil, func(scan func(...any) error) (bool, error) {
			var r outbox.Record
			err := scan(&r.Owner, &r.Key, &r.Data)
			res.Open = append(res.Open, r)
			return true, err
		})
	})
	return res, err
}

func (r reader) setting(ctx context.Context, key string) (value string, err error) {
	err = r.db.QueryRowContext(ctx, `SELECT v FROM setting WHERE h = ?`, hash(key)).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return value, err
}

// columns of a delivery d, of failed f and of its last attempt a.
const (
	storedColumns = `SELECT d.seq, d.endpoint, d.n, d.label, d.id, d.aggs, d.omitted, d.object, d.as_of, d.created, d.since, d.retried, d.len,
		d.erased, f.state, COALESCE(f.attempts, a.n), COALESCE(f.due, 0), COALESCE(f.since, 0), a.at, a.latency, a.status, a.error, a.response `
	lastAttempt = ` LEFT JOIN attempt a ON a.seq = d.seq AND a.k = (SELECT MAX(k) FROM attempt WHERE seq = d.seq)`
)

var errColumn = errors.New("a value cannot be read: the table delivery is damaged")

// item is a delivery as it was read, without its payload.
type item struct {
	outbox.Stored
	since, failing time.Duration
	label, length  int64
}

// scanItem reads storedColumns.
func scanItem(scan func(...any) error, w *words, ends map[int64]*end) (*item, error) {
	it := new(item)
	var endpoint, n, label, object, asOf, created, since, retried, due, failing int64
	var id, keys, omitted, text, response []byte
	var state, attempts, at, latency, status sql.NullInt64
	err := scan(&it.Seq, &endpoint, &n, &label, &id, &keys, &omitted, &object, &asOf, &created, &since, &retried, &it.length, &it.Erased,
		&state, &attempts, &due, &failing, &at, &latency, &status, &text, &response)
	if err != nil {
		return nil, err
	}
	it.label = label
	l, known := w.labels[label]
	if !known || len(id) != len(it.ID) || object < 0 || object > int64(len(outbox.Objects())) || it.length < 0 {
		return nil, fmt.Errorf("delivery %d: %w", it.Seq, errColumn)
	}
	it.Rule, it.Site, it.Action, it.Kind = l.rule, l.site, l.action, l.kind
	it.ID = outbox.ID(id)
	it.Keys = outbox.SplitKeys(string(keys))
	if omitted != nil {
		it.Omitted = outbox.SplitKeys(string(omitted))
	}
	if object > 0 {
		it.Object = outbox.Objects()[object-1]
	}
	if endpoint != 0 {
		it.Endpoint, it.Number = w.endpoints[endpoint], n
	}
	it.AsOf, it.Created, it.Retried, it.Due = timeOf(asOf), timeOf(created), timeOf(retried), timeOf(due)
	it.since, it.failing = duration(since), duration(failing)
	it.State = stateOf(ends[endpoint], state, n)
	switch {
	case attempts.Valid:
		it.Attempts = int(attempts.Int64)
	case it.State == outbox.Delivered:
		it.Attempts = 1
	}
	if at.Valid {
		it.Last = &outbox.Attempt{At: timeOf(at.Int64), Latency: duration(latency.Int64), Status: int(status.Int64), Error: string(text), Response: string(response)}
	}
	return it, nil
}

// bodies reads the payloads of deliveries: of the first ones, not more than one beyond maxRead bytes. It returns those.
func bodies(ctx context.Context, db rower, items []*item) ([]*item, error) {
	size := int64(0)
	bySeq := make(map[int64]*item)
	var seqs []int64
	for i, it := range items {
		if size >= maxRead {
			items = items[:i]
			break
		}
		size += it.length
		seqs, bySeq[it.Seq] = append(seqs, it.Seq), it
	}
	for part := range slices.Chunk(seqs, step) {
		err := each(ctx, db, `SELECT seq, body FROM payload WHERE seq IN `+list(part), nil, func(scan func(...any) error) (bool, error) {
			var seq int64
			var body []byte
			err := scan(&seq, &body)
			if it := bySeq[seq]; it != nil {
				it.Body = body
			}
			return true, err
		})
		if err != nil {
			return nil, err
		}
	}
	// What was removed meanwhile has no payload any more.
	return slices.DeleteFunc(items, func(it *item) bool { return it.length > 0 && it.Body == nil && !it.Erased }), nil
}

// undelivered reads what an endpoint has beyond a number: up to limit, in order. Use leaves some out, and makes the others show
// what is not written yet.
func undelivered(ctx context.Context, db rower, g *glance, after int64, limit int) ([]*item, error) {
	// The fresh ones first: one that fails in between is found twice, not never.
	fresh, err := readPart(ctx, db, g, `FROM delivery d LEFT JOIN failed f ON f.seq = d.seq`+lastAttempt+`
		WHERE d.endpoint = ? AND d.n > ? AND f.seq IS NULL ORDER BY d.n LIMIT ?`, max(after, g.end.marks.Low), limit)
	if err != nil {
		return nil, err
	}
	waiting, err := readPart(ctx, db, g, `FROM failed f JOIN delivery d ON d.seq = f.seq`+lastAttempt+`
		WHERE f.endpoint = ? AND f.n > ? AND f.state = 1 ORDER BY f.n LIMIT ?`, after, limit)
	if err != nil {
		return nil, err
	}
	all := sorted(append(waiting, fresh...))
	return bodies(ctx, db, all[:min(len(all), limit)])
}

// sorted are deliveries by number, each once.
func sorted(items []*item) []*item {
	slices.SortStableFunc(items, func(a, b *item) int { return cmp.Compare(a.Number, b.Number) })
	return slices.CompactFunc(items, func(a, b *item) bool { return a.Number == b.Number })
}

// readPart reads up to limit deliveries that are undelivered, in as many pages as that takes.
func readPart(ctx context.Context, db rower, g *glance, from string, after int64, limit int) (items []*item, err error) {
	for page := min(limit, step); len(items) < limit; {
		n := 0
		err := each(ctx, db, storedColumns+from, []any{g.id, after, page}, func(scan func(...any) error) (bool, error) {
			it, err := scanItem(scan, &g.words, map[int64]*end{g.id: g.end})
			if err != nil {
				return false, err
			}
			n++
			after = it.Number
			if g.use(it) && len(items) < limit {
				items = append(items, it)
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
		if n < page {
			break
		}
	}
	return items, nil
}

// numbered reads those of an endpoint's deliveries that have these numbers and are undelivered.
func numbered(ctx context.Context, db rower, g *glance, numbers []int64) (items []*item, err error) {
	for part := range slices.Chunk(numbers, step) {
		const from = `FROM delivery d LEFT JOIN failed f ON f.seq = d.seq` + lastAttempt + ` WHERE d.endpoint = ? AND d.n IN `
		err := each(ctx, db, storedColumns+from+list(part), []any{g.id}, func(scan func(...any) error) (bool, error) {
			it, err := scanItem(scan, &g.words, map[int64]*end{g.id: g.end})
			if err == nil && g.use(it) {
				items = append(items, it)
			}
			return true, err
		})
		if err != nil {
			return nil, err
		}
	}
	return bodies(ctx, db, sorted(items))
}

// oldest tells when the age of the first delivery of an endpoint began that is undelivered; 0: it has none.
func (r reader) oldest(ctx context.Context, id, low int64) (since time.Duration, err error) {
	var us sql.NullInt64
	err = r.db.QueryRowContext(ctx, `SELECT MIN(since) FROM (
		(SELECT d.since FROM delivery d LEFT JOIN failed f ON f.seq = d.seq WHERE d.endpoint = ? AND d.n > ? AND f.seq IS NULL ORDER BY d.n LIMIT 1) UNION ALL
		(SELECT d.since FROM failed f JOIN delivery d ON d.seq = f.seq WHERE f.endpoint = ? AND f.state = 1 ORDER BY f.n LIMIT 1)) AS firsts`,
		id, low, id).Scan(&us)
	return duration(us.Int64), err
}
