package cdc

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/rowcodec"
)

// reader turns the raw events of one connection into changes and commits. go-mysql calls HandleEvent from the
// goroutine that reads the socket.
type reader struct {
	ctx      context.Context //nolint:containedctx // HandleEvent has none; this is the connection's
	src      *Source
	sink     Sink
	isolator Isolator // the sink, where it is one; else nil
	err      error    // why it stopped, nil when the link broke

	place
	resolver *resolver
	from     Coord          // what ends up to here is passed over: the server could not be asked for less
	ended    Coord          // the end of the last transaction
	span     *Span          // the part of the log that is wanted, nil: all of it
	stored   []SchemaRecord // what is known of tables where the span begins, until it does
	ahead    *lookahead     // only statements matter, and to whom; nil: all matters
	verify   bool           // the next transaction must be the tracker's last
	digest   xxhash.Digest
	packed   payloadReader
	link     *link
	change   Change // handed to the sink, used again
}

func newReader(ctx context.Context, s *Source, t *tracker, sink Sink, verify bool) *reader {
	r := &reader{ctx: ctx, src: s, sink: sink, place: place{tracker: t, seen: t.start}, from: t.beyond(), verify: verify}
	r.isolator, _ = sink.(Isolator)
	r.resolver = newResolver(ctx, s, &r.place, r.skips)
	return r
}

// HandleEvent takes the next event of the log. Every type is used, ignored, or a reason to stop (see events.go).
func (r *reader) HandleEvent(e *replication.BinlogEvent) error {
	if err := r.handle(e); err != nil {
		r.err = err
		return err
	}
	return nil
}

func (r *reader) handle(e *replication.BinlogEvent) error {
	if err := cmp.Or(r.ctx.Err(), r.checkName()); err != nil {
		return err
	}
	h := e.Header
	if r.move(h, r.link); r.from != (Coord{}) && h.LogPos > 0 && !r.from.Before(r.seen) {
		return nil
	}
	switch ev := e.Event.(type) {
	case *replication.RotateEvent:
		r.seen = Coord{string(ev.NextLogName), ev.Position}
		r.resolver.tables.Forget()
		return r.progress()
	case *replication.FormatDescriptionEvent:
		if ev.CreateTimestamp != 0 { // the server started
			r.resolver.history.Temporary.Restarted()
		}
		r.resolver.tables.Forget()
		return r.abandon()
	case *replication.GenericEvent:
		return r.dispatch(h, ev.Data)
	}
	return r.stop(fmt.Sprintf("an event of type %s arrived parsed", h.EventType), "please report this", nil)
}

// abandon ends a transaction at the head of the next file: the server crashed while it logged it, and rolled it back.
func (r *reader) abandon() error {
	if !r.txn.open {
		return nil
	}
	if r.txn.again {
		return historyError(r.tracker, "it has only a part of the last transaction", nil)
	}
	r.log().Warn("the server crashed while it logged a transaction, which is discarded", slog.String("transaction", r.txn.ID()))
	r.discard(0)
	r.resolver.history.Abandon()
	r.txn.open = false
	return nil
}

// progress says how far the log was read when no transaction is open. While the last transaction is still to come once
// more, that is behind what was said before.
func (r *reader) progress() error { return r.readOn(false) }

// readOn is progress; idle says that the server has nothing more to send.
func (r *reader) readOn(idle bool) error {
	if r.txn.open || r.verify {
		return nil
	}
	if err := r.resolver.settle(); err != nil {
		return err
	}
	return r.told(&Commit{At: r.tracker.Cursor, End: r.seen, Time: r.src.clock, Idle: idle, Schema: r.resolver.history.Commit()})
}

// told hands a commit out.
func (r *reader) told(c *Commit) error {
	if err := r.sink.Commit(c); err != nil || r.span == nil {
		return r.toSink(err)
	}
	return r.span.read(c.End)
}

