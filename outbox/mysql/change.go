package mysql

import (
	"context"
	"maps"
	"slices"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/marks"
)

// change is a transaction in the making. As only the holder of the lease writes, it may look at the tables first, decide what is
// to change, and send that in one packet: the fence makes sure that nobody else wrote in between.
type change struct {
	*content // as it was before; nothing of it changes until the packet is committed
	db       rower
	now      time.Duration // uptime
	packet   packet        // what is written beside what follows

	lastSeq     int64          // of the last delivery
	size        int64          // how much more deliveries take, in bytes
	changed     map[int64]*end // by endpoint: what it will be
	grown       map[int64]bool // those of changed that gave numbers
	rows        map[int64]*row // by Seq: deliveries that were looked at
	counts      map[countKey]*counter
	tallies     map[tallyKey]*outbox.Tally
	newLabels   map[int64]label
	newNames    map[int64]string
	newRoutes   map[string]int64 // nil: as they were
	woken       map[int64]bool
	disarranged map[int64]bool // endpoints of which memory forgets what it has, and whose owners begin anew
	adopted     []*outcome     // those of members
}

type countKey struct{ endpoint, label int64 }

type tallyKey struct{ endpoint, hour int64 }

// counter is how what is counted of deliveries changes.
type counter struct {
	states [5]int64 // by outbox.State
	ever   outbox.OutcomeCount
}

func newChange(c *content, db rower, now time.Duration) *change {
	return &change{content: c, db: db, now: now, lastSeq: c.lastSeq, changed: make(map[int64]*end), grown: make(map[int64]bool), rows: make(map[int64]*row),
		counts: make(map[countKey]*counter), tallies: make(map[tallyKey]*outbox.Tally), newLabels: make(map[int64]label),
		newNames: make(map[int64]string), woken: make(map[int64]bool), disarranged: make(map[int64]bool)}
}

// end is an endpoint, to be changed.
func (c *change) end(id int64) *end {
	e := c.changed[id]
	if e == nil {
		if old := c.ends[id]; old != nil {
			e = old.clone()
		} else {
			e = new(end)
		}
		c.changed[id] = e
	}
	return e
}

// number gives the next number of an endpoint, to a delivery that is undelivered there.
func (c *change) number(id, length int64) int64 {
	e := c.end(id)
	e.last++
	e.added++
	e.bytesIn += length
	c.grown[id] = true
	return e.last
}

// skipped is how many numbers a takeover leaves out.
const skipped = 1 << 20

// skip leaves a gap behind the numbers that were given. A server may have lost the last commits when another one took its place; what
// is made again comes in another order, and receivers were told of higher numbers: they would take what is new for old. Nor may what a
// process still knows of a lost delivery be taken for another one's.
func (c *change) skip() error {
	c.lastSeq += skipped
	for id := range c.ends {
		e := c.end(id)
		e.marks.AddRun(marks.Run{First: e.last + 1, Last: e.last + skipped})
		e.last += skipped
		c.grown[id] = true
	}
	return nil
}

// counter is how what is counted of a label at an endpoint changes.
func (c *change) counter(endpoint, label int64) *counter {
	key := countKey{endpoint, label}
	if c.counts[key] == nil {
		c.counts[key] = new(counter)
	}
	return c.counts[key]
}

// tally counts an outcome of a delivery that goes to an endpoint, 0: nowhere.
func (c *change) tally(o *outcome, label, endpoint int64, buried bool) {
	c.counter(endpoint, label).ever.Count(&o.Outcome, buried)
	if endpoint == 0 {
		return
	}
	for _, hour := range []int64{0, o.Hour} {
		key := tallyKey{endpoint, hour}
		if c.tallies[key] == nil {
			c.tallies[key] = new(outbox.Tally)
		}
		c.tallies[key].Count(&o.Outcome, buried)
	}
}

