package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rowhook/cdc"
	"rowhook/outbox"
	"rowhook/rules"
	"rowhook/rules/events"
)

// A site whose rows cannot be read for now is detached: the log is read on for all others, and its own position stays
// before the transaction that it could not take. What was open of it is in an engine of its own (rules/split.go). When it
// may go on, a second reading of the log takes it from there to where the others are (catchup.go), and it is read with
// them again. Its position, and what is known of its tables there, lie in the outbox beside that of the others, in the
// commits that hold what became of its events: a crash changes nothing of that.

// sites are all sites, or rather their parts (rules/sitepart.go), of which some are not read with the others. The loop owns them.
type sites struct {
	cfg       *Config
	parts     atomic.Pointer[[]*rules.Site] // the loop replaces them, others look
	set       *atomic.Pointer[rules.Set]
	common    *reading // of all sites but the detached ones
	lanes     *lanes
	questions *questions
	leaves    func(*rules.Site) // is told of each that is detached

	detached map[*rules.Site]*detached
	known    map[string]cdc.SchemaRecord // what is known of tables where all others are
	changed  []outbox.Record             // of sites that are back, mostly: for the next commit
	told     []func()                    // who waits for the next commit
	stranded strandedEvents
	unfit    map[string]unfit // what was wrong with their tables when somebody looked, by schema

	watched   map[cdc.TableName]bool // the tables of all sites, as some rules have them
	watchedBy *rules.Set             // these rules

	ready  chan struct{} // holds a token when something was read for a detached site
	ended  chan endedReading
	orders chan func()
}

// detached is a site that is not read with the others.
type detached struct {
	reading
	site *rules.Site
	stop Stop

	schema map[string]cdc.SchemaRecord // what is known of tables at its position
	fresh  []outbox.Record             // of those, not stored yet
	dirty  bool                        // the record of the stop is behind

	cancel  context.CancelFunc // ends its reading
	wait    time.Duration      // between two tries
	retry   time.Time          // when to try again
	told    time.Time
	kept    keptQuestion
	turn    int  // of its tries to come back: what is said of an earlier one does not count
	asked   bool // for its rows to come with the others'
	carried bool // they do
	fromNow bool // a person gave up what lies between
}

func newSites(cfg *Config, parts []*rules.Site, set *atomic.Pointer[rules.Set], common *reading, lanes *lanes, questions *questions) *sites {
	s := &sites{
		cfg: cfg, set: set, common: common, lanes: lanes, questions: questions, detached: map[*rules.Site]*detached{}, known: map[string]cdc.SchemaRecord{},
		ready: make(chan struct{}, 1), ended: make(chan endedReading), orders: make(chan func()),
	}
	s.parts.Store(&parts)
	return s
}

// all are the parts of all sites, in the order of the configuration.
func (s *sites) all() []*rules.Site { return *s.parts.Load() }

// cut adds the parts of sites that rules name now, and those that the engine has made of events. None goes before the next start:
// one whose table no rule names costs nothing.
func (s *sites) cut(set *rules.Set) {
	there := slices.Clone(s.all())
	for _, part := range s.common.engine.Sites() {
		if s.lanes.all[part] == nil {
			there = append(there, part)
		}
	}
	parts := rules.CutSites(s.cfg.Sites, set, there)
	has := make(map[*rules.Site]bool, len(there))
	for _, part := range there {
		has[part] = true
	}
	var fresh []*rules.Site
	for _, part := range parts {
		if s.lanes.all[part] == nil {
			s.lanes.add(part)
		}
		if !has[part] {
			fresh = append(fresh, part)
		}
	}
	s.parts.Store(&parts)
	if len(fresh) > 0 {
		s.common.engine.Add(fresh)
	}
}

// stoppedPart is the part that a stop is of, also one that no rule names any more; nil when the site is not configured.
func (s *sites) stoppedPart(stop *Stop) *rules.Site {
	all := s.all()
	if i := slices.IndexFunc(all, func(part *rules.Site) bool { return part.ID() == stop.Site }); i >= 0 {
		return all[i]
	}
	i := slices.IndexFunc(s.cfg.Sites, func(site *rules.Site) bool { return site.Name == rules.SiteOf(stop.Site) })
	if i < 0 || stop.Of == "" {
		return nil
	}
	part := s.cfg.Sites[i].Part(stop.Of)
	s.common.engine.Add([]*rules.Site{part})
	s.cut(s.set.Load())
	return part
}

// of is the detached site whose reading r is, nil when it is that of all others.
func (s *sites) of(r *reading) *detached {
	for _, d := range s.detached {
		if r == &d.reading {
			return d
		}
	}
	return nil
}

// moved notes that a reading has applied something.
func (s *sites) moved(r *reading) {
	d := s.of(r)
	if d == nil {
		return
	}
	d.dirty, d.wait = true, 0
	d.stop.Read = r.applying.Time
	if a := d.stop.Accept; a != nil && a.Until == r.applying.Txn.ID() {
		d.stop.Accept = nil
	}
}

