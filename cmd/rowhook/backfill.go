package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rowhook/api/control"
	"rowhook/cdc"
	"rowhook/config"
	"rowhook/loader"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/rules"
)

// The names under which the daemon answers.
const (
	backfillStart  = "backfill/start"
	backfillStatus = "backfill/status"
	backfillStop   = "backfill/stop"
	backfillResume = "backfill/resume"
)

// backfillOrder is the command line of `rowhook backfill`.
type backfillOrder struct {
	request                      pipeline.Backfill
	status, stop, resume, dryRun bool
	asJSON                       bool
}

// backfillCommand is `rowhook backfill`.
func (t *tree) backfillCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "backfill [RUN]", Short: "report rows that are there already to a rule's receiver",
		Long: "Posts a save event for each row that is there already to a rule's receiver: --rule NAME, or --status, --stop, --resume.\n" +
			"The daemon does it beside what is live, in order with it, and goes on after a restart; this command shows how far it is,\n" +
			"and may be ended.",
		Example: "  rowhook backfill --rule crm-bookings --where status=C --dry-run\n  rowhook backfill --rule crm-bookings --since 2026-01-01\n" +
			"  rowhook backfill --status",
	}
	o := &backfillOrder{}
	o.addTo(c.Flags())
	t.complete(c, "rule", t.ruleNames)
	t.complete(c, "site", t.siteNames)
	return does(c, 0, 1, func(ctx context.Context, names []string, stdout, _ io.Writer) error {
		if err := o.check(names); err != nil {
			return err
		}
		return t.backfill(ctx, o, append(names, "")[0], stdout)
	})
}

// addTo adds the flags.
func (o *backfillOrder) addTo(f *pflag.FlagSet) {
	f.StringVar(&o.request.Rule, "rule", "", "the `NAME` of the rule; it must be for saves. Its statuses and sites count, its type does not")
	f.StringVar(&o.request.Site, "site", "", "only rows of the site `NAME`")
	f.Func("where", "only rows with `COLUMN=VALUE`, for example status=C; several must all hold", func(text string) error {
		column, value, ok := strings.Cut(text, "=")
		if !ok || column == "" {
			return errors.New("write COLUMN=VALUE, for example status=C")
		}
		o.request.Where = append(o.request.Where, loader.Equal{Column: column, Value: value})
		return nil
	})
	f.Func("since", "only appointments or package orders made at this `TIME` or later: 720h (ago), 2026-03-01, or 2026-03-01T12:30", timeFlag(&o.request.Since))
	f.Func("rate", "no more rows than that: 10/s, 600/m, 100/h; without it as fast as the receiver takes them (`NUMBER/s`)", func(text string) error {
		every, wrong := config.ParseEvery(text)
		o.request.Every = time.Duration(every)
		if wrong != "" {
			return errors.New(wrong)
		}
		return nil
	})
	f.BoolVar(&o.dryRun, "dry-run", false, "only count the rows")
	f.BoolVar(&o.status, "status", false, "show the backfills that run, and the last ones")
	f.BoolVar(&o.stop, "stop", false, "end the one that runs, or the one whose run is named")
	f.BoolVar(&o.resume, "resume", false, "go on with the one that was stopped, or the one whose run is named")
	f.BoolVar(&o.asJSON, "json", false, "write JSON, for programs: one object a line while it goes on")
}

// backfillHint is what to type instead.
const backfillHint = "try: rowhook backfill --rule NAME, --status, --stop, --resume, or -h"

// check says whether one thing is asked for.
func (o *backfillOrder) check(names []string) error {
	chosen := 0
	for _, on := range []bool{o.status, o.stop, o.resume, o.request.Rule != ""} {
		if on {
			chosen++
		}
	}
	asked := o.request.Site != "" || len(o.request.Where) > 0 || !o.request.Since.IsZero() || o.request.Every > 0 || o.dryRun
	switch {
	case chosen == 0:
		return &usageError{"backfill needs the rule that it is for", backfillHint}
	case chosen > 1 || o.request.Rule == "" && asked || len(names) > 0 && !o.stop && !o.resume:
		return &usageError{"backfill does one thing at a time: --rule with what selects rows, --status, --stop or --resume", backfillHint}
	}
	return nil
}

func (t *tree) backfill(ctx context.Context, o *backfillOrder, run string, stdout io.Writer) error {
	c, err := loadState(ctx, t.config)
	if err != nil {
		return err
	}
	client := control.NewClient(c.StateDir)
	switch {
	case o.status:
		return showBackfills(ctx, c, client, o.asJSON, stdout)
	case o.stop:
		return stopBackfill(ctx, c, client, run, o.asJSON, stdout)
	case o.resume:
		return followBackfill(ctx, c, client, backfillResume, run, o.asJSON, stdout)
	}
	set, err := readRules(c, t.config)
	if err != nil {
		return err
	}
	if err := o.request.Check(set, sitesOf(c)); err != nil {
		return &usageError{err.Error(), backfillHint}
	}
	if o.dryRun {
		return countBackfill(ctx, c, set, o, stdout)
	}
	return followBackfill(ctx, c, client, backfillStart, o.request, o.asJSON, stdout)
}

// countBackfill says how many rows a backfill would read. It needs the database, and no daemon.
func countBackfill(ctx context.Context, c *config.Config, set *rules.Set, o *backfillOrder, stdout io.Writer) error {
	server := serverOf(c.Database)
	db := server.Pool()
	defer db.Close()
	if err := presentSites(ctx, db, c); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	source, err := cdc.Open(ctx, db, sourceConfig(c, set, server, 0, log))
	if err != nil {
		return err
	}
	n, err := pipeline.CountBackfill(ctx, loader.New(db, source, loader.Options{}, log), set, sitesOf(c), o.request)
	if err != nil {
		return wrongUsage(err)
	}
	if o.asJSON {
		return writeJSON(stdout, struct {
			Rule string `json:"rule"`
			Rows int64  `json:"rows"`
		}{o.request.Rule, n})
	}
	_, err = fmt.Fprintf(stdout, "%d rows for rule %s; nothing was sent\n", n, o.request.Rule)
	return err
}

