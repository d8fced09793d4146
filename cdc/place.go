package cdc

import (
	"math"

	"github.com/go-mysql-org/go-mysql/replication"
)

// A binlog file may be larger than 4 GiB, for a transaction is never split. But events carry only the lower half of the
// place where they end, and a server can be asked for places below 4 GiB only. What is missing is found by counting on
// from the place before.

// artificialFlag marks events that the server made up for this connection; they stand nowhere.
const artificialFlag = 0x20

// mostBack is how far an event may lie behind the one before it: heartbeats do, while the server looks for our position.
const mostBack = 1 << 30

// move takes an event in: the log was read up to its end.
func (r *reader) move(h *replication.EventHeader) {
	switch {
	case h.Flags&artificialFlag != 0:
	case h.LogPos > 0:
		r.seen.Offset = nearest(r.seen.Offset, h.LogPos)
	case r.txn.open: // MariaDB 11.8 tells no places inside of transactions
		r.seen.Offset += uint64(h.EventSize) + r.link.beyond()
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

// startOf is where an event that was taken in begins.
func (r *reader) startOf(h *replication.EventHeader) Coord {
	if !r.placed {
		r.placed = true
		r.place(h)
	}
	return Coord{r.seen.File, r.seen.Offset - min(r.seen.Offset, uint64(h.EventSize))}
}

// place finds out in what part of a large file the first transaction of a connection stands, when the server sent none of
// what comes before it: in the part of the stored position, if that is of this very file.
func (r *reader) place(h *replication.EventHeader) {
	known := r.tracker.start
	if known.Offset <= math.MaxUint32 || known.File != r.seen.File || r.seen.Offset >= known.Offset {
		return
	}
	if other := h.LogPos-h.EventSize != uint32(known.Offset); r.verify && other {
		return // another server's file of this name
	}
	if r.seen.Offset += known.Offset &^ math.MaxUint32; r.seen.Offset < known.Offset {
		r.seen.Offset += 1 << 32
	}
}

// beyond is the tracker's place when it is one that a server cannot be asked for: then its file is read from the
// beginning, and what comes before is passed over. Zero when it can, or where GTIDs do without places.
func (t *Tracker) beyond() Coord {
	if t.set != nil || t.start.Offset <= math.MaxUint32 {
		return Coord{}
	}
	return t.start
}
