package trouble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

const (
	// storesWithin is how long the outbox may take for what is told, before it is posted from memory.
	storesWithin = 5 * time.Second
	// storesAgain is when storing is tried again after that.
	storesAgain = time.Minute
	// postsWithin is how long the requests may take that are made from memory, all at once.
	postsWithin = 10 * time.Second
	// mostUnsaved bounds what lies in memory while nothing can be stored.
	mostUnsaved = 200
)

// outward is what is told and is not in the outbox yet. Nearly always that is for a moment. While the outbox cannot be written, a
// full disk above all, it is posted from memory; what was accepted then is not told again, and the rest goes to the outbox when that
// takes it, with what is to be remembered.
type outward struct {
	store  Outbox
	poster Poster
	log    *slog.Logger

	batch outbox.Batch
	last  []*outbox.Delivery // that the outbox took last
	again time.Time          // before this it is not asked to take more
}

// add takes deliveries of an event.
func (o *outward) add(list []*outbox.Delivery, event outbox.EventCount) {
	o.batch.Deliveries = append(o.batch.Deliveries, list...)
	o.batch.Events = append(o.batch.Events, event)
	if over := len(o.batch.Deliveries) - mostUnsaved; over > 0 {
		o.log.Warn("what befell rowhook is not told, as there is too much of it and nothing can be stored", slog.Int("deliveries", over))
		o.batch.Deliveries = slices.Delete(o.batch.Deliveries, 0, over)
		o.batch.Events = slices.Clip(o.batch.Events[max(0, len(o.batch.Events)-mostUnsaved):])
	}
}

// remember takes records; the last one under a key counts.
func (o *outward) remember(records []outbox.Record) {
	for _, r := range records {
		o.batch.Open = slices.DeleteFunc(o.batch.Open, func(old outbox.Record) bool { return old.Key == r.Key })
		o.batch.Open = append(o.batch.Open, r)
	}
}

// send has the outbox take all there is, or posts it. Stuck says that the outbox takes nothing.
func (o *outward) send(ctx context.Context, now time.Time, stuck bool) error {
	if len(o.batch.Deliveries)+len(o.batch.Open) == 0 {
		return nil
	}
	if stuck {
		o.again = time.Time{} // as soon as it is not
		o.post(ctx)
		return nil
	}
	if now.Before(o.again) {
		o.post(ctx)
		return nil
	}
	storing, stop := context.WithTimeout(ctx, storesWithin)
	defer stop()
	err := o.store.Commit(storing, &o.batch)
	switch {
	case err == nil:
		o.last, o.batch, o.again = o.batch.Deliveries, outbox.Batch{}, time.Time{}
		return nil
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		o.again = now.Add(storesAgain)
		o.post(ctx)
		return nil
	}
	return fmt.Errorf("committing to the outbox: %w", err)
}

// post makes a request for each delivery, at the same time. What is accepted is told.
func (o *outward) post(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, postsWithin)
	defer stop()
	failed := make([]error, len(o.batch.Deliveries))
	var requests sync.WaitGroup
	for i, d := range o.batch.Deliveries {
		requests.Go(func() { failed[i] = o.poster.Post(ctx, d) })
	}
	requests.Wait()
	rest := o.batch.Deliveries[:0:0]
	for i, d := range o.batch.Deliveries {
		if failed[i] != nil {
			rest = append(rest, d)
			continue
		}
		o.log.Warn("what befell rowhook was told from memory, as the outbox takes nothing", slog.String("rule", d.Rule), slog.String("event", d.Kind), slog.String("id", d.ID.String()))
	}
	o.batch.Deliveries = rest
}

// awaitLast waits until what the outbox took last is delivered, or given up, or ctx ends.
func (o *outward) awaitLast(ctx context.Context) {
	for _, d := range o.last {
		for !o.delivered(ctx, d) && retry.Pause(ctx, 100*time.Millisecond) == nil {
		}
	}
}

func (o *outward) delivered(ctx context.Context, d *outbox.Delivery) bool {
	list, err := o.store.List(ctx, outbox.Filter{After: d.Seq - 1, Limit: 1})
	return err != nil || len(list) == 0 || list[0].Seq != d.Seq || list[0].State != outbox.Fresh && list[0].State != outbox.Waiting
}
