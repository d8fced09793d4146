package trouble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/retry"
)

const (
	// storesWithin is how long the outbox may take for what is told, before it is posted from memory.
	storesWithin = 5 * time.Second
	// storesAgain is when storing is tried again after that.
	storesAgain = time.Minute
	// postsWithin is how long the requests may take that are made from memory at a time.
	postsWithin = 10 * time.Second
	// longestWait is how long a receiver is left alone that accepts nothing; the first time it is no longer than a look.
	longestWait = time.Minute
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
	lanes map[string]*lane   // to each receiver, while something is posted from memory
}

// lane is how posting from memory to a receiver goes.
type lane struct {
	failing retry.Trouble
	wait    time.Duration
	again   time.Time // before this it is left alone
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
		o.post(ctx, now)
		return nil
	}
	if now.Before(o.again) {
		o.post(ctx, now)
		return nil
	}
	storing, stop := context.WithTimeout(ctx, storesWithin)
	defer stop()
	err := o.store.Commit(storing, &o.batch)
	switch {
	case err == nil:
		o.last, o.batch, o.again = o.batch.Deliveries, outbox.Batch{}, time.Time{}
		o.lanes = nil
		return nil
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		o.again = now.Add(storesAgain)
		o.post(ctx, now)
		return nil
	}
	return fmt.Errorf("committing to the outbox: %w", err)
}

// post makes the requests: to each receiver one after the other, so that none reads an end before its beginning, and no more after one
// that is not accepted. What is accepted is told. What has no payload is left to the outbox, which says why.
func (o *outward) post(ctx context.Context, now time.Time) {
	posting, stop := context.WithTimeout(ctx, postsWithin)
	defer stop()
	to := make(map[string][]int)
	for i, d := range o.batch.Deliveries {
		if d.Object != outbox.Unshaped {
			receiver := o.poster.Receiver(d.Rule)
			to[receiver] = append(to[receiver], i)
		}
	}
	told := make([]bool, len(o.batch.Deliveries))
	var requests sync.WaitGroup
	for receiver, list := range to {
		l := o.lane(receiver)
		if now.Before(l.again) {
			continue
		}
		requests.Go(func() {
			for _, i := range list {
				d := o.batch.Deliveries[i]
				err := o.poster.Post(posting, d)
				if err != nil {
					if ctx.Err() == nil {
						l.failed(o.log, d, err, now)
					}
					return
				}
				told[i] = true
				*l = lane{}
				o.log.Warn("what befell rowhook was told from memory, as the outbox takes nothing", slog.String("rule", d.Rule), slog.String("event", d.Kind), slog.String("id", d.ID.String()))
			}
		})
	}
	requests.Wait()
	rest := o.batch.Deliveries[:0:0]
	for i, d := range o.batch.Deliveries {
		if !told[i] {
			rest = append(rest, d)
		}
	}
	o.batch.Deliveries = rest
}

func (o *outward) lane(receiver string) *lane {
	l := o.lanes[receiver]
	if l == nil {
		if o.lanes == nil {
			o.lanes = make(map[string]*lane)
		}
		l = &lane{}
		o.lanes[receiver] = l
	}
	return l
}

// failed notes that a delivery was not accepted.
func (l *lane) failed(log *slog.Logger, d *outbox.Delivery, err error, now time.Time) {
	l.wait = min(max(2*l.wait, lookEvery), longestWait)
	l.again = now.Add(l.wait)
	if refused := (*deliver.RefusedError)(nil); errors.As(err, &refused) {
		l.again = now.Add(max(l.wait, refused.RetryAfter))
	}
	if l.failing.Worth(err) {
		log.Warn("what befell rowhook cannot be told from memory while the outbox takes nothing; trying again", slog.String("rule", d.Rule), slog.String("event", d.Kind),
			slog.Any("error", err), slog.Time("since", l.failing.Since()))
	}
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
