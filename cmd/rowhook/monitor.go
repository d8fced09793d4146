package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rowhook/api"
	"rowhook/config"
	"rowhook/console"
	"rowhook/retry"
)

// monitor is what others may see of a daemon, from its start on. It reads the outbox on a handle of its own.
type monitor struct {
	daemon  *api.Daemon
	metrics *console.Metrics
	log     storedLog
	stop    func()
	ended   chan struct{} // closed when nothing is served any more
}

// watchOver makes the metrics, and serves them where the configuration says so.
func watchOver(ctx context.Context, c *config.Config, log *slog.Logger) (*monitor, error) {
	stored, err := openLog(ctx, c)
	if err != nil {
		return nil, err
	}
	m := &monitor{daemon: api.New(stored), log: stored, ended: make(chan struct{})}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if m.metrics, err = console.NewMetrics(registry, m.daemon, version()); err != nil {
		return nil, errors.Join(err, stored.Close())
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
func (m *monitor) close() error {
	m.stop()
	<-m.ended
	return m.log.Close()
}