// begin opens a transaction.
func (r *reader) begin(h *replication.EventHeader, gtid string, committed time.Time) error {
	if r.txn.open {
		return r.stop(fmt.Sprintf("transaction %s begins inside transaction %s", gtid, r.txn.ID()), "please report this", nil)
	}
	r.rewatch()
	start := r.startOf(h, r.verify)
	if r.tracker.byPlace() {
		gtid = ""
	}
	r.txn = openTxn{Txn: Txn{GTID: gtid, Start: start}, open: true, time: r.clamp(committed), original: committed}
	r.digest.Reset()
	_, _ = r.digest.Write(binary.LittleEndian.AppendUint64(nil, uint64(committed.UnixMicro())))
	if r.span != nil && !r.verify {
		wanted, err := r.span.wanted(&r.txn, r.tracker)
		if r.txn.outside = !wanted; wanted {
			r.resolver.history.Restore(r.stored, r.log())
			r.stored = nil
		}
		return err
	}
	if !r.verify {
		if begun := r.tracker.begun; begun != nil && begun.ID() != r.txn.ID() {
			return historyError(r.tracker, fmt.Sprintf("in place of that one it has %s", r.txn.ID()), nil)
		}
		return nil
	}
	r.verify, r.txn.again = false, true
	if r.txn.ID() != r.tracker.last.ID() {
		return historyError(r.tracker, fmt.Sprintf("in place of its last transaction it has %s", r.txn.ID()), nil)
	}
	return nil
}

// clamp keeps the log's clock from running backwards or ahead of ours: a session can set it to anything.
func (r *reader) clamp(t time.Time) time.Time {
	if now := r.src.cfg.Now(); t.After(now) {
		t = now
	}
	if t.Before(r.src.clock) {
		t = r.src.clock
	}
	r.src.clock = t
	return t
}

// commit ends the transaction.
func (r *reader) commit() error {
	t := &r.txn
	if !t.open {
		return nil
	}
	t.open = false
	r.ended = r.seen
	r.linkIsWell()
	t.Hash = r.digest.Sum64()
	if t.again {
		if t.Hash != r.tracker.last.Hash {
			return historyError(r.tracker, "its last transaction has other rows", nil)
		}
		return r.progress()
	}
	if begun := r.tracker.begun; begun != nil && begun.Hash != t.Hash {
		return historyError(r.tracker, "that one has other rows", nil)
	}
	if err := r.tracker.Advance(t.Txn); err != nil {
		return err
	}
	schema := r.resolver.history.Commit()
	if t.outside {
		return r.progress()
	}
	if err := r.told(&Commit{Txn: t.Txn, At: r.tracker.Cursor, End: r.seen, Time: t.time, Original: t.original, Rows: t.rows, Statement: t.isStatement, Schema: schema, Emptied: t.emptied, Created: t.created, Own: t.own && !t.foreign && !t.isStatement}); err != nil {
		return err
	}
	if err := r.resolver.settle(); err != nil || r.resolver.history.Saved() { // not before: it may fail, and the tracker has moved
		return err
	}
	return r.progress() // what the server said is to be stored while it is true
}

// rollback ends the transaction without its rows.
func (r *reader) rollback() error {
	r.discard(0)
	r.resolver.doubt()
	return r.commit()
}

func (r *reader) discard(keep int) {
	r.txn.rows = keep
	if !r.txn.silent() {
		r.sink.Discard(keep)
	}
}

