package cdc

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between readers and a server, which it may exchange, and cuts links after as many bytes as a test says.
type proxy struct {
	listener net.Listener
	group    sync.WaitGroup

	mu     sync.Mutex
	target string
	limits []int64           // of the next links, in bytes to the reader; then there is none
	links  map[net.Conn]bool // both ends of each
	cut    chan struct{}     // holds a token when a limit was reached
}

// newProxy listens on loopback.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveProxy(t, l, target)
}

func serveProxy(t *testing.T, l net.Listener, target string) *proxy {
	t.Helper()
	p := &proxy{listener: l, target: target, links: map[net.Conn]bool{}, cut: make(chan struct{}, 1)}
	p.group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.cutAll()
		p.group.Wait()
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// serve carries one link.
func (p *proxy) serve(client net.Conn) {
	p.mu.Lock()
	target, limit := p.target, int64(-1)
	if len(p.limits) > 0 {
		limit, p.limits = p.limits[0], p.limits[1:]
	}
	p.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.links[client], p.links[server] = true, true
	p.mu.Unlock()
	end := func() {
		_, _ = client.Close(), server.Close()
	}
	p.group.Go(func() {
		_, _ = io.Copy(server, client)
		end()
	})
	if limit < 0 {
		_, _ = io.Copy(client, server)
	} else if n, _ := io.CopyN(client, server, limit); n == limit {
		end()
		select {
		case p.cut <- struct{}{}:
		default:
		}
	}
	end()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, client)
	delete(p.links, server)
}

// limit makes the next link end after so many bytes to the reader.
func (p *proxy) limit(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limits = append(p.limits[:0], bytes)
}

// turn leads new links elsewhere, and ends the present ones.
func (p *proxy) turn(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
	p.cutAll()
}

func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.links {
		_ = c.Close()
	}
}

// count is how many links there are.
func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links) / 2
}

// empty waits until there is no link.
func (p *proxy) empty(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); p.count() > 0; {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%d links stay", p.count())
		}
	}
}
