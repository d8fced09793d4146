// Package outbox is the durable store between reading and delivering: deliveries, the events that are not deliveries
// yet, and the position, in one commit.
//
// The invariant of the product rests here. A commit holds the position, every event up to it that is not yet a
// delivery, and every delivery made so far, together: whatever instant a crash chooses, reading goes on right behind
// what is stored. Positions and open events are opaque records to this package; it knows nothing of MySQL.
//
// A store has four faces, and each user takes the one it needs:
//
//	Journal    the pipeline's: resume and commit
//	Queue      an endpoint's: claim what is undelivered, in order, and settle it
//	Log        what people and pages ask: list, count, drop, erase, prune
//	Settings   what is to be remembered: the source's identity, pauses
//
// sqlite is the embedded store, mysql the one on a server that many machines share, memory one for tests. Every store passes the suite of package outboxtest.
package outbox

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
)

// Errors a caller decides on.
var (
	// ErrNotExist says that there is no outbox yet: no daemon ever ran there.
	ErrNotExist = errors.New("there is no outbox yet")
	// ErrDamaged says that what is stored cannot be read as it should be.
	ErrDamaged = errors.New("the outbox is damaged")
	// ErrLocked says that another process has the store open.
	ErrLocked = errors.New("the outbox is in use by another process")
	// ErrNotFound says that there is no such delivery.
	ErrNotFound = errors.New("no such delivery")
	// ErrClosed is what calls on a closed store return.
	ErrClosed = errors.New("the outbox is closed")
	// ErrReadOnly is what writing calls return on a store that was opened for reading.
	ErrReadOnly = errors.New("the outbox was opened for reading only")
	// ErrFenced says that another process took the store over: nothing that this one commits counts any more.
	ErrFenced = errors.New("another rowhook has taken the outbox over")
	// ErrNotHolder is what calls return that only the process may do that holds the reader's lease, where several share an outbox.
	ErrNotHolder = errors.New("another rowhook holds the outbox: only that one can do this")
	// ErrTooLarge says that a batch exceeds the store's Limits.
	ErrTooLarge = errors.New("the batch is more than the outbox takes in one commit")
	// ErrErased says that a delivery cannot be sent again, as a person had its payload erased.
	ErrErased = errors.New("the delivery's payload was erased")
	// ErrChanged says that a setting is not what CompareAndSet expected.
	ErrChanged = errors.New("the setting was changed meanwhile")
)

// Term is for how long an endpoint is one process's, where several share an outbox: that is over with another Epoch. With another
// Turn somebody changed what the endpoint has, or whether it is paused, and its process is to look at all of that once more.
type Term struct{ Epoch, Turn int64 }

// ID identifies a delivery for ever: over crash, retry, redelivery and restart. It is a hash, kept raw.
type ID [16]byte

// String is the id as receivers see it in the webhook-id header.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Delivery is one event for one rule. Its URL and secrets are looked up by the rule's name when it is sent, so none are
// stored. Times are kept to the microsecond and come back in UTC.
type Delivery struct {
	Seq      int64     // its place in the order of the whole store, given by Commit; it grows, and may have gaps
	Endpoint string    // where it goes, by Route; "" while no rule sends it anywhere
	Number   int64     // its number at that endpoint, rising as committed, with a gap where a process took over: receivers see it in X-Rowhook-Sequence
	ID       ID        //
	Rule     string    // the rule's name
	Site     string    // the site's name
	Action   string    // the plugin's name of the action, onAfterSaveReservation
	Kind     string    // the event: "appointment.save"
	Keys     []string  // the aggregates it is about, "salon/reservation/12": order is kept for each
	Object   string    // what the payload shows in place of the whole object: "", or one of Objects
	Omitted  []string  // columns whose values were left out, as the payload would have been too large
	AsOf     time.Time // when the snapshot was taken it was loaded from; zero: none was
	Created  time.Time // when its transaction was committed
	Body     []byte    // the payload
}

// Objects are what a payload may show in place of the whole object, as X-Rowhook-Object tells it: the last row of one that
// is gone, the row of a blocked time, what the log showed of one that cannot be read; or no payload, see Unshaped. Stores number them from 1.
func Objects() []string { return []string{"gone", "closure", "partial", Unshaped} }

// Unshaped is the Object of a delivery whose Body is no payload but why there is none: it is not posted.
const Unshaped = "unshaped"

// State is the state of a delivery.
type State uint8

// The states of a delivery. It is Fresh from its commit until an outcome is recorded.
const (
	Fresh     State = iota
	Waiting         // tried and not accepted: for its next attempt
	Delivered       // accepted by the receiver
	Dead            // given up after the last attempt; kept, listed, redeliverable
	Held            // its rule is gone or disabled; kept and listed, never sent elsewhere
)