// rows hands out the rows of a rows event. Every row is hashed, whoever watches its table, for any transaction may be
// the one that is compared at the next connect.
func (r *reader) rows(typ byte, body []byte) error {
	switch {
	case !r.txn.open && r.verify: // by chance an event begins at the place of our transaction
		return historyError(r.tracker, "another event is in place of its last transaction", nil)
	case !r.txn.open:
		return r.stop("rows outside a transaction", "please report this", nil)
	}
	h, rows, err := rowcodec.ParseHeader(typ, body)
	if err != nil {
		return r.unreadable(err)
	}
	if h.TableID != r.txn.table || h.Op != r.txn.op { // not at every event: their borders differ on a replica
		r.txn.table, r.txn.op = h.TableID, h.Op
		_, _ = r.digest.Write([]byte{byte(h.Op)})
	}
	tail, more := r.tail(body)
	in, err := rowcodec.NewImages(h, rows, tail, more, &r.digest)
	if err != nil {
		return r.unreadable(err)
	}
	t, ok := r.resolver.tables.At(h.TableID)
	if !ok {
		return r.stop("rows of a table that was not announced", "please report this", nil)
	}
	if h.EndOfStatement {
		defer r.txn.announce(nil)
	}
	if t == nil || r.txn.silent() || r.skips(t.Table.TableName) {
		if err := in.Pass(); err != nil {
			return r.unreadable(err)
		}
		return nil
	}
	r.txn.wrote(t.Table.TableName)
	if h.Partial {
		return r.passOver(in, TableError{
			Table: t.Table.TableName, Reason: fmt.Sprintf("a row of %s was logged with parts of JSON documents", t.Table), Lasting: true,
			Hint: "SET PERSIST binlog_row_value_options = '' and restart PHP-FPM, for open connections keep the old value",
		})
	}
	if err := t.EachRow(h, in, r.row); err != nil {
		if _, failed := errors.AsType[*sinkError](err); failed {
			return err
		}
		if _, broken := errors.AsType[*linkError](err); broken {
			return err
		}
		return r.passOver(in, TableError{
			Table: t.Table.TableName, Reason: fmt.Sprintf("a row of %s cannot be read", t.Table), Err: err,
			Hint: "the table was perhaps altered while rowhook was away",
		})
	}
	return nil
}

// passOver leaves the rest of a rows event out, for the trouble that its table is in.
func (r *reader) passOver(in *rowcodec.Images, t TableError) error {
	if err := r.trouble(t); err != nil {
		return err
	}
	if err := in.Pass(); err != nil {
		return r.unreadable(err)
	}
	return nil
}

// unreadable is a rows event whose rows are not to be had.
func (r *reader) unreadable(err error) error {
	if _, broken := errors.AsType[*linkError](err); broken {
		return err
	}
	return r.stop("a rows event cannot be read", "please report this", err)
}

// announceStatement takes the text of the statement whose rows come next. Of one that did not come whole it is not known.
func (r *reader) announceStatement(text []byte) {
	if _, more := r.tail(text); more > 0 {
		text = nil
	}
	r.txn.announce(text)
}

// row hands out one row.
func (r *reader) row(t *Table, op Op, before, after Row) error {
	if op == Update {
		after = t.Keyed(before, after)
	}
	r.change = Change{Table: t, Op: op, Before: before, After: after, Statement: r.txn.statementText()}
	r.txn.rows++
	err := r.sink.Change(&r.change)
	r.change = Change{} // its rows may be large
	return r.toSink(err)
}

func (r *reader) toSink(err error) error {
	if err != nil {
		return &sinkError{err}
	}
	return nil
}

// linkIsWell takes back what was said about the link. The first events are no proof: the server sends them before it
// looks whether it has what we want.
func (r *reader) linkIsWell() {
	if lasted, was := r.src.trouble.Over(); was {
		r.log().Info("the database connection is back", slog.Duration("after", lasted.Round(time.Second)))
	}
}

// stop is a StopError at this place of the log.
func (r *reader) stop(reason, hint string, err error) error {
	return &StopError{At: r.seen, Reason: reason, Hint: hint, Err: err}
}

// stopBefore is stop at what a person may leave out: the hint ends with how.
func (r *reader) stopBefore(reason, hint string, err error) error {
	wayOut := lookHint
	if r.span == nil {
		wayOut = r.wayOut()
	}
	return r.stop(reason, hint+"; "+wayOut, err)
}

// log is for what a user must know, but what is no reason to stop. It says where we are.
func (r *reader) log() *slog.Logger {
	return r.src.logAt(r.seen)
}

func (s *Source) logAt(at Coord) *slog.Logger { return s.cfg.Log.With(slog.String("at", at.String())) }
