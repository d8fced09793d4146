package main

import (
	"context"
	"net/http"
	"slices"

	"rowhook/api/control"
	"rowhook/lasting"
)

// answers has commands answered from now on. What it returns does so until ctx ends.
func (h *holder) answers() (until func(ctx context.Context)) {
	if h.front != nil {
		return h.answerMachines
	}
	socket, err := control.Listen(h.cfg.StateDir)
	return func(ctx context.Context) { h.serveCommands(ctx, socket, err, control.Handler(h.routes()...)) }
}

// routes are all that commands ask for.
func (h *holder) routes() []control.Route {
	return slices.Concat(h.orderRoutes(), h.monitor.page.routes(h.worker), h.tellRoutes())
}

// orderRoutes are those that take who holds the outbox.
func (h *holder) orderRoutes() []control.Route {
	return slices.Concat(control.Orders(h.worker), h.backfillRoutes(), h.siteRoutes())
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
		d.wrong.Found(wrongCommands, lasting.Wrong{About: "commands", Text: "commands such as rowhook deliveries retry do not reach this daemon; deliveries go on", Found: err.Error(),
			Fix: "see who may write to " + d.cfg.StateDir + ", and restart rowhook", NeedsYou: true})
	}
}
