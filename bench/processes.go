package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// slowReceivers is how long each receiver takes to answer.
	slowReceivers = 20 * time.Millisecond
	// ofACore is what each process may take, as if it had a small machine of its own: all of them, the database and the receivers
	// share the cores of this one.
	ofACore = 0.2
	// leastGrowth is how many times as fast as one process two of them are to be.
	leastGrowth = 1.2
)

// processes drains a backlog to fifty slow receivers with one, two and four processes that share an outbox.
func (b *bench) processes(ctx context.Context) (err error) {
	start, err := b.backlog(ctx, b.changes/endpoints)
	if err != nil {
		return err
	}
	server, err := b.outboxServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	defer b.configure(b.sink.urls[:1], written{}) //nolint:errcheck // the next measurement would say
	b.sink.slow.Store(int64(slowReceivers))
	defer b.sink.slow.Store(0)
	fmt.Println("processes    deliveries/s")
	speed := map[int][]float64{}
	for range b.rounds {
		for _, n := range []int{1, 2, 4} {
			if err := b.configure(b.sink.urls, written{config: onServer(server)}); err != nil {
				return err
			}
			if err := b.anew(ctx, server, start); err != nil {
				return err
			}
			took, err := b.together(ctx, n)
			if err != nil {
				return fmt.Errorf("%d processes: %w", n, err)
			}
			perSecond := float64(b.changes) / took.Seconds()
			fmt.Printf("%9d %15.0f\n", n, perSecond)
			speed[n] = append(speed[n], perSecond)
		}
	}
	one := median(speed[1])
	b.figures = append(b.figures,
		figure{"processes: deliveries a second of two, by those of one", median(speed[2]) / one, leastGrowth, "%.2fx", true},
		figure{"processes: the same of four", median(speed[4]) / one, leastGrowth, "%.2fx", true})
	return nil
}

// together has so many processes drain the backlog, and returns how long that took from their start on.
func (b *bench) together(ctx context.Context, n int) (took time.Duration, err error) {
	b.sink.reset()
	children := make([]*child, n)
	began := time.Now()
	for i := range children {
		if children[i], err = b.machine(ctx, i); err != nil {
			return 0, err
		}
		done, err := confine(children[i], ofACore)
		if err != nil {
			return 0, err
		}
		defer done()
	}
	if err := b.sink.wait(ctx, b.changes, children[0].ended); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, children[0].tail())
	}
	took = b.sink.last().Sub(began)
	for _, c := range children {
		if _, _, stopped := c.stop(); stopped != nil {
			err = errors.Join(err, fmt.Errorf("%w\n%s", stopped, c.tail()))
		}
	}
	return took, err
}

// machine starts one of several rowhooks, with a state_dir of its own.
func (b *bench) machine(ctx context.Context, i int) (*child, error) {
	config := filepath.Join(b.dir, fmt.Sprintf("config%d.yaml", i))
	text, err := os.ReadFile(filepath.Join(b.dir, "config.yaml"))
	if err != nil {
		return nil, err
	}
	own := strings.Replace(string(text), "state_dir: state", fmt.Sprintf("state_dir: state%d", i), 1)
	if err := os.WriteFile(config, []byte(own), 0o600); err != nil {
		return nil, err
	}
	return start(ctx, []string{b.rowhook, "run", "--config", config})
}

// confine lets a process have so much of a core, through a control group; done removes that once the process has ended.
func confine(c *child, share float64) (done func(), err error) {
	const period = 20_000 // microseconds
	quota := strconv.Itoa(int(share * period))
	name := fmt.Sprintf("rowhook-bench-%d", c.cmd.Process.Pid)
	dir, files := filepath.Join("/sys/fs/cgroup", name), map[string]string{"cpu.max": fmt.Sprintf("%s %d", quota, period)}
	if _, old := os.Stat("/sys/fs/cgroup/cpu"); old == nil { // version 1
		dir, files = filepath.Join("/sys/fs/cgroup/cpu", name), map[string]string{"cpu.cfs_period_us": strconv.Itoa(period), "cpu.cfs_quota_us": quota}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("a share of a core for each process needs root: %w", err)
	}
	files["cgroup.procs"] = strconv.Itoa(c.cmd.Process.Pid)
	for _, file := range []string{"cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.max", "cgroup.procs"} {
		if text, ok := files[file]; ok {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				return nil, fmt.Errorf("giving a process a share of a core: %w", err)
			}
		}
	}
	return func() { _ = os.Remove(dir) }, nil
}
