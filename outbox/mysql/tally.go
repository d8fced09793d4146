package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"rowhook/outbox"
)

// byRule reads the sums of all counters, by rule.
func byRule(ctx context.Context, db rower) (map[string]*counter, error) {
	sums := make(map[string]*counter)
	w, err := readWords(ctx, db)
	if err != nil {
		return nil, err
	}
	return sums, each(ctx, db, `SELECT label, `+columns(counterColumns)+` FROM counter`, nil, func(scan func(...any) error) (bool, error) {
		var id int64
		var n counter
		err := scan(&id, &n.states[0], &n.states[1], &n.states[2], &n.states[3], &n.states[4], &n.ever.Delivered, &n.ever.Failed, &n.ever.Dead)
		rule := w.labels[id].rule
		if sums[rule] == nil {
			sums[rule] = new(counter)
		}
		sum := sums[rule]
		for i := range n.states {
			sum.states[i] += n.states[i]
		}
		sum.ever.Delivered += n.ever.Delivered
		sum.ever.Failed += n.ever.Failed
		sum.ever.Dead += n.ever.Dead
		return true, err
	})
}

// counts reads how many deliveries there are, by rule and state.
func (r reader) counts(ctx context.Context) (list []outbox.Count, err error) {
	err = r.snapshot(ctx, func(tx *sql.Tx) error {
		sums, err := byRule(ctx, tx)
		for rule, n := range sums {
			for state, n := range n.states {
				if n > 0 {
					list = append(list, outbox.Count{Rule: rule, State: outbox.State(state), N: int(n)})
				}
			}
		}
		return err
	})
	slices.SortFunc(list, func(a, b outbox.Count) int { return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.State, b.State)) })
	return list, err
}

// totals reads what was counted since the store was made.
func (r reader) totals(ctx context.Context) (t outbox.Totals, err error) {
	err = r.snapshot(ctx, func(tx *sql.Tx) error {
		sums, err := byRule(ctx, tx)
		if err != nil {
			return err
		}
		for rule, n := range sums {
			t.Rules = append(t.Rules, outbox.RuleCount{Rule: rule, OutcomeCount: n.ever})
		}
		err = each(ctx, tx, `SELECT site, kind, n FROM event`, nil, func(scan func(...any) error) (bool, error) {
			var e outbox.EventCount
			err := scan(&e.Site, &e.Kind, &e.N)
			t.Events = append(t.Events, e)
			return true, err
		})
		if err != nil {
			return err
		}
		hours, err := tallies(ctx, tx, `hour = 0`)
		for _, h := range hours {
			t.Endpoints = append(t.Endpoints, outbox.EndpointCount{Endpoint: h.Endpoint, Tally: h.Tally})
		}
		return err
	})
	slices.SortFunc(t.Rules, func(a, b outbox.RuleCount) int { return cmp.Compare(a.Rule, b.Rule) })
	slices.SortFunc(t.Events, func(a, b outbox.EventCount) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Kind, b.Kind))
	})
	return t, err
}

// hours reads what was counted by the hour.
func (r reader) hours(ctx context.Context, endpoint string, since time.Time) (list []outbox.Hour, err error) {
	all, err := tallies(ctx, r.db, `hour > 0 AND hour * 3600 >= ?`, since.Unix()+min(1, int64(since.Nanosecond())))
	for _, h := range all {
		if endpoint == "" || h.Endpoint == endpoint {
			list = append(list, h)
		}
	}
	return list, err
}

// tallies reads tallies, by endpoint and hour.
func tallies(ctx context.Context, db rower, where string, args ...any) (list []outbox.Hour, err error) {
	err = each(ctx, db, `SELECT e.name, t.hour, `+columns(tallyColumns)+` FROM tally t JOIN endpoint e ON e.id = t.endpoint WHERE `+where, args,
		func(scan func(...any) error) (bool, error) {
			var h outbox.Hour
			var hour, took int64
			dest := []any{&h.Endpoint, &hour, &h.Delivered, &h.Failed, &h.Dead, &took}
			for i := range h.Times {
				dest = append(dest, &h.Times[i])
			}
			err := scan(dest...)
			h.Start, h.Took = time.Unix(hour*3600, 0).UTC(), duration(took)
			list = append(list, h)
			return true, err
		})
	slices.SortFunc(list, func(a, b outbox.Hour) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), a.Start.Compare(b.Start))
	})
	return list, err
}

// size is what deliveries, records and attempts take on the server, about: its files also hold what was removed, to be used again.
func (r reader) size(ctx context.Context) (size int64, err error) {
	err = r.db.QueryRowContext(ctx, `SELECT 65536 + bytes + COALESCE((SELECT SUM(LENGTH(error) + LENGTH(response) + 64) FROM attempt), 0) +
		COALESCE((SELECT SUM(LENGTH(data) + 256) FROM record), 0) FROM state WHERE id = 1`).Scan(&size)
	return size, err
}

// due reads what lies undelivered, by endpoint.
func (r reader) due(ctx context.Context) (map[string]outbox.Due, error) {
	due := make(map[string]outbox.Due)
	return due, r.snapshot(ctx, func(tx *sql.Tx) error {
		w, err := readWords(ctx, tx)
		if err != nil {
			return err
		}
		ends, err := readEnds(ctx, tx)
		for id, e := range ends {
			if e.count() > 0 {
				due[w.endpoints[id]] = outbox.Due{Count: int(e.count()), Bytes: e.bytesIn - e.bytes}
			}
		}
		return err
	})
}

// pruneHours forgets the hours of each endpoint that are before the last outbox.HoursKept that it has, once they are many.
func (c *change) pruneHours(ctx context.Context) error {
	const many = `SELECT endpoint, COUNT(*) FROM tally WHERE hour > 0 GROUP BY endpoint HAVING COUNT(*) > ?`
	return each(ctx, c.db, many, []any{2 * outbox.HoursKept}, func(scan func(...any) error) (bool, error) {
		var endpoint, n int64
		if err := scan(&endpoint, &n); err != nil {
			return false, err
		}
		c.packet.add(`DELETE FROM tally WHERE endpoint = ? AND hour > 0 ORDER BY hour LIMIT ?`, endpoint, n-outbox.HoursKept)
		return true, nil
	})
}
