package sqlite

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// What is counted rides on rows that a commit writes anyway: that of the endpoint, and that of the rule. An hour is the
// difference between what an endpoint had counted at its beginning and at its end, so it takes a row an hour, and none for an
// outcome. The clock may be set back: then an hour has several rows, which are added up when they are read.

// everOfEndpoint are the columns of a tally in the table endpoint, as tallyColumns wants them; everAtHour those in the table hour.
const (
	everOfEndpoint = `ever_delivered, ever_failed, ever_dead, ever_took, ever_times`
	everAtHour     = `delivered, failed, dead, took, times`
)

// tallyColumns reads a tally. Counts of times that cannot be read are none: they are a graph, no promise.
func tallyColumns(s *sqlite3.Stmt, first int) (t outbox.Tally) {
	t.Delivered, t.Failed, t.Dead = s.ColumnInt64(first), s.ColumnInt64(first+1), s.ColumnInt64(first+2)
	t.Took = durationColumn(s, first+3)
	if json.Unmarshal([]byte(s.ColumnText(first+4)), &t.Times) != nil {
		clear(t.Times[:])
	}
	return t
}

// bindTally is the opposite of tallyColumns.
func bindTally(b *bind, t outbox.Tally) *bind {
	text := make([]byte, 0, 128)
	text = append(text, '[')
	for i, n := range t.Times {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	text = append(text, ']')
	return b.int(t.Delivered).int(t.Failed).int(t.Dead).duration(t.Took).text(string(text))
}

// tally counts an outcome of a delivery that goes to an endpoint, 0: nowhere.
func (c *change) tally(o *outcome, label, endpoint int64, buried bool) error {
	c.counter(label).ever.Count(&o.Outcome, buried)
	if endpoint == 0 {
		return nil
	}
	q := c.queue(endpoint)
	if was := c.writer.queues[endpoint]; o.Hour != cmp.Or(q.hour, was.hour) {
		if err := c.beginHour(endpoint, o.Hour, was.tally.Plus(q.tally)); err != nil {
			return err
		}
		q.hour = o.Hour
	}
	q.tally.Count(&o.Outcome, buried)
	return nil
}

// beginHour notes what an endpoint has when an hour begins, and forgets the oldest of too many.
func (c *change) beginHour(endpoint, hour int64, has outbox.Tally) error {
	put := c.stmt(`INSERT INTO hour(endpoint, hour, ` + everAtHour + `) VALUES (?, ?, ?, ?, ?, ?, ?)`).int(endpoint).int(hour)
	if err := bindTally(put, has).run(); err != nil {
		return err
	}
	return c.stmt(`DELETE FROM hour WHERE endpoint = ?1 AND
		id <= (SELECT id FROM hour WHERE endpoint = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`).int(endpoint).int(outbox.HoursKept).run()
}

// Events of many sites would have a commit change as many rows, all over the table. So more than a few are written as one row
// beside it, and what some commits have written there is added up at once.
const (
	fewEvents  = 8
	mostBeside = 64 // commits
	beside     = `SELECT bySite.key AS site, byKind.key AS kind, bySite.value AS n
		FROM counted, json_each(counted.events) byKind, json_each(byKind.value) bySite`
)

// countEvents adds up events that became deliveries.
func (c *change) countEvents(list []outbox.EventCount) error {
	if len(list) > fewEvents {
		return c.countBeside(list)
	}
	for _, e := range list {
		err := c.stmt(`INSERT INTO event(site, kind, n) VALUES (?, ?, ?) ON CONFLICT(site, kind) DO UPDATE SET n = n + excluded.n`).
			text(e.Site).text(e.Kind).int(e.N).run()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *change) countBeside(list []outbox.EventCount) error {
	added := map[string]map[string]int64{}
	for _, e := range list {
		sites := added[e.Kind]
		if sites == nil {
			sites = map[string]int64{}
			added[e.Kind] = sites
		}
		sites[e.Site] += e.N
	}
	events, err := json.Marshal(added)
	if err != nil {
		return err
	}
	if err := c.stmt(`INSERT INTO counted(events) VALUES (?)`).text(string(events)).run(); err != nil {
		return err
	}
	if c.conn.LastInsertRowID() < mostBeside { // its ids begin anew when it is empty
		return nil
	}
	if err := c.stmt(`INSERT INTO event(site, kind, n) SELECT site, kind, sum(n) FROM (` + beside + `) GROUP BY site, kind
		ON CONFLICT(site, kind) DO UPDATE SET n = n + excluded.n`).run(); err != nil {
		return err
	}
	return c.stmt(`DELETE FROM counted`).run()
}

// totals reads what was counted since the store was made.
func (r *reader) totals(ctx context.Context) (t outbox.Totals, err error) {
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		for sql, row := range map[string]func(s *sqlite3.Stmt){
			`SELECT site, kind, sum(n) FROM (SELECT * FROM event UNION ALL ` + beside + `) GROUP BY site, kind ORDER BY site, kind`: func(s *sqlite3.Stmt) {
				t.Events = append(t.Events, outbox.EventCount{Site: s.ColumnText(0), Kind: s.ColumnText(1), N: s.ColumnInt64(2)})
			},
			`SELECT rule, ever_delivered, ever_failed, ever_dead FROM counter ORDER BY rule`: func(s *sqlite3.Stmt) {
				t.Rules = append(t.Rules, outbox.RuleCount{Rule: s.ColumnText(0),
					OutcomeCount: outbox.OutcomeCount{Delivered: s.ColumnInt64(1), Failed: s.ColumnInt64(2), Dead: s.ColumnInt64(3)}})
			},
			`SELECT name, ` + everOfEndpoint + ` FROM endpoint WHERE hour > 0 ORDER BY name`: func(s *sqlite3.Stmt) {
				t.Endpoints = append(t.Endpoints, outbox.EndpointCount{Endpoint: s.ColumnText(0), Tally: tallyColumns(s, 1)})
			},
		} {
			err := each(c, sql, nil, func(s *sqlite3.Stmt) (bool, error) {
				row(s)
				return true, nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return t, err
}

// hours reads what was counted by the hour.
func (r *reader) hours(ctx context.Context, endpoint string, since time.Time) (list []outbox.Hour, err error) {
	// Backwards: what an hour had at its end is what the row behind it had at its beginning, and at last what there is now.
	const sql = `SELECT e.name, h.hour, ` + everAtHour + `, ` + everOfEndpoint + `
		FROM endpoint e JOIN hour h ON h.endpoint = e.id WHERE ?1 IN ('', e.name) ORDER BY e.name, h.id DESC`
	byHour := make(map[int64]*outbox.Hour)
	var name string
	var end outbox.Tally
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		return each(c, sql, []any{endpoint}, func(s *sqlite3.Stmt) (bool, error) {
			if next := s.ColumnText(0); next != name {
				list = appendHours(list, byHour)
				name, end = next, tallyColumns(s, 7)
			}
			hour, begin := s.ColumnInt64(1), tallyColumns(s, 2)
			if start := time.Unix(hour*3600, 0).UTC(); !start.Before(since) {
				h := byHour[hour]
				if h == nil {
					h = &outbox.Hour{Endpoint: name, Start: start}
					byHour[hour] = h
				}
				h.Tally = h.Plus(end.Minus(begin))
			}
			end = begin
			return true, nil
		})
	})
	return appendHours(list, byHour), err
}

// appendHours moves the hours of an endpoint to a list.
func appendHours(list []outbox.Hour, byHour map[int64]*outbox.Hour) []outbox.Hour {
	for _, hour := range slices.Sorted(maps.Keys(byHour)) {
		list = append(list, *byHour[hour])
	}
	clear(byHour)
	return list
}
