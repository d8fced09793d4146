// Package console shows what the daemon does: metrics for Prometheus, and whether it is healthy and ready for whoever
// watches over it. All of it are views of package api.
package console

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rowhook/api"
)

// maxScrapes bounds how many scrapes are answered at once.
const maxScrapes = 4

// Handler answers /metrics with what is registered, /healthz and /readyz.
func Handler(d *api.Daemon, metrics prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}))
	mux.Handle("GET /healthz", healthy(d))
	mux.Handle("GET /readyz", ready(d))
	return mux
}

// Serve answers on an address, host:port, until ctx ends. It returns an error when that address cannot be had.
func Serve(ctx context.Context, address string, h http.Handler) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answering on %s: %w", address, err)
	}
	return nil
}
