package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"rowhook/dbtest"
)

// child is a process that is measured.
type child struct {
	cmd    *exec.Cmd
	output bytes.Buffer
	ended  chan struct{} // closed when it has ended
	err    error
}

func start(ctx context.Context, command []string) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, command[0], command[1:]...), ended: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = &c.output, &c.output
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.ended)
		c.err = c.cmd.Wait()
	}()
	return c, nil
}

// stop ends the process in order and returns the CPU time it took and its largest resident memory.
func (c *child) stop() (cpu time.Duration, rssMB float64, err error) {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, 0, err
	}
	<-c.ended
	if c.err != nil {
		return 0, 0, fmt.Errorf("it ended with: %w", c.err)
	}
	state := c.cmd.ProcessState
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, fmt.Errorf("no resource usage on this system")
	}
	return state.UserTime() + state.SystemTime(), float64(usage.Maxrss) / 1024, nil
}

// freeze stops the process where it is, until thaw.
func (c *child) freeze() error { return c.cmd.Process.Signal(syscall.SIGSTOP) }

func (c *child) thaw() error { return c.cmd.Process.Signal(syscall.SIGCONT) }

// usage is the CPU time so far and the resident memory now.
func (c *child) usage() (cpu time.Duration, rssMB float64, err error) {
	u, err := dbtest.UsageOf(c.cmd.Process.Pid)
	return u.CPU, float64(u.Resident) / (1 << 20), err
}

// command runs a command of rowhook with the measurement's configuration.
func (b *bench) command(ctx context.Context, args ...string) ([]byte, error) {
	return exec.CommandContext(ctx, b.rowhook, append(args, "--config", filepath.Join(b.dir, "config.yaml"))...).CombinedOutput()
}

func (c *child) tail() []byte {
	b := c.output.Bytes()
	return b[max(0, len(b)-2000):]
}
