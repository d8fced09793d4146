package cdc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
)

// Point is a place of a server's log as a person names it: one of its fields. The zero Point is where the log that the
// server still has begins.
type Point struct {
	Time  time.Time // before the first transaction of this time or later
	GTIDs string    // behind all transactions of this set
	Coord Coord     // before the first transaction that begins here or later
	End   bool      // where the log ends now
}

// Behind is the point behind all that was read up to a position.
func (p Position) Behind() (Point, error) {
	t, err := NewCursor(p)
	switch {
	case err != nil:
		return Point{}, err
	case t.hasGTIDs():
		set, err := t.read()
		if err != nil || set.IsEmpty() {
			return Point{}, err
		}
		return Point{GTIDs: set.String()}, nil
	case t.last != nil:
		return Point{Coord: Coord{t.last.Start.File, t.last.Start.Offset + 1}}, nil
	}
	return Point{Coord: t.start}, nil
}

// Span is a part of a server's log, found out by Source.Span.
type Span struct {
	File     string // where reading begins
	from, to edge
	end      Coord         // of the log, when the span was found out
	before   mysql.GTIDSet // what was committed before File
}

// edge is one end of a span.
type edge struct {
	coord Coord
	set   mysql.GTIDSet
	time  time.Time
}

// behind says whether a transaction is behind the edge.
func (e edge) behind(start Coord, committed time.Time, t *tracker) (bool, error) {
	switch {
	case e.set != nil && !t.hasGTIDs():
		return false, nil
	case e.set != nil:
		read, err := t.full()
		return err == nil && contains(read, e.set), err
	case !e.time.IsZero():
		return !committed.Before(e.time), nil
	}
	return !start.Before(e.coord), nil
}

// Span finds the part of the log between two points. It reads the beginnings of some files.
func (s *Source) Span(ctx context.Context, from, to Point) (*Span, error) {
	files, err := s.Files(ctx)
	if err != nil {
		return nil, err
	}
	end, err := s.End(ctx)
	if err != nil {
		return nil, err
	}
	span := &Span{end: end.Coord}
	if span.to, err = s.edge(to, end); err != nil {
		return nil, err
	}
	if span.from, err = s.edge(from, end); err != nil {
		return nil, err
	}
	i, err := s.firstFile(ctx, files, span.from)
	if err != nil {
		return nil, err
	}
	h, err := s.head(ctx, files[i].Name)
	if err != nil {
		return nil, err
	}
	span.File, span.before = files[i].Name, h.set
	if set := span.from.set; set != nil && contains(h.set, set) && !contains(set, h.set) {
		return nil, fmt.Errorf("the server no longer has what comes behind %s: its log begins behind %s", set, h.set)
	}
	if at := span.from.time; i == 0 && !at.IsZero() && at.Before(h.made) {
		s.cfg.Log.Warn("the server's log begins later than was asked for; it is shown from its beginning", slog.Time("asked", at), slog.Time("begins", h.made))
	}
	return span, nil
}

// edge makes an edge of a point.
func (s *server) edge(p Point, end End) (edge, error) {
	switch {
	case p.End:
		return edge{coord: end.Coord}, nil
	case p.GTIDs != "":
		set, err := s.gtids(p.GTIDs, end)
		return edge{set: set}, err
	}
	return edge{coord: p.Coord, time: p.Time}, nil
}

// gtids reads a set that a person wrote, which must be of this server's log.
func (s *server) gtids(text string, end End) (mysql.GTIDSet, error) {
	set, err := mysql.ParseGTIDSet(s.flavor, text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the GTID set %q: %w", text, err)
	case end.set == nil:
		return nil, errors.New("the server gives its transactions no GTIDs; name a place as FILE:OFFSET")
	case !contains(end.set, set):
		return nil, fmt.Errorf("the server's log does not have all of %s: it ends at %s", set, end)
	}
	return set, nil
}

// firstFile is where the transactions behind an edge begin.
func (s *server) firstFile(ctx context.Context, files []File, from edge) (int, error) {
	switch {
	case from.set != nil:
		return s.lastFile(ctx, files, func(h head) bool { return !contains(h.set, from.set) })
	case !from.time.IsZero(): // a transaction may be older than the file that it is in by the time it took
		return s.lastFile(ctx, files, func(h head) bool { return h.made.Before(from.time) })
	case from.coord == Coord{}:
		return 0, nil
	}
	i, ok := fileAt(files, from.coord.File)
	if !ok {
		return 0, fmt.Errorf("the server has no log file %s: it has %s to %s", from.coord.File, files[0].Name, files[len(files)-1].Name)
	}
	if from.coord.Offset > files[i].Size {
		return 0, fmt.Errorf("there is no place %s: the file has %d bytes", from.coord, files[i].Size)
	}
	return i, nil
}

// Scan reads a part of the log once and hands it to sink. It takes no lock, proves nothing and does not reconnect: it is
// for looking, on a Source of its own, beside whoever follows the log. The schema records are those that were stored with
// the position that the span begins behind, none when it begins elsewhere.
func (s *Source) Scan(ctx context.Context, span *Span, schema []SchemaRecord, sink Sink) error {
	_, err := s.scan(ctx, span, schema, sink)
	return err
}

// scan also returns the reader, which stands at the span's end.
func (s *Source) scan(ctx context.Context, span *Span, schema []SchemaRecord, sink Sink) (*reader, error) {
	p := Position{Flavor: s.flavor, Start: Coord{span.File, firstEvent}}
	if span.before != nil && !span.before.IsEmpty() {
		p.Set = span.before.String()
	}
	tracker, err := newTracker(p)
	if err != nil {
		return nil, err
	}
	s.clock = time.Time{}
	r := newReader(ctx, s, tracker, sink, false)
	r.span, r.stored = span, schema
	defer r.packed.close()
	err = s.stream(ctx, r, &r.link, func(b *replication.BinlogSyncer) (*replication.BinlogStreamer, error) {
		return b.StartSync(mysql.Position{Name: span.File, Pos: firstEvent})
	})
	switch {
	case errors.Is(r.err, errDone):
		return r, nil
	case r.err != nil:
		return nil, r.err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("reading the log from %s: %w", span.File, err)
}

// wanted says whether the transaction that begins is in the span; errDone when it is the first behind.
func (s *Span) wanted(t *openTxn, tracker *tracker) (bool, error) {
	if over, err := s.to.behind(t.Start, t.time, tracker); err != nil || over {
		return false, errors.Join(err, errDone)
	}
	return s.from.behind(t.Start, t.time, tracker)
}

// read is told how far the log was read.
func (s *Span) read(seen Coord) error {
	if seen.Before(s.end) {
		return nil
	}
	return errDone
}
