package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/connect"
	"rowhook/loader"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/retry"
	"rowhook/rules"
	"rowhook/rules/events"
)

// follower is this process while it follows the log for the sites that there are.
type follower struct {
	*holder
	db     *sql.DB
	source *cdc.Source   // the server whose log is followed
	unfit  []cdc.Finding // of sites whose tables were not as they must be when this began
	line   *pipeline.Pipeline
}

// followSites follows the log until ctx ends, that cannot go on, or there are other sites.
func (h *holder) followSites(ctx context.Context) (err error) {
	f := &follower{holder: h, db: h.server.Pool()}
	defer f.db.Close()
	if err := f.connect(ctx); err != nil {
		return err
	}
	h.last = f.source
	defer func() { err = errors.Join(err, f.source.Close()) }()
	return f.run(ctx)
}

// errUnfit is a server that cannot be followed as it is set up.
var errUnfit = errors.New("cannot be followed")

// connect finds the server and looks whether it can be followed. It waits for a server that does not answer or is full,
// and for a password that is in a file, which somebody may be about to write: such things pass. What does not pass by
// itself ends the daemon: a server that is set up wrongly, and a login that is refused and stays what it is.
func (f *follower) connect(ctx context.Context) error {
	var trouble retry.Trouble
	began := time.Now()
	for {
		err := f.checked(ctx)
		if err == nil {
			if lasted, was := trouble.Over(); was {
				f.log.Info("the database answers", slog.Duration("after", lasted.Round(time.Second)))
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errUnfit) || connect.CauseOf(err) == connect.Denied && !f.cfg.Database.PasswordChanges() {
			return err
		}
		wait := trouble.Wait()
		if trouble.Worth(err) {
			f.log.Warn("the database does not answer as it should, trying again", slog.Any("error", err), slog.Duration("in", wait),
				slog.Time("since", trouble.Since()), slog.String("fix", f.server.Advice(err)))
			f.manager.Status("waiting for the database: " + err.Error())
		}
		f.monitor.daemon.Hindered(&api.Hindrance{Since: began, Reason: printable.Line(err.Error()), Fix: printable.Line(f.server.Advice(err))})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		case <-f.hangups:
			trouble = retry.Trouble{} // the person who sent it wants to hear whether it helped
			f.hangup(ctx, nil)
			f.lookAtFiles()
		}
	}
}

// checked looks at the server as it is now.
func (f *follower) checked(ctx context.Context) (err error) {
	if f.finder != nil {
		if err := f.findSites(ctx); err != nil {
			return err
		}
	}
	f.memory.sites.Store(int64(len(f.cfg.Sites)))
	cfg := sourceConfig(f.cfg, f.set, f.server, f.id.serverID, f.log)
	cfg.After = f.last
	if f.finder != nil {
		cfg.Created = f.finder.created
		cfg.Dropped = func(table cdc.TableName) { f.unseenDropped(ctx, table) }
	}
	if f.source, err = cdc.Open(ctx, f.db, cfg); err != nil {
		return err
	}
	findings, err := f.source.Preflight().Check(ctx)
	if err != nil {
		return err
	}
	var faults []string
	var warn []cdc.Finding
	f.unfit = nil
	for _, is := range findings {
		switch {
		case is.Warn:
			warn = append(warn, is)
		case !is.OK && is.Schema != "": // watchUnfit says so
			f.unfit = append(f.unfit, is)
		case !is.OK:
			faults = append(faults, fmt.Sprintf("  %s: %s\n    fix it with:  %s", is.Check, printable.Line(is.Found), printable.Line(is.Fix)))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("the database at %s %w:\n%s", f.cfg.Database.Address, errUnfit, strings.Join(faults, "\n"))
	}
	f.warnServer(warn)
	f.tellColumns(ctx)
	return nil
}

// run follows the log of the server that was found.
func (f *follower) run(ctx context.Context) error {
	asPlugin := f.cfg.Fidelity == plugin
	payload := min(int64(f.cfg.MaxPayload), f.store.Limits().Payload)
	f.line = pipeline.New(pipeline.Config{
		Source: f.source, Beside: catchUp(f.source), Watch: f.watch, SourceID: f.id.source, Outbox: f.store,
		Loader: loader.New(f.db, f.source, loader.Options{Plugin: asPlugin, MaxPayload: int(payload)}, f.log),
		Sites:  sitesOf(f.cfg), Rules: f.set, Log: f.log,
		Options: events.Options{
			Plugin: asPlugin, Coalesce: f.cfg.Coalesce, CoalesceMax: f.cfg.CoalesceMax, StatusWait: f.cfg.StatusWait, ReportAll: f.cfg.Restore == reportAll,
			Precision: f.source.Precision(), Scratch: f.files, Log: f.log,
		},
	})
	f.monitor.show(f.cfg, f.set)                           // the sites may be others
	f.monitor.daemon.Follows(f.line, f.source.Beside(nil)) // it asks under another server id than the reader, so neither cuts the other off
	defer f.monitor.daemon.Rests()
	f.follows.Store(f)
	defer f.follows.Store(nil)
	g, parts := errgroup.WithContext(ctx)
	g.Go(func() error { return f.line.Run(parts) })
	g.Go(func() error { f.reloadOnHangup(parts); return nil })
	g.Go(func() error { return f.watchSites(parts) })
	g.Go(func() error { f.watchUnfit(parts, f.unfit); return nil })
	g.Go(func() error { f.tellStatus(parts); return nil })
	return g.Wait()
}

// watch has the tables read that rules want.
func (f *follower) watch(set *rules.Set) { f.source.Watch(watchOf(f.cfg, set)) }
