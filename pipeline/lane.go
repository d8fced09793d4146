package pipeline

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"rowhook/loader"
	"rowhook/rules"
)

// lane loads the events of one site, in their order. Sites do not wait for each other: one whose tables cannot be
// read holds back its own events only.
type lane struct {
	site    *rules.Site
	work    chan []*rules.Event // holds one batch at most
	waiting []*rules.Event      // not handed over yet
	busy    bool                // a batch is handed over and not back
}

// laneBatch is how many events are loaded from one snapshot, laneBytes of how many bytes at most.
const (
	laneBatch = 256
	laneBytes = 4 << 20
)

// loaded is a batch that is back: payloads are of the first events, or of all.
type loaded struct {
	lane     *lane
	events   []*rules.Event
	payloads [][]loader.Payload
}

// idle says whether an event of the site may overtake nothing.
func (l *lane) idle() bool { return !l.busy && len(l.waiting) == 0 }

// feed hands the next batch over when the lane is free.
func (l *lane) feed() {
	if l.busy || len(l.waiting) == 0 {
		return
	}
	n, bytes := 0, 0
	for ; n < min(len(l.waiting), laneBatch) && bytes < laneBytes; n++ {
		bytes += l.waiting[n].Row.Size()
	}
	l.busy = true
	l.work <- l.waiting[:n:n]
	l.waiting = l.waiting[n:]
}

// again puts events back that were not loaded.
func (l *lane) again(events []*rules.Event) {
	if len(events) > 0 {
		l.waiting = append(slices.Clone(events), l.waiting...)
	}
}

// run loads batches until ctx ends. A database that does not answer is asked again.
func (l *lane) run(ctx context.Context, ld *loader.Loader, out chan<- loaded, log *slog.Logger) {
	for {
		var events []*rules.Event
		select {
		case <-ctx.Done():
			return
		case events = <-l.work:
		}
		payloads, ok := l.load(ctx, ld, events, log)
		if !ok {
			return
		}
		select {
		case <-ctx.Done():
			return
		case out <- loaded{l, events, payloads}:
		}
	}
}

func (l *lane) load(ctx context.Context, ld *loader.Loader, events []*rules.Event, log *slog.Logger) ([][]loader.Payload, bool) {
	lastText := ""
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		payloads, err := ld.Load(ctx, events)
		if err == nil {
			return payloads, true
		}
		if ctx.Err() != nil {
			return nil, false
		}
		if text := err.Error(); text != lastText {
			log.Error("loading payloads failed, trying again", slog.String("site", l.site.Name), slog.Any("error", err))
			lastText = text
		}
		select {
		case <-ctx.Done():
			return nil, false
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
	}
}
