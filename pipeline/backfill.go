package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rowhook/cdc"
	"rowhook/outbox"
	"rowhook/retry"
	"rowhook/rules"
)

// A backfill goes chunk by chunk, beside what is live: it waits until little is to be delivered, reads a chunk in a
// snapshot, waits until the log is read up to where it stood behind that snapshot, and hands the rows to the engine, which
// knows what happened to them meanwhile (rules/events/backfill.go). How far it is goes into the commit that holds what it made:
// after a crash it goes on right behind that.

// Backfills are the backfills of a pipeline, and the chunk that is on its way. The loop of Run owns all but what stands
// behind mu.
type Backfills struct {
	cfg   *Config
	sites func() []*rules.Site       // all, in their parts
	set   *atomic.Pointer[rules.Set] // the rules of now
	live  *reading                   // whose engine the rows go to
	waits func(site string) bool     // whether a site is stopped, and a backfill with it
	ended <-chan struct{}            // closed when the pipeline has

	runs  []*Run          // in the order of their starts; the first that is running is worked on
	dirty map[string]bool // whose record is behind
	told  []func()        // who waits for the next commit
	table *cdc.Table      // of the last chunk: the engine remembers every table that it sees

	asking   bool          // a goroutine is on its way
	looks    int           // whether it is calm, since it last was
	calm     bool          // the next chunk may be read
	chunk    *filling      // waits for the log
	unstored bool          // a chunk was poured out and is not committed yet
	storing  bool          // the commit that is on its way holds the last of it
	endpoint string        // where the deliveries of the run's rule go; "" while that is not known
	size     int           // rows of the next chunk
	poured   time.Time     // when the last was
	rest     time.Time     // nothing before
	trouble  retry.Trouble // of reading rows

	orders  chan fillOrder
	results chan *filling

	mu    sync.Mutex
	shown []Run
}

// fillOrder changes the runs; the answer comes when that is durable.
type fillOrder struct {
	change func() (*Run, error)
	answer chan fillAnswer // has room
}

type fillAnswer struct {
	run Run
	err error
}

const keptRuns = 20 // that are remembered

func newBackfills(cfg *Config, sites func() []*rules.Site, set *atomic.Pointer[rules.Set], live *reading, waits func(site string) bool, ended <-chan struct{}) *Backfills {
	return &Backfills{
		cfg: cfg, sites: sites, set: set, live: live, waits: waits, ended: ended,
		dirty: map[string]bool{}, size: smallestFill, orders: make(chan fillOrder), results: make(chan *filling, 1),
	}
}

// Start begins a backfill, or queues it behind those that run. Like Stop and Resume it waits until that is durable.
func (f *Backfills) Start(ctx context.Context, b Backfill) (Run, error) {
	run, err := plan(ctx, f.cfg.Loader, f.set.Load(), f.sites(), b)
	if err != nil {
		return Run{}, err
	}
	return f.order(ctx, func() (*Run, error) {
		f.runs = append(f.runs, run)
		if run.Total == 0 {
			run.end(Done, "", run.Started)
		}
		return run, nil
	})
}

// Stop ends a run; with an empty id the one that runs.
func (f *Backfills) Stop(ctx context.Context, id string) (Run, error) {
	return f.order(ctx, func() (*Run, error) {
		run, err := f.find(id, "runs", func(r *Run) bool { return r.State == Running })
		if err == nil {
			run.end(Stopped, "", time.Now())
		}
		return run, err
	})
}

// Resume goes on with a run that was stopped or failed; with an empty id the one there is.
func (f *Backfills) Resume(ctx context.Context, id string) (Run, error) {
	return f.order(ctx, func() (*Run, error) {
		run, err := f.find(id, "is stopped", func(r *Run) bool { return r.State == Stopped || r.State == Failed })
		if err == nil {
			run.State, run.Error, run.Ended = Running, "", time.Time{}
		}
		return run, err
	})
}

// Runs are those that are remembered, the oldest first.
func (f *Backfills) Runs() []Run {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.shown)
}

// order lets the loop change the runs, and waits until that is durable.
func (f *Backfills) order(ctx context.Context, change func() (*Run, error)) (Run, error) {
	o := fillOrder{change, make(chan fillAnswer, 1)}
	select {
	case f.orders <- o:
	case <-f.ended:
		return Run{}, ErrEnded
	case <-ctx.Done():
		return Run{}, ctx.Err()
	}
	select {
	case a := <-o.answer:
		return a.run, a.err
	case <-f.ended:
		return Run{}, ErrEnded
	case <-ctx.Done():
		return Run{}, ctx.Err()
	}
}

// find is the run of an id, or the only one that may be meant.
func (f *Backfills) find(id, what string, may func(*Run) bool) (*Run, error) {
	var found []*Run
	var names []string
	for _, r := range f.runs {
		if may(r) && (id == "" || id == r.ID) {
			found, names = append(found, r), append(names, r.ID+" of rule "+r.Rule)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("say which backfill: %s", strings.Join(names, ", "))
	case id != "":
		return nil, fmt.Errorf("no backfill %s %s", id, what)
	}
	return nil, fmt.Errorf("no backfill %s", what)
}

// obey carries out an order.
func (f *Backfills) obey(o fillOrder) {
	run, err := o.change()
	if err != nil {
		o.answer <- fillAnswer{err: err}
		return
	}
	f.forgetOld()
	f.changed(run)
	shown := run.copy()
	f.told = append(f.told, func() { o.answer <- fillAnswer{run: shown} })
}

// forgetOld drops the oldest of too many runs that have ended.
func (f *Backfills) forgetOld() {
	for len(f.runs) > keptRuns && f.runs[0].State != Running {
		f.dirty[f.runs[0].ID] = true // and not among the runs: its record goes
		f.runs = f.runs[1:]
	}
}

// changed notes that a run's record is behind, and shows the runs.
func (f *Backfills) changed(run *Run) {
	f.dirty[run.ID] = true
	f.show()
}

func (f *Backfills) show() {
	shown := make([]Run, len(f.runs))
	for i, r := range f.runs {
		shown[i] = r.copy()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shown = shown
}

// current is the run that is worked on, nil when none is.
func (f *Backfills) current() *Run {
	for _, r := range f.runs {
		if r.State == Running && !f.waits(r.site()) {
			return r
		}
	}
	return nil
}

// urgent says that somebody waits for the next commit, though it may hold no delivery.
func (f *Backfills) urgent() bool {
	return len(f.told) > 0 || f.unstored && f.live.engine.Filling() == 0
}

// take returns the records of runs for the commit that is being made.
func (f *Backfills) take() ([]outbox.Record, error) {
	var records []outbox.Record
	for id := range f.dirty {
		rec := outbox.Record{Owner: backfillOwner, Key: runPrefix + id}
		if i := slices.IndexFunc(f.runs, func(r *Run) bool { return r.ID == id }); i >= 0 {
			var err error
			if rec, err = f.runs[i].record(); err != nil {
				return nil, err
			}
		}
		records = append(records, rec)
	}
	clear(f.dirty)
	f.storing = f.unstored && f.live.engine.Filling() == 0
	return records, nil
}

// stored takes in that a commit is durable.
func (f *Backfills) stored(c commit) {
	if run := f.current(); run != nil {
		for _, d := range c.batch.Deliveries {
			if d.Rule == run.Rule {
				f.endpoint = d.Endpoint
			}
		}
	}
	if f.storing {
		f.storing, f.unstored = false, false
	}
}
