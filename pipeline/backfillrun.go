package pipeline

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/rules"
	"rowhook/rules/events"
)

// Backfill is a request: saves of rows that are there already, for a rule.
type Backfill struct {
	Rule  string         `json:"rule"`
	Site  string         `json:"site,omitempty"`  // empty: every site of the rule
	Where []loader.Equal `json:"where,omitempty"` // all must hold
	Since time.Time      `json:"since,omitzero"`  // only of what was made then or later
	Every time.Duration  `json:"every,omitempty"` // a row no more often than this; 0: as fast as they are delivered
}

// Run is a backfill and how far it is. It is stored as it is, in the commits that hold what it made.
type Run struct {
	ID string `json:"id"`
	Backfill
	State   RunState  `json:"state"`
	Error   string    `json:"error,omitempty"`   // why it failed
	Trouble string    `json:"trouble,omitempty"` // why it is stalled, for now
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Total   int64     `json:"total"` // rows when it was started
	Read    int64     `json:"read"`  // of them so far
	Made    int64     `json:"made"`  // saves
	Live    int64     `json:"live"`  // rows that were left to a live save
	Left    int64     `json:"left"`  // rows that the rule does not want
	Parts   []Part    `json:"parts"`
	At      int       `json:"at"` // the part that is being read
	// Again are the keys of its rows that changed while they were read.
	Again [][]string `json:"again_keys,omitempty"`
}

// Part is what a backfill reads at one site.
type Part struct {
	Site  string `json:"site"`
	Whole bool   `json:"whole"` // no more rows lie behind
	// Span is from the last row that was read to the last of all when it was started: live saves tell of later ones.
	Span loader.Span `json:"span"`
}

// RunState is how a backfill stands.
type RunState string

// The states of a backfill.
const (
	Running RunState = "running"
	Done    RunState = "done"
	Stopped RunState = "stopped"
	Failed  RunState = "failed" // it cannot go on as things are
)

// advance takes in what became of a chunk.
func (r *Run) advance(c *loader.Chunk, done events.Filled, now time.Time) {
	part := &r.Parts[r.At]
	part.Whole, r.Again = c.Whole, nil // replaced, never changed
	r.Read += c.Fresh
	part.Span.After = c.Behind
	if len(done.Again) > 0 {
		again := make(map[rules.Key]bool, len(done.Again))
		for _, key := range done.Again {
			again[key] = true
		}
		for i, row := range c.Rows {
			if again[rules.KeyOf(c.Table, row)] {
				r.Again = append(r.Again, c.Keys[i])
			}
		}
	}
	r.Made += int64(done.Made)
	r.Live += int64(done.Live)
	r.Left += int64(done.Left)
	if !part.Whole || len(r.Again) > 0 {
		return
	}
	if r.At++; r.At == len(r.Parts) {
		r.end(Done, "", now)
	}
}

func (r *Run) end(s RunState, why string, now time.Time) {
	r.State, r.Error, r.Trouble, r.Ended = s, why, "", now
}

// site is the one whose rows are read.
func (r *Run) site() string {
	if r.At >= len(r.Parts) {
		return ""
	}
	return r.Parts[r.At].Site
}

// copy is the run for others, who may read it while it goes on.
func (r *Run) copy() Run {
	c := *r
	c.Parts, c.Again = slices.Clone(r.Parts), slices.Clone(r.Again)
	return c
}

// runPrefix is how the keys of runs begin in the outbox.
const runPrefix = "backfill/"

func (r *Run) record() (outbox.Record, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return outbox.Record{}, fmt.Errorf("storing the backfill %s: %w", r.ID, err)
	}
	return outbox.Record{Owner: backfillOwner, Key: runPrefix + r.ID, Data: data}, nil
}

// StoredBackfills reads the runs among the records of an outbox that no daemon works on.
func StoredBackfills(records []outbox.Record) ([]Run, error) {
	runs, err := restoreRuns(records)
	all := make([]Run, len(runs))
	for i, r := range runs {
		all[i] = *r
	}
	return all, err
}

