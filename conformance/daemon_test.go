package conformance

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var given = flag.String("rowhook", "", "the rowhook `binary` to test; default: built from the sources")

// built is the rowhook that is tested.
var built = sync.OnceValues(func() (string, error) {
	if *given != "" {
		return *given, nil
	}
	// The outcome of a test is cached by the files that it opens: these are what rowhook is built of.
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != ".." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "rowhook")
	if out, err := exec.Command("go", "build", "-o", binary, "rowhook/cmd/rowhook").CombinedOutput(); err != nil {
		return binary, fmt.Errorf("building rowhook: %w\n%s", err, out)
	}
	return binary, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if binary, _ := built(); *given == "" && binary != "" {
		os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

// program is the path of the rowhook that is tested.
func program(t *testing.T) string {
	t.Helper()
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// rowhook runs a subcommand and gives what it writes.
func rowhook(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("rowhook %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out
}

// daemon is a running `rowhook run`.
type daemon struct {
	cmd  *exec.Cmd
	log  *watchedLog
	done chan struct{} // closed when it has ended
	err  error         // how it ended
}

// startDaemon runs the daemon and waits until it follows the log.
func startDaemon(t *testing.T, config string) *daemon {
	t.Helper()
	d := &daemon{log: &watchedLog{seen: make(chan struct{})}, done: make(chan struct{})}
	d.cmd = exec.Command(program(t), "run", "--config", config)
	d.cmd.Stderr = d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that is killed leaves none behind
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		d.err = d.cmd.Wait()
		close(d.done)
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // it has ended unless the test failed
		<-d.done
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.log.tail())
		}
	})
	select {
	case <-d.log.seen:
	case <-d.done:
		t.Fatalf("the daemon did not start: %v\n%s", d.err, d.log.tail())
	}
	return d
}

// while gives a context that ends with the daemon, or when the wait for something takes too long.
func (d *daemon) while(t *testing.T) (context.Context, context.CancelFunc) {
	const patience = 3 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	go func() {
		select {
		case <-d.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// stop ends the daemon in order.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	<-d.done
	if d.err != nil {
		t.Errorf("the daemon ended with %v", d.err)
	}
}

// watchedLog keeps what a daemon logs and tells when it follows the log.
type watchedLog struct {
	mu   sync.Mutex
	text []byte
	seen chan struct{}
	told bool
}

func (w *watchedLog) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, b...)
	if !w.told && bytes.Contains(w.text, []byte("following the binlog")) {
		w.told = true
		close(w.seen)
	}
	return len(b), nil
}

func (w *watchedLog) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.text[max(0, len(w.text)-4<<10):])
}
