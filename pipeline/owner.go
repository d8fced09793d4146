package pipeline

import (
	"context"
	"log/slog"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// ownerRetry is between two questions that the database did not answer.
const ownerRetry = time.Second

// owners asks the database for the order of a part where the log does not tell. The engine waits for it, and so does
// the log: no later event may come first.
func (p *Pipeline) owners(ctx context.Context) rules.Owner {
	return func(part cdc.TableName, column string, id int64) (int64, bool, error) {
		lastText := ""
		for {
			order, ok, err := p.cfg.Loader.Owner(ctx, part, column, id)
			if err == nil {
				return order, ok, nil
			}
			if text := err.Error(); text != lastText && ctx.Err() == nil {
				p.cfg.Log.Error("the log does not tell whose row it is, and asking failed, trying again", slog.Any("error", err))
				lastText = text
			}
			select {
			case <-ctx.Done():
				return 0, false, ctx.Err()
			case <-time.After(ownerRetry):
			}
		}
	}
}
