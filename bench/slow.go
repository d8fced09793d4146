package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// slowReceiver answers 200, at once or late.
type slowReceiver struct {
	server   *http.Server
	listener net.Listener
	late     atomic.Int64 // nanoseconds
	ended    chan error
}

// newSlowReceiver starts one; heard sees the body of each request when it is answered.
func newSlowReceiver(heard func(body []byte)) (*slowReceiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it lives until close
	if err != nil {
		return nil, err
	}
	r := &slowReceiver{listener: l, ended: make(chan error, 1)}
	r.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		if late := time.Duration(r.late.Load()); late > 0 {
			select {
			case <-time.After(late):
			case <-req.Context().Done(): // nobody waits for the answer any more
				return
			}
		}
		heard(body)
	})}
	go func() { r.ended <- r.server.Serve(l) }()
	return r, nil
}

func (r *slowReceiver) url() string { return "http://" + r.listener.Addr().String() + "/hook" }

// delay has it answer so late from the next request on.
func (r *slowReceiver) delay(d time.Duration) { r.late.Store(int64(d)) }

func (r *slowReceiver) close(ctx context.Context) error {
	err := r.server.Shutdown(context.WithoutCancel(ctx))
	if ended := <-r.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
