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

// tracker is the cursor of whoever reads, which moves with each transaction, and is often asked whether an end is reached.
type tracker struct {
	*Cursor
	// all is what was read, while somebody asks for it. A set is long and is not copied at each question; but to keep it costs
	// each transaction something, so it goes when nobody has asked for a while.
	all     mysql.GTIDSet
	unasked int // transactions since
}

const forgetAll = 1000 // transactions

// newTracker starts at a position.
func newTracker(p Position) (*tracker, error) {
	c, err := NewCursor(p)
	return &tracker{Cursor: c}, err
}

// Advance makes txn the last transaction.
func (t *tracker) Advance(txn Txn) error {
	next, err := t.Cursor.Advance(txn)
	if err != nil {
		return err
	}
	if t.unasked++; t.unasked > forgetAll {
		t.all = nil
	}
	if gtid := next.last.GTID; t.all != nil && gtid != "" {
		if err := t.all.Update(gtid); err != nil {
			return fmt.Errorf("adding %s to the GTID set: %w", gtid, err)
		}
	}
	t.Cursor = next // last: who reads on behind an error must not have passed the transaction
	return nil
}

// Reached is the cursor's, for who asks after each transaction.
func (t *tracker) Reached(end End, seen Coord) bool { return t.reached(end, seen, t.full) }

// full is the GTID set with the last transaction. It stays the tracker's.
func (t *tracker) full() (mysql.GTIDSet, error) {
	t.unasked = 0
	if t.all == nil {
		set, err := t.read()
		if err != nil {
			return nil, err
		}
		t.all = set
	}
	return t.all, nil
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
