package sqlite

import (
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// row is a delivery as a transaction finds it.
type row struct {
	seq, label, endpoint, number int64
	batch, off, length           int64
	state                        outbox.State
	attempts                     int
	failing                      time.Duration // uptime at the first failed attempt, 0: none failed
	since                        time.Duration // uptime when its age began; known of those in the backlog
	lags                         bool          // it is in the backlog
}

// find reads a delivery; nil when there is none.
func (c *change) find(seq int64) (r *row, err error) {
	b := c.stmt(`SELECT d.label, d.endpoint, d.number, d.batch, d.off, d.len, f.state, f.attempts, f.since, b.since
		FROM delivery d LEFT JOIN failed f ON f.seq = d.seq LEFT JOIN backlog b ON b.endpoint = d.endpoint AND b.number = d.number
		WHERE d.seq = ?`).int(seq)
	err = b.each(func(s *sqlite3.Stmt) (bool, error) {
		r = &row{seq: seq, label: s.ColumnInt64(0), endpoint: s.ColumnInt64(1), number: s.ColumnInt64(2),
			batch: s.ColumnInt64(3), off: s.ColumnInt64(4), length: s.ColumnInt64(5),
			attempts: s.ColumnInt(7), failing: durationColumn(s, 8), since: durationColumn(s, 9),
			lags: s.ColumnType(9) != sqlite3.NULL}
		switch {
		case s.ColumnType(6) != sqlite3.NULL:
			r.state = outbox.State(s.ColumnInt64(6))
		case !r.lags && c.done.Has(seq):
			r.state = outbox.Delivered
		}
		return false, nil
	})
	return r, err
}

// count notes that there is one more, or one less, delivery of a label in a state.
func (c *change) count(label int64, s outbox.State, n int64) { c.counter(label).states[s] += n }

// counter is how what is counted of a label's rule changes.
func (c *change) counter(label int64) *counter {
	rule := c.byID[label].rule
	n := c.counts[rule]
	if n == nil {
		n = new(counter)
		c.counts[rule] = n
	}
	return n
}

// enter is for a new delivery: routed to an endpoint and kept in memory, or lagging, or held.
func (c *change) enter(e *entry, routed, lags bool) error {
	if !routed {
		c.done.Add(e.Seq)
		c.count(e.label, outbox.Held, 1)
		return c.fail(e.Seq, outbox.Held, 0, time.Time{}, 0)
	}
	c.count(e.label, outbox.Fresh, 1)
	q := c.queue(e.endpoint)
	q.count++
	q.bytes += e.length
	c.woken[e.endpoint] = true
	if lags {
		return c.spill(e)
	}
	return nil
}

// spill puts a delivery that was in memory into the backlog.
func (c *change) spill(e *entry) error {
	if !c.done.Add(e.Seq) {
		return nil // an outcome of this transaction settled it, or put it there
	}
	c.gone = append(c.gone, e.Seq)
	return c.lag(e.Seq, e.endpoint, e.Number, e.since)
}

func (c *change) lag(seq, endpoint, number int64, since time.Duration) error {
	c.queue(endpoint).lagging++
	return c.stmt(`INSERT INTO backlog(endpoint, number, seq, since) VALUES (?, ?, ?, ?)`).
		int(endpoint).int(number).int(seq).duration(since).run()
}

// move brings a delivery into a state and to a place; what is undelivered afterwards is in the backlog.
func (c *change) move(r *row, to outbox.State, endpoint, number int64) error {
	was, is, moved := r.state.Undelivered(), to.Undelivered(), endpoint != r.endpoint || number != r.number
	c.count(r.label, r.state, -1)
	c.count(r.label, to, 1)
	if was && (!is || moved) {
		if err := c.unlist(r); err != nil {
			return err
		}
	}
	if is && (!was || moved) {
		q := c.queue(endpoint)
		q.count++
		q.bytes += r.length
		c.woken[endpoint] = true
	}
	c.done.Add(r.seq)
	c.gone = append(c.gone, r.seq)
	r.state, r.endpoint, r.number = to, endpoint, number
	if moved {
		err := c.stmt(`UPDATE delivery SET endpoint = ?, number = ? WHERE seq = ?`).int(endpoint).int(number).int(r.seq).run()
		if err != nil {
			return err
		}
	}
	if is && !r.lags {
		r.lags = true
		if r.since == 0 {
			r.since = c.now
		}
		return c.lag(r.seq, endpoint, number, r.since)
	}
	return nil
}

// unlist takes an undelivered delivery off its endpoint.
func (c *change) unlist(r *row) error {
	q := c.queue(r.endpoint)
	q.count--
	q.bytes -= r.length
	if !r.lags {
		return nil
	}
	r.lags = false
	q.lagging--
	return c.stmt(`DELETE FROM backlog WHERE endpoint = ? AND number = ?`).int(r.endpoint).int(r.number).run()
}

// settle records an outcome. That of a delivery that is gone comes to nothing.
func (c *change) settle(o *outcome) error {
	if e := o.Delivery; e != nil && o.AtOnce() && c.done.Add(o.Seq) {
		n := c.counter(e.label) // accepted at once: all of it is in the marks
		n.states[outbox.Fresh]--
		n.states[outbox.Delivered]++
		q := c.queue(e.endpoint)
		q.count--
		q.bytes -= e.length
		return c.tally(o, e.label, e.endpoint, false)
	}
	r, err := c.find(o.Seq)
	if err != nil || r == nil {
		return err
	}
	if e := o.Delivery; e != nil && !r.lags {
		r.since = e.since
	}
	if !o.Retried.IsZero() {
		return c.retry(r, o)
	}
	buried := o.State == outbox.Dead && r.state != outbox.Dead && r.state != outbox.Delivered
	if err := c.tally(o, r.label, r.endpoint, buried); err != nil || r.state == outbox.Delivered {
		return err
	}
	plain := r.state == outbox.Fresh && o.AtOnce()
	if err := c.become(r, o); err != nil || plain || o.Attempt == nil {
		return err
	}
	return c.attempt(o)
}

// become gives a delivery the state that an outcome says.
func (c *change) become(r *row, o *outcome) error {
	if o.Attempt != nil && o.State != outbox.Delivered && r.failing == 0 {
		r.failing = max(o.At, 1)
	}
	switch {
	case o.State == outbox.Delivered:
		if err := c.move(r, outbox.Delivered, r.endpoint, r.number); err != nil {
			return err
		}
		return c.unfail(r.seq)
	case o.State == outbox.Waiting && r.state == outbox.Held:
		return c.fail(r.seq, outbox.Held, o.Attempts, time.Time{}, r.failing)
	case o.State == outbox.Waiting && r.state == outbox.Dead:
		return c.requeue(r, o, r.failing)
	}
	if err := c.move(r, o.State, r.endpoint, r.number); err != nil {
		return err
	}
	return c.fail(r.seq, o.State, o.Attempts, o.Due, r.failing)
}

// retry makes a delivery one that a person wants sent again; its age begins anew.
func (c *change) retry(r *row, o *outcome) error {
	r.since = c.now
	if err := c.requeue(r, o, 0); err != nil {
		return err
	}
	err := c.stmt(`UPDATE backlog SET since = ? WHERE endpoint = ? AND number = ?`).duration(c.now).int(r.endpoint).int(r.number).run()
	if err != nil {
		return err
	}
	c.woken[r.endpoint] = true
	return c.stmt(`INSERT INTO retried(seq, at, uptime) VALUES (?, ?, ?)
		ON CONFLICT(seq) DO UPDATE SET at = excluded.at, uptime = excluded.uptime`).int(r.seq).time(o.Retried).duration(c.now).run()
}

// requeue puts a delivery where its rule's go, at its old number if that is where it was; it is held when they go nowhere.
func (c *change) requeue(r *row, o *outcome, failing time.Duration) error {
	endpoint, ok := c.routes[c.byID[r.label].rule]
	if !ok {
		if err := c.move(r, outbox.Held, 0, 0); err != nil {
			return err
		}
		return c.fail(r.seq, outbox.Held, o.Attempts, time.Time{}, failing)
	}
	number := r.number
	if endpoint != r.endpoint || number == 0 {
		number = c.number(endpoint)
	}
	if err := c.move(r, outbox.Waiting, endpoint, number); err != nil {
		return err
	}
	return c.fail(r.seq, outbox.Waiting, o.Attempts, o.Due, failing)
}

// fail writes what the marks do not say: that a delivery was not accepted, or is held.
func (c *change) fail(seq int64, s outbox.State, attempts int, due time.Time, failing time.Duration) error {
	return c.stmt(`INSERT INTO failed(seq, state, attempts, due, since) VALUES (?, ?, ?, ?, ?) ON CONFLICT(seq)
		DO UPDATE SET state = excluded.state, attempts = excluded.attempts, due = excluded.due, since = excluded.since`).
		int(seq).int(int64(s)).int(int64(attempts)).time(due).duration(failing).run()
}

func (c *change) unfail(seq int64) error {
	return c.stmt(`DELETE FROM failed WHERE seq = ?`).int(seq).run()
}

// attempt puts an attempt on record, and forgets the oldest of too many.
func (c *change) attempt(o *outcome) error {
	a := o.Attempt.Cut()
	err := c.stmt(`INSERT INTO attempt(seq, n, at, latency, status, error, response) VALUES (?, ?, ?, ?, ?, ?, ?)`).
		int(o.Seq).int(int64(o.Attempts)).time(a.At).duration(a.Latency).int(int64(a.Status)).text(a.Error).text(a.Response).run()
	if err != nil {
		return err
	}
	return c.stmt(`DELETE FROM attempt WHERE seq = ?1 AND
		id <= (SELECT id FROM attempt WHERE seq = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`).int(o.Seq).int(outbox.MaxAttempts).run()
}

// retriable tells whether a delivery can be sent again.
func (c *change) retriable(seq int64) error {
	r, err := c.find(seq)
	switch {
	case err != nil:
		return err
	case r == nil:
		return outbox.ErrNotFound
	case r.off == isErased:
		return outbox.ErrErased
	}
	return nil
}
