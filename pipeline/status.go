package pipeline

import (
	"context"
	"time"

	"rowhook/cdc"
)

// Status is how far the log is read, for all sites that are read together.
type Status struct {
	Position   cdc.Position
	Committed  time.Time // when the last transaction that was read was committed; zero: none since the start
	Heard      time.Time // when the server last sent something, a heartbeat at least; zero: nothing yet
	Storing    time.Time // since when a commit of the outbox is on its way; zero: none is
	CaughtUp   bool      // everything is read that the server had when it was asked, or, if it did not answer, when it last sent something
	Unanswered error     // why it could not be asked; nil: it was
}

// Status asks the server where its log ends, for as long as patience, and says how far it is read. It returns ctx's error
// when the loop does not answer.
func (p *Pipeline) Status(ctx context.Context, patience time.Duration) (Status, error) {
	asking, stop := context.WithTimeout(ctx, patience)
	defer stop()
	end, unanswered := p.cfg.Source.End(asking)
	answer := make(chan Status, 1)
	return await(ctx, p, answer, func() {
		s := p.status()
		s.Unanswered = unanswered
		if s.CaughtUp = p.idle; unanswered == nil {
			s.CaughtUp = p.cursor.Reached(end, p.seen)
		}
		s.CaughtUp = s.CaughtUp && !p.engine.Applying()
		answer <- s
	})
}

func (p *Pipeline) status() Status {
	s := Status{Position: p.cursor.Position(), Committed: p.applying.Time}
	if p.committing {
		s.Storing = p.lastCommit
	}
	if p.feed != nil {
		s.Heard = p.feed.heard()
	}
	return s
}
