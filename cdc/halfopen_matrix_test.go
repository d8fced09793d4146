//go:build matrix

package cdc

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestHalfOpenLink loses every packet of a link for a while, in both directions: neither end is told. It needs root, for
// a network namespace.
func TestHalfOpenLink(t *testing.T) { cdctest.OnKinds(t, testHalfOpenLink) }

func testHalfOpenLink(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	server := cdctest.StartServer(t, kind)
	conn := cdctest.SchemaConn(t, server, "halfopen", "CREATE TABLE a (id INT PRIMARY KEY)")
	openSource(t, sourceConfig(server, newLog(), "halfopen", "a")) // a MySQL wants the password at a user's first login, and it is not sent that far
	wire := newFarSide(t)
	through := serveProxy(t, wire.listen(t), server.Address())
	log := newLog()
	cfg := sourceConfig(server, log, "halfopen", "a")
	cfg.at(through.address())
	f := followNow(t, openSource(t, cfg))
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
	f.expect(t, "insert a(id=1)")
	wire.lose(t)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (2)", "INSERT INTO a VALUES (3)")
	const found = readTimeout + sideTimeout + patience
	if !log.says("trying again", found) {
		t.Fatalf("the link is dead, and nobody finds out:\n%s", log)
	}
	if len(f.txns) > 0 {
		t.Error("packets came: the test shows nothing")
	}
	wire.find(t)
	if !log.says("is back", found) {
		t.Fatalf("the link is not taken up again:\n%s", log)
	}
	f.expect(t, "insert a(id=2)", "insert a(id=3)")
}

// farSide is a network namespace at the other end of a virtual wire.
type farSide struct {
	name, device string
	here, there  string
	lostTo       string
}

// newFarSide makes a namespace and a wire to it.
func newFarSide(t *testing.T) *farSide {
	t.Helper()
	n := rand.IntN(1 << 14) // a net of four addresses, of those that are for tests
	w := &farSide{
		name: fmt.Sprintf("rowhook-%04x", n), device: fmt.Sprintf("rh%04x", n), lostTo: "02:00:00:00:00:99",
		here: fmt.Sprintf("198.18.%d.%d", n>>6, n<<2&0xfc|1), there: fmt.Sprintf("198.18.%d.%d", n>>6, n<<2&0xfc|2),
	}
	w.ip(t, "netns add "+w.name)
	t.Cleanup(func() { w.ip(t, "netns del "+w.name) })
	w.ip(t, fmt.Sprintf("link add %s type veth peer name far netns %s", w.device, w.name))
	t.Cleanup(func() { w.ip(t, "link del "+w.device) })
	w.ip(t, fmt.Sprintf("addr add %s/30 dev %s", w.here, w.device))
	w.ip(t, "link set "+w.device+" up")
	w.ip(t, fmt.Sprintf("-n %s addr add %s/30 dev far", w.name, w.there))
	w.ip(t, "-n "+w.name+" link set far up")
	return w
}

func (w *farSide) ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s (it needs root and iproute2)", args, err, out)
	}
}

// listen listens at the far side. A socket stays in the namespace that it was made in.
func (w *farSide) listen(t *testing.T) net.Listener {
	t.Helper()
	type made struct {
		l   net.Listener
		err error
	}
	done := make(chan made)
	go func() {
		runtime.LockOSThread() // nobody else gets into the namespace
		l, err := w.listenInside()
		done <- made{l, err}
		select {} // the thread would end with us, and with it the servers that it started
	}()
	m := <-done
	if m.err != nil {
		t.Fatal(errors.Join(errors.New("listening in a network namespace"), m.err))
	}
	return m.l
}

// listenInside moves the thread into the namespace and listens there.
func (w *farSide) listenInside() (net.Listener, error) {
	ns, err := os.Open("/run/netns/" + w.name)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	return net.Listen("tcp", net.JoinHostPort(w.there, "0"))
}

// lose sends all packets to where nobody is, on both sides.
func (w *farSide) lose(t *testing.T) {
	t.Helper()
	w.ip(t, fmt.Sprintf("neigh replace %s lladdr %s dev %s nud permanent", w.there, w.lostTo, w.device))
	w.ip(t, fmt.Sprintf("-n %s neigh replace %s lladdr %s dev far nud permanent", w.name, w.here, w.lostTo))
}

// find takes it back.
func (w *farSide) find(t *testing.T) {
	t.Helper()
	w.ip(t, fmt.Sprintf("neigh del %s dev %s", w.there, w.device))
	w.ip(t, fmt.Sprintf("-n %s neigh del %s dev far", w.name, w.here))
}
