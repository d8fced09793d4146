// Package outbox is the durable store between reading and delivering: deliveries, the events that are not deliveries
// yet, and the position, in one commit.
//
// The invariant of the product rests here. A commit holds the position, every event up to it that is not yet a
// delivery, and every delivery made so far, together: whatever instant a crash chooses, reading goes on right behind
// what is stored. Positions and open events are opaque records to this package; it knows nothing of MySQL.
//
// sqlite is the embedded store. Every store passes the suite of package outboxtest.
package outbox

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"rowhook/scratch"
)

// Errors a caller decides on.
var (
	// ErrLocked says that another process has the store open.
	ErrLocked = errors.New("the outbox is in use by another process")
	// ErrNotFound says that there is no such delivery.
	ErrNotFound = errors.New("no such delivery")
	// ErrClosed is what calls on a closed store return.
	ErrClosed = errors.New("the outbox is closed")
	// ErrReadOnly is what writing calls return on a store that was opened for reading.
	ErrReadOnly = errors.New("the outbox was opened for reading only")
)

// ID identifies a delivery for ever: over crash, retry, redelivery and restart. It is a hash, kept raw.
type ID [16]byte

// String is the id as receivers see it in the webhook-id header.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Delivery is one event for one rule. Its endpoint and secrets are looked up by the rule's name when it is sent, so
// none are stored. Times are kept to the microsecond and come back in UTC.
type Delivery struct {
	Seq     int64     // its place in the order, given by the store: 1, 2, 3...
	ID      ID        //
	Rule    string    // the rule's name
	Site    string    // the site's name
	Action  string    // the plugin's name of the action, onAfterSaveReservation
	Kind    string    // the event: "appointment.save"
	Keys    []string  // the aggregates it is about, "salon/reservation/12": order is kept for each
	Object  string    // what the payload shows in place of the whole object: "", or one of Objects
	AsOf    time.Time // when the snapshot was taken it was loaded from; zero: none was
	Created time.Time // when its transaction was committed
	Body    []byte    // the payload
	Large   Blob      // the payload, in place of Body, when it is too large for memory
}

// Objects are what a payload may show in place of the whole object, as X-Rowhook-Object tells it: the last row of one that
// is gone, the row of a blocked time, what the log showed of one that cannot be read. Stores number them from 1.
func Objects() []string { return []string{"gone", "closure", "partial"} }

// Blob is bytes that are read piece by piece, while the store is open. It never changes.
type Blob = scratch.Blob

// Size is how long the payload is, in bytes.
func (d *Delivery) Size() int64 {
	if d.Large != nil {
		return d.Large.Size()
	}
	return int64(len(d.Body))
}

// Open reads the payload from its beginning.
func (d *Delivery) Open() io.Reader {
	if d.Large != nil {
		return scratch.Reader(d.Large)
	}
	return bytes.NewReader(d.Body)
}

// Record is an opaque record under a key. One that is too large for memory is Large in place of Data, and comes back as
// that. In a Batch one with neither deletes what is under the key.
type Record struct {
	Key   string
	Data  []byte
	Large Blob
}

// Batch is what one commit makes durable together.
type Batch struct {
	Checkpoint []byte      // the position; nil leaves it as it is
	Open       []Record    // events that are not deliveries yet: changed or, with nil Data, gone
	Deliveries []*Delivery // in order; Commit sets their Seq
}

// State is the state of a delivery.
type State uint8

// The states of a delivery. A delivery is Fresh from its commit until an outcome is recorded.
const (
	Fresh     State = iota
	Waiting         // not accepted yet: for its next attempt, or behind one that is
	Delivered       // accepted by the receiver
	Dead            // given up after the last attempt; kept, listed, redeliverable
	Held            // its rule is gone or disabled; kept and listed, never sent elsewhere
)

func (s State) String() string {
	return [...]string{"fresh", "waiting", "delivered", "dead", "held"}[s]
}

// Attempt is one try of delivering.
type Attempt struct {
	At       time.Time
	Latency  time.Duration
	Status   int    // of the HTTP answer, 0 when there was none
	Error    string // what went wrong, empty on success; never holds a secret
	Response string // the beginning of the answer's body
}

// Outcome is what became of a delivery. The last outcome of a Seq counts, with one exception: what was Delivered stays so
// whatever arrives late; only Retried takes it back.
type Outcome struct {
	Seq      int64
	State    State     // Waiting, Delivered, Dead or Held
	Attempts int       // attempts used up so far, with this one
	Due      time.Time // Waiting: when it may be tried again; zero: as soon as the endpoint lets it
	Attempt  *Attempt  // the attempt just made, nil when none was
	Retried  time.Time // Waiting: when a person had it sent again, from any state; zero: nobody did
}

// Stored is a delivery with what became of it.
type Stored struct {
	Delivery
	State    State
	Attempts int
	Due      time.Time
	Last     *Attempt  // the last attempt that was recorded; nil when the first one was accepted
	Retried  time.Time // when a person had it sent again, which is kept for ever; zero: never
}

// Resume is what a daemon starts from.
type Resume struct {
	Checkpoint []byte   // nil at the first start
	Open       []Record // in the order they were first committed
}

// Filter selects deliveries. Zero fields select everything.
type Filter struct {
	States []State
	Rules  []string
	Key    string
	ID     *ID
	Entity string    // "appointment": only those of its events, as Kind names them
	Since  time.Time // only those Created then or later
	Until  time.Time // only those Created before
	DueBy  time.Time // only Waiting ones that may be tried at this time
	After  int64     // only Seq > After
	Before int64     // only Seq < Before; 0: all
	Limit  int       // 0: no limit
	Newest bool      // the newest first: Limit then keeps the newest
	Bodies bool      // also read payloads; otherwise Body and Large are nil
}

// Store keeps deliveries durably. Its methods may be called from many goroutines.
type Store interface {
	// Resume reads what the last commit left.
	Resume(ctx context.Context) (Resume, error)
	// Commit makes a batch durable and gives its deliveries their Seq; on an error nothing of it is stored.
	// The pipeline calls it, one call at a time. The deliveries belong to the store afterwards and are handed out by Next
	// as they are, but for large payloads, which are read from the store from then on: nobody may change them.
	Commit(ctx context.Context, b *Batch) error
	// Next returns up to limit fresh deliveries with Seq > after, with bodies, in order. It waits until there is one or ctx ends.
	// Deliveries that have an outcome are not returned. Fewer than limit may come when their bodies are large.
	Next(ctx context.Context, after int64, limit int) ([]*Delivery, error)
	// Settle records outcomes. They are durable soon, not on return: with the next commit or within a tenth of a second.
	// An outcome lost in a crash means that the delivery is sent once more under the same id. On an error (an unknown Seq,
	// a full disk for long) none of them is recorded.
	Settle(outcomes []Outcome) error
	// List returns deliveries in order of Seq, or the other way round.
	List(ctx context.Context, f Filter) ([]*Stored, error)
	// Meta reads a setting of the store (source id, server id); "" when it was never set.
	Meta(ctx context.Context, key string) (string, error)
	// SetMeta writes one, durably.
	SetMeta(ctx context.Context, key, value string) error
	// Close writes what is buffered and releases the store.
	Close() error
}
