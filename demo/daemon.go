package main

import (
	"bufio"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"
)

//go:embed config.yaml
var configYAML string

//go:embed rules.yaml
var rulesYAML string

// settings is what rowhook must be told of the other parts.
type settings struct {
	dir        string // holds the configuration and the state
	binary     string
	dbAddress  string
	dbPassword string
	url        string
	signingKey string // base64
}

// daemon is the running `rowhook run`.
type daemon struct {
	cmd   *exec.Cmd
	live  chan struct{} // closed when it follows the log
	ended chan struct{} // closed when it has ended
	err   error         // how it ended; to be read once ended is closed
}

// startDaemon writes configuration and rules, runs rowhook and waits until it follows the log: what is written before
// that is of no interest to a fresh start.
func startDaemon(ctx context.Context, s settings, out *page) (*daemon, error) {
	const patience = 20 * time.Second
	if err := s.write(); err != nil {
		return nil, err
	}
	d := &daemon{live: make(chan struct{}), ended: make(chan struct{})}
	d.cmd = exec.Command(s.binary, "run", "--config", filepath.Join(s.dir, "config.yaml")) //nolint:noctx // stop ends it, in order
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}    // Ctrl-C is for us, we end it
	log, err := d.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("starting rowhook: %w", err)
	}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting rowhook: %w", err)
	}
	go func() {
		defer close(d.ended)
		d.watch(log, out)
		d.err = d.cmd.Wait()
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-d.live:
		return d, nil
	case <-d.ended:
		return nil, fmt.Errorf("rowhook did not come up: %w", d.err)
	case <-late.C:
		err = fmt.Errorf("rowhook did not follow the log within %s", patience)
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, d.stop())
}

// watch reads the daemon's log to its end. It shows warnings and all that is no log line, and sees when the daemon is live.
func (d *daemon) watch(log io.Reader, out *page) {
	for lines, live := bufio.NewScanner(log), false; lines.Scan(); {
		line := lines.Text()
		if !live && strings.Contains(line, `msg="following the binlog"`) {
			live = true
			close(d.live)
		}
		if !strings.Contains(line, "level=INFO") && !strings.Contains(line, "level=DEBUG") {
			_, text, _ := strings.Cut(line, " ") // without the time
			out.note("rowhook says: %s", text)
		}
	}
}

// stop asks the daemon to end, and ends it when it does not.
func (d *daemon) stop() error {
	const patience = 15 * time.Second
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping rowhook: %w", err)
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-d.ended:
	case <-late.C:
		err := fmt.Errorf("rowhook did not stop within %s", patience)
		err = errors.Join(err, d.cmd.Process.Kill())
		<-d.ended
		return err
	}
	if d.err != nil {
		return fmt.Errorf("rowhook: %w", d.err)
	}
	return nil
}

// write makes the files that a person would write.
func (s settings) write() error {
	values := map[string]string{"Address": s.dbAddress, "Schema": schema, "Prefix": prefix, "URL": s.url, "Dir": s.dir}
	if err := os.Mkdir(filepath.Join(s.dir, "rules.d"), 0o700); err != nil {
		return err
	}
	for path, text := range map[string]string{"config.yaml": configYAML, "rules.d/salon.yaml": rulesYAML} {
		t, err := template.New(path).Parse(text)
		if err != nil {
			return err
		}
		var filled strings.Builder
		if err := t.Execute(&filled, values); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.dir, path), []byte(filled.String()), 0o600); err != nil {
			return err
		}
	}
	for path, secret := range map[string]string{"password": s.dbPassword, "signing": "whsec_" + s.signingKey} {
		if err := os.WriteFile(filepath.Join(s.dir, path), []byte(secret), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// randomKey is a fresh secret, in base64.
func randomKey() string {
	key := make([]byte, 24)
	rand.Read(key) // never fails
	return base64.StdEncoding.EncodeToString(key)
}