func (s State) String() string {
	return [...]string{"fresh", "waiting", "delivered", "dead", "held"}[s]
}

// Undelivered tells whether a delivery in that state is one that its endpoint is to send.
func (s State) Undelivered() bool { return s == Fresh || s == Waiting }

// Stored is a delivery with what became of it.
type Stored struct {
	Delivery
	State    State
	Attempts int
	Due      time.Time
	Last     *Attempt  // the last attempt that was recorded; nil when the first one was accepted
	Retried  time.Time // when a person had it sent again, which is kept for ever; zero: never
	Erased   bool      // a person had its payload and the answers to it erased
	// Age is how long it has been stored and Failing how long ago its first failed attempt was recorded, both since a person
	// had it sent again or its rule came back, if that was later, and counting only the time in which a store was open for writing: no downtime, and no
	// clock that jumps. List may leave them zero.
	Age, Failing time.Duration
}

// Record is an opaque record under its owner's key. In a Batch one without Data deletes what is under the key.
type Record struct {
	Owner string // who can read it: "events", "schema", "backfill"...
	Key   string
	Data  []byte
}

// Batch is what one commit makes durable together.
type Batch struct {
	Checkpoint []byte       // the position; nil leaves it as it is
	Open       []Record     // events that are not deliveries yet, and the like: changed or, with nil Data, gone
	Deliveries []*Delivery  // in order; Commit sets their Seq, Endpoint and Number
	Events     []EventCount // how many events those are, to be added to what Totals tells
}

// Resume is what a daemon starts from.
type Resume struct {
	Checkpoint []byte   // nil at the first start
	Open       []Record // in the order they were first committed
}

// Journal is the pipeline's face.
type Journal interface {
	// Resume reads what the last commit left.
	Resume(ctx context.Context) (Resume, error)
	// Commit makes a batch durable and gives its deliveries their Seq, Endpoint and Number; on an error nothing of it is
	// stored. A delivery of a rule without a route is Held. A batch beyond Limits is refused with ErrTooLarge. Calls follow each other: each is whole by itself. The deliveries belong to the store afterwards:
	// nobody may change them. While the store cannot be written (a full disk, a lock of another program, read-only) Commit
	// waits, says so in the log, and goes on by itself; it returns early with ctx's error.
	Commit(ctx context.Context, b *Batch) error
	// Limits tells what Commit takes.
	Limits() Limits
}

// Due is what lies undelivered for an endpoint: Fresh or Waiting.
type Due struct {
	Count   int
	Waiting int           // those of them that were tried and not accepted
	Bytes   int64         // of all their payloads
	Oldest  time.Duration // the Age of the oldest; it may lag a second behind
}

// Queue is the face of those who deliver. An endpoint has one reader, who remembers how far it has claimed.
type Queue interface {
	// Route says where the deliveries of each rule go, for good: later commits number them for that endpoint, and what is
	// undelivered for another one moves behind what the new one has, in its order. Rules that are missing are gone: what is
	// undelivered for them is Held, until they are there again (not what was erased meanwhile). Endpoints whose rules change must not be claimed from
	// meanwhile. Moved tells how many deliveries were held and how many released.
	Route(ctx context.Context, routes map[string]string) (moved Moved, err error)
	// Claim returns undelivered deliveries of an endpoint with Number > after, fresh and waiting alike, in order, with
	// payloads: limit at most, and fewer when they are large, but at least one if there is one. It does not wait.
	Claim(ctx context.Context, endpoint string, after int64, limit int) ([]*Stored, error)
	// Read returns those of an endpoint's deliveries with these numbers, in order, that are still undelivered, with payloads:
	// perhaps not all at once, when they are large, but the first ones.
	Read(ctx context.Context, endpoint string, numbers []int64) ([]*Stored, error)
	// Wake returns the endpoint's channel, always the same one, which holds a token when Claim may find something that it did
	// not find before.
	Wake(endpoint string) <-chan struct{}
	// Settle records outcomes. They are durable soon, not on return: with the next commit or within a tenth of a second. An
	// outcome lost in a crash means that the delivery is sent once more under the same id. It waits, until ctx ends, while
	// more bytes of outcomes are unwritten than the store keeps. On an error none of them is recorded: ErrNotFound for a Seq
	// that no commit gave. The outcome of a delivery that was dropped meanwhile is passed over.
	//
	// Those that are Retried are durable on return; ErrNotFound then says that the delivery is gone, and ErrErased that its
	// payload is. Such a delivery keeps its Number, so it lies behind what was claimed: ask Read for it. If its rule goes
	// elsewhere by now it is numbered there anew, for Claim; if its rule is gone it is Held.
	Settle(ctx context.Context, outcomes []Outcome) error
	// Due tells by endpoint what lies undelivered. Endpoints with nothing are left out. It asks no disk, and may know of
	// outcomes only once they are durable.
	Due(ctx context.Context) (map[string]Due, error)
	// Uptime is how long a store has been open for writing, in all its lives: the clock of Stored.Age.
	Uptime() time.Duration
}

