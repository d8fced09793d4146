package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/config"
	"rowhook/connect"
	"rowhook/deliver"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/outbox/mysql"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/retry"
	"rowhook/rules"
	"rowhook/rules/events"
	"rowhook/scratch"
	"rowhook/systemd"
	"rowhook/trouble"
)

// runCommand is `rowhook run`: the daemon.
func (t *tree) runCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "run", Short: "follow the database and deliver webhooks",
		Long: "Follows the database and delivers webhooks until it is told to stop. SIGTERM stops it in order, SIGHUP has it read the\n" +
			"configuration and the rules again.",
		Example: "  rowhook run --config /etc/rowhook/config.yaml",
	}
	return does(c, 0, 0, func(ctx context.Context, _ []string, _, stderr io.Writer) error {
		return runDaemon(ctx, t.config, stderr)
	})
}

func runDaemon(ctx context.Context, file string, stderr io.Writer) error {
	hangups := catchSignals()
	c, err := config.Load(file)
	if err != nil {
		return err
	}
	set, err := readRules(c, file)
	if err != nil {
		return err
	}
	if err := becomeOwner(c.StateDir); err != nil {
		return err
	}
	d := newDaemon(c, file, stderr)
	d.hangups = hangups
	var tending sync.WaitGroup
	defer tending.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	tending.Go(func() { d.memory.keep(ctx) })
	return d.run(ctx, set)
}

// catchSignals keeps the signals that are no order to stop from ending the process: at any time, from before the
// configuration is read until the process ends by itself. It returns those that ask to read the rules again; one is kept
// until somebody looks.
func catchSignals() <-chan os.Signal {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // who reads the log went away: deliveries go on
	return hangups
}

// daemon wires the stages together and ends them in their order.
type daemon struct {
	cfg     *config.Config
	file    string // where cfg was read
	log     *slog.Logger
	files   scratch.Files // for what large transactions hold
	server  *connect.Server
	store   outbox.Store
	mayPost func() bool  // whether the outbox is still ours; nil: always
	shares  *mysql.Store // the outbox, where machines share it; nil: nobody does
	front   front        // where commands are answered then
	source  *cdc.Source  // the server whose log is followed
	worker  *deliver.Worker
	line    atomic.Pointer[pipeline.Pipeline] // nil: no log is followed
	set     *rules.Set
	finder  *finder  // nil: the configuration lists all sites
	monitor *monitor // what others may ask of it
	memory  memoryLimit
	teller  *trouble.Teller
	unfit   []cdc.Finding // of sites whose tables were not as they must be when it started

	manager *systemd.Notifier
	hangups <-chan os.Signal // each asks to read the rules again
}

func newDaemon(c *config.Config, file string, logTo io.Writer) *daemon {
	log := newLogger(c.Log, logTo)
	d := &daemon{cfg: c, file: file, log: log, files: scratch.In(c.StateDir), manager: systemd.New(log)}
	if c.Discover {
		d.finder = newFinder(c)
	}
	return d
}

// run works until ctx ends, which is no error, however far it got.
func (d *daemon) run(ctx context.Context, set *rules.Set) (err error) {
	d.set = set
	d.warnExposed(set)
	if d.monitor, err = watchOver(ctx, d.cfg, d.log); err != nil {
		return fmt.Errorf("showing what is done: %w", err)
	}
	defer d.monitor.close()
	unwatched := context.AfterFunc(ctx, d.manager.Stopping)
	defer unwatched()
	if d.cfg.Outbox.MySQL.Used() {
		return d.ended(ctx, d.share(ctx))
	}
	store, err := outboxOf(d.cfg).hold(ctx, d.set, d.log)
	if err == nil {
		err = d.hold(ctx, store)
	}
	return d.ended(ctx, err)
}

