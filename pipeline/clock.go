package pipeline

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
)

// Windows close by our clock only when the log is read to an end that was observed after their time: a change that
// belongs to one may be committed and not read yet. One question for the log's end serves all windows that are over.

// tick puts that question when some window is over, and says how long nothing else is to be done.
func (p *Pipeline) tick(ctx context.Context, g *errgroup.Group) time.Duration {
	wait := time.Hour
	now := time.Now()
	if p.unsaved() && !p.committing {
		wait = max(0, p.lastCommit.Add(lazyCommit).Sub(now))
	}
	deadline, ok := p.engine.NextDeadline()
	if !ok || p.asking || p.goal != nil {
		return wait
	}
	if earliest := p.asked.Add(endSpacing); deadline.Before(earliest) {
		deadline = earliest
	}
	if deadline.After(now) {
		return min(wait, deadline.Sub(now))
	}
	p.asking, p.asked = true, now
	g.Go(func() error {
		end, err := p.cfg.Source.End(ctx)
		p.ends <- logEnd{now, end, err}
		return nil
	})
	return wait
}

// endSeen takes in where the log ended.
func (p *Pipeline) endSeen(e logEnd) {
	p.asking = false
	if e.err != nil {
		if p.endTrouble.Worth(e.err) {
			p.cfg.Log.Warn("the database does not say where its log ends, so events may wait longer than they must; trying again",
				slog.Any("error", e.err), slog.Time("since", p.endTrouble.Since()), slog.String("fix", seeCheck))
		}
		p.asked = time.Now().Add(endRetry)
		return
	}
	p.endTrouble.Over()
	p.goal = &e
}

// reachGoal closes windows once the log is read up to the end that was observed.
func (p *Pipeline) reachGoal() {
	if p.goal != nil && !p.engine.Applying() && p.track.Reached(p.goal.end, p.seen) {
		p.engine.Expire(p.goal.at)
		p.goal = nil
	}
}