// Moved is what Route changed.
type Moved struct{ Held, Released, Rerouted int }

// Filter selects deliveries. Zero fields select everything.
type Filter struct {
	States    []State
	Rules     []string
	Sites     []string
	Endpoints []string
	Key       string // one aggregate's, as in Delivery.Keys
	Object    string // one aggregate's of whatever site, "appointment/12"
	ID        *ID
	Entity    string    // "appointment": only those of its events, as Kind names them
	Since     time.Time // only those Created then or later
	Until     time.Time // only those Created before
	DueBy     time.Time // only Waiting ones that may be tried at this time
	After     int64     // only Seq > After
	Before    int64     // only Seq < Before; 0: all
	Limit     int       // 0: no limit of their number
	Newest    bool      // the newest first: Limit then keeps the newest
	Bodies    bool      // also read payloads; otherwise Body is nil
}

// About says whether a delivery about these aggregates is one that Key and Object select.
func (f *Filter) About(keys []string) bool {
	return (f.Key == "" || slices.Contains(keys, f.Key)) && (f.Object == "" || slices.ContainsFunc(keys, func(key string) bool {
		_, object, _ := strings.Cut(key, "/")
		return object == f.Object
	}))
}

// Count is how many deliveries of a rule are in a state.
type Count struct {
	Rule  string
	State State
	N     int
}

// Keep is what Prune leaves. Nothing undelivered is ever pruned.
type Keep struct {
	Since time.Time // delivered ones stored since then
	Dead  time.Time // dead and held ones stored since then
	Bytes int64     // as many bytes as the store may take on disk; 0: any number
}

// Pruned is what Prune did.
type Pruned struct {
	Deliveries int
	Bytes      int64 // what the store takes on disk now; more than Keep.Bytes when the rest may not go
}

// Log is the face of commands and pages. It is opened on a handle of its own and never gets in the way of the queue.
type Log interface {
	// List returns deliveries in order of Seq, or the other way round. With Bodies it returns fewer than there are when they are
	// large; only an empty list is the end.
	List(ctx context.Context, f Filter) ([]*Stored, error)
	// Attempts returns the recorded attempts of a delivery, the oldest first.
	Attempts(ctx context.Context, seq int64) ([]Attempt, error)
	// Counts returns how many deliveries there are, by rule and state.
	Counts(ctx context.Context) ([]Count, error)
	// Totals returns what was counted since the store was made: of attempts, what Settle was told; of what is gone by then, nothing.
	Totals(ctx context.Context) (Totals, error)
	// Hours returns what was counted of an endpoint, "" for all, in the hours that began then or later, by endpoint and hour:
	// the last HoursKept at least. Hours in which there was nothing to count are left out.
	Hours(ctx context.Context, endpoint string, since time.Time) ([]Hour, error)
	// Size tells how many bytes the store takes on disk, or in memory where it has no disk.
	Size(ctx context.Context) (int64, error)
	// Drop removes deliveries of any state but Delivered; an endpoint must be made to claim anew. It returns how many.
	Drop(ctx context.Context, f Filter) (int, error)
	// Erase removes the payloads and the answers of deliveries, and leaves their rows. Undelivered ones are left as they are. It
	// returns how many were erased.
	Erase(ctx context.Context, f Filter) (int, error)
	// Prune removes what need not be kept.
	Prune(ctx context.Context, keep Keep) (Pruned, error)
}

// PauseSetting is how the settings begin that say that something is paused. The name of an endpoint may follow: then it is about
// that one. Where several processes share an outbox, who delivers to it looks again when it is set.
const PauseSetting = "pause "

// Settings are small texts that outlast the process.
type Settings interface {
	// Get reads a setting; "" when it was never set.
	Get(ctx context.Context, key string) (string, error)
	// CompareAndSet writes one, durably, if it is what the caller takes it for ("": not set). It returns ErrChanged otherwise.
	CompareAndSet(ctx context.Context, key, old, value string) error
}

// Store is all four faces. Its methods may be called from many goroutines.
type Store interface {
	Journal
	Queue
	Log
	Settings
	// Close writes what is buffered and releases the store.
	Close() error
}