// hold works for as long as the outbox is this process's. The error wraps outbox.ErrFenced when it is another's.
func (d *daemon) hold(ctx context.Context, store tenure) (err error) {
	defer func() { err = errors.Join(err, store.Close()) }()
	d.monitor.daemon.Holds(store.Store, store.peers())
	defer d.monitor.daemon.Holds(nil, nil)
	if err := d.tellRules(ctx, store, d.set); err != nil {
		return fmt.Errorf("%w: %w", errBeginning, err)
	}
	d.mayPost, d.shares = store.held, store.shared
	defer func() { d.shares = nil }()
	d.store = d.monitor.metrics.Timed(store.Store)
	d.manager.Ready("connecting to the database at " + d.cfg.Database.Address) // however long that takes
	if d.shares == nil {
		defer d.manager.Watch(context.WithoutCancel(ctx), d.alive)()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer stop()
		return d.work(ctx)
	})
	g.Go(func() error {
		select {
		case <-store.lost:
			return outbox.ErrFenced
		case <-ctx.Done():
			return nil
		}
	})
	return g.Wait()
}

// errBeginning says that the outbox could not be read before anything was done with it.
var errBeginning = errors.New("reading the outbox")

// ended is why the daemon ended, nil when it was told to.
func (d *daemon) ended(ctx context.Context, err error) error {
	if err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
		return err
	}
	d.log.Info("stopped; the next start goes on from here")
	return nil
}

// work delivers what lies in the outbox and follows the log, until ctx ends or a part fails. What delivers, tells and answers is there
// while the database is away, too. At the end the log is left first, and what was read stored; the worker goes on until then, and
// finishes the requests that are on their way.
func (d *daemon) work(ctx context.Context) error {
	d.source = nil // one that was followed before, where machines share an outbox, knows nothing of today
	id, err := identify(ctx, d.store)
	if err != nil {
		return fmt.Errorf("%w: %w", errBeginning, err)
	}
	if d.worker, err = deliver.New(d.store, endpointsOf(d.cfg, d.set), d.deliverOptions()); err != nil {
		return err
	}
	for _, name := range unused(d.cfg.Deliver.Endpoints, d.set) {
		d.log.Warn("no rule posts to this endpoint of deliver.endpoints", slog.String("endpoint", name))
	}
	d.monitor.show(d.cfg, d.set)
	d.monitor.daemon.Delivers(d.worker)
	defer d.monitor.daemon.Delivers(nil)
	d.teller = trouble.New(whole{d.monitor.daemon}, d.store, d.worker, id.source, d.set, d.log)

	answer := d.answers() // first: who sees that it follows may give commands
	g, parts := errgroup.WithContext(ctx)
	delivering, stopDelivering := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDelivering()
	unfenced := context.AfterFunc(parts, func() {
		if errors.Is(context.Cause(parts), outbox.ErrFenced) { // another machine delivers now
			stopDelivering()
		}
	})
	defer unfenced()
	g.Go(func() error {
		defer stopDelivering()
		err := d.follow(parts, id)
		if err != nil && ctx.Err() == nil && !errors.Is(err, outbox.ErrFenced) && !errors.Is(err, errWanted) {
			d.teller.Stopped(ctx, err)
		}
		if d.shares != nil {
			d.leaves(ctx, d.shares)
		}
		return err
	})
	g.Go(func() error { d.teller.Run(parts); return nil })
	g.Go(func() error { return d.worker.Run(delivering) })
	g.Go(func() error { d.prune(parts); return nil })
	g.Go(func() error { answer(parts); return nil })
	g.Go(func() error { d.watchMachines(parts); return nil })
	return g.Wait()
}

// follow follows the log, until ctx ends or that cannot go on. It begins anew whenever there are other sites.
func (d *daemon) follow(ctx context.Context, id identity) error {
	if d.cfg.Deliver.Only {
		return d.rest(ctx)
	}
	for {
		if err := d.followSites(ctx, id); ctx.Err() != nil || !errors.Is(err, errSitesChanged) {
			return err
		}
	}
}

