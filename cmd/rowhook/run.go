package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rowhook/config"
	"rowhook/connect"
	"rowhook/deliver"
	"rowhook/lasting"
	"rowhook/rules"
	"rowhook/scratch"
	"rowhook/systemd"
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

// awayError is files that cannot be read: no wrong configuration, after which the service is not started again, for their disk may
// come later.
type awayError struct{ said string }

func (e *awayError) Error() string { return e.said }

// unready is why the daemon cannot start with its files.
func unready(err error) error {
	if config.Away(err) {
		return &awayError{err.Error()}
	}
	return err
}

func runDaemon(ctx context.Context, file string, stderr io.Writer) error {
	hangups := catchSignals()
	c, err := config.Load(file)
	if err != nil {
		return unready(err)
	}
	set, err := readRules(c, file)
	if err != nil {
		return unready(err)
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

// daemon is the process, from its start to its end: what does not change with who holds the outbox, and which log is followed. What it is
// meanwhile has its own type: holder, member, follower.
type daemon struct {
	cfg     *config.Config
	file    string // where cfg was read
	log     *slog.Logger
	files   scratch.Files   // for what large transactions hold
	server  *connect.Server // that of the sites
	set     *rules.Set
	finder  *finder  // nil: the configuration lists all sites
	monitor *monitor // what others may ask of it
	wrong   *lasting.Board
	memory  memoryLimit

	manager *systemd.Notifier
	hangups <-chan os.Signal // each asks to read the rules again
}

func newDaemon(c *config.Config, file string, logTo io.Writer) *daemon {
	log := newLogger(c.Log, logTo)
	d := &daemon{cfg: c, file: file, log: log, files: scratch.In(c.StateDir), server: serverOf(c.Database), manager: systemd.New(log), wrong: lasting.New(log, time.Now)}
	if c.Discover {
		d.finder = newFinder(c)
	}
	return d
}

// run works until ctx ends, which is no error, however far it got.
func (d *daemon) run(ctx context.Context, set *rules.Set) (err error) {
	d.set = set
	d.warnExposed()
	if d.monitor, err = watchOver(ctx, d.cfg, d.log); err != nil {
		return fmt.Errorf("showing what is done: %w", err)
	}
	defer d.monitor.close()
	d.monitor.daemon.Wrong(d.wrong.List)
	telling, stop := context.WithCancel(ctx)
	var tells sync.WaitGroup
	defer tells.Wait()
	defer stop()
	tells.Go(func() { d.wrong.Run(telling) })
	tells.Go(func() { d.keepTelling(telling) })
	unwatched := context.AfterFunc(ctx, d.manager.Stopping)
	defer unwatched()
	if d.cfg.Outbox.MySQL.Used() {
		return d.ended(ctx, (&machine{daemon: d}).share(ctx))
	}
	store, err := outboxOf(d.cfg).hold(ctx, d.set, d.log)
	if err == nil {
		err = d.hold(ctx, store, nil)
	}
	return d.ended(ctx, err)
}

// ended is why the daemon ended, nil when it was told to.
func (d *daemon) ended(ctx context.Context, err error) error {
	if err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
		return err
	}
	d.log.Info("stopped; the next start goes on from here")
	return nil
}

// deliverOptions are those of who delivers all there is.
func (d *daemon) deliverOptions() deliver.Options {
	return deliver.Options{
		Concurrency: d.cfg.Deliver.Concurrency, Timeout: d.cfg.Deliver.Timeout, MaxAge: d.cfg.Deliver.MaxAge,
		Limits: limitsOf(d.cfg.Deliver.Endpoints), PublicOnly: d.cfg.Egress == "public",
		UserAgent: "rowhook/" + version(), Log: d.log,
	}
}

// handover is what requests on their way get when their endpoint is to be another process's.
func (d *daemon) handover() time.Duration { return d.cfg.Outbox.MySQL.Lease * 2 / 5 }
