package sqlite

import (
	"cmp"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// route makes the deliveries of each rule go to an endpoint. Only what belongs to a rule that changed is looked at, so a
// start with the routes of the last time costs nothing. All that is undelivered is in the backlog.
func (c *change) route(to map[string]string) (moved outbox.Moved, err error) {
	routes, changed, err := c.writeRoutes(to)
	if err != nil {
		return moved, err
	}
	list, err := c.routed(changed)
	if err != nil {
		return moved, err
	}
	for _, seq := range list {
		r, err := c.find(seq)
		if err != nil {
			return moved, err
		}
		endpoint, ok := routes[c.byID[r.label].rule]
		switch {
		case !ok && r.state != outbox.Held:
			moved.Held++
			err = c.hold(r)
		case ok && r.state == outbox.Held:
			moved.Released++
			err = c.release(r, endpoint)
		case ok && r.endpoint != endpoint:
			moved.Rerouted++
			err = c.move(r, r.state, endpoint, c.number(endpoint))
		}
		if err != nil {
			return moved, err
		}
	}
	c.rerouted = routes
	return moved, nil
}

// writeRoutes writes the table, and tells which rules' deliveries went elsewhere before, or nowhere.
func (c *change) writeRoutes(to map[string]string) (routes map[string]int64, changed map[string]bool, err error) {
	routes, changed = make(map[string]int64, len(to)), make(map[string]bool)
	for rule, name := range to {
		id, err := c.endpoint(name)
		if err != nil {
			return nil, nil, err
		}
		routes[rule] = id
		if before, ok := c.routes[rule]; ok && before == id {
			continue
		}
		changed[rule] = true
		err = c.stmt(`INSERT INTO route(rule, endpoint) VALUES (?, ?) ON CONFLICT(rule) DO UPDATE SET endpoint = excluded.endpoint`).
			text(rule).int(id).run()
		if err != nil {
			return nil, nil, err
		}
	}
	for rule := range c.routes {
		if _, ok := to[rule]; ok {
			continue
		}
		changed[rule] = true
		if err := c.stmt(`DELETE FROM route WHERE rule = ?`).text(rule).run(); err != nil {
			return nil, nil, err
		}
	}
	return routes, changed, nil
}

// endpoint is the number of an endpoint, which is made when it is new.
func (c *change) endpoint(name string) (int64, error) {
	if id, ok := c.ids[name]; ok {
		return id, nil
	}
	id := int64(len(c.ids)) // endpoint 0 is there from the beginning
	err := c.stmt(`INSERT INTO endpoint(id, name, last, count, bytes, lagging) VALUES (?, ?, 0, 0, 0, 0)`).int(id).text(name).run()
	if err != nil {
		return 0, err
	}
	c.ids[name], c.writer.queues[id] = id, &queue{name: name}
	return id, nil
}

// routed lists what is undelivered or held of rules that changed, and all that no route was known for, in order of Seq.
func (c *change) routed(changed map[string]bool) (list []int64, err error) {
	var seqs []int64
	note := func(s *sqlite3.Stmt) (bool, error) {
		if s.ColumnInt64(2) == 0 || changed[c.byID[s.ColumnInt64(1)].rule] {
			seqs = append(seqs, s.ColumnInt64(0))
		}
		return true, nil
	}
	from := map[int64]bool{0: true}
	for rule := range changed {
		if id, ok := c.routes[rule]; ok {
			from[id] = true
		}
	}
	for id := range from {
		if c.writer.queues[id].count == 0 {
			continue
		}
		err := each(c.conn, `SELECT b.seq, d.label, b.endpoint FROM backlog b CROSS JOIN delivery d ON d.seq = b.seq WHERE b.endpoint = ?`,
			[]any{id}, note)
		if err != nil {
			return nil, err
		}
	}
	if len(changed) > 0 {
		err = each(c.conn, `SELECT f.seq, d.label, 1 FROM failed f CROSS JOIN delivery d ON d.seq = f.seq WHERE f.state = 4 AND d.off != -2`, nil, note)
	}
	slices.SortFunc(seqs, cmp.Compare[int64])
	return seqs, err
}

// hold is for a delivery that nothing sends anywhere any more.
func (c *change) hold(r *row) error {
	attempts, failing := r.attempts, r.failing
	if err := c.move(r, outbox.Held, 0, 0); err != nil {
		return err
	}
	return c.fail(r.seq, outbox.Held, attempts, time.Time{}, failing)
}

// release is for a held one whose rule is there again.
func (c *change) release(r *row, endpoint int64) error {
	state := outbox.Fresh
	if r.attempts > 0 {
		state = outbox.Waiting
	}
	r.since = c.now
	if err := c.move(r, state, endpoint, c.number(endpoint)); err != nil {
		return err
	}
	if state == outbox.Fresh {
		return c.unfail(r.seq)
	}
	return c.fail(r.seq, state, r.attempts, time.Time{}, r.failing)
}