// followSites follows the log for the sites that there are.
func (d *daemon) followSites(ctx context.Context, id identity) (err error) {
	d.server = serverOf(d.cfg.Database)
	db := d.server.Pool()
	defer db.Close()
	source, err := d.connect(ctx, db, id.serverID)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	d.source = source
	line := pipeline.New(pipeline.Config{
		Source: source, Beside: catchUp(source), Watch: d.watch, SourceID: id.source, Outbox: d.store, Loader: loader.New(db, source, loader.Options{Plugin: d.cfg.Fidelity == plugin, MaxPayload: int(d.cfg.MaxPayload)}, d.log),
		Sites: sitesOf(d.cfg), Rules: d.set, Log: d.log,
		Options: events.Options{
			Plugin: d.cfg.Fidelity == plugin, Coalesce: d.cfg.Coalesce, CoalesceMax: d.cfg.CoalesceMax, StatusWait: d.cfg.StatusWait, ReportAll: d.cfg.Restore == reportAll,
			Precision: source.Precision(), Scratch: d.files, Log: d.log,
		},
	})
	d.monitor.show(d.cfg, d.set)                       // the sites may be others
	d.monitor.daemon.Follows(line, source.Beside(nil)) // it asks under another server id than the reader, so neither cuts the other off
	defer d.monitor.daemon.Rests()
	d.line.Store(line)
	defer d.line.Store(nil)
	g, parts := errgroup.WithContext(ctx)
	g.Go(func() error { return line.Run(parts) })
	g.Go(func() error { d.reloadOnHangup(parts, line); return nil })
	g.Go(func() error { return d.watchSites(parts, line, db) })
	g.Go(func() error { d.watchUnfit(parts, line, source, d.unfit); return nil })
	g.Go(func() error { d.tellStatus(parts, line); return nil })
	return g.Wait()
}

func (d *daemon) deliverOptions() deliver.Options {
	o := deliver.Options{
		Concurrency: d.cfg.Deliver.Concurrency, Timeout: d.cfg.Deliver.Timeout, MaxAge: d.cfg.Deliver.MaxAge,
		Limits: limitsOf(d.cfg.Deliver.Endpoints), PublicOnly: d.cfg.Egress == "public", MayPost: d.mayPost,
		UserAgent: "rowhook/" + version(), Log: d.log,
	}
	if d.shares != nil {
		o.Leases, o.Handover = d.shares, handoverOf(d.cfg)
	}
	return o
}

// errUnfit is a server that cannot be followed as it is set up.
var errUnfit = errors.New("cannot be followed")

// connect finds the server and looks whether it can be followed. It waits for a server that does not answer or is full,
// and for a password that is in a file, which somebody may be about to write: such things pass. What does not pass by
// itself ends the daemon: a server that is set up wrongly, and a login that is refused and stays what it is.
func (d *daemon) connect(ctx context.Context, db *sql.DB, serverID uint32) (*cdc.Source, error) {
	var trouble retry.Trouble
	began := time.Now()
	for {
		source, err := d.checked(ctx, d.set, db, serverID)
		if err == nil {
			if lasted, was := trouble.Over(); was {
				d.log.Info("the database answers", slog.Duration("after", lasted.Round(time.Second)))
			}
			return source, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, errUnfit) || connect.CauseOf(err) == connect.Denied && !d.cfg.Database.PasswordChanges() {
			return nil, err
		}
		wait := trouble.Wait()
		if trouble.Worth(err) {
			d.log.Warn("the database does not answer as it should, trying again", slog.Any("error", err), slog.Duration("in", wait),
				slog.Time("since", trouble.Since()), slog.String("fix", d.server.Advice(err)))
			d.manager.Status("waiting for the database: " + err.Error())
		}
		d.monitor.daemon.Hindered(&api.Hindrance{Since: began, Reason: printable.Line(err.Error()), Fix: printable.Line(d.server.Advice(err))})
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		case <-d.hangups:
			trouble = retry.Trouble{} // the person who sent it wants to hear whether it helped
			d.hangup(ctx, nil)
		}
	}
}

