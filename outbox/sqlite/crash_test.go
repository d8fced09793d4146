package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"rowhook/dbtest"
	"rowhook/outbox"
)

// The environment variables that make the test binary the victim of TestCrash, and choose what it writes.
const (
	crashDir  = "OUTBOX_CRASH_DIR"
	crashSeed = "OUTBOX_CRASH_SEED"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		seed, err := strconv.ParseUint(os.Getenv(crashSeed), 10, 64)
		if err == nil {
			err = commitForEver(dir, rand.New(rand.NewPCG(seed, 0)))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// commitForEver is a daemon in small: events 0, 1, 2... become open records first, deliveries some commits later, and get
// outcomes. The position is the number of events so far. It prints the position after each commit.
func commitForEver(dir string, random *rand.Rand) error {
	ctx := context.Background()
	s, err := Open(ctx, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	res, err := s.Resume(ctx)
	if err != nil {
		return err
	}
	events, _ := strconv.Atoi(string(res.Checkpoint)) // none at the first start
	if _, err := s.Route(ctx, map[string]string{"crm": "a", "chat": "b"}); err != nil {
		return err
	}
	open, after := res.Open, map[string]int64{}
	for {
		var b outbox.Batch
		for range random.IntN(5) {
			r := outbox.Record{Owner: "events", Key: strconv.Itoa(events), Data: make([]byte, random.IntN(3000))}
			b.Open, open = append(b.Open, r), append(open, r)
			events++
		}
		for range random.IntN(min(6, len(open)+1)) {
			b.Open = append(b.Open, outbox.Record{Owner: "events", Key: open[0].Key})
			b.Deliveries = append(b.Deliveries, &outbox.Delivery{Rule: ruleOf(open[0].Key), Site: strconv.Itoa(events), Keys: []string{open[0].Key}, Body: open[0].Data})
			open = open[1:]
		}
		b.Checkpoint = []byte(strconv.Itoa(events))
		if err := s.Commit(ctx, &b); err != nil {
			return err
		}
		fmt.Println(events)
		if random.IntN(12) == 0 { // removes nothing, but moves the log into the file and empties it
			if _, err := s.Prune(ctx, outbox.Keep{Bytes: 1 << 40}); err != nil {
				return err
			}
		}
		if len(b.Deliveries) == 0 {
			continue
		}
		for _, endpoint := range []string{"a", "b"} {
			list, err := s.Claim(ctx, endpoint, after[endpoint], 2)
			if err != nil {
				return err
			}
			for _, d := range list {
				after[endpoint] = d.Number
				if err := s.Settle(ctx, []outbox.Outcome{fateOf(d.Keys[0], d.Seq)}); err != nil {
					return err
				}
			}
		}
	}
}

// ruleOf is the rule for which an event becomes a delivery: chat's endpoint is behind most of the time.
func ruleOf(event string) string {
	if n := event[len(event)-1]; n == '2' || n >= '5' {
		return "chat"
	}
	return "crm"
}

// fateOf is what becomes of the delivery of an event.
func fateOf(event string, seq int64) outbox.Outcome {
	if event[len(event)-1] == '7' {
		return outbox.Outcome{Seq: seq, State: outbox.Waiting, Attempts: 1, Attempt: &outbox.Attempt{Status: 500}}
	}
	return outbox.Outcome{Seq: seq, State: outbox.Delivered, Attempts: 1}
}

// TestCrash kills the daemon in small again and again: each event must be open or a delivery, exactly once, as far as the
// position says; and nothing that was reported as committed may be missing.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir, random := t.TempDir(), rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	for range 20 {
		reported := crashOnce(t, dir, random)
		if err := violation(dir, reported); err != nil {
			t.Fatal(err)
		}
	}
}

// crashOnce runs the victim until it has reported some commits, kills it, and returns the last position it reported.
func crashOnce(t *testing.T, dir string, random *rand.Rand) (position int) {
	t.Helper()
	commits := 1 + random.IntN(80)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprintf("%s=%d", crashSeed, random.Uint64()))
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ { // to the end: what it reported before it died counts
		if position, err = strconv.Atoi(lines.Text()); err != nil {
			break // killed while it wrote the line
		}
		if n == commits {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.Exited() {
		t.Fatalf("the victim ended by itself: %v", err)
	}
	return position
}

// violation is what is wrong with what the victim left, nil when nothing is.
func violation(dir string, reported int) error {
	ctx := context.Background()
	s, err := Open(ctx, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.claims.snapshot(ctx, isWhole); err != nil {
		return err
	}
	res, err := s.Resume(ctx)
	if err != nil {
		return err
	}
	list, err := s.List(ctx, outbox.Filter{Bodies: true})
	if err != nil {
		return err
	}
	position := 0 // when it never came to a commit
	if res.Checkpoint != nil {
		position, err = strconv.Atoi(string(res.Checkpoint))
	}
	if err != nil || position < reported {
		return fmt.Errorf("lost: position is %q, %d was reported as committed", res.Checkpoint, reported)
	}
	if len(list)+len(res.Open) != position {
		return fmt.Errorf("torn: %d deliveries and %d open events at position %d", len(list), len(res.Open), position)
	}
	for i, d := range list { // events become deliveries in order
		if d.Seq != int64(i+1) || d.Keys[0] != strconv.Itoa(i) || d.Rule != ruleOf(d.Keys[0]) {
			return fmt.Errorf("disordered: delivery %d is number %d, of event %s", i, d.Seq, d.Keys[0])
		}
		if want := fateOf(d.Keys[0], d.Seq).State; d.State != want && d.State != outbox.Fresh {
			return fmt.Errorf("fate: delivery %d is %v, want %v", d.Seq, d.State, want)
		}
	}
	if err := misnumbered(ctx, s, list); err != nil {
		return err
	}
	for i, r := range res.Open {
		if r.Key != strconv.Itoa(len(list)+i) {
			return fmt.Errorf("disordered: open event %d is %s", i, r.Key)
		}
	}
	return nil
}

// isWhole is what SQLite finds wrong in the file, also where nobody reads.
func isWhole(c *sqlite3.Conn) error {
	return each(c, `PRAGMA integrity_check(1)`, nil, func(s *sqlite3.Stmt) (bool, error) {
		if found := s.ColumnText(0); found != "ok" {
			return false, fmt.Errorf("not whole: %s", found)
		}
		return true, nil
	})
}

// misnumbered is what is wrong with the endpoints' numbers, counts and backlogs.
func misnumbered(ctx context.Context, s *Store, list []*outbox.Stored) error {
	due, err := s.Due(ctx)
	if err != nil {
		return err
	}
	for _, endpoint := range []string{"a", "b"} {
		number, bytes := int64(0), int64(0)
		var want []int64
		for _, d := range list {
			if d.Endpoint != endpoint {
				continue
			}
			if number++; d.Number != number {
				return fmt.Errorf("misnumbered: delivery %d is number %d at %s, not %d", d.Seq, d.Number, endpoint, number)
			}
			if d.State == outbox.Fresh || d.State == outbox.Waiting {
				want = append(want, d.Seq)
				bytes += int64(len(d.Body))
			}
		}
		got, err := s.Claim(ctx, endpoint, 0, len(list)+1)
		if err != nil {
			return err
		}
		for i, d := range got {
			if i >= len(want) || d.Seq != want[i] {
				return fmt.Errorf("misplaced: %s has delivery %d in place %d, of %v", endpoint, d.Seq, i, want)
			}
		}
		if len(got) != len(want) || due[endpoint].Count != len(want) || due[endpoint].Bytes != bytes {
			return fmt.Errorf("miscounted: %s has %d, of %d; %+v, of %d bytes", endpoint, len(got), len(want), due[endpoint], bytes)
		}
	}
	return nil
}
