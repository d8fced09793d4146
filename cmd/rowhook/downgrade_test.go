package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"rowhook/dbtest"
)

// TestDowngrade: neither the daemon nor a command touches the state of a newer version; each says what to do.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	file := daemonFiles(t, server, everyAction("http://127.0.0.1:1/"), "")
	startDaemon(t, file)()
	state := filepath.Join(filepath.Dir(file), "state", "outbox.db")
	newer(t, state)
	before, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"run", "position show", "position set --now --yes", "deliveries list", "deliveries export", "deliveries retry --dead",
		"deliveries drop --state dead", "endpoints list", "sites list", "events",
	} {
		var out bytes.Buffer
		err := command(t.Context(), append(strings.Fields(args), "--config", file), &out, io.Discard)
		if err == nil || exitCode(err) != exitFailed {
			t.Errorf("%s: %v", args, err)
			continue
		}
		for _, want := range []string{state, "written by a newer rowhook", "run that version again", "docs/operations.md"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", args, err, want)
			}
		}
	}
	if after, err := os.ReadFile(state); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the state was changed (%v)", err)
	}
}

// newer makes an outbox one of a later version, which no one knows yet.
func newer(t *testing.T, state string) {
	t.Helper()
	c, err := sqlite3.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Exec(`UPDATE meta SET value = value + 1 WHERE key = 'schema'; PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
