package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rowhook/api"
	"rowhook/config"
	"rowhook/console"
	"rowhook/retry"
	"rowhook/rules"
)

// monitor is what others may see of a daemon, from its start on.
type monitor struct {
	daemon  *api.Daemon
	metrics *console.Metrics
	page    *page
	stop    func()
	ended   chan struct{} // closed when nothing is served any more
}

// watchOver makes the metrics, and serves them where the configuration says so.
func watchOver(ctx context.Context, c *config.Config, log *slog.Logger) (m *monitor, err error) {
	m = &monitor{daemon: api.New(), ended: make(chan struct{})}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if m.metrics, err = console.NewMetrics(registry, m.daemon, version()); err != nil {
		return nil, err
	}
	if m.page, err = newPage(c, m, log); err != nil {
		return nil, err
	}
	ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(m.ended)
		var serving sync.WaitGroup
		serving.Go(func() { m.page.serve(ctx, log) })
		serving.Go(func() { keepLooking(ctx, m.daemon.LookAgain) })
		if c.Metrics.Listen != "" {
			serve(ctx, "metrics.listen", c.Metrics.Listen, console.Handler(m.daemon, registry), log)
		}
		serving.Wait()
	}()
	return m, nil
}

// show has it show these rules, and the sites that are known.
func (m *monitor) show(c *config.Config, set *rules.Set) {
	sites := sitesOf(c)
	m.daemon.Lacks(func() (lacks []api.Lack) {
		for _, r := range set.Rules {
			lacks = append(lacks, api.LacksOf(r, sites)...)
		}
		return lacks
	})
	m.page.show(c, set)
}

// looksEvery is how often it is looked again whether rules lack something.
const looksEvery = 30 * time.Second

// keepLooking looks now and again until ctx ends.
func keepLooking(ctx context.Context, look func()) {
	for retry.Pause(ctx, looksEvery) == nil {
		look()
	}
}

// serve answers on an address, and tries again while that cannot be had: deliveries go on without it.
func serve(ctx context.Context, key, address string, h http.Handler, log *slog.Logger) {
	var trouble retry.Trouble
	for ctx.Err() == nil {
		err := console.Serve(ctx, address, h)
		if ctx.Err() != nil {
			return
		}
		if trouble.Worth(err) {
			log.Error("nothing is served at an address of the configuration; trying again, and deliveries go on", slog.String("key", key), slog.Any("error", err),
				slog.Time("since", trouble.Since()), slog.String("fix", "see who listens there already: ss -ltnp; or choose another port in "+key))
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
