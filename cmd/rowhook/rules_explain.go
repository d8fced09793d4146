package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/config"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/rules"
	"rowhook/rules/events"
	"rowhook/trial"
)

// explainRules is `rowhook rules explain`: of a change of the log, or of what made a delivery, why each rule fires or not.
func (t *tree) explainRules() *cobra.Command {
	c := &cobra.Command{
		Use: "explain", Short: "say of a real change why each rule fires or not",
		Long: "Reads a part of the log beside the daemon, as rowhook events does, and says of each event of a row, or of the one that a\n" +
			"delivery tells of, why each rule fires or not; of a change that is no event, why it is none. Each transaction is looked at\n" +
			"by itself, also where the daemon put several together; of a delivery that is its first. Nothing is posted or stored.",
		Example: "  rowhook rules explain --table vikappointments_reservation --key 12 --from 2h\n" +
			"  rowhook rules explain --event 3f0c6a0e9b1d4c5aa3c1e1a7c2d4f6b8",
	}
	o := explainOrder{}
	c.Flags().StringVar(&o.event, "event", "", "the `ID` of a delivery; the log must still have its change")
	c.Flags().StringVar(&o.table, "table", "", "the `TABLE`, with the site's prefix or without it, or an action's word: appointment")
	c.Flags().StringVar(&o.key, "key", "", "the row's `KEY`")
	c.Flags().StringVar(&o.from, "from", "1h", "begin at this `PLACE` of the log, as rowhook events has them")
	c.Flags().StringVar(&o.to, "to", "now", "end at this `PLACE`")
	c.Flags().BoolVar(&o.asJSON, "json", false, "write JSON, an object a line")
	c.MarkFlagsMutuallyExclusive("event", "table")
	c.MarkFlagsMutuallyExclusive("event", "from") // the delivery says where to look
	c.MarkFlagsMutuallyExclusive("event", "to")
	c.MarkFlagsOneRequired("event", "table")
	t.complete(c, "from", oneOf("start", "now"))
	return does(c, 0, 0, func(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
		if o.table != "" && o.key == "" {
			return &usageError{"--table needs --key", "try: rowhook rules explain --table appointment --key 12"}
		}
		return t.explain(ctx, o, stdout, stderr)
	})
}

// explainOrder is the command line of `rowhook rules explain`.
type explainOrder struct {
	event, table, key, from, to string
	asJSON                      bool
}

func (t *tree) explain(ctx context.Context, o explainOrder, stdout, stderr io.Writer) error {
	c, err := loadState(ctx, t.config)
	if err != nil {
		return err
	}
	set, err := readRules(c, t.config)
	if err != nil {
		return err
	}
	e := &explaining{order: o, set: set, plugin: c.Fidelity == plugin, out: stdout, txns: map[string]bool{}, misfits: map[cdc.TableName]bool{}}
	first, last, err := eventsOrder{from: o.from, to: o.to}.span()
	if o.event != "" {
		first, last, err = e.findEvent(ctx, c)
	}
	if err != nil {
		return err
	}
	log := newLogger(config.Log{Level: "warn"}, stderr)
	err = observe(ctx, c, set.Unfiltered(), log, func(source *cdc.Source) error {
		from, schema, err := begin(ctx, c, source, first)
		if err != nil {
			return err
		}
		span, err := source.Span(ctx, from, last)
		if err != nil {
			return err
		}
		d := newDryRun(c, set, source, io.Discard)
		d.opts.Coalesce = 0 // a change by itself: the log's clock may be too coarse to put together what the daemon did
		e.trial = trial.New(set, loader.Options{Plugin: e.plugin, MaxPayload: int(c.MaxPayload)})
		replay := pipeline.NewReplay(d.sites, set.Unfiltered(), d.opts, e)
		if err := source.Scan(ctx, span, schema, &rowWatch{Replay: replay, e: e, sites: d.sites}); err != nil {
			return err
		}
		return replay.Close()
	})
	if err != nil {
		return err
	}
	unheard, err := e.explainRows()
	if err == nil && e.found+unheard == 0 {
		err = e.nothing(sitesOf(c))
	}
	return err
}

// nothing says why nothing could be explained.
func (e *explaining) nothing(sites []*rules.Site) error {
	if e.order.event != "" {
		return fmt.Errorf("the log has no change within %v of delivery %s that would make it again: it is of a backfill, or the server has purged that part, or the configuration was another then", around, e.order.event)
	}
	all := e.set.Unfiltered()
	for _, site := range sites {
		if slices.ContainsFunc(all.Tables(site), func(t cdc.TableName) bool { return e.named(t.Name, site) }) {
			return errors.New("the log shows no change of that row from --from to --to")
		}
	}
	return fmt.Errorf("no rule is for rows of a table %s, so rowhook does not read it; rowhook rules list shows what rules are for", e.order.table)
}

// explaining is a pipeline.ReplayTo that explains the events that were asked for.
type explaining struct {
	order  explainOrder
	set    *rules.Set
	trial  *trial.Trial
	plugin bool
	out    io.Writer
	found  int

	id     outbox.ID // of a delivery; with its rule and the source that ids are derived from
	rule   string
	source string

	rows    []rowChange            // of the row that was asked for
	txns    map[string]bool        // that events began with
	misfits map[cdc.TableName]bool // that were told of
}

// around is how far from a delivery's time its first change may lie.
const around = 10 * time.Minute

