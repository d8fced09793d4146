package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"rowhook/api/control"
	"rowhook/pipeline"
)

// errNotYet is what is answered to commands that need the log to be followed.
var errNotYet = errors.New("the daemon does not follow the database yet; rowhook status says why")

// following is the pipeline while the log is followed.
func (d *daemon) following() (*pipeline.Pipeline, error) {
	if line := d.line.Load(); line != nil {
		return line, nil
	}
	return nil, control.NotYet(errNotYet)
}

// answers has commands answered from now on. What it returns does so until ctx ends.
func (d *daemon) answers() (until func(ctx context.Context)) {
	if d.shares != nil {
		return d.answerMachines
	}
	socket, err := control.Listen(d.cfg.StateDir)
	return func(ctx context.Context) { d.serveCommands(ctx, socket, err, control.Handler(d.routes()...)) }
}

// routes are all that commands ask for.
func (d *daemon) routes() []control.Route {
	return slices.Concat(d.orderRoutes(), d.monitor.page.routes(d.worker), d.tellRoutes())
}

// orderRoutes are those that take who holds the outbox.
func (d *daemon) orderRoutes() []control.Route {
	return slices.Concat(control.Orders(d.worker), d.backfillRoutes(), d.siteRoutes())
}

// tellRoutes are those that tell how all does.
func (d *daemon) tellRoutes() []control.Route {
	return []control.Route{control.HowItDoes(d.monitor.daemon.Whole), control.Endpoints(d.monitor.daemon.Endpoints)}
}

// serveCommands answers commands until ctx ends. Deliveries go on without it.
func (d *daemon) serveCommands(ctx context.Context, socket *control.Socket, err error, h http.Handler) {
	if err == nil {
		err = socket.Serve(ctx, h)
	}
	if err != nil {
		d.log.Error("commands such as rowhook deliveries retry do not reach this daemon; deliveries go on", slog.Any("error", err),
			slog.String("fix", "see who may write to "+d.cfg.StateDir+", and restart rowhook"))
	}
}
