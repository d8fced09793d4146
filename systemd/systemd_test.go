package systemd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// manager is a socket as systemd's, until the test ends.
func manager(t *testing.T) (next func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func() string {
		buffer := make([]byte, 4096)
		if err := socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := socket.Read(buffer)
		if err != nil {
			t.Fatalf("nothing is told: %v", err)
		}
		return string(buffer[:n])
	}
}

func TestTold(t *testing.T) {
	next := manager(t)
	n := New(slog.New(slog.DiscardHandler))
	n.Ready("connecting to\nREADY=0 " + strings.Repeat("ü", 400))
	if got := next(); !strings.HasPrefix(got, "READY=1\nSTATUS=connecting to READY=0 ü") || len(got) > 330 || strings.Count(got, "\n") != 1 {
		t.Errorf("got %q", got)
	}
	n.Reloading()
	if got := next(); !strings.HasPrefix(got, "RELOADING=1\nMONOTONIC_USEC=") || strings.HasSuffix(got, "=0") {
		t.Errorf("got %q", got)
	}
	n.Reloaded()
	n.Stopping()
	if got := next() + " " + next(); got != "READY=1 STOPPING=1" {
		t.Errorf("got %q", got)
	}
}

// TestWatch: systemd hears of a service that is well, and of no other.
func TestWatch(t *testing.T) {
	next := manager(t)
	t.Setenv("WATCHDOG_USEC", "40000")
	t.Setenv("WATCHDOG_PID", "")
	n := New(slog.New(slog.DiscardHandler))
	well := make(chan bool)
	stop := n.Watch(t.Context(), func(ctx context.Context) error {
		select {
		case is := <-well:
			return map[bool]error{false: errors.New("not well")}[is]
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	well <- true
	if got := next(); got != "WATCHDOG=1" {
		t.Errorf("well: told %q", got)
	}
	well <- false
	stop()
	n.Status("the end")
	if got := next(); got != "STATUS=the end" {
		t.Errorf("not well: told %q", got)
	}
	t.Setenv("WATCHDOG_USEC", "")
	n.Watch(t.Context(), func(context.Context) error { t.Error("asked, though nobody watches"); return nil })()
}
