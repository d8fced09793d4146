package cdc

import (
	"fmt"
	"math"

	"github.com/go-mysql-org/go-mysql/replication"
)

// A binlog file may be larger than 4 GiB, for a transaction is never split. But events carry only the lower half of the
// place where they end, and a server can be asked for places below 4 GiB only. What is missing is found by counting on
// from the place before.

// place is how far the log of one connection was read.
type place struct {
	tracker *tracker // knows what was read before the transaction that is open
	seen    Coord
	placed  bool // seen is right beyond 4 GiB
	txn     openTxn
}

// artificialFlag marks events that the server made up for this connection; they stand nowhere.
const artificialFlag = 0x20

// mostBack is how far an event may lie behind the one before it: heartbeats do, while the server looks for our position.
const mostBack = 1 << 30

// move takes an event in: the log was read up to its end.
func (p *place) move(h *replication.EventHeader, l *link) {
	switch {
	case h.Flags&artificialFlag != 0:
	case h.LogPos > 0:
		p.seen.Offset = nearest(p.seen.Offset, h.LogPos)
	case p.txn.open: // MariaDB 11.8 tells no places inside of transactions
		p.seen.Offset += uint64(h.EventSize) + l.beyond()
	}
}

// nearest is the place with this lower half that comes next behind offset, or just before it.
func nearest(offset uint64, low uint32) uint64 {
	ahead := low - uint32(offset)
	if back := uint64(-ahead); back < mostBack && back <= offset {
		return offset - back
	}
	return offset + uint64(ahead)
}

// startOf is where an event that was taken in begins. The first of a connection may be of the transaction that is sent once more.
func (p *place) startOf(h *replication.EventHeader, resent bool) Coord {
	if !p.placed {
		p.placed = true
		p.locate(h, resent)
	}
	return Coord{p.seen.File, p.seen.Offset - min(p.seen.Offset, uint64(h.EventSize))}
}

// locate finds out in what part of a large file the first transaction of a connection stands, when the server sent none of
// what comes before it: in the part of the stored position, if that is of this very file.
func (p *place) locate(h *replication.EventHeader, resent bool) {
	known := p.tracker.start
	if known.Offset <= math.MaxUint32 || known.File != p.seen.File || p.seen.Offset >= known.Offset {
		return
	}
	if other := h.LogPos-h.EventSize != uint32(known.Offset); resent && other {
		return // another server's file of this name
	}
	if p.seen.Offset += known.Offset &^ math.MaxUint32; p.seen.Offset < known.Offset {
		p.seen.Offset += 1 << 32
	}
}

// nothingAhead says whether the transaction that is being read is the last one before an end.
func (p *place) nothingAhead(end End) bool {
	if !p.txn.open {
		return p.tracker.Reached(end, p.seen)
	}
	if end.set == nil || p.txn.GTID == "" {
		return false
	}
	after, err := p.tracker.Cursor.Advance(p.txn.Txn)
	return err == nil && after.hasGTIDs() && after.Reached(end, Coord{})
}

// wayOut is how to leave out the transaction that is being read and nothing else. Without GTIDs that cannot be said yet: its
// end was not read.
func (p *place) wayOut() string {
	if !p.txn.open || p.txn.GTID == "" {
		return skipHint
	}
	after, err := p.tracker.Cursor.Advance(p.txn.Txn)
	if err != nil || !after.hasGTIDs() {
		return skipHint
	}
	set, err := after.read()
	if err != nil {
		return skipHint
	}
	return fmt.Sprintf("to go on right behind this transaction, and lose nothing else: rowhook position set --gtid '%s'; %s", set, backfillHint)
}

// beyond is the cursor's place when it is one that a server cannot be asked for: then its file is read from the
// beginning, and what comes before is passed over. Zero when it can, or where GTIDs do without places.
func (c *Cursor) beyond() Coord {
	if c.hasGTIDs() || c.start.Offset <= math.MaxUint32 {
		return Coord{}
	}
	return c.start
}
