package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/outbox/mysql"
	"rowhook/pipeline"
)

// TestServiceManager: systemd hears that the daemon is ready, alive, what it does, and that it ends.
func TestServiceManager(t *testing.T) {
	socket := serviceManager(t)
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	file := daemonFiles(t, server, everyAction("http://127.0.0.1:1/"), "")
	stop, ended := runs(t, file)
	awaitTold(t, socket, "READY=1\nSTATUS=connecting to the database at "+server.Address(), "WATCHDOG=1", "STATUS=following the binlog for 1 site; events on their way: 0")
	stop()
	awaitTold(t, socket, "STOPPING=1")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestServiceManagerOfAMember: a daemon that joins others is ready and alive, for as long as that takes, and while another one follows the log.
func TestServiceManagerOfAMember(t *testing.T) {
	socket := serviceManager(t)
	server := dbtest.Start(t)
	file := daemonFiles(t, server, everyAction("http://127.0.0.1:1/"), shareOutbox(t, server, time.Minute))
	other, err := mysql.Open(t.Context(), mysql.Config{Addresses: []string{server.Address()}, User: "rowhook_outbox", Password: connect.Password("secret"), Schema: "rowhook"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	stop, ended := runs(t, file)
	awaitTold(t, socket, "READY=1\nSTATUS=joining the machines that share the outbox in schema rowhook at "+server.Address(), "STATUS=delivering its share; another machine follows the log", "WATCHDOG=1")
	stop()
	awaitTold(t, socket, "STOPPING=1")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// serviceManager is systemd's end of what a service tells, for who watches it by a second.
func serviceManager(t *testing.T) *net.UnixConn {
	t.Helper()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "n"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	t.Setenv("NOTIFY_SOCKET", socket.LocalAddr().String())
	t.Setenv("WATCHDOG_USEC", "1000000")
	t.Setenv("WATCHDOG_PID", "")
	return socket
}

// runs starts the daemon until it is told to stop; the channel then has how it ended.
func runs(t *testing.T, file string) (stop func(), ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- command(ctx, []string{"run", "--config", file}, io.Discard, io.Discard) }()
	return cancel, done
}

// awaitTold waits until systemd's socket has heard all of that.
func awaitTold(t *testing.T, socket *net.UnixConn, want ...string) {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	heard := map[string]bool{}
	buffer := make([]byte, 4096)
	for _, text := range want {
		for !heard[text] {
			n, err := socket.Read(buffer)
			if err != nil {
				t.Fatalf("waiting for %q: %v; heard %v", text, err, heard)
			}
			heard[string(buffer[:n])] = true
		}
	}
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	got := statusOf([]pipeline.SiteStatus{{Name: "a", State: pipeline.SiteReading, Events: 2}, {Name: "b", State: pipeline.SiteStopped, Events: 1},
		{Name: "b+posts", State: pipeline.SiteCatching}})
	if !strings.Contains(got, "2 sites; events on their way: 3; see rowhook sites list: b is stopped, b+posts is catching up") {
		t.Errorf("got %q", got)
	}
}
