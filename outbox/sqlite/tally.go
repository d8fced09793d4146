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
)

// countEvents adds up events that became deliveries.
func (c *change) countEvents(list []outbox.EventCount) error {
	if len(list) <= fewEvents {
		for _, e := range list {
			if err := c.countEvent(e.Site, e.Kind, e.N); err != nil {
				return err
			}
		}
		return nil
	}
	added := make(eventCounts)
	for _, e := range list {
		added.add(e.Site, e.Kind, e.N)
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
	return c.addBeside()
}

func (c *change) countEvent(site, kind string, n int64) error {
	return c.stmt(`INSERT INTO event(site, kind, n) VALUES (?, ?, ?) ON CONFLICT(site, kind) DO UPDATE SET n = n + excluded.n`).
		text(site).text(kind).int(n).run()
}

// addBeside moves what is beside the table into it.
func (c *change) addBeside() error {
	sum := make(eventCounts)
	if err := sum.read(c.conn); err != nil {
		return err
	}
	for _, e := range sum.list() { // in the table's order
		if err := c.countEvent(e.Site, e.Kind, e.N); err != nil {
			return err
		}
	}
	return c.stmt(`DELETE FROM counted`).run()
}

// eventCounts is events by kind and by site, as they are written beside the table.
type eventCounts map[string]map[string]int64

func (b eventCounts) add(site, kind string, n int64) {
	if b[kind] == nil {
		b[kind] = make(map[string]int64)
	}
	b[kind][site] += n
}

// list is them by site and by kind.
func (b eventCounts) list() (list []outbox.EventCount) {
	for kind, sites := range b {
		for site, n := range sites {
			list = append(list, outbox.EventCount{Site: site, Kind: kind, N: n})
		}
	}
	slices.SortFunc(list, func(a, b outbox.EventCount) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}

// read adds all that is beside the table. What cannot be read counts nothing: it is a graph, and no commit waits for it.
func (b eventCounts) read(c *sqlite3.Conn) error {
	return each(c, `SELECT events FROM counted`, nil, func(s *sqlite3.Stmt) (bool, error) {
		var one eventCounts
		_ = json.Unmarshal(s.ColumnRawText(0), &one)
		for kind, sites := range one {
			for site, n := range sites {
				b.add(site, kind, n)
			}
		}
		return true, nil
	})
}

// totals reads what was counted since the store was made.
func (r *reader) totals(ctx context.Context) (t outbox.Totals, err error) {
	events := make(eventCounts)
	err = r.snapshot(ctx, func(c *sqlite3.Conn) error {
		if err := events.read(c); err != nil {
			return err
		}
		for sql, row := range map[string]func(s *sqlite3.Stmt){
			`SELECT site, kind, n FROM event`: func(s *sqlite3.Stmt) { events.add(s.ColumnText(0), s.ColumnText(1), s.ColumnInt64(2)) },
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
	t.Events = events.list()
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