// numberOf is the number of a word, a label or an endpoint's name: the next one when it is new, which added then has. Numbers
// begin at 1; 0 is none.
func numberOf[W comparable](word W, known map[W]int64, added map[int64]W) int64 {
	if id, ok := known[word]; ok {
		return id
	}
	for id, is := range added {
		if is == word {
			return id
		}
	}
	id := int64(len(known) + len(added) + 1)
	added[id] = word
	return id
}

// ruleOf is the rule of a label.
func (c *change) ruleOf(id int64) string {
	if l, ok := c.labels[id]; ok {
		return l.rule
	}
	return c.newLabels[id].rule
}

// nameOf is the name of an endpoint.
func (c *change) nameOf(id int64) string {
	if name, ok := c.endpoints[id]; ok {
		return name
	}
	return c.newNames[id]
}

// empty tells whether there is nothing to write.
func (c *change) empty() bool {
	return c.packet.sql.Len() == 0 && len(c.changed)+len(c.rows)+len(c.counts)+len(c.newLabels)+len(c.newNames) == 0 && c.newRoutes == nil
}

// whole is all of the change as one transaction, with the fence at its head: it makes seq NULL, which is an error, when another
// process has taken over, or when this one's last commit is not what it takes it for.
func (c *change) whole() (parts []*packet) {
	var p, tail packet
	p.add(`UPDATE state SET seq = IF(epoch = ? AND seq = ?, seq + 1, NULL), last = ?, bytes = bytes + ? WHERE id = 1`, c.epoch, c.commits, c.lastSeq, c.size)
	c.writeWords(&p)
	c.writeEnds(&p)
	c.writeRows(&tail)
	c.writeCounts(&tail)
	if ids := slices.Sorted(maps.Keys(c.disarranged)); len(ids) > 0 {
		tail.add(`UPDATE share SET turn = turn + 1 WHERE endpoint IN `+list(ids)+` AND member NOT IN ('', ?)`, c.owner)
	}
	return []*packet{&p, &c.packet, &tail}
}

func (c *change) writeWords(p *packet) {
	var labels, names, routes [][]any
	for id, l := range c.newLabels {
		labels = append(labels, []any{id, l.rule, l.site, l.action, l.kind})
	}
	for id, name := range c.newNames {
		names = append(names, []any{id, name})
	}
	p.rows(`INSERT INTO label(id, rule, site, action, kind) VALUES `, ``, labels)
	p.rows(`INSERT INTO endpoint(id, name) VALUES `, ``, names)
	if c.newRoutes == nil {
		return
	}
	for i, rule := range slices.Sorted(maps.Keys(c.newRoutes)) {
		routes = append(routes, []any{i + 1, rule, c.newRoutes[rule]})
	}
	p.add(`DELETE FROM route`)
	p.rows(`INSERT INTO route(id, rule, endpoint) VALUES `, ``, routes)
}

func (c *change) writeEnds(p *packet) {
	var heads, marks [][]any
	for _, id := range slices.Sorted(maps.Keys(c.changed)) {
		e := c.changed[id]
		if c.grown[id] {
			heads = append(heads, []any{id, e.last, e.added, e.bytesIn})
		}
		if old := c.ends[id]; old == nil || e.applied != old.applied || e.removed != old.removed || e.bytes != old.bytes || e.marks.Low != old.marks.Low || !slices.Equal(e.marks.Runs, old.marks.Runs) {
			marks = append(marks, []any{id, e.marks.Low, encodeMarks(&e.marks), e.removed, e.bytes, e.applied.epoch, e.applied.k})
		}
	}
	p.rows(`INSERT INTO head(endpoint, last, added, bytes) VALUES `,
		` ON DUPLICATE KEY UPDATE last = VALUES(last), added = VALUES(added), bytes = VALUES(bytes)`, heads)
	p.rows(`INSERT INTO mark(endpoint, low, beyond, removed, bytes, epoch, k) VALUES `, ` ON DUPLICATE KEY UPDATE low = VALUES(low),
		beyond = VALUES(beyond), removed = VALUES(removed), bytes = VALUES(bytes), epoch = VALUES(epoch), k = VALUES(k)`, marks)
}

