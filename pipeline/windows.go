package pipeline

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc"
	"rowhook/retry"
)

// Windows close by our clock only when the log is read to an end that was observed after their time: a change that
// belongs to one may be committed and not read yet. One question for the log's end serves all windows that are over.

// clock knows when windows may close. The loop owns it; a goroutine asks the server.
type clock struct {
	source  Source
	log     *slog.Logger
	asking  bool      // a question for the log's end is on its way
	asked   time.Time // when the last was put
	goal    *logEnd   // the end that must be read before windows close
	trouble retry.Trouble
	ends    chan logEnd
}

// logEnd is where the log ended at a moment.
type logEnd struct {
	at  time.Time
	end cdc.End
	err error
}

const (
	endSpacing = 10 * time.Millisecond // between two questions for the log's end
	endRetry   = time.Second
)

func newClock(source Source, log *slog.Logger) *clock {
	return &clock{source: source, log: log, ends: make(chan logEnd, 1)}
}

// tick puts the question when some window is over, and says how long nothing else is to be done.
func (c *clock) tick(ctx context.Context, g *errgroup.Group, r *reading) time.Duration {
	deadline, ok := r.engine.NextDeadline()
	if !ok || c.asking || c.goal != nil {
		return time.Hour
	}
	if earliest := c.asked.Add(endSpacing); deadline.Before(earliest) {
		deadline = earliest
	}
	now := time.Now()
	if deadline.After(now) {
		return deadline.Sub(now)
	}
	c.asking, c.asked = true, now
	g.Go(func() error {
		end, err := c.source.End(ctx)
		c.ends <- logEnd{now, end, err}
		return nil
	})
	return time.Hour
}

// take takes in where the log ended.
func (c *clock) take(e logEnd) {
	c.asking = false
	if e.err != nil {
		if c.trouble.Worth(e.err) {
			c.log.Warn("the database does not say where its log ends, so events may wait longer than they must; trying again",
				slog.Any("error", e.err), slog.Time("since", c.trouble.Since()), slog.String("fix", seeCheck))
		}
		c.asked = time.Now().Add(endRetry)
		return
	}
	c.trouble.Over()
	c.goal = &e
}

// closeWindows closes those that are over, once the log is read up to the end that was observed.
func (c *clock) closeWindows(r *reading) {
	if c.goal != nil && !r.engine.Applying() && r.cursor.Reached(c.goal.end, r.seen) {
		r.engine.Expire(c.goal.at)
		c.goal = nil
	}
}
