// Package events turns row changes into events that rules want. It is the sole owner of open events.
//
// The Engine is the heart, and the door of four parts. A transaction is reduced to its net effect (package netting) and
// applied in steps (applying, in commit.go); the translator makes events of each net change, by the role of its table
// (apply.go, status.go, customrows.go, ...); an event lives among the windows, in a queue of its aggregate, until its time is
// over (windows.go, openevents.go); and what is open survives a crash as records beside the position (record.go).
package events

import (
	"log/slog"
	"slices"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
	"rowhook/rules/netting"
	"rowhook/scratch"
)

// Options say how changes become events.
type Options struct {
	Plugin      bool          // only what the plugin itself would have posted (fidelity: plugin); needs the statements' texts
	Coalesce    time.Duration // changes of one aggregate are one event while they keep coming within it; 0: never merged
	CoalesceMax time.Duration // but at most this long
	StatusWait  time.Duration // how long a changed status column waits for its history row
	ReportAll   bool          // rows of a restore are events as all others are
	Precision   time.Duration // of the log's commit times: a second on MariaDB, a microsecond on MySQL
	Scratch     scratch.Files // makes files for what large transactions hold; nil: all is kept in memory
	Log         *slog.Logger
}

// Engine turns changes into events and is the sole owner of the open ones.
//
// A transaction's changes are gathered until its commit and reduced to their net effect; each then opens an event of
// its aggregate or is absorbed by an open one. The events of an aggregate stand in a queue in the order of their first
// changes and leave it at its head: when the time of the event is over (it closes), rules are matched, and Closed hands
// it out. It stays in the engine's records until Done says that its deliveries are made, so whoever commits the
// records together with the position loses nothing in a crash.
//
// What is held in memory is bounded by bytes. A large transaction is gathered in scratch files, and applied in steps
// (commit.go). When more is open than memory allows, the windows that would be over next close early: their events
// merge less, and nothing else changes.
//
// Time is over either by the log's own clock (a later transaction was committed after the window: true whatever our
// lag) or by ours (Expire, whose caller has read the log to an end that was observed after the window). An Engine is
// not safe for concurrent use.
type Engine struct {
	opts    Options
	catalog *catalog
	net     *netting.Transaction // the transaction that is being read

	work       applying   // the one that is becoming visible
	translator translator // makes events of its net changes
	windows    windows    // all events that are not deliveries
	records    records    // what is stored of all this
}

// aggregate is one object of a site with a key of its own.
type aggregate struct {
	site   *rules.Site
	entity *rules.Entity
	key    rules.Key
}

// wantedKey is a kind of event of a site that some rule asks for.
type wantedKey struct {
	site   *rules.Site
	entity string
	kind   rules.Kind
}

// NewEngine makes an engine for sites under a set of rules.
func NewEngine(sites []*rules.Site, set *rules.Set, o Options) *Engine {
	e := newEngine(o, newCatalog(sites), &counters{}, progressKey)
	e.SetRules(set)
	return e
}

// newEngine makes an engine that numbers events by some counters, and stores how far a transaction is applied under a key.
func newEngine(o Options, c *catalog, numbers *counters, progress string) *Engine {
	e := &Engine{opts: o, catalog: c, net: netting.New(o.Scratch)}
	e.windows = newWindows(&e.opts, c, numbers)
	e.translator = newTranslator(&e.opts, c, &e.windows)
	e.work = newApplying(progress, &e.translator)
	e.records = records{log: o.Log, windows: &e.windows, restores: &e.translator.restores, work: &e.work, stranded: newStranded()}
	return e
}

// SetRules makes later closings use other rules.
func (e *Engine) SetRules(set *rules.Set) { e.catalog.use(set) }

// Sites are the sites whose events it makes.
func (e *Engine) Sites() []*rules.Site { return e.catalog.sites }

// Add takes in sites that it has not read before.
func (e *Engine) Add(sites []*rules.Site) {
	for _, s := range sites {
		e.catalog.parts[s.Name] = append(e.catalog.parts[s.Name], s)
	}
	e.catalog.sites = slices.Concat(e.catalog.sites, sites)
	e.catalog.use(e.catalog.set)
}

// Change gathers a change of the transaction that is being read. It is invisible until Commit. After MisfitErrors the engine goes on as
// if the row had not come, as far as these parts of sites are concerned.
func (e *Engine) Change(c *cdc.Change) error {
	misfits, wanted := e.catalog.misfits(c)
	if !wanted { // counted, because Discard counts it, and nothing else
		c = &cdc.Change{Table: c.Table}
	} else {
		e.work.misfits = e.work.misfits || misfits != nil
		e.translator.restores.count(c)
	}
	if err := e.net.Add(c); err != nil || misfits == nil {
		return err
	}
	return misfits
}

// Discard keeps the first changes of the transaction that is being read and forgets the others.
func (e *Engine) Discard(keep int) error {
	e.translator.restores.discard(keep)
	return e.net.Discard(keep)
}

// Closed hands out the events that closed since the last call, in their order.
func (e *Engine) Closed() []*rules.Event {
	closed := e.windows.closed
	e.windows.closed = nil
	return closed
}

// Done says that a closed event is nothing but deliveries now: its record goes with the commit that holds them.
func (e *Engine) Done(ev *rules.Event) {
	if is := e.windows.unsent.live[ev.Number]; is != nil {
		e.windows.unsent.done(is)
	}
}

// Waiting is how many events are closed and not done, and about how many bytes they take.
func (e *Engine) Waiting() (events, bytes int) {
	return e.windows.unsent.waiting, e.windows.unsent.closedBytes
}

// NextDeadline is when, by our clock, the first open event's time is over; false when none is open.
func (e *Engine) NextDeadline() (time.Time, bool) { return e.windows.open.next() }

// Expire closes the events whose time was over at now by our clock. The caller must have read and committed the log up
// to an end that was observed at now or later; otherwise changes that belong to them may still be on their way.
func (e *Engine) Expire(now time.Time) { e.windows.closeByOurs(now) }

// roundUp is the end of the tick in which t lies: a log that stamps whole seconds says 12:00:01 for all of that second.
func roundUp(t time.Time, precision time.Duration) time.Time {
	return t.Truncate(precision).Add(precision)
}
