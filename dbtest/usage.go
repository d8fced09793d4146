package dbtest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process takes.
type Usage struct {
	CPU      time.Duration // since it was started
	Resident int64         // bytes of memory now
}

// UsageOf is what a process of this machine takes.
func UsageOf(pid int) (u Usage, err error) {
	file := fmt.Sprintf("/proc/%d/stat", pid)
	text, err := os.ReadFile(file)
	if err != nil {
		return u, err
	}
	const utime, stime, rss, hertz = 11, 12, 21, 100 // behind the name; proc(5) counts from 1, with pid and name
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) <= rss {
		return u, fmt.Errorf("%s has %d fields", file, len(fields))
	}
	var n [3]int64
	for i, field := range []int{utime, stime, rss} {
		if n[i], err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return u, fmt.Errorf("reading %s: %w", file, err)
		}
	}
	return Usage{CPU: time.Duration(n[0]+n[1]) * time.Second / hertz, Resident: n[2] * int64(os.Getpagesize())}, nil
}

// Used is the CPU time that the server has taken since it was started, and how many bytes it has sent to the disk.
func (s *Server) Used() (cpu time.Duration, written int64, err error) {
	pid := s.cmd.Process.Pid
	usage, err := UsageOf(pid)
	if err != nil {
		return 0, 0, err
	}
	io, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(io)) {
		if value, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			written, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return usage.CPU, written, err
}
