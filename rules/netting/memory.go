// Package netting reduces a transaction's changes to their net effect: per table and primary key what it did in the end, however
// many statements it took. A transaction that is too large for memory is netted in scratch files.
package netting

import (
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/scratch"
)

// Transaction gathers the changes of one transaction and reduces them to their net effect: per table and primary key the
// first image before and the last one after. REPLACE logs a delete and an insert, or an update that moves the key;
// what counts is what the transaction did in the end (DESIGN 4).
//
// What it holds in memory is bounded by bytes: the changes of a larger transaction go to scratch files (spool.go), and
// so does the work of netting them (disk.go). Both ways give the same.
type Transaction struct {
	scratch scratch.Files // nil: everything stays in memory

	changes []cdc.Change
	older   map[int]int // of a row that several statements wrote: a change, and the one before it
	bytes   int
	spool   *spool // of a large transaction, in place of changes
	net     gathered
}

const (
	// MaxGathered is how many bytes of changes are kept in memory; more go to scratch files.
	MaxGathered = 4 << 20
	changeBytes = 192 // what a change takes besides its rows, about
)

// New makes one that gathers transaction after transaction. Without files all is kept in memory.
func New(files scratch.Files) *Transaction { return &Transaction{scratch: files} }

// Add takes a change in.
func (n *Transaction) Add(c *cdc.Change) error {
	if n.spool != nil {
		return n.spool.add(c)
	}
	n.bytes += changeBytes + c.Before.Size() + c.After.Size()
	if k := len(n.changes); k == 0 || n.changes[k-1].Statement != c.Statement {
		n.bytes += len(c.Statement)
	}
	n.changes = append(n.changes, *c)
	if n.bytes <= MaxGathered || len(n.changes) == 1 || n.scratch == nil { // one large row would only be read back
		return nil
	}
	s, err := newSpool(n.scratch)
	if err != nil {
		return err
	}
	n.spool = s
	for i := range n.changes {
		if err := s.add(&n.changes[i]); err != nil {
			return err
		}
	}
	n.clear()
	return nil
}

// Discard keeps the first changes only: the others were rolled back, or will come again.
func (n *Transaction) Discard(keep int) error {
	switch {
	case n.spool != nil && keep > 0:
		return n.spool.discard(keep)
	case n.spool != nil:
		err := n.spool.close()
		n.spool = nil
		return err
	case keep < len(n.changes):
		clear(n.changes[keep:])
		n.changes = n.changes[:keep]
		n.bytes = 0
		for i := range n.changes {
			n.bytes += changeBytes + n.changes[i].Before.Size() + n.changes[i].After.Size() + len(n.changes[i].Statement)
		}
	}
	return nil
}

// clear forgets what is in memory.
func (n *Transaction) clear() {
	const kept = 1024
	if cap(n.changes) > kept {
		n.changes = nil
	}
	clear(n.changes)
	n.changes, n.older, n.bytes = n.changes[:0], nil, 0
}

// Changes are the net changes of a transaction, in the order of each key's first change.
type Changes interface {
	// Next moves on to the next one and says what it is; false at the end.
	Next() (t *cdc.Table, op cdc.Op, ok bool, err error)
	// Change reads it. It is good until the next move.
	Change() (*cdc.Change, error)
	// Parts are the changes that made it, in their order, when no one statement did; none when one did, or too many.
	Parts() ([]cdc.Change, error)
	// Again goes back to the beginning.
	Again() error
	// Close must be called before the next transaction is gathered.
	Close() error
}

// Take returns the net changes, which the caller must close before the next add, and begins anew.
func (n *Transaction) Take() (Changes, error) {
	if s := n.spool; s != nil {
		n.spool = nil
		return s.net()
	}
	n.net = gathered{n: n, net: n.effects(), at: -1}
	return &n.net, nil
}

// effects nets the changes that are in memory; references are indices.
func (n *Transaction) effects() []effect {
	if len(n.changes) == 1 && n.changes[0].Op != 0 && !movesKey(&n.changes[0]) {
		p := put{what: whatFirst(&n.changes[0])}
		o := newEffect(p)
		o.fold(p)
		return []effect{o}
	}
	type key struct {
		table cdc.TableName
		pk    string
	}
	var net []effect
	at := map[key]int{}
	for i := range n.changes {
		c := &n.changes[i]
		eachPut(c, func(what putKind, row cdc.Row) {
			p := put{ref: int64(i), what: what}
			k := key{c.Table.TableName, PrimaryKey(c.Table, row)}
			j, ok := at[k]
			if !ok || len(c.Table.Key) == 0 { // without a key every row stands for itself
				j = len(net)
				at[k] = j
				net = append(net, newEffect(p))
			}
			o := &net[j]
			if what == completes && o.after != none {
				c.After = Carry(n.changes[o.after].After, o.before == none, c)
			}
			o.mixed = o.mixed || n.changes[o.first].Statement != c.Statement
			if o.continues(what) {
				n.link(i, int(o.after))
			}
			o.fold(p)
		})
	}
	return net
}

