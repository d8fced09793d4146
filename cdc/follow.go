package cdc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/preflight"
	"rowhook/cdc/schema"
	"rowhook/retry"
)

// Sink takes what a Source reads. Its methods are called by one goroutine at a time, in the order of the log; a method
// that waits holds the reader, and so the server's socket, back, and must return when Follow's context ends.
type Sink interface {
	// Change takes a row of the transaction that is being read. It is not visible before Commit.
	Change(c *Change) error
	// Discard keeps the first rows of that transaction: the others were rolled back, or will come again.
	Discard(keep int)
	// Commit ends the transaction, or only says how far the log was read.
	Commit(c *Commit) error
}

// How long a link may be silent: the server sends a heartbeat when it has nothing else to say.
const (
	heartbeatPeriod = time.Second
	readTimeout     = 15 * time.Second
)

// Follow reads the log from p on and hands it to sink, over as many connections as it takes. It returns when ctx ends,
// when sink fails, or with a StopError. The records known are those that were stored with p, if any were.
func (s *Source) Follow(ctx context.Context, p Position, known []SchemaRecord, sink Sink) error {
	if err := s.checkFlavor(p); err != nil {
		return err
	}
	tracker, err := newTracker(p)
	if err != nil {
		return err
	}
	s.rewatch()
	h := schema.NewHistory(s.watched().names)
	h.Restore(known, s.cfg.Log)
	var gone *Txn // the last transaction, when the server no longer has it
	for {
		err := s.connectAndRead(ctx, tracker, h, gone, sink)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		sink.Discard(0)
		if moved, ok := errors.AsType[*movedError](err); ok {
			s.followName(moved)
			continue
		}
		if last := tracker.last; last != nil && last != gone && last.GTID != "" && isPurged(err) {
			gone = last
			s.cfg.Log.Warn("the server purged the last transaction that was read, so it cannot be verified that this is the same log; going on behind it",
				slog.String("transaction", gone.ID()))
			continue
		}
		var stop *StopError
		var failed *sinkError
		if errors.As(err, &stop) || errors.As(err, &failed) {
			return err
		}
		wait := s.trouble.Wait()
		if s.trouble.Worth(err) {
			s.cfg.Log.Warn("the connection to the database was lost, trying again", slog.Any("error", err), slog.Duration("in", wait),
				slog.Time("since", s.trouble.Since()), slog.String("fix", s.Preflight().Advice(ctx, err)))
		}
		if err := retry.Pause(ctx, wait); err != nil {
			return err
		}
	}
}

// checkFlavor says whether a position can be of a server of this kind.
func (s *server) checkFlavor(p Position) error {
	if p.Flavor == s.flavor {
		return nil
	}
	return &StopError{
		Reason: fmt.Sprintf("the stored position is of a %s server, but this is %s", p.Flavor, s.version),
		Hint:   "check database.address, or follow this server from now: rowhook position set --now",
	}
}

// sinkError is a failure of the sink, which no new connection fixes.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

// connectAndRead reads over one connection until it ends. The tracker's last transaction comes first, to be compared,
// unless it is the one that is known to be gone from the log.
func (s *Source) connectAndRead(ctx context.Context, tracker *tracker, h *schema.History, gone *Txn, sink Sink) error {
	if err := s.twin.take(ctx); err != nil {
		return err
	}
	if err := s.login.Fit(ctx, s.db); err != nil {
		return err
	}
	if err := s.checkHistory(ctx, tracker); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { stop(s.twin.keep(ctx)) })
	defer keeper.Wait()
	defer stop(nil)
	verify := tracker.last != nil && tracker.last != gone
	r := newReader(ctx, s, tracker, sink, verify)
	defer r.packed.close()
	if err := r.resolver.takeUp(h); err != nil {
		return err
	}
	err := s.stream(ctx, r, &r.link, func(b *replication.BinlogSyncer) (*replication.BinlogStreamer, error) { return tracker.dump(b, verify) })
	lost := context.Cause(ctx)
	switch {
	case lost != nil && !errors.Is(lost, context.Canceled) && (r.err == nil || errors.Is(r.err, context.Canceled)):
		return lost
	case r.err != nil:
		return r.err
	}
	return s.explain(err, tracker)
}

// firstEvent is where every file of the log begins, behind its mark.
const firstEvent = 4

