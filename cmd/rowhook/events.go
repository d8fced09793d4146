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

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/rules"
	"rowhook/scratch"
)

// eventsCommand is `rowhook events`: what would fire over a part of the log. It posts nothing and stores nothing.
func eventsCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := newFlagSet("events", "shows what would fire over a part of the log, beside the daemon; nothing is posted or stored.\n"+
		"Unless binlog_row_metadata is FULL, tables that were altered later can be read only from where the daemon goes on.\n"+
		"A PLACE is a time (2h for two hours ago, 2026-03-01, 2026-03-01T12:30), a GTID or GTID set, FILE:OFFSET, start or now")
	from := flags.String("from", "", "begin at this `PLACE` (default: where the daemon goes on, or the last file of the log)")
	to := flags.String("to", "now", "end at this `PLACE`")
	only := flags.String("rule", "", "only for the rule `NAME`")
	asJSON := flags.Bool("json", false, "write JSON, an object a line")
	if err := flags.parse(args, stdout); err != nil {
		return err
	}
	c, err := loadState(flags.config)
	if err != nil {
		return err
	}
	set, err := readRules(c, flags.config)
	if err != nil {
		return err
	}
	if *only != "" {
		if set.Rules = slices.DeleteFunc(set.Rules, func(r *rules.Rule) bool { return r.Name != *only }); len(set.Rules) == 0 {
			return &usageError{fmt.Sprintf("there is no rule %q", *only), "try: rowhook rules list"}
		}
		if rule := set.Rules[0]; rule.Disabled {
			return &usageError{fmt.Sprintf("rule %s is disabled, at %s: nothing fires for it", *only, rule.Place), "try: remove its enabled: false"}
		}
	}
	last, err := parsePlace(*to, time.Now())
	if err != nil {
		return &usageError{"--to: " + err.Error(), "try: rowhook events -h"}
	}
	var first *cdc.Point // nil: the default
	if *from != "" {
		at, err := parsePlace(*from, time.Now())
		if err != nil {
			return &usageError{"--from: " + err.Error(), "try: rowhook events -h"}
		}
		first = &at
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
		if d.asJSON = *asJSON; isTerminal(stderr) && !isTerminal(stdout) { // else the events themselves show it
			d.progress = stderr
		}
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
	log, err := openLog(ctx, c)
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

// dryRun is a cdc.Sink that prints what the rules make of the log.
type dryRun struct {
	engine *rules.Engine
	tick   time.Duration // of the log's clock
	sites  []*rules.Site
	set    *rules.Set
	plugin bool
	asJSON bool
	out    io.Writer
	schema []cdc.SchemaRecord // what is known of tables where it begins

	failed   error     // of a Discard
	progress io.Writer // nil: it is not shown
	shown    time.Time // when it was last
	events   int
	txns     int
	warned   int
	last     cdc.Coord
}

func newDryRun(c *config.Config, set *rules.Set, source *cdc.Source, out io.Writer) *dryRun {
	d := &dryRun{sites: sitesOf(c), set: set, plugin: c.Fidelity == plugin, tick: source.Precision(), out: out}
	d.engine = rules.NewEngine(d.sites, set, rules.Options{
		Plugin: d.plugin, Coalesce: c.Coalesce, CoalesceMax: c.CoalesceMax, StatusWait: c.StatusWait, ReportAll: c.Restore == reportAll,
		Precision: d.tick, Scratch: scratch.In(os.TempDir()), Log: newLogger(config.Log{Level: "error"}, io.Discard),
	})
	return d
}

// run reads the span. Windows are over by the log's own clock, and all of them at its end.
func (d *dryRun) run(ctx context.Context, source *cdc.Source, span *cdc.Span) error {
	if err := source.Scan(ctx, span, d.schema, d); err != nil {
		return err
	}
	const century = 100 * 365 * 24 * time.Hour
	d.engine.Expire(time.Now().Add(century))
	return d.drain()
}

// Change is cdc.Sink.
func (d *dryRun) Change(c *cdc.Change) error { return d.engine.Change(c) }

// Discard is cdc.Sink.
func (d *dryRun) Discard(keep int) { d.failed = errors.Join(d.failed, d.engine.Discard(keep)) }

// Commit is cdc.Sink.
func (d *dryRun) Commit(c *cdc.Commit) error {
	if d.failed != nil {
		return d.failed
	}
	d.last = c.End
	if d.progress != nil && time.Since(d.shown) > time.Second {
		d.shown = time.Now()
		fmt.Fprintf(d.progress, "\rread up to %s, %s; %s\x1b[K", c.End, clock(c.Time), count(d.events, "event"))
	}
	if c.Txn.ID() == (cdc.Txn{}).ID() {
		return nil // only progress
	}
	d.txns++
	d.engine.Expire(c.Time) // the log's clock is the only one
	err := d.engine.Commit(c, c.Time.Truncate(d.tick).Add(d.tick))
	for err == nil && d.engine.Applying() {
		if err = d.drain(); err == nil {
			err = d.engine.Step()
		}
	}
	if err == nil {
		err = d.drain()
	}
	return errors.Join(err, d.warn(c))
}

// drain prints what closed. Nothing has to be stored: the records of what is open are only taken away.
func (d *dryRun) drain() error {
	for _, ev := range d.engine.Closed() {
		if len(ev.Rules) > 0 {
			d.events++
			if err := d.print(ev); err != nil {
				return err
			}
		}
		d.engine.Done(ev)
	}
	_, err := d.engine.TakeRecords()
	return err
}