// link notes which change of a row came before another.
func (n *Transaction) link(at, older int) {
	if n.older == nil {
		n.older = map[int]int{}
	}
	n.older[at] = older
}

// gathered are the net changes of a transaction that is in memory.
type gathered struct {
	n    *Transaction
	net  []effect
	at   int
	made cdc.Change
}

func (g *gathered) Next() (*cdc.Table, cdc.Op, bool, error) {
	for g.at++; g.at < len(g.net); g.at++ {
		if op := g.net[g.at].op(); op != 0 {
			return g.n.changes[g.net[g.at].first].Table, op, true, nil
		}
	}
	return nil, 0, false, nil
}

func (g *gathered) Change() (*cdc.Change, error) {
	o := &g.net[g.at]
	first := &g.n.changes[o.first]
	g.made = cdc.Change{Table: first.Table, Op: o.op()}
	if o.before != none {
		g.made.Before = g.n.changes[o.before].Before
	}
	if o.after != none {
		g.made.After = g.n.changes[o.after].After
	}
	if !o.mixed {
		g.made.Statement = first.Statement
	}
	return &g.made, nil
}

func (g *gathered) Parts() ([]cdc.Change, error) {
	o := &g.net[g.at]
	if !o.mixed {
		return nil, nil
	}
	var parts []cdc.Change
	for at, ok := int(o.final()), true; ok; at, ok = g.n.older[at] {
		if len(parts) == maxParts {
			return nil, nil
		}
		parts = append(parts, g.n.changes[at])
	}
	slices.Reverse(parts)
	return parts, nil
}

func (g *gathered) Again() error { g.at = -1; return nil }

func (g *gathered) Close() error { g.n.clear(); return nil }

// put is what a change does to one key; an update that moves the key does something to two.
type put struct {
	ref  int64 // where the change is
	what putKind
}

type putKind uint8

const (
	removes putKind = iota + 1
	replaces
	completes // replaces it, but for what its image does not show
	appears   // a row that was not there, or takes the place of another
)

// eachPut calls f for everything that a change does. Row holds the key.
func eachPut(c *cdc.Change, f func(what putKind, row cdc.Row)) {
	switch what := whatFirst(c); {
	case c.Op == 0: // a change of a table that no event is made of
	case what == appears:
		f(what, c.After)
	default:
		f(what, c.Before)
		if what == removes && c.Op == cdc.Update {
			f(appears, c.After)
		}
	}
}

// whatFirst is what a change does first.
func whatFirst(c *cdc.Change) putKind {
	switch {
	case c.Op == cdc.Insert:
		return appears
	case c.Op == cdc.Delete || movesKey(c):
		return removes
	}
	if !c.After.Whole() {
		return completes
	}
	return replaces
}

// effect is what a transaction did to one key: the change whose image before counts, and the one whose image after does.
type effect struct {
	first         int64 // the first change
	before, after int64 // none: the row was not there before, or is not any more
	removed       int64 // the change that took the row away last
	mixed         bool  // no one statement wrote what is left
}

// maxParts is how many changes of one row are looked at one by one.
const maxParts = 64

// none is the reference to no change.
const none = -1

func newEffect(p put) effect { return effect{first: p.ref, before: none, after: none, removed: none} }

// continues says whether what happens next to a row that several statements wrote goes on with what is there.
func (o *effect) continues(what putKind) bool {
	return o.mixed && o.after != none && (what == replaces || what == completes)
}

// final is the change that left the row as it is, or took it away.
func (o *effect) final() int64 {
	if o.after == none {
		return o.removed
	}
	return o.after
}

// fold takes in what happens next to the key.
func (o *effect) fold(p put) {
	if p.what != appears && o.before == none && o.after == none {
		o.before = p.ref
	}
	if o.after = p.ref; p.what == removes {
		o.after, o.removed = none, p.ref
	}
}

// op is what happened to the row in all; 0 when it came and went.
func (o *effect) op() cdc.Op {
	switch {
	case o.before == none && o.after == none:
		return 0
	case o.before == none:
		return cdc.Insert
	case o.after == none:
		return cdc.Delete
	}
	return cdc.Update
}

// movesKey says whether an update changed the row's primary key.
func movesKey(c *cdc.Change) bool {
	if c.Op != cdc.Update {
		return false
	}
	for _, i := range c.Table.Key {
		if !c.Before.Same(c.After, i) {
			return true
		}
	}
	return false
}

// PrimaryKey is the row's key as text, unique within its table.
func PrimaryKey(t *cdc.Table, row cdc.Row) string {
	if len(t.Key) == 1 {
		return row.Text(t.Key[0])
	}
	parts := make([]string, len(t.Key))
	for i, k := range t.Key {
		parts[i] = row.Text(k)
	}
	return strings.Join(parts, "\x00")
}
