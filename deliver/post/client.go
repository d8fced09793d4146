package post

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Options are the bounds of a request. A zero field means its default.
type Options struct {
	Timeout    time.Duration     // from the dial to the end of the answer's body, and a second more for each MB of payload: 10s
	UserAgent  string            // "rowhook"
	PublicOnly bool              // refuses loopback and private addresses; link-local and metadata ones always are
	Transport  http.RoundTripper // makes the requests, for tests; nil: HTTP/1.1 over TCP, without a proxy

	slowest  int            // how fast a payload must be taken, in bytes a second, besides Timeout: 1 MB
	resolver *net.Resolver  // of host names; nil: the system's
	roots    *x509.CertPool // whose certificates are trusted; nil: the system's
}

// Client is what all senders share. It may be used by many goroutines.
//
// It asks no proxy: the egress guard would see the proxy's address only, and the proxy would go where it may not.
type Client struct {
	opts   Options
	dialer net.Dialer
	tls    *tls.Config
	agent  []byte // the field User-Agent
}

// NewClient makes a Client.
func NewClient(o Options) *Client {
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.slowest = cmp.Or(o.slowest, 1<<20)
	return &Client{
		opts:   o,
		dialer: net.Dialer{KeepAlive: 30 * time.Second, Resolver: o.resolver, ControlContext: guard{o.PublicOnly}.control},
		tls: &tls.Config{
			NextProtos: []string{"http/1.1"}, ClientSessionCache: tls.NewLRUClientSessionCache(0), RootCAs: o.roots, MinVersion: tls.VersionTLS12,
		},
		agent: appendField(nil, "User-Agent", cmp.Or(o.UserAgent, "rowhook")),
	}
}

// allowed is how long a request with so many bytes of payload may take.
func (c *Client) allowed(size int) time.Duration {
	return c.opts.Timeout + time.Duration(size/c.opts.slowest)*time.Second
}

// dial makes a connection to a target, with a TLS handshake where there is to be one.
func (c *Client) dial(ctx context.Context, t *Target, deadline time.Time) (*conn, error) {
	dialer := c.dialer
	dialer.Deadline = deadline
	raw, err := dialer.DialContext(ctx, "tcp", addressOf(t.url))
	if err != nil {
		return nil, err
	}
	secured := raw
	if t.url.Scheme == "https" {
		if secured, err = c.handshake(ctx, raw, t.url.Hostname(), deadline); err != nil {
			_ = raw.Close()
			return nil, err
		}
	}
	return newConn(secured, raw), nil
}

func (c *Client) handshake(ctx context.Context, raw net.Conn, host string, deadline time.Time) (net.Conn, error) {
	config := c.tls.Clone()
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
