package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"rowhook/api/control"
	"rowhook/config"
	"rowhook/outbox"
	"rowhook/outbox/mysql"
	"rowhook/retry"
)

// Machines that share an outbox all deliver, each to its share of the endpoints. One of them holds the outbox: it follows the log, and
// does what commands want. The others are members. When the one that holds it is gone, a member takes its place.

// errWanted says that a machine has come that may follow the log, which this one may not.
var errWanted = errors.New("a machine that follows the log has come")

// share works on an outbox that machines share, until ctx ends.
func (d *daemon) share(ctx context.Context) error {
	if err := os.MkdirAll(d.cfg.StateDir, 0o700); err != nil { // for the socket and scratch files
		return fmt.Errorf("making state_dir: %w", err)
	}
	d.manager.Ready("joining the machines that share the outbox in " + outboxOf(d.cfg).String()) // which is no start that fails, however long it takes
	defer d.manager.Watch(context.WithoutCancel(ctx), func(context.Context) error { return nil })()
	var beside sync.WaitGroup
	defer beside.Wait() // members that end, and who answers commands
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	socket, err := control.Listen(d.cfg.StateDir)
	beside.Go(func() { d.serveCommands(ctx, socket, err, &d.front) })
	for {
		d.between()
		store, err := d.takePart(ctx, &beside)
		if err != nil {
			return err
		}
		if store.shared == nil {
			continue // it was lost, and there is another one
		}
		err = d.hold(ctx, store)
		switch {
		case ctx.Err() != nil:
			return err
		case errors.Is(err, outbox.ErrFenced):
			d.log.Warn("another rowhook holds the outbox now; this one goes on delivering its share", slog.String("outbox", outboxOf(d.cfg).String()), slog.Any("reason", err))
		case errors.Is(err, errBeginning) && mayPass(err):
			d.log.Warn("this machine cannot hold the outbox for now; it joins the others again", slog.Any("error", err))
			if err := retry.Pause(ctx, d.cfg.Outbox.MySQL.Lease/5); err != nil {
				return err
			}
		case !errors.Is(err, errWanted):
			return err
		}
	}
}

// between is for when this process has no part in the outbox: what it had is about to be closed.
func (d *daemon) between() {
	d.monitor.daemon.StandsBy()
	d.front.show(control.HandlerOr(control.Refuse(errJoining), d.tellRoutes()...))
}

// errJoining is what commands are answered between two parts.
var errJoining = errors.New("rowhook is about to join the machines that share the outbox, or its server does not answer; try again")

// takePart delivers a share of the outbox until it is this process's turn to hold it, and takes it. The tenure is empty when the share was
// lost before.
func (d *daemon) takePart(ctx context.Context, beside *sync.WaitGroup) (tenure, error) {
	var waiting retry.Trouble
	for {
		m, err := d.join(ctx)
		if errors.Is(err, outbox.ErrNotExist) && !d.cfg.Deliver.Only { // the first one makes the schema
			var store tenure
			if store, err = outboxOf(d.cfg).hold(ctx, d.set, d.log); err == nil {
				return store, nil
			}
		}
		switch {
		case err == nil:
			return d.deliverShare(ctx, m, beside)
		case ctx.Err() != nil:
			return tenure{}, ctx.Err()
		case !mayPass(err):
			return tenure{}, err
		}
		if waiting.Worth(err) {
			d.log.Warn("rowhook cannot join the machines that share the outbox; it waits, and goes on by itself", slog.String("outbox", outboxOf(d.cfg).String()), slog.Any("error", err))
		}
		if err := retry.Pause(ctx, min(waiting.Wait(), d.cfg.Outbox.MySQL.Lease/5)); err != nil {
			return tenure{}, err
		}
	}
}

// mayPass tells whether what could not be done may be possible a moment later: another machine was quicker, there is no outbox yet, or
// its server does not answer, or not in time.
func mayPass(err error) bool {
	for _, passes := range []error{outbox.ErrLocked, outbox.ErrNotExist, outbox.ErrFenced} {
		if errors.Is(err, passes) {
			return true
		}
	}
	return mysql.Passes(err)
}

// join makes this process a member.
func (d *daemon) join(ctx context.Context) (*mysql.Member, error) {
	server := sharedOutbox{d.cfg}.serverAs(d.set)
	return mysql.Join(ctx, server, server.Who, d.log)
}

// handoverOf is what requests on their way get when their endpoint is to be another process's.
func handoverOf(c *config.Config) time.Duration { return c.Outbox.MySQL.Lease * 2 / 5 }

// rest is what a machine does that holds the outbox but is not to follow the log, until one comes that is.
func (d *daemon) rest(ctx context.Context) error {
	d.monitor.daemon.FollowsNot()
	d.log.Warn("no machine follows the log, for all have deliver: only; this one holds the outbox until another one comes",
		slog.String("fix", "start rowhook on a machine without deliver: only"))
	d.manager.Status("delivering; no machine follows the log")
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.shares.Wanted():
			d.log.Info("a machine has come that may follow the log; it holds the outbox now")
			return errWanted
		case <-d.hangups:
			d.hangup(ctx, nil)
		}
	}
}

// answerMachines has commands answered by this process, also those that are asked of other machines, until ctx ends.
func (d *daemon) answerMachines(ctx context.Context) {
	worker, store := d.worker, d.store
	d.shares.Answer(func(ctx context.Context, request []byte) []byte {
		return control.Answer(ctx, control.Handler(append(d.orderRoutes(), control.HowItDoes(d.monitor.daemon.Whole), endpointsRoute(worker), settingRoute(store))...), request)
	})
	d.front.show(control.Handler(d.routes()...))
	<-ctx.Done()
}

// front answers commands by whoever does so at the moment.
type front struct{ now atomic.Pointer[http.Handler] }

func (f *front) show(h http.Handler) { f.now.Store(&h) }

func (f *front) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	h := control.Refuse(errJoining)
	if now := f.now.Load(); now != nil {
		h = *now
	}
	h.ServeHTTP(w, q)
}
