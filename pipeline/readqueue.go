package pipeline

import (
	"context"
	"sync"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// feed carries what the reader reads to the pipeline, as much at a time as is there: one transaction when it is quiet,
// hundreds in a backlog. It is bounded by bytes; a full feed holds the reader back, and so the server's socket.
type feed struct {
	ctx   context.Context //nolint:containedctx // cdc.Sink's methods have none; this is the pipeline's
	ready chan struct{}   // holds a token when there is something to take
	space chan struct{}   // holds a token when something was taken

	sites     func() []*rules.Site
	lookups   map[cdc.TableName]bool
	statement string                                 // of the last change; the reader's, as the next two are
	tables    func(*rules.Site) []cdc.TableName      // those of a site that make events now
	skipped   map[cdc.TableName]map[*rules.Site]bool // by table, the parts of sites that are not to have its rows from here
	shared    map[cdc.TableName]bool                 // those of them that another part is to have: their rows are not passed over
	accept    *accepting                             // what a person said may be left out; nil: nothing
	most      int                                    // bytes that it holds

	mu      sync.Mutex
	entries []entry
	bytes   int
	last    time.Time // when the reader had something, a heartbeat at least
	wishes  []wish
}

// entry is one call of the reader.
type entry struct {
	op     entryOp
	keep   int // of a discard
	change cdc.Change
	commit cdc.Commit

	site    *rules.Site // that is set aside or carried again
	trouble *cdc.TableError
	turn    int
}

type entryOp uint8

const (
	changeEntry entryOp = iota
	discardEntry
	commitEntry
	asideEntry   // the transaction cannot be read for a site
	carriedEntry // a site's rows are here again, from here on
)

const (
	feedBytes  = 1 << 20 // several commits: what lies here besides is only more for the collector to look at
	entryBytes = 256     // what an entry takes besides its rows, about
)

// newFeed makes a feed of the rows of sites. The lookups are those of their tables that matter to others.
func newFeed(ctx context.Context, sites func() []*rules.Site, tables func(*rules.Site) []cdc.TableName, lookups map[cdc.TableName]bool) *feed {
	return &feed{
		ctx: ctx, ready: make(chan struct{}, 1), space: make(chan struct{}, 1),
		most: feedBytes, sites: sites, tables: tables, lookups: lookups, skipped: map[cdc.TableName]map[*rules.Site]bool{}, shared: map[cdc.TableName]bool{},
	}
}

// Change is cdc.Sink.
func (f *feed) Change(c *cdc.Change) error {
	size := c.Before.Size() + c.After.Size()
	if c.Statement != f.statement { // one text travels with many rows
		f.statement = c.Statement
		size += len(c.Statement)
	}
	return f.put(entry{op: changeEntry, change: *c}, size)
}

// Discard is cdc.Sink.
func (f *feed) Discard(keep int) {
	_ = f.put(entry{op: discardEntry, keep: keep}, 0) // fails only when the pipeline ends
}

// Commit is cdc.Sink.
func (f *feed) Commit(c *cdc.Commit) error {
	size := 0
	for _, r := range c.Schema {
		size += len(r.Key) + len(r.Data)
	}
	if err := f.put(entry{op: commitEntry, commit: *c}, size); err != nil {
		return err
	}
	f.accept.passed(c)
	return f.heed()
}

func (f *feed) put(e entry, size int) error {
	for {
		f.mu.Lock()
		if f.bytes < f.most {
			break
		}
		f.mu.Unlock()
		select {
		case <-f.space:
		case <-f.ctx.Done():
			return f.ctx.Err()
		}
	}
	f.entries = append(f.entries, e)
	f.bytes += size + entryBytes
	f.last = time.Now()
	full := f.bytes >= f.most
	f.mu.Unlock()
	if e.op == commitEntry || full {
		signal(f.ready)
	}
	return nil
}

// heard is when the reader last had something; now when the feed is full: the reader is not to have more then.
func (f *feed) heard() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bytes >= f.most {
		return time.Now()
	}
	return f.last
}

// take returns what the reader has read so far and leaves the feed empty; spare is a slice to fill next.
func (f *feed) take(spare []entry) []entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries := f.entries
	clear(spare)
	f.entries, f.bytes = spare[:0], 0
	signal(f.space)
	return entries
}

// signal leaves a token in c, unless it holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
