package pipeline

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/rules"
	"rowhook/rules/events"
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

// step takes the backfill that runs a step further, if there is one and it is time. What is live comes first: waiting is how
// many events of it are on their way.
func (f *Backfills) step(ctx context.Context, g *errgroup.Group, waiting int) {
	if f.live.engine.Applying() {
		return // a window lies between two transactions
	}
	run := f.current()
	if f.chunk != nil && (run != f.chunk.run || f.live.cursor.Reached(f.chunk.end, f.live.seen)) {
		chunk := f.chunk
		f.chunk = nil
		f.pour(run, chunk)
		run = f.current()
	}
	switch {
	case run == nil || f.asking || f.chunk != nil || f.unstored || time.Now().Before(f.rest):
	case waiting > fillWaiting || len(f.live.todo) > 0:
	case !f.calm && !f.isCalm(ctx):
		f.rest = time.Now().Add(f.patience())
	default:
		f.readChunk(ctx, g, run)
	}
}

// isCalm tells whether the endpoint of a run has room for another chunk.
func (f *Backfills) isCalm(ctx context.Context) bool {
	due, err := f.cfg.Outbox.Due(ctx)
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
func (f *Backfills) patience() time.Duration {
	f.looks++
	return lookAgain << min(f.looks/20, 6)
}

// readChunk opens a window and reads the next rows.
func (f *Backfills) readChunk(ctx context.Context, g *errgroup.Group, run *Run) {
	part := run.Parts[run.At]
	request := run.Backfill
	request.Site = part.Site
	rule, sites, err := request.find(f.set.Load(), f.sites())
	if err != nil {
		run.end(Failed, err.Error(), time.Now())
		f.cfg.Log.Error("a backfill ended early", slog.String("run", run.ID), slog.String("rule", run.Rule), slog.Any("error", err),
			slog.String("fix", "when that is put right: rowhook backfill --resume "+run.ID))
		f.changed(run)
		return
	}
	x, limit := request.existing(sites[0], rule), f.limit(run)
	at := f.live.place()
	again := run.Again // replaced, never changed
	f.live.engine.WatchChunk(sites[0], rule)
	f.asking, f.calm = true, false
	g.Go(func() error {
		r := &filling{run: run}
		r.chunk, r.err = f.cfg.Loader.ReadExisting(ctx, x, at, again, part.Span, limit)
		if r.err == nil {
			r.end, r.err = f.cfg.Source.End(ctx)
		}
		f.results <- r
		return nil
	})
}

// limit is how many rows the next chunk may have, besides those that are read again.
func (f *Backfills) limit(run *Run) int {
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
func (f *Backfills) filled(r *filling) {
	f.asking = false
	switch {
	case r.err != nil:
		f.live.engine.ForgetChunk()
		f.rest = time.Now().Add(f.trouble.Wait())
		if errors.Is(r.err, context.Canceled) {
			break
		}
		if f.trouble.Worth(r.err) {
			f.cfg.Log.Error("a backfill is stalled, trying again", slog.String("run", r.run.ID), slog.String("rule", r.run.Rule),
				slog.Any("error", r.err), slog.Time("since", f.trouble.Since()), slog.String("fix", cmp.Or(loader.Fix(r.err), seeCheck)))
		}
		if text := r.err.Error(); text != r.run.Trouble {
			r.run.Trouble = text
			f.changed(r.run)
		}
	default:
		if lasted, was := f.trouble.Over(); was {
			f.cfg.Log.Info("a backfill goes on", slog.String("run", r.run.ID), slog.Duration("after", lasted.Round(time.Second)))
		}
		f.chunk = r
	}
}

// adapt chooses the size of the next chunk by how long the last kept its endpoint busy.
func (f *Backfills) adapt(now time.Time) {
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
func (f *Backfills) pour(run *Run, r *filling) {
	if run != r.run { // it was stopped meanwhile
		f.live.engine.ForgetChunk()
		return
	}
	now := time.Now()
	rule := ruleOf(f.set.Load(), run.Rule)
	if rule == nil || rule.Disabled {
		f.live.engine.ForgetChunk()
		return // readChunk says so
	}
	c := &r.chunk
	var done events.Filled
	if len(c.Rows) > 0 {
		if f.table == nil || f.table.TableName != c.Table.TableName || !slices.Equal(f.table.Columns, c.Table.Columns) {
			f.table = c.Table
		}
		at := f.live.place()
		gtid := at.GTIDs
		if last := f.live.cursor.Last(); last != nil {
			gtid = last.GTID
		}
		sites := f.sites()
		of := slices.IndexFunc(sites, func(s *rules.Site) bool {
			return s.Name == rules.SiteOf(run.Parts[run.At].Site) && s.Has(rule.Action.Entity)
		})
		if of < 0 { // the rule is for another table now, and other sites
			f.live.engine.ForgetChunk()
			return
		}
		site := sites[of]
		done = f.live.engine.Fill(events.Fill{
			Site: site, Rule: rule, Run: run.ID, Table: f.table, Rows: c.Rows, Last: at.End, GTID: gtid, Now: now,
		})
	} else {
		f.live.engine.ForgetChunk()
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
		f.cfg.Log.Info("a backfill is done", slog.String("run", run.ID), slog.String("rule", run.Rule), slog.Int64("saves", run.Made))
	}
	f.changed(run)
}

// restTimer is how long nothing is to be done for a backfill, if nothing else happens.
func (f *Backfills) restTimer() time.Duration {
	if left := time.Until(f.rest); left > 0 {
		return left
	}
	return time.Hour
}

// leave drops the rows of a site that is not read with the others any more: they are read again when it is back.
func (f *Backfills) leave(site *rules.Site) {
	if f.chunk != nil && f.chunk.run.site() == site.ID() {
		f.chunk = nil
	}
}
