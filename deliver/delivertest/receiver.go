// Package delivertest is a webhook receiver for tests: real HTTP on loopback, that can be told to fail in every way a
// receiver fails, and that remembers every request.
package delivertest

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"rowhook/freeport"
)

// Request is one request as it arrived.
type Request struct {
	At     time.Time // when its body was read
	Path   string
	Header http.Header
	Body   []byte
	Status int // what it was answered with; 0: nothing
}

// ID is the webhook-id.
func (r Request) ID() string { return r.Header.Get("webhook-id") }

// Answer is what the receiver does with a request. The zero value answers 200.
type Answer struct {
	Status int           // 0: 200
	Header http.Header   // of the answer
	Body   string        // of the answer
	Delay  time.Duration // before answering
	Never  bool          // keeps silent until the client gives up
	Cut    bool          // cuts the connection instead of answering
	CutIn  bool          // cuts it in the middle of the answer's body
}

// Receiver is an HTTP server on a port of its own. Its methods may be called from many goroutines.
type Receiver struct {
	tb      testing.TB
	address string

	mu      sync.Mutex
	server  *http.Server // nil while it is closed
	decide  func(Request) Answer
	script  []Answer // for the next requests, before decide
	got     []Request
	changed chan struct{} // closed, and made anew, with each request
	serving sync.WaitGroup
}

// NewReceiver starts a receiver that answers 200. It is closed at the end of the test.
func NewReceiver(tb testing.TB) *Receiver {
	tb.Helper()
	r := &Receiver{tb: tb, changed: make(chan struct{})}
	r.Open()
	tb.Cleanup(r.Close)
	return r
}

// URL is where it listens, with a path.
func (r *Receiver) URL() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return "http://" + r.address + "/hook"
}

// Open listens on the same port as before, after Close.
func (r *Receiver) Open() {
	r.tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server != nil {
		return
	}
	listener, err := listen(r.tb.Context(), r.address)
	if err != nil {
		r.tb.Fatalf("opening the receiver: %v", err)
	}
	r.address = listener.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: time.Minute}
	r.server = server
	r.serving.Go(func() { _ = server.Serve(listener) }) // ends with Close
}

// listen listens at an address; empty: at one of its choice.
func listen(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		return freeport.Listen()
	}
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", address)
}

// Close refuses connections from now on and cuts those that are open.
func (r *Receiver) Close() {
	r.mu.Lock()
	server := r.server
	r.server = nil
	r.mu.Unlock()
	if server != nil {
		_ = server.Close()
		r.serving.Wait()
	}
}

// Answer sets what all further requests are answered with.
func (r *Receiver) Answer(a Answer) { r.Decide(func(Request) Answer { return a }) }

// Decide sets a function that answers each request. It is called by one request at a time.
func (r *Receiver) Decide(decide func(Request) Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decide = decide
}

// Script sets the answers to the next requests; after them it is as before.
func (r *Receiver) Script(answers ...Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = slices.Clone(answers)
}

// Requests are all requests so far, in the order of their arrival.
func (r *Receiver) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// Accepted are the requests that were answered with a 2xx status.
func (r *Receiver) Accepted() []Request {
	return slices.DeleteFunc(r.Requests(), func(q Request) bool { return q.Status/100 != 2 })
}

// Wait waits until cond is true of the requests so far, and returns them. The test fails when ctx ends before.
func (r *Receiver) Wait(ctx context.Context, what string, cond func([]Request) bool) []Request {
	r.tb.Helper()
	for {
		r.mu.Lock()
		got, changed := slices.Clip(r.got), r.changed
		r.mu.Unlock()
		if cond(got) {
			return got
		}
		select {
		case <-ctx.Done():
			r.tb.Fatalf("waited in vain for %s; %d requests came", what, len(got))
		case <-changed:
		}
	}
}

// WaitRequests waits until there were n requests.
func (r *Receiver) WaitRequests(ctx context.Context, n int) []Request {
	r.tb.Helper()
	return r.Wait(ctx, strconv.Itoa(n)+" requests", func(got []Request) bool { return len(got) >= n })
}

// WaitAccepted waits until n different deliveries were accepted.
func (r *Receiver) WaitAccepted(ctx context.Context, n int) []Request {
	r.tb.Helper()
	ids, looked := make(map[string]bool, n), 0
	return r.Wait(ctx, strconv.Itoa(n)+" accepted deliveries", func(got []Request) bool {
		for ; looked < len(got); looked++ {
			if got[looked].Status/100 == 2 {
				ids[got[looked].ID()] = true
			}
		}
		return len(ids) >= n
	})
}

// serve records a request and answers it as told.
func (r *Receiver) serve(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	a := r.record(Request{At: time.Now(), Path: q.URL.Path, Header: q.Header, Body: body})
	if a.Never || a.Delay > 0 {
		var late <-chan time.Time
		if !a.Never {
			late = time.After(a.Delay)
		}
		select {
		case <-q.Context().Done():
			return
		case <-late:
		}
	}
	if a.Cut {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), a.Header)
	if a.CutIn {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)+1))
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body) // the client may be gone
	if a.CutIn {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// record remembers a request and decides its answer.
func (r *Receiver) record(q Request) Answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	var a Answer
	switch {
	case len(r.script) > 0:
		a = r.script[0]
		r.script = r.script[1:]
	case r.decide != nil:
		a = r.decide(q)
	}
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	if q.Status = a.Status; a.Never || a.Cut {
		q.Status = 0
	}
	r.got = append(r.got, q)
	close(r.changed)
	r.changed = make(chan struct{})
	return a
}
