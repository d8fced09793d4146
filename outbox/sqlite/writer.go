package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
	"rowhook/outbox/marks"
)

const (
	// checkpointPages is how far the log in front of the file grows before it is moved into it: 4 MB. A checkpoint is made
	// by the writer behind a commit; left to another connection, the log grows without end under load.
	checkpointPages = 4 << 20 / pageSize
	// pageSize suits single deliveries of one or two kilobytes; larger pages make large batches cheaper and small ones dearer.
	pageSize = 4096
	// writerPatience is how long a write waits for another program within one try; others that write wait with it.
	writerPatience = time.Second
	// maxBlob is where the payloads of one commit are split; a single one may be larger.
	maxBlob = 4 << 20
)

// label is what deliveries have in common; the file holds it once.
type label struct{ rule, site, action, kind string }

// queue is what the writer knows of an endpoint, as the table endpoint has it.
type queue struct {
	name    string
	last    int64 // the last number given
	count   int64 // undelivered deliveries
	bytes   int64 // of their payloads
	lagging int64 // how many of them are in the backlog
	hour    int64 // of the last outcome; in a change 0: as before
	tally   outbox.Tally
}

// counter is by how much a row of the table counter changes.
type counter struct {
	states [outbox.Held + 1]int64
	ever   outbox.OutcomeCount
}

// writer is the one connection that changes the file, with what it knows of the file's content. It does not lock: the
// Store does.
type writer struct {
	conn    *sqlite3.Conn
	labels  map[label]int64
	byID    map[int64]label
	queues  map[int64]*queue
	ids     map[string]int64 // endpoints by name
	routes  map[string]int64 // endpoints by rule
	done    marks.Set        // settled deliveries, and those in the backlog, as the file has them
	last    int64            // the last sequence number given
	uptime  time.Duration    // when the file was opened
	written time.Duration    // as of the last commit
	logged  int              // pages in the log, as of the last commit
	body    []byte
	stmts   map[string]*sqlite3.Stmt
}

// openWriter opens the file, makes it when it is new, and reads what the writer has to know.
func openWriter(ctx context.Context, path string) (*writer, error) {
	conn, err := connect(ctx, path, "rwc")
	if err != nil {
		return nil, err
	}
	w := &writer{
		conn: conn, labels: make(map[label]int64), byID: make(map[int64]label), queues: make(map[int64]*queue),
		ids: make(map[string]int64), routes: make(map[string]int64), body: []byte{}, stmts: make(map[string]*sqlite3.Stmt),
	}
	if err := w.open(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *writer) open() error {
	// FULL, because what a power cut took back after it was posted would be grouped again, under other ids. What is deleted
	// is overwritten, because it is personal data.
	err := w.conn.Exec(fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON`, pageSize))
	if err != nil {
		return err
	}
	if err := formatNew(w.conn); err != nil {
		return err
	}
	if err := prepareFile(w.conn); err != nil {
		return err
	}
	err = w.conn.Exec(fmt.Sprintf(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = %d`,
		4*checkpointPages*pageSize))
	if err != nil {
		return err
	}
	w.conn.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		w.logged = pages
		return nil
	})
	if err := checkWAL(w.conn); err != nil {
		return err
	}
	if err := w.conn.BusyTimeout(writerPatience); err != nil {
		return err
	}
	return w.load()
}

