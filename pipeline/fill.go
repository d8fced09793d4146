package pipeline

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/rules"
)

// filling is what a goroutine brings back: a chunk.
type filling struct {
	run   *Run
	chunk loader.Chunk
	end   cdc.End // of the log, behind the snapshot
	err   error
}

const (
	smallestFill = 16 // rows of a chunk
	largestFill  = laneBatch
	fillTarget   = 100 * time.Millisecond // how long the deliveries of a chunk may keep the endpoint busy
	fillWaiting  = 64                     // live events that may be on their way when a chunk is read
	fillAgain    = 50 * time.Millisecond  // between two looks at rows that keep changing
)

// fill takes the backfill that runs a step further, if there is one and it is time.
func (p *Pipeline) fill(ctx context.Context, g *errgroup.Group) {
	f := p.fills
	if p.engine.Applying() {
		return // a window lies between two transactions
	}
	run := f.current()
	if f.chunk != nil && (run != f.chunk.run || p.track.Reached(f.chunk.end, p.seen)) {
		chunk := f.chunk
		f.chunk = nil
		p.pour(run, chunk)
		run = f.current()
	}
	waiting, _ := p.loading()
	switch {
	case run == nil || f.asking || f.chunk != nil || f.unstored || time.Now().Before(f.rest):
	case waiting > fillWaiting || len(p.todo) > 0: // what is live comes first
	case !f.calm && !p.isCalm(ctx):
		f.rest = time.Now().Add(f.patience())
	default:
		p.readChunk(ctx, g, run)
	}
}

// isCalm tells whether the endpoint of a run has room for another chunk.
func (p *Pipeline) isCalm(ctx context.Context) bool {
	f := p.fills
	due, err := p.cfg.Outbox.Due(ctx)
	if err != nil {
		return false // the next commit tells why
	}
	if f.calm = isCalm(due, f.endpoint); f.calm {
		f.looks = 0
		f.adapt(time.Now())
	}
	return f.calm
}

// patience is when to look again whether it is calm: soon while the endpoint takes what it got, rarely when it is down.
func (f *fills) patience() time.Duration {
	f.looks++
	return lookAgain << min(f.looks/20, 6)
}

// readChunk opens a window and reads the next rows.
func (p *Pipeline) readChunk(ctx context.Context, g *errgroup.Group, run *Run) {
	f := p.fills
	part := run.Parts[run.At]
	request := run.Backfill
	request.Site = part.Site
	rule, sites, err := request.find(f.set.Load(), p.cfg.Sites)
	if err != nil {
		run.end(Failed, err.Error(), time.Now())
		p.cfg.Log.Error("a backfill ended early", slog.String("run", run.ID), slog.String("rule", run.Rule), slog.Any("error", err),
			slog.String("fix", "when that is put right: rowhook backfill --resume "+run.ID))
		p.changed(run)
		return
	}
	x, limit := request.existing(sites[0], rule), f.limit(run)
	at := p.place()
	again := run.Again // replaced, never changed
	p.engine.OpenWindow(sites[0], rule)
	f.asking, f.calm = true, false
	g.Go(func() error {
		r := &filling{run: run}
		if r.chunk, r.err = p.cfg.Loader.ReadExisting(ctx, x, at, again, part.After, part.Last, limit); r.err == nil {
			r.end, r.err = p.cfg.Source.End(ctx)
		}
		f.results <- r
		return nil
	})
}

// place is how far the log was applied.
func (p *Pipeline) place() loader.Place {
	pos := p.track.Position()
	at := loader.Place{End: p.seen, GTIDs: pos.Set}
	if last := pos.Last; last != nil && last.GTID != "" {
		at.GTIDs = strings.TrimPrefix(at.GTIDs+","+last.GTID, ",")
	}
	return at
}

// limit is how many rows the next chunk may have, besides those that are read again.
func (f *fills) limit(run *Run) int {
	n := f.size
	if run.Every > 0 {
		n = min(n, max(1, int(time.Second/run.Every)))
	}
	if len(run.Again) >= n {
		return 0
	}
	return n
}

// filled takes in what a goroutine brought back.
func (p *Pipeline) filled(r *filling) {
	f := p.fills
	f.asking = false
	switch {
	case r.err != nil:
		p.engine.CloseWindow()
		f.rest = time.Now().Add(f.trouble.Wait())
		if errors.Is(r.err, context.Canceled) {
			break
		}
		if f.trouble.Worth(r.err) {
			p.cfg.Log.Error("a backfill is stalled, trying again", slog.String("run", r.run.ID), slog.String("rule", r.run.Rule),
				slog.Any("error", r.err), slog.Time("since", f.trouble.Since()), slog.String("fix", cmp.Or(loader.Fix(r.err), seeCheck)))
		}
		if text := r.err.Error(); text != r.run.Trouble {
			r.run.Trouble = text
			p.changed(r.run)
		}
	default:
		if lasted, was := f.trouble.Over(); was {
			p.cfg.Log.Info("a backfill goes on", slog.String("run", r.run.ID), slog.Duration("after", lasted.Round(time.Second)))
		}
		f.chunk = r
	}
}

// adapt chooses the size of the next chunk by how long the last kept its endpoint busy.
func (f *fills) adapt(now time.Time) {
	if f.poured.IsZero() {
		return
	}
	switch took := now.Sub(f.poured); {
	case took < fillTarget/2:
		f.size = min(2*f.size, largestFill)
	case took > fillTarget:
		f.size = max(f.size/2, smallestFill)
	}
	f.poured = time.Time{}
}

// pour hands the rows of a chunk to the engine, now that the log is read up to them. Run is what is worked on now.
func (p *Pipeline) pour(run *Run, r *filling) {
	f := p.fills
	if run != r.run { // it was stopped meanwhile
		p.engine.CloseWindow()
		return
	}
	now := time.Now()
	rule := ruleOf(f.set.Load(), run.Rule)
	if rule == nil || rule.Disabled {
		p.engine.CloseWindow()
		return // readChunk says so
	}
	c := &r.chunk
	var done rules.Filled
	if len(c.Rows) > 0 {
		if f.table == nil || f.table.TableName != c.Table.TableName || !slices.Equal(f.table.Columns, c.Table.Columns) {
			f.table = c.Table
		}
		at := p.place()
		gtid := at.GTIDs
		if last := p.track.Position().Last; last != nil {
			gtid = last.GTID
		}
		site := p.cfg.Sites[slices.IndexFunc(p.cfg.Sites, func(s *rules.Site) bool {
			return s.Name == rules.SiteOf(run.Parts[run.At].Site) && s.Has(rule.Action.Entity)
		})]
		done = p.engine.Fill(rules.Fill{
			Site: site, Rule: rule, Run: run.ID, Table: f.table, Rows: c.Rows, Last: at.End, GTID: gtid, Now: now,
		})
	} else {
		p.engine.CloseWindow()
	}
	if n := len(c.Rows) - len(done.Again); n == 0 && len(done.Again) > 0 {
		f.rest = now.Add(fillAgain)
	} else {
		f.rest = now.Add(time.Duration(n) * run.Every)
	}
	run.Trouble = ""
	run.advance(c, done, now)
	f.unstored, f.poured = done.Made > 0, now
	if run.State == Done {
		p.cfg.Log.Info("a backfill is done", slog.String("run", run.ID), slog.String("rule", run.Rule), slog.Int64("saves", run.Made))
	}
	p.changed(run)
}

// restTimer is how long nothing is to be done for a backfill, if nothing else happens.
func (f *fills) restTimer() time.Duration {
	if left := time.Until(f.rest); left > 0 {
		return left
	}
	return time.Hour
}
