//go:build crash

package sqlite

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/outbox/sqlite/fault"
)

// cuts is how often the power is cut: each time at another change of a file.
const cuts = 150

// TestPowerCrash cuts the power of the daemon in small, from the first change of the first file on: what was reported as
// committed must be there, and the rest must fit together.
func TestPowerCrash(t *testing.T) {
	t.Parallel()
	cutPower(t, "", cuts, func(err error) {
		t.Helper()
		t.Fatal(err)
	})
}

// TestPowerCrashIsSeen: on a disk that does not sync, which is what synchronous=OFF would be, the same test fails.
func TestPowerCrashIsSeen(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	cutPower(t, "lie ", cuts/3, func(err error) { seen[strings.Fields(err.Error())[0]]++ })
	if len(seen) == 0 {
		t.Fatal("a disk that lies was not found out")
	}
	t.Logf("found out: %v", seen)
}

func cutPower(t *testing.T, how string, rounds int, fail func(error)) {
	dir, random := t.TempDir(), rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	for round := range rounds {
		n, seed := 1+round, random.Uint64() // through the first start, then through longer and longer lives
		if round > 60 {
			n = 1 + random.IntN(600)
		}
		if round < 60 || random.IntN(10) == 0 {
			dir = t.TempDir()
		}
		plan := fmt.Sprintf("%spower any %d %d", how, n, seed)
		reported := victim(t, dir, plan, seed)
		if err := violation(dir, reported); err != nil {
			fail(fmt.Errorf("%w (after %q)", err, plan))
			dir = t.TempDir()
		}
	}
}

// victim runs the daemon in small until its fault ends it, and returns the last position that it reported.
func victim(t *testing.T, dir, plan string, seed uint64) (position int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprintf("%s=%d", crashSeed, seed), fault.Variable+"="+plan)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			position = n
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.Exited() || !strings.HasPrefix(said.String(), "fault: power") {
		t.Fatalf("%s: the victim ended by itself: %v\n%s", plan, err, said.String())
	}
	if err := fault.AfterCut(dir); err != nil {
		t.Fatal(err)
	}
	return position
}
