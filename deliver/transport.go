package deliver

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// idleTimeout is how long a connection is kept that nobody uses.
	idleTimeout = 90 * time.Second
	// writeBuffer holds all of an ordinary request, which so leaves in one piece.
	writeBuffer = 8 << 10
)

// transport makes requests over HTTP/1.1 connections that it dials through the egress guard and keeps while they are of
// use. The goroutine that wants an answer writes the request and reads the answer itself; net/http's Transport has two
// goroutines for each connection, which cost more than all else that a delivery needs. What goes over the wire is still
// written and parsed by net/http.
//
// It asks no proxy: the guard would see the proxy's address only, and the proxy would go where it may not.
type transport struct {
	dialer  net.Dialer
	tls     *tls.Config
	allowed func(size int64) time.Duration // for a request, from the dial to the end of the answer's body
	keep    int                            // idle connections to one address
	writers sync.Pool                      // of *bufio.Writer

	mu     sync.Mutex
	idle   map[origin][]*conn // the last one was used last
	sweeps bool               // sweeper runs, as there are idle connections

	sweeper *time.Timer
}

// origin is what a connection is made to.
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin { return origin{u.Scheme, u.Hostname(), port(u)} }

func newTransport(o Options) *transport {
	t := &transport{
		dialer: net.Dialer{KeepAlive: 30 * time.Second, Resolver: o.resolver, ControlContext: guard{o.PublicOnly}.control},
		tls: &tls.Config{
			NextProtos: []string{"http/1.1"}, ClientSessionCache: tls.NewLRUClientSessionCache(0), RootCAs: o.roots, MinVersion: tls.VersionTLS12,
		},
		allowed: o.allowed, keep: o.Concurrency,
		idle: make(map[origin][]*conn),
	}
	t.writers.New = func() any { return bufio.NewWriterSize(nil, writeBuffer) }
	t.sweeper = time.AfterFunc(idleTimeout, t.sweep)
	t.sweeper.Stop()
	return t
}

// RoundTrip is http.RoundTripper. A connection that was kept may be closed by the receiver at any time: when no byte of
// an answer came over it, the request is made once more, over a new one.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	defer req.Body.Close()
	deadline := time.Now().Add(t.allowed(req.ContentLength))
	to := originOf(req.URL)
	if c := t.take(to); c != nil {
		resp, err := t.exchange(c, req, deadline)
		if err == nil || c.answered || timedOut(err) || req.Context().Err() != nil {
			return resp, err
		}
		again := *req
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
		req = &again
	}
	c, err := t.dial(req.Context(), to, deadline)
	if err != nil {
		return nil, err
	}
	return t.exchange(c, req, deadline)
}

// dial makes a connection, with a TLS handshake where there is to be one.
func (t *transport) dial(ctx context.Context, to origin, deadline time.Time) (*conn, error) {
	dialer := t.dialer
	dialer.Deadline = deadline
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(to.host, to.port))
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, raw: raw, to: to}
	if to.scheme == "https" {
		if c.Conn, err = t.handshake(ctx, raw, to.host, deadline); err != nil {
			_ = raw.Close()
			return nil, err
		}
	}
	c.in = bufio.NewReader(receiving{c})
	return c, nil
}

func (t *transport) handshake(ctx context.Context, raw net.Conn, host string, deadline time.Time) (net.Conn, error) {
	config := t.tls.Clone()
	config.ServerName = host
	secured := tls.Client(raw, config)
	if err := raw.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if err := secured.HandshakeContext(ctx); err != nil {
		if timedOut(err) { // which a wrapped error would hide
			return nil, err
		}
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return secured, nil
}

// take is an idle connection, nil when there is none.
func (t *transport) take(to origin) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	for list := t.idle[to]; len(list) > 0; {
		c := list[len(list)-1]
		list[len(list)-1] = nil
		list = list[:len(list)-1]
		t.idle[to] = list
		if c.usable(time.Now()) {
			return c
		}
		c.close()
	}
	return nil
}

// give keeps a connection for the next request.
func (t *transport) give(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle[c.to]) >= t.keep {
		c.close()
		return
	}
	c.since = time.Now()
	t.idle[c.to] = append(t.idle[c.to], c)
	if !t.sweeps {
		t.sweeps = true
		t.sweeper.Reset(idleTimeout)
	}
}

// sweep closes what was idle for long, and comes again while something is left.
func (t *transport) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := time.Now().Add(-idleTimeout)
	for to, list := range t.idle {
		for len(list) > 0 && !list[0].since.After(old) {
			list[0].close()
			list = list[1:]
		}
		if t.idle[to] = list; len(list) == 0 {
			delete(t.idle, to)
		}
	}
	if t.sweeps = len(t.idle) > 0; t.sweeps {
		t.sweeper.Reset(idleTimeout)
	}
}

// closeIdle closes what is kept.
func (t *transport) closeIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweeps = false
	t.sweeper.Stop()
	for _, list := range t.idle {
		for _, c := range list {
			c.close()
		}
	}
	clear(t.idle)
}
