//go:build crash

package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// daemon is a run of rowhook.
type daemon struct {
	cmd   *exec.Cmd
	ready chan struct{} // closed when it follows the log
	ended chan struct{} // closed when it has ended, and all that it said was read

	mu       sync.Mutex
	said     bytes.Buffer
	follows  int       // how often it began to follow
	followed time.Time // when it did the last time
}

// following is what the daemon logs when nothing that is committed from then on is missed.
const following = "following the binlog"

// run starts a binary with a configuration; the environment goes behind the test's.
func run(binary, config string, env ...string) (*daemon, error) {
	d := &daemon{ready: make(chan struct{}), ended: make(chan struct{})}
	d.cmd = exec.Command(binary, "run", "--config", config)
	d.cmd.Env = append(os.Environ(), env...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	d.cmd.Stdout, d.cmd.Stderr = d, d
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = d.cmd.Wait() // how it ended stands in ProcessState
		close(d.ended)
	}()
	return d, nil
}

// Write is io.Writer, for what the daemon says.
func (d *daemon) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.said.Write(b)
	if n := bytes.Count(d.said.Bytes(), []byte(following)); n > d.follows {
		if d.follows == 0 {
			close(d.ready)
		}
		d.follows, d.followed = n, time.Now()
	}
	return len(b), nil
}

// since is when it began to follow the last time; zero: it has not.
func (d *daemon) since() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.followed
}

// words are what it said.
func (d *daemon) words() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.said.String()
}

// lastWords are the end of that.
func (d *daemon) lastWords() string {
	words := d.words()
	return words[max(0, len(words)-4096):]
}

// fault is what the file system did, "" when the daemon did not end by it.
func (d *daemon) fault() string {
	_, after, found := strings.Cut(d.words(), "fault: ")
	if !found {
		return ""
	}
	line, _, _ := strings.Cut(after, "\n")
	return line
}

func (d *daemon) signal(s syscall.Signal) { _ = d.cmd.Process.Signal(s) } // who has ended does not mind

// kill ends it as a crash does.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill() // who has ended does not mind
	<-d.ended
}

// outlived waits for the daemon's end for a while, and tells whether it still runs.
func (d *daemon) outlived(ctx context.Context, life time.Duration) bool {
	select {
	case <-d.ended:
		return false
	case <-time.After(life):
	case <-ctx.Done():
	}
	return true
}

// gaveUp is why the daemon ended by itself; nil when it was killed, ended well, or still runs.
func (d *daemon) gaveUp() error {
	select {
	case <-d.ended:
	default:
		return nil
	}
	if d.cmd.ProcessState.Success() || !d.cmd.ProcessState.Exited() {
		return nil
	}
	return fmt.Errorf("the daemon gave up: %s\n%s", d.cmd.ProcessState, d.lastWords())
}

// stop ends the daemon as an operator does.
func (d *daemon) stop() error {
	d.signal(syscall.SIGTERM)
	select {
	case <-d.ended:
		return d.gaveUp()
	case <-time.After(standstill):
		d.signal(syscall.SIGQUIT)
		<-d.ended
		return errors.New("the daemon does not stop:\n" + d.words())
	}
}

// isReady waits until the daemon follows the log.
func (d *daemon) isReady(t testing.TB) {
	t.Helper()
	select {
	case <-d.ready:
	case <-d.ended:
		t.Fatalf("the daemon ended: %s\n%s", d.cmd.ProcessState, d.lastWords())
	case <-time.After(standstill):
		t.Fatalf("the daemon does not follow:\n%s", d.lastWords())
	}
}
