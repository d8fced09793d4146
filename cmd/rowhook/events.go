package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/rules"
	"rowhook/rules/events"
	"rowhook/scratch"
	"rowhook/trial"
)

// eventsCommand is `rowhook events`: what would fire over a part of the log. It posts nothing and stores nothing.
func (t *tree) eventsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "events", Short: "show what would fire over a part of the log",
		Long: "Shows what would fire over a part of the log, beside the daemon; nothing is posted or stored. Unless binlog_row_metadata\n" +
			"is FULL, tables that were altered later can be read only from where the daemon goes on.\n\n" +
			"A PLACE is a time (2h for two hours ago, 2026-03-01, 2026-03-01T12:30), a GTID or GTID set, FILE:OFFSET, start or now.",
		Example: "  rowhook events --from 2h\n  rowhook events --from start --rule crm-bookings --json",
	}
	var o eventsOrder
	c.Flags().StringVar(&o.from, "from", "", "begin at this `PLACE` (default: where the daemon goes on, or the last file of the log)")
	c.Flags().StringVar(&o.to, "to", "now", "end at this `PLACE`")
	c.Flags().StringVar(&o.rule, "rule", "", "only for the rule `NAME`")
	c.Flags().BoolVar(&o.asJSON, "json", false, "write JSON, an object a line")
	t.complete(c, "rule", t.ruleNames)
	t.complete(c, "from", oneOf("start", "now"))
	t.complete(c, "to", oneOf("now"))
	return does(c, 0, 0, func(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
		return t.events(ctx, o, stdout, stderr)
	})
}

// eventsOrder is the command line of `rowhook events`.
type eventsOrder struct {
	from, to, rule string
	asJSON         bool
}

// span is the places that were asked for; first is nil when that is the default.
func (o eventsOrder) span() (first *cdc.Point, last cdc.Point, err error) {
	if last, err = parsePlace(o.to, time.Now()); err != nil {
		return nil, last, &usageError{"--to: " + err.Error(), "try: rowhook events -h"}
	}
	if o.from == "" {
		return nil, last, nil
	}
	at, err := parsePlace(o.from, time.Now())
	if err != nil {
		return nil, last, &usageError{"--from: " + err.Error(), "try: rowhook events -h"}
	}
	return &at, last, nil
}

// chosen leaves only the rule that was asked for.
func (o eventsOrder) chosen(set *rules.Set) error {
	if o.rule == "" {
		return nil
	}
	if set.Rules = slices.DeleteFunc(set.Rules, func(r *rules.Rule) bool { return r.Name != o.rule }); len(set.Rules) == 0 {
		return &usageError{fmt.Sprintf("there is no rule %q", o.rule), "try: rowhook rules list"}
	}
	if rule := set.Rules[0]; rule.Disabled {
		return &usageError{fmt.Sprintf("rule %s is disabled, at %s: nothing fires for it", o.rule, rule.Place), "try: remove its enabled: false"}
	}
	return nil
}

func (t *tree) events(ctx context.Context, o eventsOrder, stdout, stderr io.Writer) error {
	c, err := loadState(ctx, t.config)
	if err != nil {
		return err
	}
	set, err := readRules(c, t.config)
	if err != nil {
		return err
	}
	if err := o.chosen(set); err != nil {
		return err
	}
	first, last, err := o.span()
	if err != nil {
		return err
	}
	log := newLogger(config.Log{Level: "warn"}, stderr)
	return observe(ctx, c, set, log, func(source *cdc.Source) error {
		from, schema, err := begin(ctx, c, source, first)
		if err != nil {
			return err
		}
		span, err := source.Span(ctx, from, last)
		if err != nil {
			return err
		}
		d := newDryRun(c, set, source, stdout)
		d.schema = schema
		d.asJSON, d.bar = o.asJSON, newSpinner(stderr, stdout)
		err = d.run(ctx, source, span)
		return errors.Join(err, d.summary(stderr, err == nil))
	})
}

