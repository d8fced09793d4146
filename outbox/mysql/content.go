package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"maps"

	"rowhook/outbox/marks"
)

// label is what deliveries have in common.
type label struct{ rule, site, action, kind string }

// words are the tables label and endpoint, whose rows never change.
type words struct {
	labels    map[int64]label
	endpoints map[int64]string
}

// end is what is known of an endpoint: what head and mark say of it.
type end struct {
	last           int64 // the last number given
	added, bytesIn int64
	removed, bytes int64 // bytes are those of what was removed
	marks          marks.Set
	applied        handed // the last of what members handed over that is in it
}

// count is how many deliveries are undelivered.
func (e *end) count() int64 { return e.added - e.removed }

// takeIn is for a delivery that becomes undelivered, leave for one that is not any more.
func (e *end) takeIn(length int64) { e.removed, e.bytes = e.removed-1, e.bytes-length }
func (e *end) leave(length int64)  { e.removed, e.bytes = e.removed+1, e.bytes+length }

func (e *end) clone() *end {
	c := *e
	c.marks = e.marks.Clone()
	return &c
}

// content is what the holder of the lease knows of the tables that are small, as of the last commit. The writer owns it;
// what others see of it is queue's.
type content struct {
	fence
	owner string // this process, in this term
	words
	ids    map[label]int64
	ends   map[int64]*end
	byName map[string]int64
	routes map[string]int64
}

// rower is a connection, a transaction or a pool of them.
type rower interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each calls do with each row of a result, until it returns false.
func each(ctx context.Context, db rower, query string, args []any, do func(scan func(dest ...any) error) (bool, error)) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		more, err := do(rows.Scan)
		if err != nil || !more {
			return err
		}
	}
	return rows.Err()
}

func readWords(ctx context.Context, db rower) (w words, err error) {
	w = words{labels: make(map[int64]label), endpoints: make(map[int64]string)}
	err = each(ctx, db, `SELECT id, rule, site, action, kind FROM label`, nil, func(scan func(...any) error) (bool, error) {
		var id int64
		var l label
		err := scan(&id, &l.rule, &l.site, &l.action, &l.kind)
		w.labels[id] = l
		return true, err
	})
	if err != nil {
		return w, err
	}
	return w, each(ctx, db, `SELECT id, name FROM endpoint`, nil, func(scan func(...any) error) (bool, error) {
		var id int64
		var name string
		err := scan(&id, &name)
		w.endpoints[id] = name
		return true, err
	})
}

// readEnds reads head and mark.
func readEnds(ctx context.Context, db rower) (map[int64]*end, error) {
	ends := make(map[int64]*end)
	err := each(ctx, db, `SELECT endpoint, last, added, bytes FROM head`, nil, func(scan func(...any) error) (bool, error) {
		var id int64
		e := new(end)
		err := scan(&id, &e.last, &e.added, &e.bytesIn)
		ends[id] = e
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return ends, each(ctx, db, `SELECT endpoint, low, beyond, removed, bytes FROM mark`, nil, func(scan func(...any) error) (bool, error) {
		var id, low, removed, bytes int64
		var beyond []byte
		if err := scan(&id, &low, &beyond, &removed, &bytes); err != nil {
			return false, err
		}
		e := ends[id]
		if e == nil {
			e = new(end)
			ends[id] = e
		}
		e.removed, e.bytes = removed, bytes
		var err error
		if e.marks, err = decodeMarks(low, beyond); err != nil {
			err = fmt.Errorf("endpoint %d: %w", id, err)
		}
		return true, err
	})
}

// readApplied reads which outcomes of members are in the marks.
func readApplied(ctx context.Context, db rower, ends map[int64]*end) error {
	return each(ctx, db, `SELECT endpoint, epoch, k FROM mark`, nil, func(scan func(...any) error) (bool, error) {
		var id int64
		var h handed
		err := scan(&id, &h.epoch, &h.k)
		if e := ends[id]; e != nil {
			e.applied = h
		}
		return true, err
	})
}

// readContent reads what there is when the lease is taken.
func readContent(ctx context.Context, db rower, f fence, owner string) (c *content, err error) {
	c = &content{fence: f, owner: owner, ids: make(map[label]int64), byName: make(map[string]int64), routes: make(map[string]int64)}
	if c.words, err = readWords(ctx, db); err != nil {
		return nil, err
	}
	for id, l := range c.labels {
		c.ids[l] = id
	}
	for id, name := range c.endpoints {
		c.byName[name] = id
	}
	if c.ends, err = readEnds(ctx, db); err != nil {
		return nil, err
	}
	if err := readApplied(ctx, db, c.ends); err != nil {
		return nil, err
	}
	return c, each(ctx, db, `SELECT rule, endpoint FROM route`, nil, func(scan func(...any) error) (bool, error) {
		var rule string
		var id int64
		err := scan(&rule, &id)
		c.routes[rule] = id
		return true, err
	})
}

// with is the words and some more. Who has the old ones may keep them.
func (w words) with(labels map[int64]label, endpoints map[int64]string) words {
	if len(labels) > 0 {
		w.labels = maps.Clone(w.labels)
		maps.Copy(w.labels, labels)
	}
	if len(endpoints) > 0 {
		w.endpoints = maps.Clone(w.endpoints)
		maps.Copy(w.endpoints, endpoints)
	}
	return w
}

// take makes a change part of the content, once it is committed. The maps that others may look at are made anew.
func (c *content) take(ch *change) {
	c.commits++
	c.lastSeq = ch.lastSeq
	c.words = c.with(ch.newLabels, ch.newNames)
	for id, l := range ch.newLabels {
		c.ids[l] = id
	}
	if len(ch.newNames) > 0 {
		c.byName = maps.Clone(c.byName)
		for id, name := range ch.newNames {
			c.byName[name] = id
		}
	}
	if len(ch.changed) > 0 {
		c.ends = maps.Clone(c.ends)
		maps.Copy(c.ends, ch.changed)
	}
	if ch.newRoutes != nil {
		c.routes = ch.newRoutes
	}
}
