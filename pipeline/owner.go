package pipeline

import (
	"context"
	"log/slog"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/connect"
	"rowhook/rules"
)

// ownerRetry is between two questions that the database did not answer.
const ownerRetry = time.Second

// owners asks the database for the order of a part where the log does not tell. The engine waits for it, and so does
// the log: no later event may come first.
func (p *Pipeline) owners(ctx context.Context) rules.Owner {
	return func(part cdc.TableName, column string, id int64) (int64, bool, error) {
		var trouble connect.Trouble
		for {
			order, ok, err := p.cfg.Loader.Owner(ctx, part, column, id)
			if err == nil {
				if lasted, was := trouble.Over(); was {
					p.cfg.Log.Info("the log is read on", slog.Duration("after", lasted.Round(time.Second)))
				}
				return order, ok, nil
			}
			if ctx.Err() == nil && trouble.Worth(err) {
				p.cfg.Log.Error("the log is not read on: a row does not say to which order it belongs, and asking the database fails; trying again",
					slog.String("table", part.String()), slog.Int64("id", id), slog.Any("error", err), slog.Time("since", trouble.Since()),
					slog.String("fix", seeCheck+"; binlog_row_image = FULL would make the question needless"))
			}
			select {
			case <-ctx.Done():
				return 0, false, ctx.Err()
			case <-time.After(ownerRetry):
			}
		}
	}
}
