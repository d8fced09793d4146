//go:build memory

package memory

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rowhook/dbtest"
)

const mostRSS = 110 // MB

// daemon is the real binary with a state directory of its own.
type daemon struct {
	binary, config string
	cmd            *exec.Cmd
	output         *output
	ended          chan struct{}
	peak           float64 // MB, of all runs
}

// output keeps what the daemon says, and tells when it follows.
type output struct {
	mu        sync.Mutex
	text      bytes.Buffer
	following chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := bytes.Contains(o.text.Bytes(), []byte("following the binlog"))
	o.text.Write(p)
	if !before && bytes.Contains(o.text.Bytes(), []byte("following the binlog")) {
		close(o.following)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.text.Bytes()
	return string(b[max(0, len(b)-4096):])
}

// newDaemon makes a configuration with the given rules, "rules:" apart, and notes where the log stands now.
func newDaemon(t *testing.T, server *dbtest.Server, coalesce, rules string) *daemon {
	t.Helper()
	dir := t.TempDir()
	binary := os.Getenv("ROWHOOK_BINARY")
	if binary == "" {
		binary = filepath.Join(dir, "rowhook")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "rowhook/cmd/rowhook")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building rowhook: %v\n%s", err, out)
		}
	}
	files := map[string]string{
		"config.yaml": fmt.Sprintf("database: {address: %q, user: rowhook, password: secret}\nsites: [{name: salon, schema: wordpress, prefix: wp_}]\n"+
			"rules: rules.yaml\nstate_dir: state\ncoalesce: %s\n", server.Address(), coalesce),
		"rules.yaml": "rules:\n" + rules,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := &daemon{binary: binary, config: filepath.Join(dir, "config.yaml")}
	d.start(t)
	d.stop(t)
	return d
}

// withTLS makes it speak TLS with the database.
func (d *daemon) withTLS(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(d.config)
	if err == nil {
		err = os.WriteFile(d.config, bytes.Replace(text, []byte("password: secret"), []byte("password: secret, tls: skip-verify"), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// start runs the daemon, and waits until it follows the log.
func (d *daemon) start(t *testing.T) {
	t.Helper()
	d.cmd = exec.Command(d.binary, "run", "--config", d.config)
	d.output = &output{following: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = d.output, d.output
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait()
	}(d.cmd, d.ended)
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.ended
	})
	select {
	case <-d.output.following:
	case <-d.ended:
		t.Fatalf("the daemon ended:\n%s", d.output)
	case <-time.After(time.Minute):
		t.Fatalf("the daemon does not follow:\n%s", d.output)
	}
}

// kill ends it as a crash does.
func (d *daemon) kill() {
	d.measure()
	_ = d.cmd.Process.Kill()
	<-d.ended
}

func (d *daemon) stop(t *testing.T) {
	t.Helper()
	d.measure()
	_ = d.cmd.Process.Signal(os.Interrupt)
	<-d.ended
	if !d.cmd.ProcessState.Success() {
		t.Errorf("the daemon ended with %s:\n%s", d.cmd.ProcessState, d.output)
	}
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// measure takes the peak of its resident memory so far. (The resource usage of a child is no good: it begins with what
// its parent has.)
func (d *daemon) measure() {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if m := highWater.FindSubmatch(status); err == nil && m != nil {
		kb, _ := strconv.Atoi(string(m[1]))
		d.peak = max(d.peak, float64(kb)/1024)
	}
}

// command runs one of rowhook's commands beside it.
func (d *daemon) command(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), d.binary, append(args, "--config", d.config)...).CombinedOutput(); err != nil {
		t.Fatalf("rowhook %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// drain waits until the sink has n deliveries.
func (d *daemon) drain(t *testing.T, s *sink, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	if !s.wait(ctx, n, d.ended) {
		t.Fatalf("%d of %d deliveries came; the daemon said\n%s", s.count(), n, d.output)
	}
	d.measure()
}

// checkPeak fails when it took too much.
func (d *daemon) checkPeak(t *testing.T, most float64) {
	t.Helper()
	if d.peak == 0 || d.peak > most {
		t.Errorf("resident memory went up to %.0f MB, allowed are %.0f", d.peak, most)
	}
}
