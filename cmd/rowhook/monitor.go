package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rowhook/api"
	"rowhook/config"
	"rowhook/console"
	"rowhook/outbox"
	"rowhook/retry"
)

// monitor is what others may see of a daemon, from its start on.
type monitor struct {
	daemon  *api.Daemon
	metrics *console.Metrics
	stop    func()
	ended   chan struct{} // closed when nothing is served any more
}

// watchOver makes the metrics, and serves them where the configuration says so.
func watchOver(ctx context.Context, c *config.Config, store outbox.Store, log *slog.Logger) (m *monitor, err error) {
	m = &monitor{daemon: api.New(store), ended: make(chan struct{})}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if m.metrics, err = console.NewMetrics(registry, m.daemon, version()); err != nil {
		return nil, err
	}
	ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(m.ended)
		if c.Metrics.Listen != "" {
			serve(ctx, c.Metrics.Listen, console.Handler(m.daemon, registry), log)
		}
	}()
	return m, nil
}

// serve answers on an address, and tries again while that cannot be had: deliveries go on without it.
func serve(ctx context.Context, address string, h http.Handler, log *slog.Logger) {
	var trouble retry.Trouble
	for ctx.Err() == nil {
		err := console.Serve(ctx, address, h)
		if ctx.Err() != nil {
			return
		}
		if trouble.Worth(err) {
			log.Error("nothing is served at the address of metrics.listen; trying again, and deliveries go on", slog.Any("error", err),
				slog.Time("since", trouble.Since()), slog.String("fix", "see who listens there already: ss -ltnp; or choose another port in metrics.listen"))
		}
		if retry.Pause(ctx, max(trouble.Wait(), time.Second)) != nil {
			return
		}
	}
}

// close ends serving and waits for it.
func (m *monitor) close() {
	m.stop()
	<-m.ended
}
