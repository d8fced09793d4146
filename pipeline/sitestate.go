package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/rules"
)

// SiteState is how a site stands.
type SiteState string

// The states of a site.
const (
	SiteReading  SiteState = "reading"     // with all others
	SiteWaiting  SiteState = "waiting"     // it is read, and events wait, for they cannot be loaded as things are
	SiteStopped  SiteState = "stopped"     // its rows are not read, until it is fixed or somebody decides
	SiteCatching SiteState = "catching up" // it goes on from where it stopped
)

// SiteStatus is a site as it is shown.
type SiteStatus struct {
	Name   string    `json:"name"`
	State  SiteState `json:"state"`
	Reason string    `json:"reason,omitempty"`
	Fix    string    `json:"fix,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Read   time.Time `json:"read,omitzero"` // of a site that is not read with the others: when the last that was read was committed
	Events int       `json:"events"`        // that wait to become deliveries
	Stop   *Stop     `json:"stop,omitempty"`
	Ways   []string  `json:"ways_out,omitempty"`
}

// Apart says whether the site is not read with the others.
func (s *SiteStatus) Apart() bool { return s.State == SiteStopped || s.State == SiteCatching }

// ErrNoSite says that no site has that name.
var ErrNoSite = errors.New("no site has that name")

// Sites are all sites, in the order of the configuration.
func (p *Pipeline) Sites(ctx context.Context) ([]SiteStatus, error) {
	answer := make(chan []SiteStatus, 1)
	return await(ctx, p, answer, func() { answer <- p.sites.status() })
}

// ResumeSite goes on with a stopped site without what the log does not show; from now, without all that it did not read. It
// returns when that is durable.
func (p *Pipeline) ResumeSite(ctx context.Context, name string, fromNow bool) error {
	answer := make(chan error, 1)
	failed, err := await(ctx, p, answer, func() {
		if err := p.sites.resume(name, fromNow); err != nil {
			answer <- err
			return
		}
		p.sites.told = append(p.sites.told, func() { answer <- nil })
	})
	return errors.Join(failed, err)
}

// SetUnfit shows what is wrong with the tables of schemas, in place of what was said before.
func (p *Pipeline) SetUnfit(ctx context.Context, findings []cdc.Finding) error {
	answer := make(chan struct{}, 1)
	_, err := await(ctx, p, answer, func() {
		was := p.sites.unfit
		p.sites.unfit = map[string]unfit{}
		for _, f := range findings {
			now := unfit{f.Found, f.Fix, time.Now()}
			if old, ok := was[f.Schema]; ok {
				now.since = old.since
			}
			p.sites.unfit[f.Schema] = now
		}
		answer <- struct{}{}
	})
	return err
}

// unfit is what is wrong with the tables of a schema.
type unfit struct {
	found, fix string
	since      time.Time
}

// await has the loop do something, and waits for the answer.
func await[T any](ctx context.Context, p *Pipeline, answer <-chan T, do func()) (t T, err error) {
	select {
	case p.sites.orders <- do:
	case <-p.ended:
		return t, ErrEnded
	case <-ctx.Done():
		return t, ctx.Err()
	}
	select {
	case t = <-answer:
		return t, nil
	case <-p.ended:
		return t, ErrEnded
	case <-ctx.Done():
		return t, ctx.Err()
	}
}

// resume takes in a person's word.
func (s *sites) resume(name string, fromNow bool) error {
	all := s.all()
	i := slices.IndexFunc(all, func(part *rules.Site) bool { return part.ID() == name })
	if i < 0 {
		return fmt.Errorf("%w: %s", ErrNoSite, name)
	}
	d := s.detached[all[i]]
	if d == nil {
		return nil // it is read with the others
	}
	if d.stop.Gone && !fromNow {
		return errNeedsNow(name)
	}
	d.fromNow = fromNow
	if fromNow || d.feed != nil {
		s.endReading(d)
		if err := d.engine.Discard(0); err != nil { // of the transaction that is read once more
			return err
		}
	}
	if !fromNow && d.stop.Table != "" {
		d.stop.Accept = &acceptance{Table: d.stop.Table, Until: s.common.lastTxn()}
	}
	d.stop.Decide, d.dirty, d.retry, d.wait = false, true, time.Time{}, 0
	return nil
}

func errNeedsNow(name string) error {
	return fmt.Errorf("the log that site %s needs is gone; only rowhook sites resume %s --from-now goes on", name, name)
}

// ResumeStored is ResumeSite for a store that no daemon works on.
func ResumeStored(ctx context.Context, store outbox.Journal, name string, fromNow bool) error {
	state, err := store.Resume(ctx)
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	stops, err := readStops(state.Open)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(stops, func(s *storedStop) bool { return s.Site == name })
	if i < 0 {
		return nil
	}
	s := stops[i]
	b := &outbox.Batch{Checkpoint: state.Checkpoint}
	switch {
	case fromNow:
		b.Open = s.deletions()
	case s.Gone:
		return errNeedsNow(name)
	default:
		at, err := decodePosition(state.Checkpoint)
		if err != nil {
			return err
		}
		if s.Accept = (&acceptance{Table: s.Table}); at.Last != nil {
			s.Accept.Until = at.Last.ID()
		}
		s.Decide = false
		r, err := s.record()
		if err != nil {
			return err
		}
		b.Open = []outbox.Record{r}
	}
	if err := store.Commit(ctx, b); err != nil {
		return fmt.Errorf("storing that site %s goes on: %w", name, err)
	}
	return nil
}

// deletions are the records of a stop, to be deleted.
func (s *storedStop) deletions() []outbox.Record {
	records := []outbox.Record{{Owner: siteOwner, Key: s.key()}}
	for _, r := range s.schema {
		records = append(records, outbox.Record{Owner: siteOwner, Key: s.schemaKey(r)})
	}
	return records
}

// status is how all sites stand.
func (s *sites) status() []SiteStatus {
	var all []SiteStatus
	for _, site := range s.all() {
		l := s.lanes.all[site]
		is := SiteStatus{Name: site.ID(), State: SiteReading, Events: len(l.waiting) + l.held.events}
		is.take(l)
		if u, ok := s.unfit[site.Schema]; ok && is.Reason == "" && site.Named() == "" {
			is.State, is.Reason, is.Fix, is.Since = SiteWaiting, u.found, u.fix, u.since
		}
		if is.Reason != "" {
			is.Ways = []string{"it goes on by itself when that is fixed"}
		}
		is.addStranded(&s.stranded)
		if d := s.detached[site]; d != nil {
			is.stopped(d.stop, d.feed != nil || d.fromNow)
		}
		if site.Named() == "" || is.State != SiteReading || is.Events > 0 { // of such a part nobody has to know else
			all = append(all, is)
		}
	}
	return all
}

// addStranded shows stored events that cannot go on, where nothing else holds the site.
func (s *SiteStatus) addStranded(stranded *strandedEvents) {
	is, ok := stranded.bySite[s.Name]
	if !ok {
		return
	}
	if s.Events += is.Events; s.Reason != "" {
		return
	}
	s.State, s.Since, s.Ways = SiteWaiting, stranded.since, []string{"it goes on with SIGHUP, or a start, when that is fixed; all else of the site goes on meanwhile"}
	s.Reason, s.Fix = explainStranded(is)
}

// take shows what holds a site's events.
func (s *SiteStatus) take(l *lane) {
	var reasons, fixes []string
	for _, why := range l.held.reasons {
		reasons = append(reasons, loader.Reason(why.err))
		if fix := loader.Fix(why.err); fix != "" {
			fixes = append(fixes, fix)
		}
		if s.Since.IsZero() || why.since.Before(s.Since) {
			s.Since = why.since
		}
	}
	if l.outage.text != "" {
		reasons = append(reasons, l.outage.text)
		s.Since = l.outage.said.Since()
	}
	if len(reasons) == 0 {
		return
	}
	slices.Sort(reasons)
	slices.Sort(fixes)
	s.State, s.Reason, s.Fix = SiteWaiting, strings.Join(reasons, "; "), strings.Join(slices.Compact(fixes), "; ")
}

// stopped shows a site that is not read with the others.
func (s *SiteStatus) stopped(stop Stop, reading bool) {
	s.State, s.Reason, s.Fix, s.Since, s.Read, s.Stop, s.Ways = SiteStopped, stop.Reason, stop.Fix, stop.Since, stop.Read, &stop, stop.Ways()
	if reading {
		s.State = SiteCatching
	}
}

// StoredSites are sites as an outbox shows them that no daemon works on.
func (s *Stored) StoredSites(names []string) []SiteStatus {
	all := make([]SiteStatus, 0, len(names))
	for _, name := range names {
		site := SiteStatus{Name: name, State: SiteReading, Events: s.BySite[name]}
		for _, stop := range s.Stops {
			if stop.Site == name {
				site.stopped(stop, false)
			}
		}
		all = append(all, site)
	}
	for _, stop := range s.Stops { // of tables that rules name
		if of := rules.SiteOf(stop.Site); of != stop.Site && slices.Contains(names, of) {
			part := SiteStatus{Name: stop.Site}
			part.stopped(stop, false)
			all = append(all, part)
		}
	}
	return all
}

// stopped says whether a site is not read with the others.
func (s *sites) stopped(name string) bool {
	for site := range s.detached {
		if site.ID() == name {
			return true
		}
	}
	return false
}
