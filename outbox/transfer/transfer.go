// Package transfer moves an outbox from one store to another, as it is: what a store keeps in whatever form is one neutral form
// here, a Part after the other. The stores read and write those; this package moves them, and compares what came of it.
//
// Nothing is lost on the way: the old outbox is only read. The new one must be empty, and says that it is half a copy until both
// were read again and are equal: no daemon opens it before.
package transfer

import (
	"context"
	"errors"
	"time"

	"rowhook/outbox"
)

// Errors a caller decides on.
var (
	// ErrHalf says that an outbox is a copy that was not completed.
	ErrHalf = errors.New("it is half a copy of another outbox, which rowhook outbox copy did not complete")
	// ErrNotEmpty says that something is stored already where a copy was to be made.
	ErrNotEmpty = errors.New("it is not empty, and nothing is overwritten")
	// ErrUnequal says that a copy is not what was copied.
	ErrUnequal = errors.New("the copy is not equal to what was copied")
)

// Part is a piece of an outbox. The first one has the Head, then come those with records, in their order, and then those with
// deliveries, by Seq. It belongs to who takes it.
type Part struct {
	Head       *Head
	Records    []outbox.Record
	Deliveries []*Delivery
}

// Head is all of an outbox that is not many.
type Head struct {
	Checkpoint []byte        // nil: none
	Last       int64         // the last Seq given
	Uptime     time.Duration // all ages are counted by it
	Largest    int64         // the length of the largest payload or record
	Settings   []Setting
	Endpoints  []Endpoint
	Routes     []Route
	Rules      []Rule
	Events     []outbox.EventCount
}

// AddHours gives each endpoint its hours, which are in order.
func (h *Head) AddHours(list []outbox.Hour) {
	byName := make(map[string]*Endpoint)
	for i := range h.Endpoints {
		byName[h.Endpoints[i].Name] = &h.Endpoints[i]
	}
	for _, hour := range list {
		if e := byName[hour.Endpoint]; e != nil {
			e.Hours = append(e.Hours, hour)
		}
	}
}

// Setting is one of outbox.Settings.
type Setting struct{ Key, Value string }

// Route says where a rule's deliveries go.
type Route struct{ Rule, Endpoint string }

// Endpoint is one that deliveries went to.
type Endpoint struct {
	Name         string
	Last         int64 // the last number given
	Count, Bytes int64 // what lies undelivered: how many, and of how many bytes
	Tally        outbox.Tally
	Hours        []outbox.Hour // in order; none: nothing was tried there
}

// Rule is what was counted of a rule's deliveries.
type Rule struct {
	Name   string
	States [outbox.Held + 1]int64 // how many there are in each state
	Ever   outbox.OutcomeCount
}

// Delivery is one with all that is known of it. Uptimes are those of the Head.
type Delivery struct {
	outbox.Delivery
	State    outbox.State
	Attempts int
	Due      time.Time
	Retried  time.Time     // when a person had it sent again
	Kept     time.Time     // when it was stored
	Since    time.Duration // of what is undelivered: the uptime when its age began
	Failing  time.Duration // the uptime at its first failed attempt, 0: none failed
	Erased   bool
	Tried    []Attempt // on record, the oldest first
}

// Attempt is one, and how many were used up with it.
type Attempt struct {
	outbox.Attempt
	N int
}

const (
	// PartLength is how many records or deliveries a Part has at most.
	PartLength = 500
	// PartBytes is beyond how many bytes of them a Part has no more.
	PartBytes = 4 << 20
	// recordBytes is roughly what a record, a delivery or an attempt takes beside its texts.
	recordBytes = 256
)

// Size is roughly how much a delivery is, in bytes, with the attempts that are on record.
func (d *Delivery) Size() int64 {
	size := int64(len(d.Body)) + recordBytes
	for i := range d.Tried {
		size += d.Tried[i].Size()
	}
	return size
}

// Size is roughly how much an attempt is, in bytes.
func (a *Attempt) Size() int64 { return int64(len(a.Error)+len(a.Response)) + recordBytes }

// RecordSize is roughly how much a record is, in bytes.
func RecordSize(r *outbox.Record) int64 {
	return int64(len(r.Owner)+len(r.Key)+len(r.Data)) + recordBytes
}

// Source is an outbox that nobody works on.
type Source interface {
	// Export hands over all that there is, in parts of bounded size, and changes nothing.
	Export(ctx context.Context, take func(context.Context, *Part) error) error
}

// Target is an outbox that nobody works on, to become what another one is.
type Target interface {
	Source
	// Begin refuses what is not empty, with ErrNotEmpty, and a Head that this store cannot hold. From then on opening the store is
	// refused with ErrHalf.
	Begin(ctx context.Context, head *Head) error
	// Put stores a part.
	Put(ctx context.Context, part *Part) error
	// Complete stores what is known only behind the last part.
	Complete(ctx context.Context) error
	// Approve makes it an outbox that may be opened.
	Approve(ctx context.Context) error
}

// Copy makes an outbox what another one is. Check has to follow before it can be used.
func Copy(ctx context.Context, from Source, to Target) error {
	err := from.Export(ctx, func(ctx context.Context, p *Part) error {
		if p.Head != nil {
			if err := to.Begin(ctx, p.Head); err != nil {
				return err
			}
		}
		return to.Put(ctx, p)
	})
	if err != nil {
		return err
	}
	return to.Complete(ctx)
}

// Check reads both outboxes again and lets the copy be used when they are equal. It tells what both have. Otherwise the error is
// ErrUnequal, and the copy stays what nobody opens.
func Check(ctx context.Context, from Source, to Target) (Sums, error) {
	was, err := Read(ctx, from)
	if err != nil {
		return was, err
	}
	is, err := Read(ctx, to)
	if err != nil {
		return was, err
	}
	if err := was.Compare(is); err != nil {
		return was, err
	}
	return was, to.Approve(ctx)
}