func restoreRuns(records []outbox.Record) ([]*Run, error) {
	var runs []*Run
	for _, rec := range records {
		if rec.Owner != backfillOwner {
			continue
		}
		r := &Run{}
		if err := r.read(rec.Data); err != nil {
			return nil, fmt.Errorf("reading the backfill %s: %w", rec.Key, err)
		}
		if r.State == Running && (r.At < 0 || r.At >= len(r.Parts)) {
			return nil, fmt.Errorf("reading the backfill %s: it is at site %d of %d", rec.Key, r.At+1, len(r.Parts))
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// read takes in what was stored. What earlier versions stored of keys that are one whole number are numbers.
func (r *Run) read(data []byte) error {
	var stored struct {
		Again []int64 `json:"again"`
		Parts []struct {
			After int64        `json:"after"`
			Last  int64        `json:"last"`
			Span  *loader.Span `json:"span"`
		} `json:"parts"`
	}
	if err := errors.Join(json.Unmarshal(data, r), json.Unmarshal(data, &stored)); err != nil {
		return err
	}
	key := func(n int64) []string { return []string{strconv.FormatInt(n, 10)} }
	for i, part := range stored.Parts {
		if part.Span == nil {
			r.Parts[i].Span = loader.Span{After: key(part.After), Last: key(part.Last)}
		}
	}
	for _, n := range stored.Again {
		r.Again = append(r.Again, key(n))
	}
	return nil
}

// plan makes a run of a request: it looks whether it can be met, and how many rows there are. Who requests what
// cannot be had gets a loader.SelectionError, or another error that says so.
func plan(ctx context.Context, l *loader.Loader, set *rules.Set, sites []*rules.Site, b Backfill) (*Run, error) {
	rule, sites, err := b.find(set, sites)
	if err != nil {
		return nil, err
	}
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	r := &Run{ID: hex.EncodeToString(id[:]), Backfill: b, State: Running}
	for _, site := range sites {
		x := b.existing(site, rule)
		if err := l.CheckExisting(ctx, x); err != nil {
			return nil, err
		}
		rows, span, err := l.CountExisting(ctx, x)
		if err != nil {
			return nil, err
		}
		r.Total += rows
		r.Parts = append(r.Parts, Part{Site: site.ID(), Span: span})
	}
	r.Started = time.Now()
	return r, nil
}

// CountBackfill is how many rows a backfill would read now.
func CountBackfill(ctx context.Context, l *loader.Loader, set *rules.Set, sites []*rules.Site, b Backfill) (int64, error) {
	r, err := plan(ctx, l, set, sites, b)
	if err != nil {
		return 0, err
	}
	return r.Total, nil
}

// RequestError says that a backfill asks for what cannot be had.
type RequestError struct{ text string }

func (e *RequestError) Error() string { return e.text }

// Check says whether the rules have what is asked for; a RequestError says what not.
func (b *Backfill) Check(set *rules.Set, sites []*rules.Site) error {
	_, _, err := b.find(set, sites)
	return err
}

// find is the rule and its sites.
func (b *Backfill) find(set *rules.Set, all []*rules.Site) (*rules.Rule, []*rules.Site, error) {
	rule := ruleOf(set, b.Rule)
	if rule == nil {
		return nil, nil, &RequestError{fmt.Sprintf("there is no rule %q; rowhook rules list shows all, and SIGHUP makes the daemon read them again", b.Rule)}
	}
	if rule.Disabled {
		return nil, nil, &RequestError{fmt.Sprintf("rule %s is disabled; remove its enabled: false, at %s, and send the daemon SIGHUP", rule.Name, rule.Place)}
	}
	if rule.Action.Kind != rules.Save && (rule.Action.Kind != rules.Rows || !slices.Contains(rule.On, cdc.Insert)) {
		return nil, nil, &RequestError{fmt.Sprintf("rule %s is for %s, and only saves, and custom rules with on: [insert], can be made of rows that are there already", rule.Name, rule.Action)}
	}
	var sites []*rules.Site
	var names []string
	for _, s := range all {
		if !rule.For(s) || !s.Has(rule.Action.Entity) {
			continue
		}
		names = append(names, s.Name)
		if b.Site == "" || rules.SiteOf(b.Site) == s.Name {
			sites = append(sites, s)
		}
	}
	if len(sites) == 0 {
		return nil, nil, &RequestError{fmt.Sprintf("rule %s is not for a site %q; its sites: %s", rule.Name, b.Site, strings.Join(names, ", "))}
	}
	return rule, sites, nil
}

// existing is the selection of rows at a site.
func (b *Backfill) existing(site *rules.Site, rule *rules.Rule) loader.Existing {
	x := loader.Existing{Site: site, Entity: rule.Action.Entity, Where: b.Where, Since: b.Since}
	for s := range rule.Statuses {
		x.Statuses = append(x.Statuses, s)
	}
	slices.Sort(x.Statuses)
	return x
}

// ruleOf is the rule of a name, nil when there is none.
func ruleOf(set *rules.Set, name string) *rules.Rule {
	i := slices.IndexFunc(set.Rules, func(r *rules.Rule) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return set.Rules[i]
}
