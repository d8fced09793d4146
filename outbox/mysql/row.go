package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"rowhook/outbox"
)

// step is how many deliveries are looked at, or removed, in one statement.
const step = 1000

// row is a delivery as a transaction finds it, and what it makes of it.
type row struct {
	seq, endpoint, n, label, length int64
	state                           outbox.State
	attempts                        int
	due                             time.Time
	failing                         time.Duration // uptime at the first failed attempt, 0: none failed
	since                           time.Duration // uptime when its age began
	retried, kept                   time.Time
	erased                          bool
	tried                           int64 // the last attempt's k
	failed                          bool  // it has a row in failed

	moved, touched, gone bool
	added                []attempt
}

type attempt struct {
	outbox.Attempt
	n int
}

// stateOf is the state of a delivery: what failed says, otherwise what its endpoint's mark says.
func stateOf(e *end, failed sql.NullInt64, n int64) outbox.State {
	if failed.Valid {
		return outbox.State(max(0, min(failed.Int64, int64(outbox.Held))))
	}
	if n == 0 || e != nil && e.marks.Has(n) { // one that was held, and turned out to have been accepted, has no number
		return outbox.Delivered
	}
	return outbox.Fresh
}

// each reads deliveries d, with failed f, as they are when what the change has done so far is counted in.
func (c *change) each(ctx context.Context, where string, do func(r *row), args ...any) error {
	const columns = `SELECT d.seq, d.endpoint, d.n, d.label, d.len, d.erased, d.since, d.retried, d.kept, f.state, COALESCE(f.attempts, 0),
		COALESCE(f.due, 0), COALESCE(f.since, 0), COALESCE((SELECT MAX(k) FROM attempt a WHERE a.seq = d.seq), 0)
		FROM delivery d LEFT JOIN failed f ON f.seq = d.seq `
	return each(ctx, c.db, columns+where, args, func(scan func(...any) error) (bool, error) {
		r := new(row)
		var state sql.NullInt64
		var since, retried, kept, due, failing int64
		err := scan(&r.seq, &r.endpoint, &r.n, &r.label, &r.length, &r.erased, &since, &retried, &kept, &state, &r.attempts, &due, &failing, &r.tried)
		if err != nil {
			return false, err
		}
		e := c.changed[r.endpoint]
		if e == nil {
			e = c.ends[r.endpoint]
		}
		r.state, r.failed = stateOf(e, state, r.n), state.Valid
		r.since, r.failing = duration(since), duration(failing)
		r.retried, r.kept, r.due = timeOf(retried), timeOf(kept), timeOf(due)
		if known := c.rows[r.seq]; known != nil {
			r = known
		}
		do(r)
		return true, nil
	})
}

// Times and durations are stored in microseconds.
func duration(us int64) time.Duration { return time.Duration(us) * time.Microsecond }

func timeOf(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// tallyTimes are the columns of a tally's times: as many as outbox.Latencies, and one more.
var tallyTimes = func() (names []string) {
	for i := range len(outbox.Latencies()) + 1 {
		names = append(names, fmt.Sprintf("t%d", i))
	}
	return names
}()

func columns(names []string) string { return strings.Join(names, ", ") }