// load reads what the last commit left.
func (w *writer) load() error {
	for _, from := range []struct {
		sql string
		row func(s *sqlite3.Stmt)
	}{
		{`SELECT low, last, uptime FROM state`, func(s *sqlite3.Stmt) {
			w.done.Low, w.last, w.uptime = s.ColumnInt64(0), s.ColumnInt64(1), durationColumn(s, 2)
			w.written = w.uptime
		}},
		{`SELECT first, last FROM done ORDER BY first`, func(s *sqlite3.Stmt) {
			w.done.Runs = append(w.done.Runs, marks.Run{First: s.ColumnInt64(0), Last: s.ColumnInt64(1)})
		}},
		{`SELECT id, rule, site, action, kind FROM label`, func(s *sqlite3.Stmt) {
			id, l := labelColumns(s)
			w.labels[l], w.byID[id] = id, l
		}},
		{`SELECT id, name, last, count, bytes, lagging, hour, ` + everOfEndpoint + ` FROM endpoint`, func(s *sqlite3.Stmt) {
			id, name := s.ColumnInt64(0), s.ColumnText(1)
			w.ids[name] = id
			w.queues[id] = &queue{name, s.ColumnInt64(2), s.ColumnInt64(3), s.ColumnInt64(4), s.ColumnInt64(5), s.ColumnInt64(6), tallyColumns(s, 7)}
		}},
		{`SELECT rule, endpoint FROM route`, func(s *sqlite3.Stmt) { w.routes[s.ColumnText(0)] = s.ColumnInt64(1) }},
	} {
		err := each(w.conn, from.sql, nil, func(s *sqlite3.Stmt) (bool, error) {
			from.row(s)
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// labelColumns reads a row of the dictionary.
func labelColumns(s *sqlite3.Stmt) (id int64, l label) {
	return s.ColumnInt64(0), label{s.ColumnText(1), s.ColumnText(2), s.ColumnText(3), s.ColumnText(4)}
}

// undelivered reads what is beyond the low-water mark, and neither settled nor in the backlog.
func (w *writer) undelivered(ctx context.Context, r *reader) (list []*entry, err error) {
	const sql = `SELECT ` + columns + `, coalesce(k.uptime, 0) FROM delivery d LEFT JOIN clock k ON k.first = d.batch
		WHERE d.seq > ? ORDER BY d.seq`
	err = r.scan(ctx, func(c *sqlite3.Conn, sc *scanner) error {
		return each(c, sql, []any{w.done.Low}, func(s *sqlite3.Stmt) (bool, error) {
			if w.done.Has(s.ColumnInt64(0)) {
				return true, nil
			}
			e := &entry{label: s.ColumnInt64(2), endpoint: s.ColumnInt64(10), since: durationColumn(s, plainColumns)}
			if err := sc.delivery(s, &e.Delivery); err != nil {
				return false, err
			}
			if err := sc.body(s, &e.Delivery); err != nil {
				return false, err
			}
			e.length = int64(len(e.Body))
			list = append(list, e)
			return true, nil
		})
	})
	return list, err
}

// ages tells of each endpoint with a backlog when the age of the first in it began.
func (w *writer) ages(use func(endpoint int64, since time.Duration)) error {
	for id, q := range w.queues {
		if q.lagging == 0 {
			continue
		}
		err := w.stmt(firstInBacklog).int(id).each(func(s *sqlite3.Stmt) (bool, error) {
			use(id, durationColumn(s, 0))
			return false, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const firstInBacklog = `SELECT since FROM backlog WHERE endpoint = ? ORDER BY number LIMIT 1`

// stmt prepares a statement, once.
func (w *writer) stmt(sql string) *bind {
	s := w.stmts[sql]
	if s == nil {
		var err error
		if s, _, err = w.conn.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return &bind{err: err}
		}
		w.stmts[sql] = s
	}
	return &bind{stmt: s}
}

// change runs do in a write transaction. On an error nothing has changed, here or in the file.
func (w *writer) change(now time.Duration, do func(c *change) error) (*change, error) {
	c := &change{writer: w, now: now, done: w.done.Clone(), last: w.last, known: len(w.labels),
		queues: make(map[int64]*queue), counts: make(map[string]*counter), woken: make(map[int64]bool), oldest: make(map[int64]time.Duration)}
	endpoints := len(w.ids)
	err := transact(w.conn, func() error {
		if err := do(c); err != nil {
			return err
		}
		return c.finish()
	})
	if err != nil {
		for l, id := range w.labels { // labels are numbered 1, 2, 3...: forget those of this transaction
			if id > int64(c.known) {
				delete(w.labels, l)
				delete(w.byID, id)
			}
		}
		for name, id := range w.ids { // and so are endpoints, from 0
			if id >= int64(endpoints) {
				delete(w.ids, name)
				delete(w.queues, id)
			}
		}
		return nil, err
	}
	w.done, w.last, w.written = c.done, c.last, c.now
	if c.rerouted != nil {
		w.routes = c.rerouted
	}
	for id, d := range c.queues {
		q := w.queues[id]
		q.last, q.count, q.bytes, q.lagging = q.last+d.last, q.count+d.count, q.bytes+d.bytes, q.lagging+d.lagging
		q.hour, q.tally = cmp.Or(d.hour, q.hour), q.tally.Plus(d.tally)
	}
	return c, nil
}

// checkpoint moves the log into the file when it is long. SQLite would do it inside of a commit, and deliveries that are
// durable by then would wait for it. Where it fails nothing is lost: the next commit tries again, or fails itself.
func (w *writer) checkpoint() {
	if w.logged >= checkpointPages {
		_, _, _ = w.conn.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	}
}

// truncate moves the log into the file and empties it. It does not wait for who reads an older state of the file, a person
// with sqlite3 for example: then the error is sqlite3.BUSY, and it is for another time.
func (w *writer) truncate() error {
	err := w.conn.BusyTimeout(0)
	if err == nil {
		_, _, err = w.conn.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
	}
	return errors.Join(err, w.conn.BusyTimeout(writerPatience))
}

func (w *writer) closeStmts() {
	for sql, s := range w.stmts {
		_ = s.Close()
		delete(w.stmts, sql)
	}
}

func (w *writer) close() error {
	w.closeStmts()
	return w.conn.Close()
}

// change is a write transaction on its way: what it has changed in the file, and what it will have changed in the writer.
type change struct {
	*writer
	now      time.Duration // uptime
	done     marks.Set
	last     int64
	known    int              // labels there were before
	queues   map[int64]*queue // by how much they change
	counts   map[string]*counter
	gone     []int64                 // those that need not be in memory any more
	woken    map[int64]bool          // endpoints that have more to send
	oldest   map[int64]time.Duration // when the age of the first in an endpoint's backlog began
	rerouted map[string]int64        // the routes from now on; nil: as before
}

// queue is how an endpoint changes.
func (c *change) queue(id int64) *queue {
	q := c.queues[id]
	if q == nil {
		q = new(queue)
		c.queues[id] = q
	}
	return q
}

// finish writes what has been counted.
func (c *change) finish() error {
	for id, q := range c.queues {
		if err := c.putQueue(id, q); err != nil {
			return err
		}
	}
	for rule, n := range c.counts {
		if err := c.putCounter(rule, n); err != nil {
			return err
		}
	}
	if err := c.findOldest(); err != nil {
		return err
	}
	put, gone := changes(c.writer.done.Runs, c.done.Runs)
	for _, r := range put {
		err := c.stmt(`INSERT INTO done(first, last) VALUES (?, ?) ON CONFLICT(first) DO UPDATE SET last = excluded.last`).
			int(r.First).int(r.Last).run()
		if err != nil {
			return err
		}
	}
	for _, first := range gone {
		if err := c.stmt(`DELETE FROM done WHERE first = ?`).int(first).run(); err != nil {
			return err
		}
	}
	return c.stmt(`UPDATE state SET low = ?, last = ?, uptime = ?`).int(c.done.Low).int(c.last).duration(c.now).run()
}

// putQueue writes how an endpoint changed.
func (c *change) putQueue(id int64, q *queue) error {
	if *q == (queue{}) {
		return nil
	}
	was := c.writer.queues[id]
	put := c.stmt(`UPDATE endpoint SET last = last + ?, count = count + ?, bytes = bytes + ?, lagging = lagging + ?, hour = ?,
		ever_delivered = ?, ever_failed = ?, ever_dead = ?, ever_took = ?, ever_times = ? WHERE id = ?`).
		int(q.last).int(q.count).int(q.bytes).int(q.lagging).int(cmp.Or(q.hour, was.hour))
	return bindTally(put, was.tally.Plus(q.tally)).int(id).run()
}

// putCounter writes how what is counted of a rule changed.
func (c *change) putCounter(rule string, n *counter) error {
	if *n == (counter{}) {
		return nil
	}
	put := c.stmt(`INSERT INTO counter(rule, fresh, waiting, delivered, dead, held, ever_delivered, ever_failed, ever_dead)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT(rule) DO UPDATE SET fresh = fresh + excluded.fresh, waiting = waiting + excluded.waiting,
		delivered = delivered + excluded.delivered, dead = dead + excluded.dead, held = held + excluded.held,
		ever_delivered = ever_delivered + excluded.ever_delivered, ever_failed = ever_failed + excluded.ever_failed,
		ever_dead = ever_dead + excluded.ever_dead`).text(rule)
	for _, by := range n.states {
		put.int(by)
	}
	return put.int(n.ever.Delivered).int(n.ever.Failed).int(n.ever.Dead).run()
}

// findOldest looks at the beginnings of the backlogs that may have changed.
func (c *change) findOldest() error {
	for id, q := range c.queues {
		if c.writer.queues[id].lagging+q.lagging == 0 {
			continue
		}
		err := c.stmt(firstInBacklog).int(id).each(func(s *sqlite3.Stmt) (bool, error) {
			c.oldest[id] = durationColumn(s, 0)
			return false, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