// learn takes in what became known of tables.
func (s *sites) learn(records []cdc.SchemaRecord) { learn(s.known, records) }

func learn(known map[string]cdc.SchemaRecord, records []cdc.SchemaRecord) {
	for _, r := range records {
		if r.Data == nil {
			delete(known, r.Key)
		} else {
			known[r.Key] = r
		}
	}
}

// learn takes in what became known of the site's tables.
func (d *detached) learn(records []cdc.SchemaRecord) {
	learn(d.schema, records)
	for _, r := range records {
		d.fresh = append(d.fresh, outbox.Record{Owner: siteOwner, Key: d.stop.schemaKey(r), Data: r.Data})
	}
}

// detach takes a site out of what is read for all.
func (s *sites) detach(site *rules.Site, stop Stop) *detached {
	d := s.newDetached(site, s.common.cursor, s.common.seen)
	d.stop, d.retry = stop, time.Now().Add(firstSiteWait)
	d.stop.Site, d.stop.Of, d.stop.Since, d.stop.Read = site.ID(), site.Named(), time.Now(), s.common.applying.Time
	d.stop.Cut, d.stop.Apart = true, true
	d.learn(s.knownOf(site))
	s.common.feed.want(wish{site: site, skip: true})
	d.told = time.Now().Add(shortStop - tellAgain) // nobody has to hear of what is over at once
	if d.stop.Decide || d.stop.Table != "" {
		d.told = time.Time{}
	}
	s.tell(d)
	return d
}

// knownOf is what is known of the tables that a site's own reading may come to: its own, the schema's default charset, temporary
// tables, and those that no site has, which may take the place of one that it has. Other sites of the schema may be many.
func (s *sites) knownOf(site *rules.Site) (records []cdc.SchemaRecord) {
	own := make(map[cdc.TableName]bool)
	for _, t := range s.tables(site) {
		own[t] = true
	}
	if set := s.set.Load(); s.watchedBy != set {
		s.watchedBy, s.watched = set, make(map[cdc.TableName]bool)
		for _, other := range s.cfg.Sites {
			for _, t := range set.Tables(other) {
				s.watched[t] = true
			}
		}
	}
	for _, r := range s.known {
		if t, ok := r.Table(); r.IsOf(site.Schema) && (!ok || own[t] || !s.watched[t]) {
			records = append(records, r)
		}
	}
	return records
}

// shortStop is how long a site may be stopped that goes on by itself until that is said.
const shortStop = 2 * time.Second

// newDetached splits off the engine of a site that is at a position.
func (s *sites) newDetached(site *rules.Site, at *cdc.Cursor, seen cdc.Coord) *detached {
	d := &detached{site: site, schema: map[string]cdc.SchemaRecord{}, dirty: true}
	d.reading = reading{drive: drive{engine: s.common.engine.Split(site)}, cursor: at, seen: seen}
	s.detached[site] = d
	s.leaves(site)
	return d
}

// aside takes in that a transaction cannot be read for a site.
func (s *sites) aside(r *reading, site *rules.Site, t *cdc.TableError) error {
	stop := Stop{
		Reason: t.Error(), Fix: t.Hint, Table: t.Table.String(), Txn: t.Txn.ID(), At: t.At, Decide: t.Lasting,
	}
	d := s.detached[site]
	switch {
	case d == nil:
		s.detach(site, stop)
		return nil
	case r == &d.reading:
		return s.stopAgain(d, stop)
	}
	d.turn++ // the others met it too, before the site was back with them
	d.asked, d.carried = false, false
	return nil
}

// misfit takes in that a row of a site does not fit its table as the plugin makes it.
func (s *sites) misfit(r *reading, m *events.MisfitError) error {
	if d := s.detached[m.Site]; d != nil && d.stop.Accept != nil && d.stop.Accept.Table == m.Table.String() {
		s.cfg.Log.Warn("a row is left out, as a person decided", slog.String("site", m.Site.Name), slog.Any("reason", m))
		return nil
	}
	fix := cmp.Or(m.Fix(), fmt.Sprintf("make the columns of %s what the plugin makes them; what is logged already stays as it is", m.Table))
	return s.aside(r, m.Site, &cdc.TableError{Table: m.Table, At: r.seen, Reason: m.Error(), Lasting: m.Fix() == "", Hint: fix})
}

// stopAgain ends the reading of a site that was to catch up.
func (s *sites) stopAgain(d *detached, stop Stop) error {
	s.endReading(d)
	again := stop.Reason == d.stop.Reason && stop.Txn == d.stop.Txn
	stop.Site, stop.Of, stop.Read, stop.Since, stop.Accept = d.stop.Site, d.stop.Of, d.stop.Read, d.stop.Since, d.stop.Accept
	stop.Cut, stop.Apart = true, true
	if !stop.Gone {
		stop.Kept = d.stop.Kept
	}
	if !again {
		stop.Since, stop.Accept = time.Now(), nil
		d.told = time.Time{}
	}
	d.stop, d.dirty = stop, true
	if err := d.engine.Discard(0); err != nil {
		return err
	}
	s.tell(d)
	return nil
}

