package cdc

import (
	"fmt"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// Coord is a place in the binlog files of one server.
type Coord struct {
	File   string `json:"file"`
	Offset uint64 `json:"offset"`
}

func (c Coord) String() string { return fmt.Sprintf("%s:%d", c.File, c.Offset) }

// Before says whether c is earlier than o in the same server's log. Files are numbered at their end.
func (c Coord) Before(o Coord) bool {
	if c.File != o.File {
		if len(c.File) != len(o.File) { // binlog.999999 is followed by binlog.1000000
			return len(c.File) < len(o.File)
		}
		return c.File < o.File
	}
	return c.Offset < o.Offset
}

// Txn identifies a transaction of the log.
type Txn struct {
	GTID  string `json:"gtid,omitempty"` // empty on a server without GTIDs
	Start Coord  `json:"start"`          // where it begins
	Hash  uint64 `json:"hash,omitempty"` // of its raw row bytes and its commit time, equal on every replica
}

// ID names the transaction: its GTID, or where it begins on a server without GTIDs.
func (t Txn) ID() string {
	if t.GTID != "" {
		return t.GTID
	}
	return t.Start.String()
}

// Position is where reading resumes: the point before the last transaction, and that transaction. Every connect reads
// it once more, compares, and skips it, for a server accepts a position of a history that is not its own (DESIGN 4).
type Position struct {
	Flavor string `json:"flavor"`         // mysql or mariadb
	Set    string `json:"set,omitempty"`  // the GTID set before Last; empty on a server without GTIDs
	Start  Coord  `json:"start"`          // the place before Last; zero when only Set is known
	Last   *Txn   `json:"last,omitempty"` // nil: nothing was read since Set and Start were taken from the server
	// Begun is the transaction behind Last, when a part of it was taken in already. It comes once more, whole, and is
	// handed out again; it must be the same.
	Begun *Txn `json:"begun,omitempty"`
}

func (p Position) String() string {
	var parts []string
	if p.Start != (Coord{}) {
		parts = append(parts, p.Start.String())
	}
	if p.Set != "" {
		parts = append(parts, "gtid "+p.Set)
	}
	if p.Last != nil {
		parts = append(parts, "then "+p.Last.ID())
	}
	if p.Begun != nil {
		parts = append(parts, "and a part of "+p.Begun.ID())
	}
	return strings.Join(parts, " ")
}

// Tracker moves a position from transaction to transaction. It is not safe for concurrent use.
type Tracker struct {
	flavor string
	set    mysql.GTIDSet // nil on a server without GTIDs
	all    mysql.GTIDSet // set with last in it, when somebody asked for it; a set is long and copied no more than once
	start  Coord
	last   *Txn
	begun  *Txn
}

// NewTracker starts at a position.
func NewTracker(p Position) (*Tracker, error) {
	t := &Tracker{flavor: p.Flavor, start: p.Start, last: p.Last, begun: p.Begun}
	if p.Set == "" && (p.Last == nil || p.Last.GTID == "") && p.Flavor != mysql.MariaDBFlavor { // which always has GTIDs
		return t, nil
	}
	set, err := mysql.ParseGTIDSet(p.Flavor, p.Set)
	if err != nil {
		return nil, fmt.Errorf("reading GTID set %q: %w", p.Set, err)
	}
	t.set = set
	return t, nil
}

// Begin notes that a part of txn, the transaction behind the last, was taken in.
func (t *Tracker) Begin(txn Txn) {
	if t.byPlace() {
		txn.GTID = ""
	}
	t.begun = &txn
}

// Advance makes txn the last transaction.
func (t *Tracker) Advance(txn Txn) error {
	if t.byPlace() {
		txn.GTID = ""
	}
	t.begun = nil
	if t.last != nil && t.last.GTID != "" {
		if err := t.set.Update(t.last.GTID); err != nil {
			return fmt.Errorf("adding %s to the GTID set: %w", t.last.GTID, err)
		}
	}
	if t.set == nil && txn.GTID != "" { // the first transaction of all
		set, err := mysql.ParseGTIDSet(t.flavor, "")
		if err != nil {
			return err
		}
		t.set = set
	}
	if t.all != nil && txn.GTID != "" {
		if err := t.all.Update(txn.GTID); err != nil {
			return fmt.Errorf("adding %s to the GTID set: %w", txn.GTID, err)
		}
	}
	t.start, t.last = txn.Start, &txn
	return nil
}

// Position is where the tracker stands.
func (t *Tracker) Position() Position {
	p := Position{Flavor: t.flavor, Start: t.start, Last: t.last, Begun: t.begun}
	if t.set != nil {
		p.Set = t.set.String()
	}
	return p
}

// Reached says whether everything up to end was read; seen is how far the log was read.
func (t *Tracker) Reached(end End, seen Coord) bool {
	if end.set == nil || t.set == nil {
		return !seen.Before(end.Coord)
	}
	full, err := t.full()
	return err == nil && contains(full, end.set)
}

// byPlace says whether transactions are known by their places, because the first ones had no GTIDs. It stays so when the
// server gets them: the set of those that were read would not be whole.
func (t *Tracker) byPlace() bool { return t.set == nil && t.last != nil }

// newest is the newest transaction that the log must have; nil when none is known.
func (t *Tracker) newest() *Txn {
	if t.begun != nil {
		return t.begun
	}
	return t.last
}

// full is the GTID set with the last transaction. It stays the tracker's.
func (t *Tracker) full() (mysql.GTIDSet, error) {
	if t.all != nil {
		return t.all, nil
	}
	set := t.set.Clone()
	if t.last != nil && t.last.GTID != "" {
		if err := set.Update(t.last.GTID); err != nil {
			return nil, fmt.Errorf("adding %s to the GTID set: %w", t.last.GTID, err)
		}
	}
	t.all = set
	return set, nil
}

// MariaDBContains says whether a MariaDB that is at one GTID position has all of another.
func MariaDBContains(at, other string) (bool, error) {
	set, err := mysql.ParseMariadbGTIDSet(at)
	if err != nil {
		return false, fmt.Errorf("reading GTIDs %q: %w", at, err)
	}
	sub, err := mysql.ParseMariadbGTIDSet(other)
	if err != nil {
		return false, fmt.Errorf("reading GTIDs %q: %w", other, err)
	}
	return contains(set, sub), nil
}

// contains is set inclusion. Of MariaDB's sets the sequence number in each domain counts: the server part only says
// who wrote the last one.
func contains(set, sub mysql.GTIDSet) bool {
	all, ok := set.(*mysql.MariadbGTIDSet)
	part, ok2 := sub.(*mysql.MariadbGTIDSet)
	if !ok || !ok2 {
		return set.Contain(sub)
	}
	for domain, gtid := range part.Sets {
		if has := all.Sets[domain]; has == nil || has.SequenceNumber < gtid.SequenceNumber {
			return false
		}
	}
	return true
}
