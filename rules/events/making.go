package events

import (
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// A page request makes an order with several statements, each a transaction of its own: the row; its own id as
// id_parent, unless the row has it already; the options or items; and last the first row of its status history (FINDINGS
// 8). A multi-order is a parent with its status, and then its children, each made in the same way. On a slow site seconds
// lie between two of these statements.
//
// So the events of an order that was just inserted stay open until its follow-ups came, at most coalesce_max for the next
// one. How many children a multi-order has no statement says: it is over when none comes for ten times as long as its
// statements were apart so far. What comes later prolongs, or follows as an update, as everywhere.

// making is an order whose page request may still be writing. It belongs to the order's queue, which stays for it even
// while no event is open.
type making struct {
	agg    aggregate
	parent rules.Key // of the multi-order that it is a child of; empty: none
	multi  bool      // it is the parent of one

	awaits      bool                  // its next statement is certain to come
	children    bool                  // of a multi-order: there are some
	first, last moment                // of its first statement, and of the last so far
	whole       moment                // when it awaited nothing more
	apart       [clocks]time.Duration // the longest time between two of its statements

	dirty  bool // its record is behind
	stored bool // a commit holds its record
	gone   bool // it is over
}

const (
	apartFactor  = 10 // for so many times as long as it took until now, no child of a multi-order may come
	longestMade  = 60 // no order is in the making for longer than that many coalesce_max
	makingBytes  = 512
	makingPrefix = "m"
)

// startMaking notes that an order was inserted, when its page request has more to write.
func (t *translator) startMaking(b *binding, a aggregate, c *cdc.Change, st *statement) {
	parent, child := t.parentOf(b, a, c)
	q := t.windows.open.queues[parent]
	if child = child && q != nil && q.making != nil; child {
		q.making.children, q.making.awaits = true, false
		t.windows.makings.touch(q.making)
	}
	multi := b.insertsParent(c.After, st)
	wanted := child || t.catalog.wants(a, rules.Save) && !multi || t.catalog.wants(a, rules.StatusChange) && multi
	if t.opts.Coalesce == 0 || !wanted || !b.hasFollowUps(a.key, c, st) {
		return
	}
	q = t.windows.open.queueOf(a)
	t.windows.makings.end(q) // of an order that had the same id
	t.windows.makings.begin(q, &making{agg: a, multi: multi, awaits: true, first: t.windows.now, last: t.windows.now})
	if child {
		q.making.parent = parent.key
		t.windows.open.queues[parent].making.awaits = true
	}
	t.windows.makings.touch(q.making)
}

// hasFollowUps says whether an INSERT is one that the plugin follows up: of an order that is no closure, in the plugin's
// form. Where the text of the statement is not known, the row must look as the plugin makes it. The id that the row gets
// is not known before: who gives it as id_parent copies rows.
func (b *binding) hasFollowUps(id rules.Key, c *cdc.Change, st *statement) bool {
	if b.entity.Status == nil || c.Statement != "" && (st == nil || !st.model) {
		return false
	}
	if closure, ok := c.After.Int(b.closure); ok && closure != 0 {
		return false
	}
	if lock, ok := c.After.Int(b.lock); c.Statement == "" && b.entity.Lock != "" && (!ok || lock == 0) {
		return false
	}
	parent, ok := c.After.Int(b.parent)
	return !ok || rules.NumberKey(parent) != id
}

// carryOn notes that an order, or a child of it, got one more row; the log's clock has that precision.
func (k *makings) carryOn(m *making, now moment, precision time.Duration) {
	gap := now.log.Sub(m.last.log)
	m.apart[logClock] = max(m.apart[logClock], gap)
	// While a backlog is read our own clock does not tell how long it took.
	m.apart[ourClock] = max(m.apart[ourClock], now.wall.Sub(m.last.wall), gap-precision)
	m.last = now
	k.touch(m)
}

// tellStatus notes that an order got a status: its page request is over, or comes to the children.
func (k *makings) tellStatus(queues map[aggregate]*queue, a aggregate, now moment) {
	q := queues[a]
	if q == nil || q.making == nil {
		return
	}
	m := q.making
	m.awaits, m.whole = m.multi && !m.children, now
	k.touch(m)
	if m.parent == "" {
		return
	}
	if p := queues[m.parentOf()]; p != nil && p.making != nil {
		p.making.awaits, p.making.whole = false, now
		k.touch(p.making)
	}
}

// parentOf is the multi-order that an order is a child of.
func (m *making) parentOf() aggregate { return aggregate{m.agg.site, m.agg.entity, m.parent} }

// deadline is when an event of the order is over that had its first and its last change at these times of a clock.
func (m *making) deadline(o *Options, c clock, first, last time.Time) time.Time {
	if m.awaits {
		return earlier(c.of(m.last).Add(o.CoalesceMax), c.of(m.first).Add(longestMade*o.CoalesceMax))
	}
	quiet := o.Coalesce
	if m.multi {
		quiet = max(quiet, min(apartFactor*m.apart[c], o.CoalesceMax))
	}
	return earlier(last.Add(quiet), later(first, c.of(m.whole)).Add(o.CoalesceMax))
}

// end is when the order itself is over, when no event is open.
func (m *making) end(o *Options, c clock) time.Time {
	return m.deadline(o, c, c.of(m.last), c.of(m.last))
}

// makings are the orders in the making, whose records it keeps.
type makings struct {
	behind []*making // whose record is
	bytes  int       // what they take
}

// begin notes that a queue's order is in the making.
func (k *makings) begin(q *queue, m *making) {
	q.making = m
	k.bytes += makingBytes
}

// end forgets it.
func (k *makings) end(q *queue) {
	m := q.making
	if m == nil {
		return
	}
	q.making, m.gone = nil, true
	k.bytes -= makingBytes
	k.touch(m)
}

// touch notes that a record is behind.
func (k *makings) touch(m *making) {
	if !m.dirty {
		m.dirty = true
		k.behind = append(k.behind, m)
	}
}

// makingRecord is a making as stored.
type makingRecord struct {
	Parent   oldKey        `json:"parent,omitempty"`
	Multi    bool          `json:"multi,omitempty"`
	Awaits   bool          `json:"awaits,omitempty"`
	Children bool          `json:"children,omitempty"`
	First    time.Time     `json:"first"`
	Last     time.Time     `json:"last"`
	Whole    time.Time     `json:"whole"`
	Apart    time.Duration `json:"apart,omitempty"`
	Seen     time.Duration `json:"seen,omitempty"` // Apart, by our clock
}

// take returns the records that are behind.
func (k *makings) take() []Record {
	var records []Record
	for _, m := range k.behind {
		if m.dirty = false; m.gone && !m.stored {
			continue
		}
		r := Record{Key: makingPrefix + m.agg.name()}
		if m.stored = !m.gone; m.stored {
			r.Data = encodeRecord(makingRecord{
				oldKey(m.parent), m.multi, m.awaits, m.children, m.first.log, m.last.log, m.whole.log, m.apart[logClock], m.apart[ourClock],
			})
		}
		records = append(records, r)
	}
	clear(k.behind)
	k.behind = k.behind[:0]
	return records
}

// restore takes in a record; by our clock the order runs on from now.
func (k *makings) restore(r Record, c *catalog, open *openEvents, now time.Time) error {
	a, ok, err := c.parseAggregate(r.Key[len(makingPrefix):])
	if !ok || err != nil {
		return err
	}
	var v makingRecord
	if err := decodeRecord(r.Data, &v); err != nil {
		return err
	}
	k.begin(open.queueOf(a), &making{
		agg: a, parent: rules.Key(v.Parent), multi: v.Multi, awaits: v.Awaits, children: v.Children, stored: true,
		first: moment{v.First, now}, last: moment{v.Last, now}, whole: moment{v.Whole, now}, apart: [clocks]time.Duration{v.Apart, v.Seen},
	})
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
