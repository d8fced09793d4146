package mysql

import (
	"context"
	"maps"

	"rowhook/outbox"
)

// Route says where the deliveries of each rule go. What moves is written in small transactions, the routes with
// the last one: what is committed in between goes where its rule went, and moves, too. So one that was broken off is taken up where it ended: the routes still differ.
func (s *Store) Route(ctx context.Context, routes map[string]string) (moved outbox.Moved, err error) {
	routes = maps.Clone(routes)
	release, err := s.steward.takeBack(ctx, s.writer.concerned(routes))
	if err != nil {
		return moved, err
	}
	defer release()
	s.routing.Lock()
	defer s.routing.Unlock()
	for after := int64(0); after >= 0; {
		var part outbox.Moved
		next := int64(-1)
		err := s.writer.commit(ctx, &outbox.Batch{}, func(c *change) (err error) {
			part, next, err = c.route(ctx, routes, after)
			return err
		})
		if err != nil {
			return moved, err
		}
		moved.Held += part.Held
		moved.Released += part.Released
		moved.Rerouted += part.Rerouted
		after = next
	}
	return moved, nil
}

// route makes some deliveries beyond a Seq go where their rules go now. It returns the Seq to go on from, -1: that was all. Only
// what belongs to a rule that changed is looked at, so a start with the routes of the last time costs nothing.
func (c *change) route(ctx context.Context, to map[string]string, after int64) (moved outbox.Moved, next int64, err error) {
	routes := make(map[string]int64, len(to))
	for rule, name := range to {
		routes[rule] = numberOf(name, c.byName, c.newNames)
	}
	if maps.Equal(routes, c.routes) {
		return moved, -1, nil
	}
	var labels []int64
	for id, l := range c.labels {
		before, was := c.routes[l.rule]
		if is, ok := routes[l.rule]; ok != was || is != before {
			labels = append(labels, id)
		}
	}
	var rows []*row
	if len(labels) > 0 {
		where := `LEFT JOIN mark m ON m.endpoint = d.endpoint WHERE d.seq > ? AND d.label IN ` + list(labels) +
			` AND (f.state IN (1, 4) OR f.state IS NULL AND d.n > COALESCE(m.low, 0)) ORDER BY d.seq LIMIT ?`
		err := c.each(ctx, where, func(r *row) { rows = append(rows, r) }, after, step)
		if err != nil {
			return moved, -1, err
		}
	}
	for _, r := range rows {
		if r.state == outbox.Delivered || r.state == outbox.Dead {
			continue
		}
		c.rows[r.seq] = r
		c.reroute(r, routes, &moved)
	}
	if len(rows) == step {
		return moved, rows[len(rows)-1].seq, nil
	}
	c.newRoutes = routes
	return moved, -1, nil
}

// reroute makes a delivery go where its rule goes now.
func (c *change) reroute(r *row, routes map[string]int64, moved *outbox.Moved) {
	endpoint, ok := routes[c.ruleOf(r.label)]
	switch {
	case !ok && r.state != outbox.Held:
		moved.Held++
		c.hold(r)
	case ok && r.state == outbox.Held && !r.erased:
		moved.Released++
		c.release(r, endpoint)
	case ok && r.state != outbox.Held && r.endpoint != endpoint:
		moved.Rerouted++
		c.move(r, r.state, endpoint, c.number(endpoint, r.length))
	}
}