// begin is where to begin and, where that is the place at which the daemon goes on, what it knows of tables there. Without a
// place that was asked for it is that one, or without a daemon the beginning of the last file of the log.
func begin(ctx context.Context, c *config.Config, source *cdc.Source, asked *cdc.Point) (cdc.Point, []cdc.SchemaRecord, error) {
	stored, err := readStored(ctx, c)
	if err != nil && asked == nil { // else it could only have told columns
		return cdc.Point{}, nil, err
	}
	if stored != nil {
		at, err := stored.Position.Behind()
		if err != nil || asked == nil || *asked == at {
			return at, stored.Schema, err
		}
	}
	if asked != nil {
		return *asked, nil, nil
	}
	files, err := source.Files(ctx)
	if err != nil {
		return cdc.Point{}, nil, err
	}
	return cdc.Point{Coord: cdc.Coord{File: files[len(files)-1].Name}}, nil, nil
}

// readStored reads what a daemon stored, nil when none did.
func readStored(ctx context.Context, c *config.Config) (*pipeline.Stored, error) {
	log, err := outboxOf(c).read(ctx)
	if errors.Is(err, outbox.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	stored, err := pipeline.ReadStored(ctx, log)
	return stored, errors.Join(err, log.Close())
}

// gtidForm is a GTID set as MariaDB or as MySQL writes it.
var gtidForm = regexp.MustCompile(`^(\d+-\d+-\d+(, *\d+-\d+-\d+)*|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:.+)$`)

// parsePlace reads a place of the log as a person writes it.
func parsePlace(text string, now time.Time) (cdc.Point, error) {
	switch text {
	case "start":
		return cdc.Point{}, nil
	case "now":
		return cdc.Point{End: true}, nil
	}
	if ago, err := time.ParseDuration(strings.TrimPrefix(text, "-")); err == nil {
		return cdc.Point{Time: now.Add(-ago)}, nil
	}
	var at cdc.Point
	if timeFlag(&at.Time)(text) == nil {
		return at, nil
	}
	if gtidForm.MatchString(text) {
		return cdc.Point{GTIDs: text}, nil
	}
	var ok bool
	if at.Coord, ok = parseCoord(text); !ok {
		return at, fmt.Errorf("%q is no place of the log; write for example 2h (ago), 2026-03-01T12:30, 0-1-55, binlog.000012:4, start or now", text)
	}
	return at, nil
}

// dryRun prints what the rules make of the log.
type dryRun struct {
	sites  []*rules.Site
	set    *rules.Set
	opts   events.Options
	asJSON bool
	out    io.Writer
	schema []cdc.SchemaRecord // what is known of tables where it begins

	trial   *trial.Trial
	misfits map[cdc.TableName]bool // tables of which a row was left out

	bar    *progressbar.ProgressBar
	shown  time.Time // when it was last
	events int
	txns   int
	warned int
	last   cdc.Coord
}

func newDryRun(c *config.Config, set *rules.Set, source *cdc.Source, out io.Writer) *dryRun {
	opts := events.Options{
		Plugin: c.Fidelity == plugin, Coalesce: c.Coalesce, CoalesceMax: c.CoalesceMax, StatusWait: c.StatusWait, ReportAll: c.Restore == reportAll,
		Precision: source.Precision(), Scratch: scratch.In(os.TempDir()), Log: newLogger(config.Log{Level: "error"}, io.Discard),
	}
	return &dryRun{sites: sitesOf(c), set: set, opts: opts, out: out, trial: trial.New(set, loader.Options{Plugin: opts.Plugin, MaxPayload: int(c.MaxPayload)}), misfits: map[cdc.TableName]bool{}, bar: newSpinner(io.Discard, out)}
}

// run reads the span. Windows are over by the log's own clock, and all of them at its end.
func (d *dryRun) run(ctx context.Context, source *cdc.Source, span *cdc.Span) error {
	replay := pipeline.NewReplay(d.sites, d.set, d.opts, d)
	if err := source.Scan(ctx, span, d.schema, replay); err != nil {
		return err
	}
	return replay.Close()
}

// Event is pipeline.ReplayTo.
func (d *dryRun) Event(ev *rules.Event) error {
	return d.print(ev)
}

// Committed is pipeline.ReplayTo.
func (d *dryRun) Committed(c *cdc.Commit) error {
	d.last = c.End
	whole := !c.IsProgress()
	if whole {
		d.txns++
		_ = d.bar.Add(1) // who looks may have gone
	}
	if time.Since(d.shown) > time.Second || whole && d.txns%1000 == 1 {
		d.shown = time.Now()
		d.bar.Describe(fmt.Sprintf("read up to %s, %s; %s", c.End, clock(c.Time), count(d.events, "event")))
	}
	return d.warn(c)
}
