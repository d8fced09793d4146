package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"rowhook/cdc"
	"rowhook/retry"
)

const (
	// unfitAgain is how often sites are looked at whose tables were not as they must be.
	unfitAgain = 30 * time.Second
	// unfitRest is how much longer than a look the time without one is at the least: of a thousand sites it takes the server a minute.
	unfitRest = 20
	// unfitTold is when what lasts is said once more.
	unfitTold = time.Hour
)

// watchUnfit names the sites whose tables are missing or may not be read, until they are as they must be. All others are
// followed meanwhile, and so are those, as far as their tables are there.
func (f *follower) watchUnfit(ctx context.Context, unfit []cdc.Finding) {
	var told time.Time
	var took time.Duration // the last look
	var said []cdc.Finding
	for len(unfit) > 0 {
		if !slices.Equal(unfit, said) || time.Since(told) >= unfitTold {
			for _, is := range unfit {
				f.log.Error("sites cannot be served as they are, the others go on; it is looked at again until it is fixed",
					slog.String("check", is.Check), slog.String("found", is.Found), slog.String("fix", is.Fix))
			}
			said, told = unfit, time.Now()
		}
		if err := f.line.SetUnfit(ctx, unfit); err != nil {
			return // it is told to stop
		}
		if retry.Pause(ctx, max(unfitAgain, unfitRest*took)) != nil {
			return
		}
		began := time.Now()
		if found, err := f.source.Preflight().CheckTables(ctx); err == nil { // else the database is away, which its readers say
			unfit = slices.DeleteFunc(found, func(f cdc.Finding) bool { return f.OK || f.Warn || f.Schema == "" })
		}
		took = time.Since(began)
	}
	if said == nil || ctx.Err() != nil {
		return
	}
	f.log.Info("the tables of all sites are there and can be read")
	_ = f.line.SetUnfit(ctx, nil) // fails when it is told to stop
}
