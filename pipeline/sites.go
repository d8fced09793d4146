package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
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

// sites are the sites that are not read with the others. The loop owns them.
type sites struct {
	log      *slog.Logger
	detached map[*rules.Site]*detached
	known    map[string]cdc.SchemaRecord // what is known of tables where all others are
	gone     []outbox.Record             // of sites that are back: to be deleted with the next commit
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
	others  bool // rules name other tables than those that are read for it
}

func newSites(log *slog.Logger) *sites {
	return &sites{
		log: log, detached: map[*rules.Site]*detached{}, known: map[string]cdc.SchemaRecord{},
		ready: make(chan struct{}, 1), ended: make(chan endedReading), orders: make(chan func()),
	}
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
func (p *Pipeline) detach(site *rules.Site, stop Stop) *detached {
	d := p.newDetached(site, p.cursor, p.seen)
	d.stop, d.retry = stop, time.Now().Add(firstSiteWait)
	d.stop.Site, d.stop.Since, d.stop.Read, d.stop.Cut = site.ID(), time.Now(), p.applying.Time, true
	d.learn(p.knownOf(site))
	p.feed.want(wish{site: site, skip: true})
	d.told = time.Now().Add(shortStop - tellAgain) // nobody has to hear of what is over at once
	if d.stop.Decide || d.stop.Table != "" {
		d.told = time.Time{}
	}
	p.sites.tell(d)
	return d
}

// knownOf is what is known of the tables that a site's own reading may come to: its own, the schema's default charset, temporary
// tables, and those that no site has, which may take the place of one that it has. Other sites of the schema may be many.
func (p *Pipeline) knownOf(site *rules.Site) (records []cdc.SchemaRecord) {
	own := make(map[cdc.TableName]bool)
	for _, t := range p.tables(site) {
		own[t] = true
	}
	if set := p.set.Load(); p.sites.watchedBy != set {
		p.sites.watchedBy, p.sites.watched = set, make(map[cdc.TableName]bool)
		for _, s := range p.cfg.Sites {
			for _, t := range set.Tables(s) {
				p.sites.watched[t] = true
			}
		}
	}
	for _, r := range p.sites.known {
		if t, ok := r.Table(); r.IsOf(site.Schema) && (!ok || own[t] || !p.sites.watched[t]) {
			records = append(records, r)
		}
	}
	return records
}

// shortStop is how long a site may be stopped that goes on by itself until that is said.
const shortStop = 2 * time.Second

// newDetached splits off the engine of a site that is at a position.
func (p *Pipeline) newDetached(site *rules.Site, at *cdc.Cursor, seen cdc.Coord) *detached {
	d := &detached{site: site, schema: map[string]cdc.SchemaRecord{}, dirty: true}
	d.reading = reading{drive: drive{engine: p.engine.Split(site)}, cursor: at, seen: seen}
	p.sites.detached[site] = d
	if f := p.fills; f.chunk != nil && f.chunk.run.site() == site.ID() {
		f.chunk = nil // its rows are read again when the site is back
	}
	return d
}

// aside takes in that a transaction cannot be read for a site.
func (p *Pipeline) aside(r *reading, site *rules.Site, t *cdc.TableError) error {
	stop := Stop{
		Reason: t.Error(), Fix: t.Hint, Table: t.Table.String(), Txn: t.Txn.ID(), At: t.At, Decide: t.Lasting,
	}
	d := p.sites.detached[site]
	switch {
	case d == nil:
		p.detach(site, stop)
		return nil
	case r == &d.reading:
		return p.stopAgain(d, stop)
	}
	d.turn++ // the others met it too, before the site was back with them
	d.asked, d.carried = false, false
	return nil
}

// misfit takes in that a row of a site does not fit its table as the plugin makes it.
func (p *Pipeline) misfit(r *reading, m *events.MisfitError) error {
	if d := p.sites.detached[m.Site]; d != nil && d.stop.Accept != nil && d.stop.Accept.Table == m.Table.String() {
		p.cfg.Log.Warn("a row is left out, as a person decided", slog.String("site", m.Site.Name), slog.Any("reason", m))
		return nil
	}
	fix := cmp.Or(m.Fix(), fmt.Sprintf("make the columns of %s what the plugin makes them; what is logged already stays as it is", m.Table))
	return p.aside(r, m.Site, &cdc.TableError{Table: m.Table, At: r.seen, Reason: m.Error(), Lasting: m.Fix() == "", Hint: fix})
}

// stopAgain ends the reading of a site that was to catch up.
func (p *Pipeline) stopAgain(d *detached, stop Stop) error {
	p.endReading(d)
	again := stop.Reason == d.stop.Reason && stop.Txn == d.stop.Txn
	stop.Site, stop.Read, stop.Since, stop.Accept, stop.Cut = d.stop.Site, d.stop.Read, d.stop.Since, d.stop.Accept, true
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
	p.sites.tell(d)
	return nil
}

// endReading ends a site's own reading; what was read and not applied is read again.
func (p *Pipeline) endReading(d *detached) {
	if d.cancel != nil {
		d.cancel()
	}
	d.cancel, d.feed, d.todo, d.spare, d.gathered = nil, nil, nil, nil, false
	d.turn++
	if d.asked {
		p.feed.want(wish{site: d.site, skip: true})
	}
	d.asked, d.carried = false, false
	d.wait = min(max(firstSiteWait, 2*d.wait), longestSiteWait)
	d.retry = time.Now().Add(d.wait)
}

// join reads a site with the others again.
func (p *Pipeline) join(d *detached) {
	d.asked = false // its rows stay
	p.endReading(d)
	delete(p.sites.detached, d.site)
	p.engine.Join(d.engine)
	p.sites.gone = append(p.sites.gone, d.fresh...)
	for _, r := range d.schema {
		p.sites.gone = append(p.sites.gone, outbox.Record{Owner: siteOwner, Key: d.stop.schemaKey(r)})
	}
	p.sites.gone = append(p.sites.gone, outbox.Record{Owner: siteOwner, Key: d.stop.key()})
	if after := time.Since(d.stop.Since); after > shortStop {
		p.cfg.Log.Info("a site has caught up and is read with the others again", slog.String("site", d.site.ID()), slog.Duration("after", after.Round(time.Second)))
	}
}

// behind says whether there are records to be stored.
func (s *sites) behind() bool {
	if len(s.gone) > 0 || len(s.told) > 0 {
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
	records := s.gone
	s.gone = nil
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

// uncut makes two stops of each that is of a whole site: one for each of its parts.
func uncut(stops []*storedStop) (all []*storedStop) {
	for _, s := range stops {
		if all = append(all, s); s.Cut {
			continue
		}
		named := *s
		named.Site = rules.CutSites([]*rules.Site{{Name: s.Site}})[1].ID()
		all = append(all, &named)
	}
	return all
}

// restoreStops detaches the sites that were when the last commit was made.
func (p *Pipeline) restoreStops(stored []outbox.Record) error {
	stops, err := readStops(stored)
	if err != nil {
		return err
	}
	for _, s := range uncut(stops) {
		i := slices.IndexFunc(p.cfg.Sites, func(site *rules.Site) bool { return site.ID() == s.Site })
		if i < 0 {
			p.cfg.Log.Warn("a stopped site is not configured any more; it goes on from there when it is again", slog.String("site", s.Site))
			continue
		}
		at, err := cdc.NewCursor(s.Position)
		if err != nil {
			return fmt.Errorf("reading the position of site %s: %w", s.Site, err)
		}
		d := p.newDetached(p.cfg.Sites[i], at, s.Position.Start)
		d.stop, d.dirty, d.stop.Cut = s.Stop, !s.Cut, true
		d.learn(s.schema)
		if s.Cut {
			d.fresh = nil // it is stored
		}
		p.sites.tell(d)
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
	s.log.Error("a site is stopped, the others go on", slog.String("site", d.site.ID()), slog.String("reason", d.stop.Reason),
		slog.String("fix", d.stop.Fix), slog.String("table", d.stop.Table), slog.String("transaction", d.stop.Txn),
		slog.String("at", d.stop.At.String()), slog.Time("since", d.stop.Since), slog.String("to_go_on", strings.Join(d.stop.Ways(), ", or ")))
}

// schemaRecords are what is known of tables at the site's position.
func (d *detached) schemaRecords() []cdc.SchemaRecord {
	return slices.Collect(maps.Values(d.schema))
}