// endReading ends a site's own reading; what was read and not applied is read again.
func (s *sites) endReading(d *detached) {
	if d.cancel != nil {
		d.cancel()
	}
	d.cancel, d.feed, d.todo, d.spare, d.gathered = nil, nil, nil, nil, false
	d.turn++
	if d.asked {
		s.common.feed.want(wish{site: d.site, skip: true})
	}
	d.asked, d.carried = false, false
	d.wait = min(max(firstSiteWait, 2*d.wait), longestSiteWait)
	d.retry = time.Now().Add(d.wait)
}

// join reads a site with the others again.
func (s *sites) join(d *detached) {
	d.asked = false // its rows stay
	s.endReading(d)
	delete(s.detached, d.site)
	s.common.engine.Join(d.engine)
	s.changed = append(s.changed, d.fresh...)
	for _, r := range d.schema {
		s.changed = append(s.changed, outbox.Record{Owner: siteOwner, Key: d.stop.schemaKey(r)})
	}
	s.changed = append(s.changed, outbox.Record{Owner: siteOwner, Key: d.stop.key()})
	if after := time.Since(d.stop.Since); after > shortStop {
		s.cfg.Log.Info("a site has caught up and is read with the others again", slog.String("site", d.site.ID()), slog.Duration("after", after.Round(time.Second)))
	}
}

// behind says whether there are records to be stored.
func (s *sites) behind() bool {
	if len(s.changed) > 0 || len(s.told) > 0 {
		return true
	}
	for _, d := range s.detached {
		if d.dirty || len(d.fresh) > 0 {
			return true
		}
	}
	return false
}

// take returns the records that are behind.
func (s *sites) take() ([]outbox.Record, error) {
	records := s.changed
	s.changed = nil
	for _, d := range s.detached {
		records = append(records, d.fresh...)
		d.fresh = nil
		if !d.dirty {
			continue
		}
		d.stop.Position = d.cursor.Position()
		r, err := d.stop.record()
		if err != nil {
			return nil, err
		}
		records = append(records, r)
		d.dirty = false
	}
	return records, nil
}

// restoreStops detaches the sites that were when the last commit was made.
func (s *sites) restoreStops(stored []outbox.Record) error {
	stops, err := readStops(stored)
	if err != nil {
		return err
	}
	for _, stop := range stops {
		site := s.stoppedPart(&stop.Stop)
		if site == nil {
			s.cfg.Log.Warn("a stopped site is not configured any more; it goes on from there when it is again", slog.String("site", stop.Site))
			continue
		}
		at, err := cdc.NewCursor(stop.Position)
		if err != nil {
			return fmt.Errorf("reading the position of site %s: %w", stop.Site, err)
		}
		d := s.newDetached(site, at, stop.Position.Start)
		d.stop, d.dirty = stop.Stop, false
		learn(d.schema, stop.schema)
		s.tell(d)
	}
	return nil
}

// tell says that a site is stopped, once and then each hour.
func (s *sites) tell(d *detached) {
	now := time.Now()
	if now.Sub(d.told) < tellAgain {
		return
	}
	d.told = now
	s.cfg.Log.Error("a site is stopped, the others go on", slog.String("site", d.site.ID()), slog.String("reason", d.stop.Reason),
		slog.String("fix", d.stop.Fix), slog.String("table", d.stop.Table), slog.String("transaction", d.stop.Txn),
		slog.String("at", d.stop.At.String()), slog.Time("since", d.stop.Since), slog.String("to_go_on", strings.Join(d.stop.Ways(), ", or ")))
}

// schemaRecords are what is known of tables at the site's position.
func (d *detached) schemaRecords() []cdc.SchemaRecord {
	return slices.Collect(maps.Values(d.schema))
}

// engines yields that of all sites, and those of the sites that are on their own.
func (s *sites) engines() func(yield func(*events.Engine) bool) {
	return func(yield func(*events.Engine) bool) {
		if !yield(s.common.engine) {
			return
		}
		for _, d := range s.detached {
			if !yield(d.engine) {
				return
			}
		}
	}
}

// tables are those of a site that make events now.
func (s *sites) tables(site *rules.Site) []cdc.TableName { return s.set.Load().Tables(site) }

// unwanted lets a site go on that is stopped for a table that no rule names any more: nobody has to decide about it.
func (s *sites) unwanted(d *detached, tables []cdc.TableName) {
	if len(tables) == 0 {
		s.endReading(d)
		d.fromNow = true
		return
	}
	d.retry, d.wait = time.Time{}, 0 // the rules may have been what is wrong
	if d.stop.Decide && d.stop.Table != "" && !slices.ContainsFunc(tables, func(t cdc.TableName) bool { return t.String() == d.stop.Table }) {
		d.stop.Decide, d.dirty = false, true
	}
}

// engineOf is the engine that a site's events are in.
func (s *sites) engineOf(site *rules.Site) *events.Engine {
	if d := s.detached[site]; d != nil {
		return d.engine
	}
	return s.common.engine
}
