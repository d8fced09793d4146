package dbtest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Used is the CPU time that the server has taken since it was started, and how many bytes it has sent to the disk.
func (s *Server) Used() (cpu time.Duration, written int64, err error) {
	dir := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return 0, 0, err
	}
	const utime, stime, hertz = 11, 12, 100 // behind the name; proc(5) counts from 1, with pid and name
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= stime {
		return 0, 0, fmt.Errorf("%sstat has %d fields", dir, len(fields))
	}
	for _, field := range []int{utime, stime} {
		ticks, err := strconv.ParseInt(fields[field], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("reading %sstat: %w", dir, err)
		}
		cpu += time.Duration(ticks) * time.Second / hertz
	}
	io, err := os.ReadFile(dir + "io")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(io)) {
		if value, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			written, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return cpu, written, err
}
