package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestDamagedOutbox: whoever finds the outbox damaged is told so by the daemon and by check, and goes on without a backup, as
// docs/operations.md says: nothing is missed from the place in the log on that the daemon logged.
func TestDamagedOutbox(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, everyAction(receiver.URL()), "coalesce: 0s\n")
	insert := func(n int) {
		t.Helper()
		for range n {
			if _, err := site.Insert(t.Context(), "coupon", "code", "x"); err != nil {
				t.Fatal(err)
			}
		}
	}
	var log bytes.Buffer
	stop := startDaemon(t, files, &log)
	insert(3)
	ids := map[string]bool{}
	for _, r := range receiver.WaitAccepted(patience(t), 3) {
		ids[r.ID()] = true
	}
	stop()
	insert(2) // while it is away

	state := filepath.Join(filepath.Dir(files), "state")
	path := filepath.Join(state, "outbox.db")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"cut off":         content[:len(content)/8192*4096],
		"empty pages":     append(bytes.Clone(content[:4096]), make([]byte, len(content)-4096)...),
		"no database":     append([]byte("something else entirely"), content[23:]...),
		"a changed value": append(append(bytes.Clone(content[:4000]), content[4000]+1), content[4001:]...),
	} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range []string{"run", "check", "deliveries list"} {
			var out, log bytes.Buffer
			err := command(patience(t), append(strings.Fields(args), "--config", files), &out, &log)
			said := out.String()
			if err != nil {
				said += err.Error()
			}
			if exitCode(err) != exitFailed || !strings.Contains(said, "the file is damaged") || !strings.Contains(said, "docs/operations.md") {
				t.Errorf("%s: rowhook %s: exit code %d: %s\n%s", name, args, exitCode(err), said, &log)
			}
		}
	}

	if err := os.Rename(state, state+".damaged"); err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`following the binlog" position="(\S+:\d+)`).FindStringSubmatch(log.String())
	if place == nil {
		t.Fatalf("the daemon did not log where it follows:\n%s", &log)
	}
	if out, err := rowhook(t, files, "position", "set", "--yes", "--file", place[1]); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	startDaemon(t, files)
	for _, r := range receiver.WaitAccepted(patience(t), 3+5)[3:] {
		if ids[r.ID()] {
			t.Errorf("the id %s comes again", r.ID())
		}
	}
}
