package cdc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
)

// Standing is how a position stands to the log of a server.
type Standing struct {
	Place     Coord         // behind the position's last transaction, on this server
	End       Coord         // where the log ends
	Behind    uint64        // bytes of log between them
	Verified  bool          // the last transaction was read once more and is the same; never without one
	Last      time.Time     // when that was committed, zero when it was not read
	Retention time.Duration // how long a file is kept after its last change; 0: until somebody removes it
	Hidden    bool          // the hosting may remove files at any time, or when is not to be seen; Retention is 0
	Longer    string        // what to type to have files kept for longer; empty: the hosting keeps none for longer
	Limit     uint64        // how large the files may be together until the oldest goes, 0: there is no limit
	Until     time.Time     // when the server may remove the file of Place by its age; zero: it is being written, or never
}

// Standing asks the server whether it would go on from a position, as Follow does, and reads the last transaction once
// more. It takes no lock: on a Source of its own it works beside who follows the log. A StopError says why the position is of no use.
func (s *Source) Standing(ctx context.Context, p Position) (Standing, error) {
	if err := s.checkFlavor(p); err != nil {
		return Standing{}, err
	}
	tracker, err := newTracker(p)
	if err != nil {
		return Standing{}, err
	}
	if err := s.checkHistory(ctx, tracker); err != nil {
		return Standing{}, err
	}
	st := Standing{Verified: p.Last != nil}
	err = s.probe(ctx, tracker, &st)
	if st.Verified && p.Last.GTID != "" && isPurged(err) {
		st.Verified = false
		err = s.probe(ctx, tracker, &st)
	}
	if err != nil {
		return st, err
	}
	return st, s.measure(ctx, &st)
}

// probe reads the log up to behind the last transaction, or only its beginning when that is not to be verified.
func (s *Source) probe(ctx context.Context, t *tracker, st *Standing) error {
	span := new(Span) // nothing is wanted
	if !st.Verified {
		end, err := s.End(ctx)
		if err != nil {
			return err
		}
		span.end = end.Coord
	}
	s.clock = time.Time{}
	r := newReader(ctx, s, t, noSink{}, st.Verified)
	defer r.packed.close()
	r.span = span
	err := s.stream(ctx, r, &r.link, func(b *replication.BinlogSyncer) (*replication.BinlogStreamer, error) { return t.dump(b, st.Verified) })
	switch {
	case errors.Is(r.err, errDone):
	case ctx.Err() != nil:
		return ctx.Err()
	case r.err != nil:
		return r.err
	default:
		return s.explain(err, t)
	}
	if st.Place = r.seen; r.txn.open {
		st.Place = r.txn.Start
	}
	if st.Verified {
		st.Last = r.txn.time
	}
	return nil
}

// noSink takes nothing.
type noSink struct{}

func (noSink) Change(*Change) error { return nil }
func (noSink) Discard(int)          {}
func (noSink) Commit(*Commit) error { return nil }

// measure finds out how far the log's end is, and how long the server will keep what comes before it.
func (s *Source) measure(ctx context.Context, st *Standing) error {
	files, err := s.Files(ctx)
	if err != nil {
		return err
	}
	end, err := s.End(ctx)
	if err != nil {
		return err
	}
	kept, err := s.Preflight().Kept(ctx)
	if err != nil {
		return err
	}
	st.End, st.Retention, st.Hidden, st.Limit, st.Longer = end.Coord, kept.Age, kept.Hidden, kept.Limit, kept.Longer
	i, ok := fileAt(files, st.Place.File)
	if !ok {
		return fmt.Errorf("the server has removed %s meanwhile", st.Place.File)
	}
	if i == len(files)-1 {
		st.Behind = end.Coord.Offset - min(end.Coord.Offset, st.Place.Offset)
		return nil
	}
	st.Behind = files[i].Size - min(files[i].Size, st.Place.Offset) + end.Coord.Offset
	for _, f := range files[i+1 : len(files)-1] {
		st.Behind += f.Size
	}
	if st.Retention > 0 {
		next, err := s.head(ctx, files[i+1].Name)
		if err != nil {
			return err
		}
		st.Until = next.made.Add(st.Retention)
	}
	return nil
}

// PositionAt is the position at a place that a person names: where the log ends, behind a GTID set, or at a place in a
// file, where a transaction must begin.
func (s *Source) PositionAt(ctx context.Context, at Point) (Position, error) {
	switch {
	case at.GTIDs != "":
		end, err := s.End(ctx)
		if err != nil {
			return Position{}, err
		}
		set, err := s.gtids(at.GTIDs, end)
		if err != nil {
			return Position{}, err
		}
		return Position{Flavor: s.flavor, Set: set.String()}, whole(set, end.set)
	case at.Coord != Coord{}:
		return s.positionIn(ctx, at.Coord)
	}
	return s.Current(ctx)
}

// whole says whether a set is all that was read, not only the last of it: what a set leaves out is read.
func whole(set, all mysql.GTIDSet) error {
	switch set := set.(type) {
	case *mysql.MariadbGTIDSet:
		for domain := range all.(*mysql.MariadbGTIDSet).Sets { //nolint:forcetypeassert // of the same server
			if set.Sets[domain] == nil {
				return fmt.Errorf("the set %s leaves domain %d out, which would be read from its beginning; the log ends at %s", set, domain, all)
			}
		}
	case *mysql.MysqlGTIDSet:
		for id, tags := range *all.(*mysql.MysqlGTIDSet) { //nolint:forcetypeassert // of the same server
			for tag, intervals := range tags {
				if has := (*set)[id][tag]; len(has) == 0 || has[0].Start > intervals[0].Start {
					return fmt.Errorf("the set %s leaves out what %s wrote first, which would be read; write all that was read, as in %s", set, id, all)
				}
			}
		}
	}
	return nil
}

// positionIn is the position at a place in a file. What was committed before it is found out by reading the file.
func (s *Source) positionIn(ctx context.Context, at Coord) (Position, error) {
	span, err := s.Span(ctx, Point{Coord: at}, Point{Coord: at})
	if err != nil {
		return Position{}, err
	}
	r, err := s.scan(ctx, span, nil, noSink{})
	if err != nil {
		return Position{}, err
	}
	if inside := r.tracker.last; inside != nil && at.Before(r.ended) {
		return Position{}, fmt.Errorf("at %s no transaction begins; one is from %s to %s", at, inside.Start, r.ended)
	}
	p := Position{Flavor: s.flavor, Start: at}
	if r.tracker.hasGTIDs() {
		set, err := r.tracker.read()
		if err != nil {
			return Position{}, err
		}
		p.Set = set.String()
	}
	return p, nil
}
