// Package netfault is for tests: what stands between a program and a server, and fails. A Far side is behind a wire that loses all
// packets, so that neither end is told; a Proxy cuts a connection at a packet.
package netfault

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
)

// Far is a network namespace at the other end of a virtual wire. It needs root and iproute2.
type Far struct {
	name, device string
	here, there  string
}

// nowhere is the hardware address of nobody.
const nowhere = "02:00:00:00:00:99"

// NewFar makes a namespace and a wire to it, until the test ends.
func NewFar(tb testing.TB) *Far {
	tb.Helper()
	n := rand.IntN(1 << 14) // a net of four addresses, of those that are for tests
	w := &Far{
		name: fmt.Sprintf("rowhook-%04x", n), device: fmt.Sprintf("rh%04x", n),
		here: fmt.Sprintf("198.18.%d.%d", n>>6, n<<2&0xfc|1), there: fmt.Sprintf("198.18.%d.%d", n>>6, n<<2&0xfc|2),
	}
	w.ip(tb, "netns add "+w.name)
	tb.Cleanup(func() { w.ip(tb, "netns del "+w.name) })
	w.ip(tb, fmt.Sprintf("link add %s type veth peer name far netns %s", w.device, w.name))
	tb.Cleanup(func() { w.ip(tb, "link del "+w.device) })
	w.ip(tb, fmt.Sprintf("addr add %s/30 dev %s", w.here, w.device))
	w.ip(tb, "link set "+w.device+" up")
	w.ip(tb, fmt.Sprintf("-n %s addr add %s/30 dev far", w.name, w.there))
	w.ip(tb, "-n "+w.name+" link set far up")
	return w
}

func (w *Far) ip(tb testing.TB, args string) {
	tb.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil { //nolint:noctx // at the end, too
		tb.Fatalf("ip %s: %v: %s (it needs root and iproute2)", args, err, out)
	}
}

// Listen listens at the far side. A socket stays in the namespace that it was made in.
func (w *Far) Listen(tb testing.TB) net.Listener {
	tb.Helper()
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
		tb.Fatal(errors.Join(errors.New("listening in a network namespace"), m.err))
	}
	return m.l
}

// listenInside moves the thread into the namespace and listens there.
func (w *Far) listenInside() (net.Listener, error) {
	ns, err := os.Open("/run/netns/" + w.name)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	return net.Listen("tcp", net.JoinHostPort(w.there, "0")) //nolint:noctx // it does not wait
}

// Lose sends all packets to where nobody is, on both sides.
func (w *Far) Lose(tb testing.TB) {
	tb.Helper()
	w.ip(tb, fmt.Sprintf("neigh replace %s lladdr %s dev %s nud permanent", w.there, nowhere, w.device))
	w.ip(tb, fmt.Sprintf("-n %s neigh replace %s lladdr %s dev far nud permanent", w.name, w.here, nowhere))
}

// Find takes that back.
func (w *Far) Find(tb testing.TB) {
	tb.Helper()
	w.ip(tb, fmt.Sprintf("neigh del %s dev %s", w.there, w.device))
	w.ip(tb, fmt.Sprintf("-n %s neigh del %s dev far", w.name, w.here))
}