// findEvent looks up a delivery, and says in what part of the log its event is.
func (e *explaining) findEvent(ctx context.Context, c *config.Config) (first *cdc.Point, last cdc.Point, err error) {
	if e.id, err = parseID(e.order.event); err != nil {
		return nil, last, &usageError{err.Error(), "try: rowhook deliveries list"}
	}
	log, err := outboxOf(c).read(ctx)
	if err != nil {
		return nil, last, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	found, err := log.List(ctx, outbox.Filter{ID: &e.id, Limit: 1})
	if err != nil {
		return nil, last, err
	}
	if len(found) == 0 {
		return nil, last, notFound(e.id)
	}
	if e.rule = found[0].Rule; strings.HasPrefix(found[0].Kind, "rowhook.") {
		return nil, last, fmt.Errorf("delivery %s tells of rowhook itself (%s), not of a change in the log", e.order.event, found[0].Kind)
	}
	if e.source, err = log.Get(ctx, sourceIDKey); err != nil {
		return nil, last, err
	}
	last = cdc.Point{End: true}
	if to := found[0].Created.Add(around); to.Before(time.Now()) {
		last = cdc.Point{Time: to}
	}
	return &cdc.Point{Time: found[0].Created.Add(-around)}, last, nil
}

// Event is pipeline.ReplayTo.
func (e *explaining) Event(ev *rules.Event) error {
	if !e.asked(ev) {
		return nil
	}
	e.found++
	e.txns[ev.First.Txn] = true
	if e.order.asJSON {
		return e.writeJSON(ev)
	}
	kind := ev.Action.String()
	if ev.Action.Kind == rules.Save {
		kind += map[bool]string{true: ", insert", false: ", update"}[ev.Insert]
	}
	_, err := fmt.Fprintf(e.out, "%s  %s  %s  %s  [%s]\n", clock(ev.Time), ev.Site.Name, kind, printable.Line(fmt.Sprint(shownKeys(ev))), ev.First.Txn)
	var others []string
	for _, r := range e.set.Rules {
		if !r.Action.Entity.Is(ev.Action.Entity) || r.Action.Kind != rules.Rows && r.Action.Kind != ev.Action.Kind {
			others = append(others, r.Name)
			continue
		}
		_, wrote := fmt.Fprintf(e.out, "  %-20s  %s\n", r.Name, verdictText(e.trial.Verdict(ev, r), r))
		err = errors.Join(err, wrote)
	}
	if len(others) > 0 {
		_, wrote := fmt.Fprintf(e.out, "  for other events: %s\n", few(others))
		err = errors.Join(err, wrote)
	}
	return err
}

// explained is an event and what each rule for events of its kind makes of it.
type explained struct {
	Time  time.Time       `json:"time"`
	Site  string          `json:"site"`
	Event string          `json:"event"`
	IDs   []any           `json:"ids"`
	Txn   string          `json:"transaction"`
	Rules []explainedRule `json:"rules,omitempty"`

	NoEvent string `json:"no_event,omitempty"` // why it is none
}

type explainedRule struct {
	Name     string `json:"name"`
	Fires    bool   `json:"fires"`
	IfLoaded bool   `json:"if_loaded,omitempty"` // if its condition holds of what is loaded
	Why      string `json:"why,omitempty"`       // it does not, or why it makes a dead letter
}

func (e *explaining) writeJSON(ev *rules.Event) error {
	x := explained{Time: ev.Time, Site: ev.Site.Name, Event: ev.Action.String(), IDs: shownKeys(ev), Txn: ev.First.Txn}
	for _, r := range e.set.Rules {
		if r.Action.Entity.Is(ev.Action.Entity) && (r.Action.Kind == rules.Rows || r.Action.Kind == ev.Action.Kind) {
			v := e.trial.Verdict(ev, r)
			x.Rules = append(x.Rules, explainedRule{r.Name, v.Fires || v.Broken, v.Loaded, v.Why})
		}
	}
	return writeJSONLine(e.out, x)
}

func verdictText(v trial.Verdict, r *rules.Rule) string {
	switch {
	case v.Broken:
		return "fires, and makes a dead letter: " + printable.Line(v.Why)
	case v.Loaded:
		return "fires if its when holds of what is loaded: " + printable.Line(r.Shape.WhenText)
	case v.Fires:
		return "fires"
	}
	return "does not fire: " + printable.Line(v.Why)
}

// asked says whether an event is one that was asked for.
func (e *explaining) asked(ev *rules.Event) bool {
	if e.order.event != "" {
		return ev.DeliveryID(e.source, e.rule) == [16]byte(e.id)
	}
	return (e.named(ev.Action.Entity.TableOf(ev.Site).Name, ev.Site) || ev.Action.Entity.Name == e.order.table) &&
		slices.ContainsFunc(ev.IDs, func(id rules.Key) bool { return string(id) == e.order.key })
}

// named says whether a table of a site is the one that was asked for.
func (e *explaining) named(table string, site *rules.Site) bool {
	if e.order.table == table || e.order.table == strings.TrimPrefix(table, site.Prefix) {
		return true
	}
	entity := rules.EntityOf(e.order.table)
	return entity != nil && entity.TableOf(site).Name == table
}

// Committed is pipeline.ReplayTo.
func (e *explaining) Committed(*cdc.Commit) error { return nil }

// LeftOut is pipeline.ReplayTo. Of each table that is said once.
func (e *explaining) LeftOut(m *events.MisfitError) error {
	if e.misfits[m.Table] {
		return nil
	}
	e.misfits[m.Table] = true
	if e.order.asJSON {
		return writeJSONLine(e.out, api.Loss{Warning: m.Error(), Site: m.Site.Name, Table: m.Table.Name})
	}
	_, err := fmt.Fprintf(e.out, "warning: %s: %s; the daemon stops there for the site\n", m.Site.Name, printable.Line(m.Error()))
	return err
}
