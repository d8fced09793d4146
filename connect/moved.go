package connect

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Pace is how a server's name is looked up while a connection to it lasts. The zero Pace gives an address up after a minute.
type Pace struct {
	Every time.Duration // 0: five seconds
	// Times is how many answers in a row, all the same, must leave an address out until it is given up; 0: 12. A name that
	// leads to several servers in turns leaves out those that are well, but not for long.
	Times int
}

func (p Pace) orStandard() Pace {
	return Pace{Every: cmp.Or(p.Every, 5*time.Second), Times: cmp.Or(p.Times, 12)}
}

// LogConn is a connection for the binary log. It is kept for as long as it is well, which may be for months; so it
// notices when the server's name leads elsewhere meanwhile.
type LogConn struct {
	net.Conn
	watch *watch
}

// Moved says to which addresses the server's name leads, once that of this connection is not among them any more.
func (c *LogConn) Moved() (to []netip.Addr, moved bool) {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	return c.watch.moved, c.watch.moved != nil
}

// Close is net.Conn's.
func (c *LogConn) Close() error {
	c.watch.stop()
	return c.Conn.Close()
}

// watch looks a name up until an address is not its own any more.
type watch struct {
	stop func() // and waits for the end

	mu    sync.Mutex
	moved []netip.Addr
}

// watchName begins to watch the name by which a connection was made, until it is stopped. A path or an address needs no
// watching.
func (s *Server) watchName(ctx context.Context, cfg Config, conn net.Conn) *watch {
	w := &watch{stop: func() {}}
	host, _, err := net.SplitHostPort(cfg.Address)
	at, isTCP := conn.RemoteAddr().(*net.TCPAddr)
	if cfg.Network == "unix" || err != nil || !isTCP {
		return w
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return w
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	w.stop = func() { cancel(); running.Wait() }
	lookup := func(ctx context.Context) ([]netip.Addr, error) { return s.resolver().LookupNetIP(ctx, "ip", host) }
	running.Go(func() { w.run(ctx, cfg.Pace.orStandard(), plain(at.AddrPort().Addr()), lookup) })
	return w
}

// run looks the name up now and then. A lookup that fails says nothing of the server.
func (w *watch) run(ctx context.Context, p Pace, at netip.Addr, lookup func(context.Context) ([]netip.Addr, error)) {
	tick := time.NewTicker(p.Every)
	defer tick.Stop()
	var last []netip.Addr // the answer that left the address out
	alike := 0
	for alike < p.Times {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		found, err := lookup(ctx)
		if err != nil || len(found) == 0 {
			continue
		}
		for i, a := range found {
			found[i] = plain(a)
		}
		slices.SortFunc(found, netip.Addr.Compare)
		switch {
		case slices.Contains(found, at):
			last, alike = nil, 0
		case slices.Equal(found, last):
			alike++
		default:
			last, alike = found, 1
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moved = last
}

// plain is an address in the one form in which addresses can be compared.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// resolver is who knows the addresses of names.
func (s *Server) resolver() *net.Resolver {
	if s.cfg.Resolver != nil {
		return s.cfg.Resolver
	}
	return net.DefaultResolver
}

// Renew ends the use of all connections there are: those of the pool are not used again. It is for when the server's name
// leads elsewhere.
func (s *Server) Renew() {
	s.mu.Lock()
	s.generation++
	s.mu.Unlock()
	s.dropIdle()
}

// isOld says whether connections of a generation are not to be used again.
func (s *Server) isOld(generation int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return generation != s.generation
}
