package cdc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
)

// lookahead reads the log from the transaction that is being read to an end, over a connection of its own, and looks only
// for statements that may change tables. It is the sink of the reader that it uses.
type lookahead struct {
	src     *Source
	tracker *tracker
	until   End
	skip    string // the transaction behind which it begins, empty: at once
	names   map[TableName]*ddl.Definition
	index   schema.NameIndex // of names, when it is needed
	found   map[TableName]sighting

	temporary schema.Temporaries // where it begins
}

// sighting is a statement that may have changed a table.
type sighting struct {
	at   Coord
	text string
}

// errSeen ends a lookahead.
var errSeen = errors.New("the log was looked at")

// lookAhead finds the tables of an answer that may have changed between here and the answer, by the first statement that
// may have done it.
func (r *resolver) lookAhead(a *answer) (map[TableName]sighting, error) {
	p := r.at.tracker.Position()
	p.Begun = nil // whether it is the same does not matter here
	tracker, err := newTracker(p)
	if err != nil {
		return nil, err
	}
	look := &lookahead{src: r.src.aside(), temporary: r.history.Temporary.Clone(), tracker: tracker, until: a.end, names: a.is, found: map[TableName]sighting{}}
	switch {
	case r.at.txn.open:
		look.skip = r.at.txn.ID()
	case !tracker.hasGTIDs() && tracker.last != nil: // it is sent once more
		look.skip = tracker.last.ID()
	}
	if r.at.nothingAhead(a.end) {
		return look.found, nil
	}
	r.log().Info("reading the log ahead, for statements that alter tables whose columns are not known", slog.String("to", a.end.String()))
	return look.found, look.run(r.ctx)
}

// aside is a source for one look at the log. It watches nothing and moves nothing of the source it comes from.
func (s *Source) aside() *Source {
	cfg := s.cfg
	cfg.Watch, cfg.Lookups, cfg.Statements = Watch{}, nil, false
	cfg.Log = slog.New(slog.DiscardHandler)
	for cfg.ServerID == s.cfg.ServerID {
		cfg.ServerID = rand.Uint32() | 1
	}
	at := s.as(cfg.ServerID)
	at.statements = false
	return &Source{server: at, cfg: cfg, twin: twinLock{none: true}}
}

func (l *lookahead) run(ctx context.Context) error {
	r := newReader(ctx, l.src, l.tracker, l, false)
	r.ahead, r.resolver.history.Temporary = l, l.temporary
	defer r.packed.close()
	err := l.src.stream(ctx, r, &r.link, func(b *replication.BinlogSyncer) (*replication.BinlogStreamer, error) {
		return l.tracker.dump(b, false)
	})
	var stop *StopError
	switch {
	case errors.Is(r.err, errSeen):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(r.err, &stop):
		return stop
	}
	return fmt.Errorf("%w: reading the log ahead: %w", schema.ErrAsking, errors.Join(r.err, err))
}

// ddl takes a statement that was read up to a place.
func (l *lookahead) ddl(at Coord, q *schema.Statement) {
	if l.skip != "" {
		return
	}
	var touched []TableName
	if ops, ok := q.Ops(); ok {
		touched = schema.TouchedBy(ops, func(schema string) []TableName { return tablesIn(l.names, schema) })
	} else {
		touched = l.mayTouch(q)
	}
	for _, t := range touched {
		_, asked := l.names[t]
		if _, already := l.found[t]; asked && !already {
			l.found[t] = sighting{at, q.Shown()}
		}
	}
}

// tablesIn lists the tables of a schema, and the schema, that are among some.
func tablesIn(tables map[TableName]*ddl.Definition, schema string) (names []TableName) {
	for t := range tables {
		if t.Schema == schema {
			names = append(names, t)
		}
	}
	return names
}

// mayTouch lists the tables that a statement that is not understood may change. (One that is cut may also give its table
// a name that was free: but then a statement before it made it so.)
func (l *lookahead) mayTouch(q *schema.Statement) []TableName {
	if l.index == nil {
		l.index = schema.NewNameIndex(slices.Collect(maps.Keys(l.names))...)
	}
	anything, _ := q.Beyond()
	names := l.index.In(q)
	var touched []TableName
	for t := range l.names {
		if anything || names.Has(t) {
			touched = append(touched, t)
		}
	}
	return touched
}

// Change is Sink. No table is watched.
func (l *lookahead) Change(*Change) error { return nil }

// Discard is Sink.
func (l *lookahead) Discard(int) {}

// Commit is Sink.
func (l *lookahead) Commit(c *Commit) error {
	if l.skip != "" {
		if c.Txn.ID() == l.skip {
			l.skip = ""
		} else {
			return nil
		}
	}
	if l.tracker.Reached(l.until, c.End) || !c.End.Before(l.until.Coord) {
		return errSeen
	}
	return nil
}
