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

	"rowhook/api"
	"rowhook/api/control"
	"rowhook/outbox"
	"rowhook/outbox/mysql"
	"rowhook/pipeline"
	"rowhook/retry"
)

// Machines that share an outbox all deliver, each to its share of the endpoints. One of them holds the outbox: it follows the log, and
// does what commands want. The others are members. When the one that holds it is gone, a member takes its place.

// errWanted says that a machine has come that may follow the log, which this one may not.
var errWanted = errors.New("a machine that follows the log has come")

// machine is this process as one of those that share an outbox.
type machine struct {
	*daemon
	front  front          // where commands are answered
	beside sync.WaitGroup // members that end, and who answers commands
	was    *mysql.Member  // what this process is, or was last, while another one holds the outbox; nil: nothing yet
	former string         // under which name this process held it last; "": it did not
}

// share works on an outbox that machines share, until ctx ends.
func (a *machine) share(ctx context.Context) error {
	if err := os.MkdirAll(a.cfg.StateDir, 0o700); err != nil { // for the socket and scratch files
		return fmt.Errorf("making state_dir: %w", err)
	}
	a.manager.Ready("joining the machines that share the outbox in " + outboxOf(a.cfg).String()) // which is no start that fails, however long it takes
	defer a.manager.Watch(context.WithoutCancel(ctx), a.alive)()
	defer a.beside.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	socket, err := control.Listen(a.cfg.StateDir)
	a.beside.Go(func() { a.serveCommands(ctx, socket, err, &a.front) })
	for {
		a.between()
		store, err := a.takePart(ctx)
		if err != nil {
			return err
		}
		if store.shared == nil {
			continue // it was lost, and there is another one
		}
		a.former = store.shared.Name()
		err = a.hold(ctx, store, &a.front)
		switch {
		case ctx.Err() != nil:
			return err
		case errors.Is(err, outbox.ErrFenced):
			a.log.Warn("another rowhook holds the outbox now; this one goes on delivering its share", slog.String("outbox", outboxOf(a.cfg).String()), slog.Any("reason", err))
		case errors.Is(err, errBeginning) && mayPass(err):
			a.log.Warn("this machine cannot hold the outbox for now; it joins the others again", slog.Any("error", err))
			if err := retry.Pause(ctx, a.cfg.Outbox.MySQL.Lease/5); err != nil {
				return err
			}
		case !errors.Is(err, errWanted):
			return err
		}
	}
}

// alive says whether the parts of this process answer, whichever those are now. What the outbox's server does is no matter: it comes
// back, and a restart does not help.
func (a *machine) alive(ctx context.Context) error {
	_, err := a.monitor.daemon.Status(ctx)
	if errors.Is(err, api.ErrAway) || errors.Is(err, pipeline.ErrEnded) { // or a part has just ended, and another one begins
		return nil
	}
	return err
}

// between is for when this process has no part in the outbox: what it had is about to be closed.
func (a *machine) between() {
	a.monitor.daemon.StandsBy()
	a.front.show(control.HandlerOr(control.Refuse(errJoining), a.tellRoutes()...))
}

// errJoining is what commands are answered between two parts.
var errJoining = errors.New("rowhook is about to join the machines that share the outbox, or its server does not answer; try again")

// takePart delivers a share of the outbox until it is this process's turn to hold it, and takes it. The tenure is empty when the share was
// lost before.
func (a *machine) takePart(ctx context.Context) (tenure, error) {
	var waiting retry.Trouble
	for {
		m, err := a.join(ctx)
		if errors.Is(err, outbox.ErrNotExist) && !a.cfg.Deliver.Only { // the first one makes the schema
			var store tenure
			if store, err = outboxOf(a.cfg).hold(ctx, a.set, a.log); err == nil {
				return store, nil
			}
		}
		switch {
		case err == nil:
			return a.deliverShare(ctx, m)
		case ctx.Err() != nil:
			return tenure{}, ctx.Err()
		case !mayPass(err):
			return tenure{}, err
		}
		if waiting.Worth(err) {
			a.log.Warn("rowhook cannot join the machines that share the outbox; it waits, and goes on by itself", slog.String("outbox", outboxOf(a.cfg).String()), slog.Any("error", err))
		}
		if err := retry.Pause(ctx, min(waiting.Wait(), a.cfg.Outbox.MySQL.Lease/5)); err != nil {
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
func (a *machine) join(ctx context.Context) (*mysql.Member, error) {
	server := sharedOutbox{a.cfg}.serverAs(a.set)
	server.Former, server.Beside = a.former, a.was
	m, err := mysql.Join(ctx, server, server.Who, a.log)
	if err == nil {
		a.was = m
	}
	return m, err
}

// answerMachines has commands answered by this process, also those that are asked of other machines, until ctx ends.
func (h *holder) answerMachines(ctx context.Context) {
	h.tenure.shared.Answer(func(ctx context.Context, request []byte) []byte {
		return control.Answer(ctx, control.Handler(append(h.orderRoutes(), control.HowItDoes(h.monitor.daemon.Whole), endpointsRoute(h.worker), settingRoute(h.store))...), request)
	})
	h.front.show(control.Handler(h.routes()...))
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
