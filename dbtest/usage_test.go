package dbtest

import (
	"os"
	"testing"
	"time"
)

// TestUsage: what this process and a server take is within what can be.
func TestUsage(t *testing.T) {
	t.Parallel()
	for busy := time.Now().Add(50 * time.Millisecond); time.Now().Before(busy); {
	}
	u, err := UsageOf(os.Getpid())
	if err != nil || u.CPU <= 0 || u.CPU > time.Hour || u.Resident < 1<<20 || u.Resident > 1<<40 {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := UsageOf(-1); err == nil {
		t.Error("there is no such process")
	}
	cpu, written, err := Start(t).Used()
	if err != nil || cpu <= 0 || written <= 0 {
		t.Errorf("the server took %s, wrote %d bytes: %v", cpu, written, err)
	}
}