// dump asks the server for the log from before the last transaction, or from behind it.
func (t *tracker) dump(syncer *replication.BinlogSyncer, again bool) (*replication.BinlogStreamer, error) {
	switch {
	case t.hasGTIDs() && again:
		return syncer.StartSyncGTID(t.before.set())
	case t.hasGTIDs():
		set, err := t.read()
		if err != nil {
			return nil, err
		}
		return syncer.StartSyncGTID(set)
	}
	at := mysql.Position{Name: t.start.File, Pos: uint32(t.start.Offset)}
	if t.beyond() != (Coord{}) {
		at.Pos = firstEvent
	}
	return syncer.StartSync(at)
}

// checkHistory proves that the server has what we read. A server that was restored from an older copy accepts our
// position and sends nothing, or something else.
func (s *server) checkHistory(ctx context.Context, t *tracker) error {
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	end, err := s.End(ctx)
	if err != nil {
		return err
	}
	has := !end.Coord.Before(t.start) && (t.begun == nil || t.begun.Start.Before(end.Coord))
	if t.hasGTIDs() {
		read := t.before.set()
		if newest := t.newest(); newest != nil { // of the others it may have forgotten whole domains, by the will of its admin
			if read, err = mysql.ParseGTIDSet(s.flavor, newest.GTID); err != nil {
				return fmt.Errorf("reading the stored GTID %q: %w", newest.GTID, err)
			}
		}
		has = end.set != nil && contains(end.set, read)
	}
	if !has {
		return historyError(t, fmt.Sprintf("its log ends at %s", end), nil)
	}
	return nil
}

// explain turns the server's refusal of our position into what it means.
func (s *server) explain(err error, t *tracker) error {
	var refused *mysql.MyError
	if !errors.As(err, &refused) || refused.Code != mysql.ER_MASTER_FATAL_ERROR_READING_BINLOG {
		return err
	}
	says := func(phrase string) bool { return strings.Contains(refused.Message, phrase) }
	switch {
	case says("same server_uuid/server_id"): // MySQL, to the one of two that came first
		return err
	case isPurged(err):
		return &StopError{
			Reason: fmt.Sprintf("the server no longer has the log behind position %s", t.Position()),
			Hint:   "the changes since then are lost to rowhook; have the log kept longer: " + preflight.RetentionFix(s.hosting, s.hosting.Amazon()) + "  then " + skipHint,
			Err:    err, Gone: true,
		}
	case says("GTID_MODE = "): // neither OFF nor the two on the way to ON send the log by GTID
		_, mode, _ := strings.Cut(refused.Message, "GTID_MODE = ")
		mode, _, _ = strings.Cut(mode, " ")
		return &StopError{
			Reason: fmt.Sprintf("the server's gtid_mode is %.20q, and rowhook follows it by GTID, which takes ON", mode),
			Hint:   preflight.GTIDSteps(s.hosting, mode) + " then start rowhook again", Err: err,
		}
	case says("not in the master's binlog"), says("missing the GTID"), says("more GTIDs"):
		return historyError(t, "it refuses the position", err)
	case !t.hasGTIDs(): // it says so in many ways
		return historyError(t, "no event begins there", err)
	}
	return &StopError{
		Reason: fmt.Sprintf("the server does not send its log from position %s", t.Position()),
		Hint:   "to see what of the log is still there: rowhook position show, and on the server: SHOW BINARY LOGS; " + skipHint, Err: err,
	}
}

// isPurged says whether err is a server's answer that it deleted the files of our position.
func isPurged(err error) bool {
	var refused *mysql.MyError
	return errors.As(err, &refused) && refused.Code == mysql.ER_MASTER_FATAL_ERROR_READING_BINLOG &&
		(strings.Contains(refused.Message, "purged") || strings.Contains(refused.Message, "Could not find first log file"))
}

// historyError says that the server's log is not the one we read before.
func historyError(t *tracker, what string, err error) error {
	return &StopError{
		Reason: fmt.Sprintf("this server's log is not the one that was read up to position %s: %s", t.Position(), what),
		Hint:   "it was restored from a backup, reset, or is another server; check database.address, or accept the log as it is now: rowhook position set --now",
		Err:    err,
	}
}

func (e End) String() string {
	if e.set != nil {
		return fmt.Sprintf("%s gtid %s", e.Coord, e.set)
	}
	return e.Coord.String()
}
