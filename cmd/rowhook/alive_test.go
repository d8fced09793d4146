package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/pipeline"
)

// partsOf are the parts of a process that shares an outbox, as a test wants them.
type partsOf struct {
	server error // why the outbox's server does not answer
	loop   error // why the loop that reads does not
}

func (p partsOf) Counts(context.Context) ([]outbox.Count, error) { return nil, p.server }
func (p partsOf) Totals(context.Context) (t outbox.Totals, err error) {
	return t, p.server
}
func (p partsOf) Size(context.Context) (int64, error)             { return 0, p.server }
func (p partsOf) Machines(context.Context) ([]api.Machine, error) { return nil, p.server }
func (p partsOf) Endpoints(context.Context, string) (s deliver.Status, err error) {
	return s, p.server
}
func (p partsOf) Holder(context.Context) (s api.Status, err error) { return s, p.server }
func (p partsOf) Status(ctx context.Context, _ time.Duration) (s pipeline.Status, err error) {
	if errors.Is(p.loop, context.DeadlineExceeded) { // it is stuck
		<-ctx.Done()
		return s, ctx.Err()
	}
	return s, p.loop
}
func (p partsOf) Sites(context.Context) ([]pipeline.SiteStatus, error) { return nil, p.loop }

// TestAliveOfMachines: of machines that share an outbox, one whose parts are stuck is not alive, so that systemd starts it again; one whose
// outbox is away is, and one that is between two parts.
func TestAliveOfMachines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begin func(d *api.Daemon)
		alive bool
	}{
		"standing by": {(*api.Daemon).StandsBy, true},
		"member":      {func(d *api.Daemon) { d.Joins(partsOf{}, partsOf{}) }, true},
		"member, and the server is away": {func(d *api.Daemon) {
			away := partsOf{server: errors.New("connection refused")}
			d.Joins(away, away)
		}, true},
		"the reader is stuck": {func(d *api.Daemon) {
			d.Holds(partsOf{}, partsOf{})
			d.Follows(partsOf{loop: context.DeadlineExceeded}, nil)
		}, false},
		"the reader has ended": {func(d *api.Daemon) {
			d.Holds(partsOf{}, partsOf{})
			d.Follows(partsOf{loop: pipeline.ErrEnded}, nil)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &machine{daemon: &daemon{monitor: &monitor{daemon: api.New()}}}
			c.begin(a.monitor.daemon)
			ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer stop()
			if err := a.alive(ctx); (err == nil) != c.alive {
				t.Errorf("alive: %v", err)
			}
		})
	}
}