// writeRows writes what became of the deliveries that were looked at.
func (c *change) writeRows(p *packet) {
	var failed, attempts [][]any
	var fine []int64
	for _, seq := range slices.Sorted(maps.Keys(c.rows)) {
		r := c.rows[seq]
		if r.gone {
			continue
		}
		if r.moved {
			p.add(`UPDATE delivery SET endpoint = ?, n = ?, since = ?, retried = ? WHERE seq = ?`, r.endpoint, r.n, r.since.Microseconds(), micros(r.retried), seq)
		}
		switch is := r.state == outbox.Waiting || r.state == outbox.Dead || r.state == outbox.Held; {
		case is && r.touched:
			failed = append(failed, []any{seq, r.endpoint, r.n, int64(r.state), r.attempts, micros(r.due), r.failing.Microseconds()})
		case !is && r.failed:
			fine = append(fine, seq)
		}
		for _, a := range r.added {
			r.tried++
			attempts = append(attempts, []any{seq, r.tried, a.n, micros(a.At), a.Latency.Microseconds(), a.Status, a.Error, a.Response})
		}
		if len(r.added) > 0 && r.tried > outbox.MaxAttempts {
			p.add(`DELETE FROM attempt WHERE seq = ? AND k <= ?`, seq, r.tried-outbox.MaxAttempts)
		}
	}
	p.rows(`REPLACE INTO failed(seq, endpoint, n, state, attempts, due, since) VALUES `, ``, failed)
	p.each(`DELETE FROM failed WHERE seq IN `, fine)
	p.rows(`INSERT INTO attempt(seq, k, n, at, latency, status, error, response) VALUES `, ``, attempts)
}

// plus is how an INSERT adds to a row that is there.
func plus(columns ...string) (text string) {
	for i, c := range columns {
		if i > 0 {
			text += `, `
		}
		text += c + ` = ` + c + ` + VALUES(` + c + `)`
	}
	return text
}

var (
	counterColumns = []string{"fresh", "waiting", "delivered", "dead", "held", "ever_delivered", "ever_failed", "ever_dead"}
	tallyColumns   = append([]string{"delivered", "failed", "dead", "took"}, tallyTimes...)
)

func (c *change) writeCounts(p *packet) {
	var counts, tallies [][]any
	for key, n := range c.counts {
		counts = append(counts, []any{key.endpoint, key.label, n.states[0], n.states[1], n.states[2], n.states[3], n.states[4],
			n.ever.Delivered, n.ever.Failed, n.ever.Dead})
	}
	for key, t := range c.tallies {
		row := []any{key.endpoint, key.hour, t.Delivered, t.Failed, t.Dead, t.Took.Microseconds()}
		for _, n := range t.Times {
			row = append(row, n)
		}
		tallies = append(tallies, row)
	}
	p.rows(`INSERT INTO counter(endpoint, label, `+columns(counterColumns)+`) VALUES `, ` ON DUPLICATE KEY UPDATE `+plus(counterColumns...), counts)
	p.rows(`INSERT INTO tally(endpoint, hour, `+columns(tallyColumns)+`) VALUES `, ` ON DUPLICATE KEY UPDATE `+plus(tallyColumns...), tallies)
}

// find reads deliveries, those that were not looked at before.
func (c *change) find(ctx context.Context, seqs []int64) error {
	seqs = slices.DeleteFunc(slices.Clone(seqs), func(seq int64) bool { return c.rows[seq] != nil })
	for part := range slices.Chunk(seqs, step) {
		err := c.each(ctx, `WHERE d.seq IN `+list(part), func(r *row) { c.rows[r.seq] = r })
		if err != nil {
			return err
		}
	}
	return nil
}
