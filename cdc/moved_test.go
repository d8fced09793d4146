package cdc

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"rowhook/cdc/cdctest"
	"rowhook/connect"
	"rowhook/dbtest"
)

// names answers questions of the domain name system, all with one address.
type names struct {
	conn net.PacketConn
	done chan struct{}

	mu sync.Mutex
	at netip.Addr
}

func newNames(t *testing.T, at string) *names {
	t.Helper()
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{conn: conn, done: make(chan struct{}), at: netip.MustParseAddr(at)}
	go n.serve()
	t.Cleanup(func() {
		_ = conn.Close()
		<-n.done
	})
	return n
}

// serve answers until the connection is closed.
func (n *names) serve() {
	defer close(n.done)
	buf := make([]byte, 4096)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:size]) != nil || len(m.Questions) == 0 {
			continue
		}
		q := m.Questions[0]
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		if q.Type == dnsmessage.TypeA {
			n.mu.Lock()
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
				Body:   &dnsmessage.AResource{A: n.at.As4()},
			}}
			n.mu.Unlock()
		}
		if answer, err := m.Pack(); err == nil {
			_, _ = n.conn.WriteTo(answer, from)
		}
	}
}

// turn makes the name lead elsewhere.
func (n *names) turn(to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at = netip.MustParseAddr(to)
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

// newMove is a server behind two addresses, and a source that knows its name.
func newMove(t *testing.T, server *dbtest.Server, log *logText) (n *names, first, second *proxy, cfg Config) {
	t.Helper()
	first = newProxy(t, server.Address())
	_, port, err := net.SplitHostPort(first.address())
	if err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	second = serveProxy(t, l, server.Address())
	n = newNames(t, "127.0.0.1")
	cfg = sourceConfig(server, log, "moves", "a")
	cfg.reach(func(c *connect.Config) {
		c.Address, c.Resolver, c.Pace = "database.example.:"+port, n.resolver(), connect.Pace{Every: 5 * time.Millisecond, Times: 3}
	})
	return n, first, second, cfg
}

// TestNameThatMoves: when the server's name leads to another machine, all connections go there though the old ones are
// well, between two transactions, and nothing is lost or comes twice.
func TestNameThatMoves(t *testing.T) { cdctest.OnServers(t, testNameThatMoves) }

func testNameThatMoves(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "moves", "CREATE TABLE a (id INT PRIMARY KEY)")
	log := newLog()
	n, first, second, cfg := newMove(t, server, log)
	f := followNow(t, openSource(t, cfg))
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
	f.expect(t, "insert a(id=1)")
	f.reach(t)
	if second.count() > 0 {
		t.Fatal("it is there already")
	}
	n.turn("127.0.0.2")
	log.wait(t, "leads to another machine")
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (2)")
	f.expect(t, "insert a(id=2)")
	f.reach(t)
	first.empty(t)
	if second.count() < 2 { // the log's, and the lock's
		t.Errorf("%d connections to the new machine", second.count())
	}
	if said := log.String(); strings.Count(said, "leads to another machine") != 1 || strings.Contains(said, "was lost") {
		t.Error(said)
	}
}
