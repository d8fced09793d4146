package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rowhook/dbtest"
)

// serviceUser is whom a state directory belongs to when root runs these tests; else it is who runs them.
const serviceUser = 4711

// ownNames are all names that rowhook gives files in a state directory.
var ownNames = []string{"outbox.db", "outbox.db-wal", "outbox.db-shm", "outbox.db-journal", "lock", "control.sock"}

// TestLinksInStateDir: whatever lies under one of our names in the state directory, the file behind it stays what it was,
// also when root runs the command and the service's user put the link there.
func TestLinksInStateDir(t *testing.T) {
	t.Parallel()
	binary := build(t)
	for _, name := range ownNames {
		for kind, link := range map[string]func(from, to string) error{"symbolic": os.Symlink, "hard": os.Link} {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				s := newOwned(t, binary)
				_ = os.Remove(filepath.Join(s.state, name))
				if err := link(s.victim, filepath.Join(s.state, name)); err != nil {
					t.Fatal(err)
				}
				s.commands(t)
			})
		}
	}
	t.Run("the directory", func(t *testing.T) {
		t.Parallel()
		s := newOwned(t, binary)
		if err := os.Rename(s.state, s.state+".old"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Dir(s.victim), s.state); err != nil {
			t.Fatal(err)
		}
		s.own(t, s.state)
		s.commands(t)
	})
}

// TestLinksRacing: the names are swapped all the time.
func TestLinksRacing(t *testing.T) {
	t.Parallel()
	s := newOwned(t, build(t))
	done := make(chan struct{})
	var swapping sync.WaitGroup
	swapping.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			name := filepath.Join(s.state, ownNames[i%len(ownNames)])
			_ = os.Rename(name, name+".kept")
			_ = os.Symlink(s.victim, name)
			_ = os.Rename(name+".kept", name)
		}
	})
	for range 5 {
		s.commands(t)
	}
	close(done)
	swapping.Wait()
}

// owned is a configuration of root's, a state directory of the service's user, and a file that is none of rowhook's business.
type owned struct {
	binary, config, state, victim string
	before                        syscall.Stat_t
}

const precious = "precious"

func newOwned(t *testing.T, binary string) *owned {
	t.Helper()
	config := logFiles(t, "http://127.0.0.1:1")
	dir := filepath.Dir(config)
	s := &owned{binary: binary, config: config, state: stateDir(config), victim: filepath.Join(t.TempDir(), "outbox.db")}
	for _, d := range []string{filepath.Dir(dir), filepath.Dir(filepath.Dir(s.victim)), filepath.Dir(binary), filepath.Dir(filepath.Dir(binary))} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(path, s.state) {
			s.own(t, path)
		} else if err == nil {
			err = os.Chmod(path, 0o755) // the service reads its configuration
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.victim, []byte(precious), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Stat(s.victim, &s.before); err != nil {
		t.Fatal(err)
	}
	return s
}

// own gives a file to the service's user.
func (s *owned) own(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() == 0 {
		if err := os.Lchown(path, serviceUser, serviceUser); err != nil {
			t.Fatal(err)
		}
	}
}

// commands runs all that work in the state directory, and looks after the victim.
func (s *owned) commands(t *testing.T) {
	t.Helper()
	for _, args := range []string{
		"deliveries list", "deliveries export", "deliveries retry --dead", "endpoints list", "endpoints pause books",
		"backfill --status", "position show", "position set --now --yes", "events", "run",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // run does not end by itself
		cmd := exec.CommandContext(ctx, s.binary, append(strings.Fields(args), "--config", s.config)...)
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		out, _ := cmd.CombinedOutput() // what it makes of what it finds is its own business
		cancel()
		text, err := os.ReadFile(s.victim)
		if err != nil || string(text) != precious {
			t.Fatalf("after %s the file behind the link holds %q, %v\n%s", args, text, err, out)
		}
		var now syscall.Stat_t
		if err := syscall.Stat(s.victim, &now); err != nil {
			t.Fatal(err)
		}
		if now.Uid != s.before.Uid || now.Gid != s.before.Gid || now.Mode != s.before.Mode || now.Mtim != s.before.Mtim {
			t.Fatalf("after %s the file behind the link is %+v, it was %+v\n%s", args, now, s.before, out)
		}
	}
}

// TestOwnersFiles: what a command typed by root leaves in the state directory is the service's, and readable by nobody else.
func TestOwnersFiles(t *testing.T) {
	t.Parallel()
	s := newOwned(t, build(t))
	want := os.Geteuid()
	if want == 0 {
		want = serviceUser
	}
	for _, args := range []string{"deliveries list", "deliveries retry --dead", "endpoints pause books", "endpoints list"} {
		out, err := exec.CommandContext(t.Context(), s.binary, append(strings.Fields(args), "--config", s.config)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
		entries, err := os.ReadDir(s.state)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			var st syscall.Stat_t
			if err := syscall.Lstat(filepath.Join(s.state, e.Name()), &st); err != nil {
				t.Fatal(err)
			}
			if int(st.Uid) != want || st.Mode&0o077 != 0 {
				t.Errorf("after %s %s is of user %d with mode %o", args, e.Name(), st.Uid, st.Mode)
			}
		}
	}
}

// TestRootsCredential: what root types after `rowhook init` logs in with the password that only root may read.
func TestRootsCredential(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	file := daemonFiles(t, server, everyAction("http://127.0.0.1:1/"), "")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	credentials := filepath.Join(filepath.Dir(file), "credentials")
	if err := os.Mkdir(credentials, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{
		file: strings.Replace(string(text), "password: secret", "password: '${credential:database}'", 1), filepath.Join(credentials, "database"): "secret\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	startDaemon(t, file)()
	passable(t, file)
	s := &owned{binary: build(t), config: file, state: stateDir(file)}
	passable(t, s.binary)
	s.own(t, filepath.Join(filepath.Dir(file), "rules.yaml"))
	err = filepath.WalkDir(s.state, func(path string, _ os.DirEntry, err error) error {
		s.own(t, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"position show", "events", "sites list", "check", "deliveries list", "deliveries retry --dead", "deliveries erase --entity customer --key 7",
		"deliveries drop --state dead", "endpoints list", "rules list",
	} {
		if out, err := exec.CommandContext(t.Context(), s.binary, append(strings.Fields(args), "--config", file)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
	if os.Geteuid() != 0 {
		return // nobody else can be tried
	}
	check := func() string {
		out, _ := exec.CommandContext(t.Context(), s.binary, "check", "--config", file).CombinedOutput() // warnings are no failure
		return string(out)
	}
	if out := check(); strings.Contains(out, credentials) {
		t.Errorf("the folder credentials, which is systemd's to read, is said to be closed:\n%s", out)
	}
	secret := filepath.Join(filepath.Dir(file), "password")
	for path, content := range map[string]string{
		file: strings.Replace(string(text), "password: secret", "password: '${file:password}'", 1), secret: "secret\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := check(); !strings.Contains(out, secret+": rowhook runs as") {
		t.Errorf("nothing is said of the file with the password, which the service may not read:\n%s", out)
	}
}
