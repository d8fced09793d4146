package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/outbox"
)

func TestStartsThatFail(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	server.CreateUser(t, "poor", "secret", "SELECT ON wordpress.*")
	good := everyAction("http://127.0.0.1:1/")
	start := func(t *testing.T, edit func(config string) string) error {
		t.Helper()
		file := daemonFiles(t, server, good, "")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(edit(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		return command(t.Context(), []string{"run", "--config", file}, io.Discard, io.Discard)
	}
	replace := func(old, with string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, with, 1) }
	}
	for name, test := range map[string]struct {
		edit func(string) string
		says []string
		code int
	}{
		"missing grants": {replace("user: rowhook", "user: poor"), []string{"GRANT REPLICATION SLAVE, BINLOG MONITOR"}, exitFailed},
		"wrong password": {replace("password: secret", "password: wrong"), []string{"Access denied"}, exitFailed},
		"unknown schema": {replace("schema: wordpress", "schema: nowhere"), []string{"nowhere", "sites[].schema"}, exitFailed},
		"unknown prefix": {replace("prefix: wp_", "prefix: xx_"), []string{"xx_vikappointments_reservation"}, exitFailed},
		"state directory": {
			replace("state_dir: state", "state_dir: /proc/rowhook"), []string{"/proc/rowhook"}, exitFailed,
		},
		"unknown key": {replace("state_dir: state", "state_dri: state"), []string{"config.yaml:4", "state_dri"}, exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := start(t, test.edit)
			if err == nil {
				t.Fatal("it started")
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("says %q, which lacks %q", err, want)
				}
			}
			if code := exitCode(err); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
		})
	}
	t.Run("second daemon", func(t *testing.T) {
		t.Parallel()
		file := daemonFiles(t, server, good, "")
		startDaemon(t, file)
		err := command(t.Context(), []string{"run", "--config", file}, io.Discard, io.Discard)
		if !errors.Is(err, outbox.ErrLocked) {
			t.Errorf("a second daemon on the same state ended with %v", err)
		}
	})
	t.Run("no binary log", func(t *testing.T) {
		t.Parallel()
		silent := dbtest.Start(t, "--skip-log-bin", "--binlog-format=STATEMENT")
		dbtest.Salon(t, silent, "wordpress", "wp_")
		rowhookUser(t, silent)
		var out bytes.Buffer
		err := command(t.Context(), []string{"check", "--config", daemonFiles(t, silent, good, "")}, &out, io.Discard)
		if !errors.Is(err, errReported) || exitCode(err) != exitFailed {
			t.Errorf("check ended with %v", err)
		}
		for _, want := range []string{"FAIL  log_bin: OFF", "log_bin = mysql-bin", "FAIL  binlog_format: STATEMENT", "SET GLOBAL binlog_format = 'ROW'"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("check does not say %q:\n%s", want, &out)
			}
		}
	})
}

func TestCheckIsContent(t *testing.T) { onServers(t, testCheckIsContent) }

func testCheckIsContent(t *testing.T, server *dbtest.Server) {
	t.Helper()
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	var out bytes.Buffer
	file := daemonFiles(t, server, everyAction("http://127.0.0.1:1/"), "")
	if err := command(t.Context(), []string{"check", "--config", file}, &out, io.Discard); err != nil {
		t.Errorf("check: %v\n%s", err, &out)
	}
	if strings.Contains(out.String(), "FAIL") || !strings.Contains(out.String(), "rowhook can run here") {
		t.Errorf("check finds faults:\n%s", &out)
	}
	t.Logf("it says:\n%s", &out)
}

func TestCheckWithoutDatabase(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	for name, test := range map[string]struct {
		old, with string
		says      []string
	}{
		"wrong password": {"password: secret", "password: wrong", []string{"Access denied", "database.password"}},
		"nobody there":   {server.Address(), "127.0.0.1:1", []string{"connection refused", "database.address, 127.0.0.1:1"}},
		"no such socket": {server.Address(), "/nowhere/mysqld.sock", []string{"no such file", "database.address, /nowhere/mysqld.sock"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := daemonFiles(t, server, everyAction("http://127.0.0.1:1/"), "")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(strings.Replace(string(text), test.old, test.with, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, asJSON bytes.Buffer
			err = command(t.Context(), []string{"check", "--config", file}, &out, io.Discard)
			if !errors.Is(err, errReported) || exitCode(err) != exitFailed {
				t.Errorf("check ended with %v", err)
			}
			for _, want := range append(test.says, "FAIL  server: ", "cannot run here") {
				if !strings.Contains(out.String(), want) {
					t.Errorf("check does not say %q:\n%s", want, &out)
				}
			}
			if err := command(t.Context(), []string{"check", "--json", "--config", file}, &asJSON, io.Discard); !errors.Is(err, errReported) {
				t.Errorf("check --json ended with %v", err)
			}
			var found []cdc.Finding
			if err := json.Unmarshal(asJSON.Bytes(), &found); err != nil || found[0].OK || found[0].Fix == "" || !strings.Contains(found[0].Found, test.says[0]) {
				t.Errorf("%v: %s", err, &asJSON)
			}
		})
	}
}
