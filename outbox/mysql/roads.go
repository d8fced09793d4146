package mysql

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"

	"rowhook/retry"
)

// roads are the ways to the servers that a connector knows, one for each address. All pools of a process share them: it works with one
// address at a time, as long as that answers.
type roads struct {
	n int // of addresses

	mu    sync.Mutex
	good  int    // the address that was used last
	met   string // the server that was, by what it says of itself; "": none was, or nodes of a cluster
	lines map[*line]struct{}
}

func newRoads(n int) *roads { return &roads{n: n, lines: make(map[*line]struct{})} }

// line is a connection over one.
type line struct {
	net.Conn
	roads *roads
	at    int
}

// first is the address to begin with.
func (r *roads) first() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.good
}

// use notes which address answers.
func (r *roads) use(at int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.good = at
}

// meet notes which server answers, and tells whether that is another one than before.
func (r *roads) meet(server string) (other bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	other = r.met != "" && r.met != server
	r.met = server
	return other
}

// open is a connection to an address, until it is closed.
func (r *roads) open(conn net.Conn, at int) *line {
	l := &line{conn, r, at}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines[l] = struct{}{}
	return l
}

// used are the addresses to which there are connections, in order.
func (r *roads) used() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	used := make(map[int]bool)
	for l := range r.lines {
		used[l.at] = true
	}
	return sortedKeys(used)
}

// leave ends all connections to an address whose server hangs, also those on which something waits for its answer: that is lost then,
// and is looked for at another address. The next ones do not begin with this one.
func (r *roads) leave(at int) {
	var ended []*line
	r.mu.Lock()
	if r.good == at {
		r.good = (at + 1) % r.n
	}
	for l := range r.lines {
		if l.at == at {
			ended = append(ended, l)
		}
	}
	r.mu.Unlock()
	for _, l := range ended {
		_ = l.Close()
	}
}

// Close is net.Conn's.
func (l *line) Close() error {
	l.roads.mu.Lock()
	delete(l.roads.lines, l)
	l.roads.mu.Unlock()
	return l.Conn.Close()
}

// SyscallConn is the socket, for the driver, which looks whether the server ended the connection before it uses it again.
func (l *line) SyscallConn() (syscall.RawConn, error) {
	if conn, ok := l.Conn.(syscall.Conn); ok {
		return conn.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// probe asks the servers that are used now and then whether they hang, until ctx ends; the addresses of those that do are left. Only
// a ping tells: what is written may have to wait, behind a large commit or while a cluster throws out a node, and would wait elsewhere, too.
func (c *connector) probe(ctx context.Context) {
	if c.hang == 0 {
		return // there is no other address
	}
	conns := make([]driverConn, len(c.servers))
	for retry.Pause(ctx, c.hang/2) == nil {
		for _, at := range c.roads.used() {
			conn, err := c.ping(ctx, at, conns[at])
			if conns[at] = conn; errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
				c.roads.leave(at)
			}
		}
	}
	for _, conn := range conns {
		if conn != nil {
			_ = conn.Close()
		}
	}
}

// ping asks one, over a connection of its own, and returns that if it can be used again.
func (c *connector) ping(ctx context.Context, at int, conn driverConn) (driverConn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.hang)
	defer cancel()
	if conn == nil {
		return c.login(ctx, at, c.hang, func(conn net.Conn) net.Conn { return conn })
	}
	if err := conn.Ping(ctx); err != nil {
		return nil, errors.Join(err, ctx.Err(), conn.Close())
	}
	return conn, nil
}
