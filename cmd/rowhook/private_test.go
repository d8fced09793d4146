package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// TestExposedFiles: check and run name the files with secrets that others may read, and those that others may change.
func TestExposedFiles(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	file := daemonFiles(t, server, strings.Replace(everyAction("http://127.0.0.1:1/"), "rules:\n", "rules:\n  - {name: told, action: coupon.save, url: 'http://127.0.0.1:1/', secret: abc}\n", 1), "")
	ruleFile := filepath.Join(filepath.Dir(file), "rules.yaml")
	passable(t, file)
	secretReadable, writable := "holds secrets, and everybody on this machine may read it", "everybody on this machine may change it"
	for _, c := range []struct {
		config, rules os.FileMode
		want          map[string]string // what is said of a file
	}{
		{0o600, 0o640, nil},
		{0o644, 0o600, map[string]string{file: secretReadable}},
		{0o604, 0o644, map[string]string{file: secretReadable, ruleFile: secretReadable}},
		{0o600, 0o666, map[string]string{ruleFile: writable}},
	} {
		for path, mode := range map[string]os.FileMode{file: c.config, ruleFile: c.rules} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		var out, log bytes.Buffer
		if err := command(t.Context(), []string{"check", "--config", file}, &out, io.Discard); err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		startDaemon(t, file, &log)()
		for _, path := range []string{file, ruleFile} {
			want, told := c.want[path]
			if says := "warn  file " + path + ": " + want; strings.Contains(out.String(), says) != told {
				t.Errorf("%o %o: check says\n%s", c.config, c.rules, &out)
			}
			if says := `"file ` + path + `"`; strings.Contains(log.String(), says) != told || told && !strings.Contains(log.String(), want) {
				t.Errorf("%o %o: the log says\n%s", c.config, c.rules, &log)
			}
		}
	}
}

// TestPrivateOutput: what import and export write into a file is its owner's alone, however the shell made the file.
func TestPrivateOutput(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	addWebhook(t, server, "wordpress.wp_", "crm", "onAfterSaveReservation", "secret", 1, nil)
	file := daemonFiles(t, server, everyAction("http://127.0.0.1:1/"), "")
	startDaemon(t, file)()
	for name, c := range map[string]struct {
		args []string
		mode os.FileMode
	}{
		"import":         {[]string{"import"}, 0o644},
		"private import": {[]string{"import"}, 0o600},
		"export":         {[]string{"deliveries", "export"}, 0o666},
	} {
		path := filepath.Join(t.TempDir(), "out")
		out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, c.mode)
		if err != nil {
			t.Fatal(err)
		}
		if err := command(t.Context(), append(c.args, "--config", file), out, io.Discard); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		info, err := out.Stat()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the file has mode %v, %v", name, info.Mode(), err)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}
}
