package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rowhook/dbtest"
)

// build makes the program.
func build(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "rowhook")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building rowhook: %v\n%s", err, out)
	}
	return binary
}

// process is a running program whose log is read.
type process struct {
	cmd  *exec.Cmd
	log  *os.File
	said *bufio.Scanner
	seen strings.Builder
}

func start(t *testing.T, binary string, args ...string) *process {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.CommandContext(t.Context(), binary, args...), log: r, said: bufio.NewScanner(r)}
	p.cmd.Stderr = w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	t.Cleanup(func() { _ = r.Close() })
	return p
}

// until reads the log up to a line with some text.
func (p *process) until(t *testing.T, text string) {
	t.Helper()
	late := time.AfterFunc(5*time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	for p.said.Scan() {
		line := p.said.Text()
		p.seen.WriteString(line + "\n")
		if strings.Contains(line, text) {
			return
		}
	}
	t.Fatalf("%q was never said:\n%s", text, &p.seen)
}

// ends waits for a process that was told to stop.
func (p *process) ends(t *testing.T) {
	t.Helper()
	late := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	rest, _ := io.ReadAll(p.log) // up to its end
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s%s", err, &p.seen, rest)
	}
}

func (p *process) signal(t *testing.T, signals ...os.Signal) {
	t.Helper()
	for _, s := range signals {
		if err := p.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSignalsWhileStarting: whatever keeps the daemon from following the log yet, SIGHUP does not end it, and SIGTERM does, in
// order and soon.
func TestSignalsWhileStarting(t *testing.T) {
	t.Parallel()
	binary := build(t)
	silent := newSilent(t)
	for name, c := range map[string]struct{ address, awaited string }{
		"the database is not there":   {freeAddress(t), "does not answer"},
		"the database is not talking": {silent.address, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, binary, "run", "--config", signalFiles(t, c.address, "http://127.0.0.1:1/"))
			if c.awaited != "" {
				p.until(t, c.awaited)
				p.signal(t, syscall.SIGHUP)
				p.until(t, c.awaited) // it lives and goes on
			} else {
				<-silent.came
			}
			p.signal(t, syscall.SIGHUP, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTERM)
			p.ends(t)
		})
	}
	t.Run("the log's reader is gone", func(t *testing.T) {
		t.Parallel()
		p := start(t, binary, "run", "--config", signalFiles(t, silent.address, "http://127.0.0.1:1/"))
		<-silent.came
		_ = p.log.Close()
		p.signal(t, syscall.SIGPIPE, syscall.SIGTERM) // on which it writes that it stopped
		late := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
		defer late.Stop()
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

// TestSignalsWhileStopping: a daemon that waits for a receiver's answer before it ends is not killed by another signal.
func TestSignalsWhileStopping(t *testing.T) {
	t.Parallel()
	binary := build(t)
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	asked, answer := make(chan struct{}, 1), make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-answer
	}))
	t.Cleanup(receiver.Close)
	p := start(t, binary, "run", "--config", signalFiles(t, server.Address(), receiver.URL))
	p.until(t, following)
	p.signal(t, syscall.SIGHUP)
	p.until(t, "the rules are reloaded")
	server.Exec(t, "INSERT INTO wordpress.wp_vikappointments_service (name) VALUES ('Cut')")
	<-asked
	p.signal(t, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGHUP)
	p.signal(t, syscall.Signal(0)) // there it is
	close(answer)
	p.ends(t)
}

// silentServer takes connections and says nothing.
type silentServer struct {
	address string
	came    chan struct{}
}

func newSilent(t *testing.T) *silentServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silentServer{l.Addr().String(), make(chan struct{}, 100)}
	var conns []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			s.came <- struct{}{}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for _, c := range conns {
			_ = c.Close()
		}
	})
	return s
}

func signalFiles(t *testing.T, address, url string) (config string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.yaml": fmt.Sprintf("database: {address: %q, user: rowhook, password: secret}\n"+
			"sites: [{name: salon, schema: wordpress, prefix: wp_}]\nrules: rules.yaml\nstate_dir: state\n", address),
		"rules.yaml": fmt.Sprintf("rules: [{name: all, action: service.save, url: %q}]\n", url),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}
