package pipeline

import (
	"context"
	"fmt"

	"rowhook/outbox"
)

// commit is one that is durable, or failed.
type commit struct {
	batch *outbox.Batch
	told  []func() // who waited for it
	bytes int      // of its payloads
	err   error
}

// commitNow commits and waits.
func (p *Pipeline) commitNow(ctx context.Context) error {
	if len(p.batch) == 0 && !p.moved {
		return nil
	}
	b, err := p.take()
	if err != nil {
		return err
	}
	if err := p.cfg.Outbox.Commit(ctx, b); err != nil {
		return fmt.Errorf("committing to the outbox: %w", err)
	}
	return nil
}

// lastWords stores what was applied, behind a commit that is still on its way, on a context that the shutdown has not
// cancelled.
func (p *Pipeline) lastWords(ctx context.Context) error {
	if p.committing {
		if c := <-p.committed; c.err != nil {
			return fmt.Errorf("committing to the outbox: %w", c.err)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	return p.commitNow(ctx)
}
