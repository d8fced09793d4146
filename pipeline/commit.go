package pipeline

import (
	"context"
	"fmt"
	"time"

	"rowhook/outbox"
	"rowhook/rules"
)

// batch is what was made of events and is not committed yet. Commits may be slow while the lanes go on, so there may be more
// than one commit takes.
type batch struct {
	made  []made
	count int // deliveries
	bytes int // about
}

// made are the deliveries of an event. Until a commit takes them the event itself is stored.
type made struct {
	event      *rules.Event
	deliveries []*outbox.Delivery
	bytes      int
}

func (b *batch) add(ev *rules.Event, deliveries []*outbox.Delivery) {
	m := made{ev, deliveries, len(deliveries) * deliveryBytes}
	for _, d := range deliveries {
		m.bytes += len(d.Body)
	}
	b.made = append(b.made, m)
	b.count += len(deliveries)
	b.bytes += m.bytes
}

// take takes out the first events whose deliveries an outbox takes in one commit: one at least, and half of the bytes are
// left for records.
func (b *batch) take(most outbox.Limits) []made {
	n, count, bytes := 0, 0, 0
	for _, m := range b.made {
		if n > 0 && (count+len(m.deliveries) > most.Deliveries || int64(bytes+m.bytes) > most.Bytes/2) {
			break
		}
		n, count, bytes = n+1, count+len(m.deliveries), bytes+m.bytes
	}
	taken := b.made[:n:n]
	b.made, b.count, b.bytes = b.made[n:], b.count-count, b.bytes-bytes
	return taken
}

// counted is how many events there are of each site and action, in the order of the first of each.
func counted(list []made) (counts []outbox.EventCount) {
	type of struct {
		site   *rules.Site
		action rules.Action
	}
	at := make(map[of]int)
	for _, m := range list {
		key := of{m.event.Site, m.event.Action}
		i, ok := at[key]
		if !ok {
			i = len(counts)
			at[key] = i
			counts = append(counts, outbox.EventCount{Site: key.site.Name, Kind: key.action.String()})
		}
		counts[i].N++
	}
	return counts
}

// commit is the outcome of a commit of the outbox: its batch is durable, or err says why not.
type commit struct {
	batch *outbox.Batch
	told  []func() // who waited for it
	bytes int      // of its payloads
	err   error
}

// unsaved says whether there is something to commit besides deliveries.
func (p *Pipeline) unsaved() bool { return p.moved || p.sites.behind() || len(p.fills.dirty) > 0 }

// untilLazyCommit is how long what is no delivery may wait.
func (p *Pipeline) untilLazyCommit() time.Duration {
	if !p.unsaved() || p.committing {
		return time.Hour
	}
	return max(0, time.Until(p.lastCommit.Add(lazyCommit)))
}

// urgent says that somebody waits for the next commit, though it may hold no delivery.
func (p *Pipeline) urgent() bool { return len(p.sites.told) > 0 || p.fills.urgent() }

// stored takes in that a commit is durable, and tells who waited for it.
func (p *Pipeline) stored(c commit) {
	p.press.stale = p.press.stale || len(c.batch.Deliveries) > 0
	p.fills.stored(c)
	for _, tell := range c.told {
		tell()
	}
}

// commitNow commits and waits.
func (p *Pipeline) commitNow(ctx context.Context) error {
	if p.batch.count == 0 && !p.unsaved() {
		return nil
	}
	b, _, err := p.take()
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