func (d *daemon) checked(ctx context.Context, set *rules.Set, db *sql.DB, serverID uint32) (*cdc.Source, error) {
	if d.finder != nil {
		if err := d.findSites(ctx, db, set); err != nil {
			return nil, err
		}
	}
	d.memory.sites.Store(int64(len(d.cfg.Sites)))
	cfg := sourceConfig(d.cfg, set, d.server, serverID, d.log)
	cfg.After = d.source
	if d.finder != nil {
		cfg.Created = d.finder.created
	}
	source, err := cdc.Open(ctx, db, cfg)
	if err != nil {
		return nil, err
	}
	findings, err := source.Preflight().Check(ctx)
	if err != nil {
		return nil, err
	}
	var faults []string
	d.unfit = nil
	for _, f := range findings {
		switch {
		case f.Warn:
			d.log.Warn("rowhook check warns of the database", slog.String("check", f.Check), slog.String("found", f.Found), slog.String("fix", f.Fix))
		case !f.OK && f.Schema != "": // watchUnfit says so
			d.unfit = append(d.unfit, f)
		case !f.OK:
			faults = append(faults, fmt.Sprintf("  %s: %s\n    fix it with:  %s", f.Check, printable.Line(f.Found), printable.Line(f.Fix)))
		}
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("the database at %s %w:\n%s", d.cfg.Database.Address, errUnfit, strings.Join(faults, "\n"))
	}
	d.tellKeys(ctx, source, set)
	return source, nil
}

// watch has the tables read that rules want.
func (d *daemon) watch(set *rules.Set) { d.source.Watch(watchOf(d.cfg, set)) }

// warnOptional says which tables of custom rules are not as they must be. Those rules wait.
func (d *daemon) warnOptional(ctx context.Context, tables []cdc.TableName) {
	findings, err := d.source.Preflight().CheckOptional(ctx, tables)
	if err != nil {
		return // the database is away, which its readers say
	}
	for _, f := range findings {
		d.log.Warn("rules wait for a table", slog.String("check", f.Check), slog.String("found", f.Found), slog.String("fix", f.Fix))
	}
}

// tellKeys says which rules name columns as keys that their tables do not have. Those rules wait as well.
func (d *daemon) tellKeys(ctx context.Context, source *cdc.Source, set *rules.Set) {
	for _, f := range checkKeys(ctx, source, d.cfg, set) {
		d.log.Error("a rule waits, for its key names a column that is not there", slog.String("rule", strings.TrimPrefix(f.Check, "rule ")),
			slog.String("found", f.Found), slog.String("fix", f.Fix+"; then send SIGHUP"))
	}
}

// pruneEvery is how often old deliveries are forgotten: a busy site stores some hundred megabytes meanwhile.
const pruneEvery = 5 * time.Minute

// prune forgets old deliveries, at the start and then now and again.
func (d *daemon) prune(ctx context.Context) {
	var told time.Time // that it is too large
	again := time.NewTicker(pruneEvery)
	defer again.Stop()
	var trouble retry.Trouble
	for ctx.Err() == nil {
		now, keep := time.Now(), d.cfg.Keep
		limits := outbox.Keep{Since: now.Add(-keep.Age), Bytes: int64(keep.Size)}
		if keep.Dead > 0 {
			limits.Dead = now.Add(-keep.Dead)
		}
		pruned, err := d.store.Prune(ctx, limits)
		if err == nil {
			trouble.Over()
		} else if ctx.Err() == nil && trouble.Worth(err) {
			d.log.Error("old deliveries cannot be removed from the outbox, which grows meanwhile; trying again", slog.Any("error", err),
				slog.Time("since", trouble.Since()), slog.String("fix", "see that the disk of "+d.cfg.StateDir+" has room, and who else has the outbox open"))
		}
		if over := err == nil && limits.Bytes > 0 && pruned.Bytes > limits.Bytes; over && now.Sub(told) >= time.Hour {
			told = now
			d.log.Warn("the outbox is larger than keep.size, and the rest of it may not go", slog.Int64("bytes", pruned.Bytes), slog.Int64("keep_size", limits.Bytes),
				slog.String("fix", "rowhook endpoints list shows what waits for whom; rowhook deliveries drop --state dead,held removes what nobody wants; or set keep.dead"))
		}
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}
