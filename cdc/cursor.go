package cdc

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// Cursor is a position as it travels with every commit. It never changes: behind the next transaction there is another one,
// which costs a few numbers. Nothing is written out, or parsed, before somebody asks for the Position.
type Cursor struct {
	flavor string
	before gtids // Last is not in it
	start  Coord
	last   *Txn
	begun  *Txn
}

// NewCursor is a position that was stored.
func NewCursor(p Position) (*Cursor, error) {
	c := &Cursor{flavor: p.Flavor, start: p.Start, last: p.Last, begun: p.Begun}
	if p.Set == "" && (p.Last == nil || p.Last.GTID == "") && p.Flavor != mysql.MariaDBFlavor { // which always has GTIDs
		return c, nil
	}
	set, err := mysql.ParseGTIDSet(p.Flavor, p.Set)
	if err != nil {
		return nil, fmt.Errorf("reading GTID set %q: %w", p.Set, err)
	}
	c.before.shared = set
	return c, nil
}

// Position writes the cursor out.
func (c *Cursor) Position() Position {
	p := Position{Flavor: c.flavor, Start: c.start, Last: c.last, Begun: c.begun}
	if c.hasGTIDs() {
		p.Set = c.before.set().String()
	}
	return p
}

// Last is the last transaction, nil when none was read.
func (c *Cursor) Last() *Txn { return c.last }

// Begin is the cursor when a part of txn, the transaction behind the last, was taken in.
func (c *Cursor) Begin(txn Txn) *Cursor {
	if c.byPlace() {
		txn.GTID = ""
	}
	return &Cursor{flavor: c.flavor, before: c.before, start: c.start, last: c.last, begun: &txn}
}

// Advance is the cursor behind txn.
func (c *Cursor) Advance(txn Txn) (*Cursor, error) {
	if c.byPlace() {
		txn.GTID = ""
	}
	next := &Cursor{flavor: c.flavor, before: c.before, start: txn.Start, last: &txn}
	if c.last != nil && c.last.GTID != "" {
		var err error
		if next.before, err = c.before.with(c.flavor, c.last.GTID); err != nil {
			return nil, err
		}
	}
	if !next.hasGTIDs() && txn.GTID != "" { // the first transaction of all
		set, err := mysql.ParseGTIDSet(c.flavor, "")
		if err != nil {
			return nil, err
		}
		next.before.shared = set
	}
	return next, nil
}

// Reached says whether everything up to end was read; seen is how far the log was read.
func (c *Cursor) Reached(end End, seen Coord) bool { return c.reached(end, seen, c.read) }

// reached is Reached, by a set of all that was read.
func (c *Cursor) reached(end End, seen Coord, read func() (mysql.GTIDSet, error)) bool {
	if end.set == nil || !c.hasGTIDs() {
		return !seen.Before(end.Coord)
	}
	all, err := read()
	return err == nil && contains(all, end.set)
}

// read is the set of all that was read: with the last transaction.
func (c *Cursor) read() (mysql.GTIDSet, error) {
	all := c.before
	if c.last != nil && c.last.GTID != "" {
		var err error
		if all, err = all.with(c.flavor, c.last.GTID); err != nil {
			return nil, err
		}
	}
	return all.set(), nil
}

// hasGTIDs says whether transactions are known by their GTIDs.
func (c *Cursor) hasGTIDs() bool { return c.before.shared != nil }

// byPlace says whether transactions are known by their places, because the first ones had no GTIDs. It stays so when the
// server gets them: the set of those that were read would not be whole.
func (c *Cursor) byPlace() bool { return !c.hasGTIDs() && c.last != nil }

// newest is the newest transaction that the log must have; nil when none is known.
func (c *Cursor) newest() *Txn {
	if c.begun != nil {
		return c.begun
	}
	return c.last
}

// gtids is a GTID set that never changes. What a log adds to a set are runs: one number of a source after the other. So a set
// is one that it shares with those before it, and the runs since.
type gtids struct {
	shared mysql.GTIDSet // never changed; nil: there are no GTIDs
	runs   []run         // shared too
	run    run           // the newest
}

// run is GTIDs of one source: 0-1-5 to 0-1-9, or SID:5-9.
type run struct {
	source      string // all before the number
	first, last uint64
}

// mostRuns bounds the runs of a set: more become a set that is shared.
const mostRuns = 16

// with is the set with one GTID more.
func (g gtids) with(flavor, gtid string) (gtids, error) {
	at := strings.LastIndexByte(gtid, ':') + 1
	if flavor == mysql.MariaDBFlavor {
		at = strings.LastIndexByte(gtid, '-') + 1
	}
	number, err := strconv.ParseUint(gtid[at:], 10, 64)
	if err != nil {
		return g, fmt.Errorf("adding %s to the GTID set: %w", gtid, err)
	}
	if g.run.source == gtid[:at] && g.run.last+1 == number {
		g.run.last = number
		return g, nil
	}
	if _, err := mysql.ParseGTIDSet(flavor, gtid); err != nil {
		return g, fmt.Errorf("adding %s to the GTID set: %w", gtid, err)
	}
	switch {
	case g.run.source == "":
	case len(g.runs) == mostRuns:
		g = gtids{shared: g.set()}
	default: // a copy, for others have it as it is
		g.runs = append(slices.Clip(g.runs), g.run)
	}
	g.run = run{gtid[:at], number, number}
	return g, nil
}

// set makes a set that is the caller's.
func (g gtids) set() mysql.GTIDSet {
	set := g.shared.Clone()
	for _, r := range g.runs {
		r.addTo(set)
	}
	if g.run.source != "" {
		g.run.addTo(set)
	}
	return set
}

// addTo adds the run, which was parsed when it began.
func (r run) addTo(set mysql.GTIDSet) {
	last := r.source + strconv.FormatUint(r.last, 10)
	if domains, ok := set.(*mysql.MariadbGTIDSet); ok { // a domain's newest takes the place of what it had
		newest, _ := mysql.ParseMariadbGTIDSet(last)
		maps.Copy(domains.Sets, newest.(*mysql.MariadbGTIDSet).Sets) //nolint:forcetypeassert // it makes no other
		return
	}
	if r.first < r.last {
		last = r.source + strconv.FormatUint(r.first, 10) + "-" + strconv.FormatUint(r.last, 10)
	}
	_ = set.Update(last)
}