// wrongUsage makes what cannot be had a fault of the command line.
func wrongUsage(err error) error {
	_, refused := errors.AsType[*pipeline.RequestError](err)
	_, selection := errors.AsType[*loader.SelectionError](err)
	if refused || selection || errors.Is(err, control.ErrWrong) {
		return &usageError{err.Error(), "try: rowhook backfill -h"}
	}
	return err
}

func stopBackfill(ctx context.Context, c *config.Config, client *control.Client, run string, asJSON bool, stdout io.Writer) error {
	r, err := control.Ask[string, pipeline.Run](ctx, client, backfillStop, run)
	switch {
	case errors.Is(err, control.ErrNoDaemon):
		return noDaemon(c)
	case err != nil:
		return wrongUsage(err)
	case asJSON:
		return writeJSON(stdout, r)
	}
	_, err = fmt.Fprintf(stdout, "backfill %s of rule %s is stopped at %d of %d rows; what it made is delivered. To go on: rowhook backfill --resume %s\n",
		r.ID, r.Rule, r.Read, r.Total, r.ID)
	return err
}

func noDaemon(c *config.Config) error {
	return fmt.Errorf("no daemon works in %s, and it is the daemon that does a backfill, beside what is live: start it (rowhook run), then try again", c.StateDir)
}

// showBackfills lists the runs: as the daemon knows them, or as it left them.
func showBackfills(ctx context.Context, c *config.Config, client *control.Client, asJSON bool, stdout io.Writer) error {
	runs, err := control.Ask[struct{}, []pipeline.Run](ctx, client, backfillStatus, struct{}{})
	daemon := !errors.Is(err, control.ErrNoDaemon)
	if !daemon || errors.Is(err, control.ErrNotYet) {
		runs, err = storedBackfills(ctx, c)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(stdout, append([]pipeline.Run{}, runs...)) // [] rather than null
	}
	if len(runs) == 0 {
		_, err := fmt.Fprintln(stdout, "no backfills")
		return err
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tRULE\tSTATE\tSTARTED\tROWS\tSAVES\tLIVE\tNOT WANTED\tNOTE")
	for _, r := range slices.Backward(runs) {
		state := string(r.State)
		if r.State == pipeline.Running && !daemon {
			state = "waits for a daemon"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d of %d\t%d\t%d\t%d\t%s\n", r.ID, r.Rule, state, clock(r.Started), r.Read, r.Total, r.Made, r.Live, r.Left,
			or(printable.Line(r.Error+r.Trouble), "-"))
	}
	return table.Flush()
}

func storedBackfills(ctx context.Context, c *config.Config) (runs []pipeline.Run, err error) {
	err = withLog(ctx, c, func(log storedLog) error {
		state, err := log.Resume(ctx)
		if err != nil {
			return err
		}
		runs, err = pipeline.StoredBackfills(state.Open)
		return err
	})
	return runs, err
}

// backfillRoutes is what the daemon does for the command.
func (h *holder) backfillRoutes() []control.Route {
	return []control.Route{
		control.Handle(backfillStart, func(ctx context.Context, b pipeline.Backfill) (pipeline.Run, error) {
			line, err := h.following()
			if err != nil {
				return pipeline.Run{}, err
			}
			r, err := line.Backfills().Start(ctx, b)
			if _, usage := errors.AsType[*usageError](wrongUsage(err)); usage {
				err = control.Wrong(err)
			}
			return r, err
		}),
		control.Handle(backfillStop, func(ctx context.Context, run string) (pipeline.Run, error) {
			line, err := h.following()
			if err != nil {
				return pipeline.Run{}, err
			}
			return line.Backfills().Stop(ctx, run)
		}),
		control.Handle(backfillResume, func(ctx context.Context, run string) (pipeline.Run, error) {
			line, err := h.following()
			if err != nil {
				return pipeline.Run{}, err
			}
			return line.Backfills().Resume(ctx, run)
		}),
		control.Handle(backfillStatus, func(ctx context.Context, _ struct{}) ([]pipeline.Run, error) {
			line, err := h.following()
			if err != nil {
				return nil, err
			}
			return h.backfills(ctx, line), nil
		}),
	}
}

// backfills are the runs, and what the one that is worked on waits for.
func (h *holder) backfills(ctx context.Context, line *pipeline.Pipeline) []pipeline.Run {
	runs := line.Backfills().Runs()
	i := slices.IndexFunc(runs, func(r pipeline.Run) bool { return r.State == pipeline.Running })
	if i < 0 || runs[i].Trouble != "" {
		return runs
	}
	for _, e := range h.worker.Status(ctx).Endpoints {
		switch {
		case !slices.Contains(e.Rules, runs[i].Rule):
		case e.Paused != nil:
			runs[i].Trouble = "waits until the endpoint " + e.Name + " is resumed: it is paused"
		case !e.DownSince.IsZero():
			runs[i].Trouble = "waits until the endpoint " + e.Name + " is back: it is down"
		case e.Undelivered > 1000:
			runs[i].Trouble = fmt.Sprintf("waits until the endpoint %s takes what it got: %d deliveries wait for it", e.Name, e.Undelivered)
		}
	}
	return runs
}
