package netfault

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy stands between a program and its server, and cuts a connection at a packet.
type Proxy struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	mark     []byte // the next packet with this in it is the last one of its connection; nil: none
	after    bool   // it arrives, and its answer does not
	met      chan struct{}
	hangs    atomic.Bool
}

// NewProxy takes connections to an address, at a listener or, without one, at a port of this machine, until the test ends.
func NewProxy(tb testing.TB, l net.Listener, target string) *Proxy {
	tb.Helper()
	if l == nil {
		var err error
		if l, err = new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0"); err != nil {
			tb.Fatal(err)
		}
	}
	p := &Proxy{listener: l, target: target}
	tb.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(client) // ends with either end
		}
	}()
	return p
}

// Address is where it listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Cut arms it for one packet with a mark in it, which does not arrive, or whose answer does not. The channel is closed when it came.
func (p *Proxy) Cut(mark string, after bool) (met <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mark, p.after, p.met = []byte(mark), after, make(chan struct{})
	return p.met
}

// Hang lets nothing pass any more. Connections stay open, and are taken, as by a machine that is frozen.
func (p *Proxy) Hang() { p.hangs.Store(true) }

// meets tells whether data is where to cut, and how; once.
func (p *Proxy) meets(data []byte) (cut, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mark == nil || !bytes.Contains(data, p.mark) {
		return false, false
	}
	p.mark = nil
	close(p.met)
	return true, p.after
}

// gate lets answers through until it is shut.
type gate struct {
	mu   sync.Mutex
	shut bool
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	if p.hangs.Load() {
		_, _ = io.Copy(io.Discard, client)
		return
	}
	server, err := net.Dial("tcp", p.target) //nolint:noctx // of this machine
	if err != nil {
		return
	}
	defer server.Close()
	var answers gate
	go func() {
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil || answers.isShut() { // it answered: so it was done
				return
			}
			if p.hangs.Load() {
				continue
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<20)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		cut, after := p.meets(buf[:n])
		if cut && !after {
			return
		}
		if cut {
			answers.close()
		}
		if p.hangs.Load() {
			continue
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
		if cut {
			_, _ = io.Copy(io.Discard, client) // until the other half has ended
			return
		}
	}
}
