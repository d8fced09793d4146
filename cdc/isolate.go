package cdc

import (
	"log/slog"
	"math/rand/v2"
)

// Isolator is a Sink for which a table that cannot be read is no reason to stop: whose table it is waits, and the others'
// rows go on. Without it any trouble ends the reading.
type Isolator interface {
	Sink
	// Skips says whether the rows of a table are passed over. The answer must not change within a transaction but by SetAside.
	Skips(t TableName) bool
	// SetAside takes in that the transaction that is being read cannot be read rightly for a table. It answers whether
	// reading may go on: from there on without what Skips names, or without what the log does not show.
	SetAside(t *TableError) bool
}

// TableError is a transaction that cannot be read rightly for one table, and can for the others.
type TableError struct {
	Table  TableName
	Txn    Txn    // without its hash: its end was not read
	At     Coord  // where it was met
	Reason string // what was found
	Hint   string // what to do so that it does not come again
	Err    error  // the cause, nil when there is none
	// Lasting says that no fix makes what was logged readable: a person must decide to go on without it.
	Lasting bool
}

func (t *TableError) Error() string {
	if t.Err == nil {
		return t.Reason
	}
	return t.Reason + ": " + t.Err.Error()
}

// Unwrap returns the cause.
func (t *TableError) Unwrap() error { return t.Err }

// skips says whether the rows of a table are passed over for now.
func (r *reader) skips(t TableName) bool { return r.isolator != nil && r.isolator.Skips(t) }

// trouble takes in what cannot be read for one table. The error is nil when reading goes on without it.
func (r *reader) trouble(t TableError) error {
	if r.isolator == nil || r.txn.silent() {
		return r.stopBefore(t.Reason, t.Hint, t.Err)
	}
	if !r.src.makesEvents(t.Table) { // it only matters that something changed
		r.txn.isStatement = true
		r.log().Warn("a table that is only looked up cannot be read; what is remembered of it is forgotten",
			slog.String("table", t.Table.String()), slog.Any("error", &t))
		return nil
	}
	t.Txn, t.At = r.txn.Txn, r.seen
	if !r.isolator.SetAside(&t) {
		return r.stopBefore(t.Reason, t.Hint, t.Err)
	}
	return nil
}

// makesEvents says whether a watched table is more than one that is looked up.
func (s *Source) makesEvents(t TableName) bool {
	_, ok := s.watched().found.Find(t.Schema, t)
	return ok
}

// Beside is a source for a second reading of the same log, of some of the tables, while the first goes on. The server knows
// it by another id, so neither is in the other's way, and it needs no lock that keeps a twin out.
func (s *Source) Beside(wanted []TableName) *Source {
	cfg := s.cfg
	cfg.Watch, cfg.Lookups = s.watched().Watch, nil
	if next := s.next.Load(); next != nil {
		cfg.Watch = next.Watch
	}
	cfg.Tables = wanted
	for cfg.ServerID == s.cfg.ServerID {
		const least = 1 << 16 // smaller ids are those that people give
		cfg.ServerID = rand.Uint32() | least
	}
	b := &Source{server: s.as(cfg.ServerID), cfg: cfg, twin: twinLock{none: true}, beside: true, asked: new(asked)}
	b.list.Store(newWatchList(s.dialect, cfg.Watch, nil))
	return b
}
