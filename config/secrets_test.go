package config

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestSecretFiles: which files hold what the login needs, however it is written.
func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PASSWORD", "secret")
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if err := os.Mkdir(filepath.Join(dir, "credentials"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"password", "credentials/database"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for password, want := range map[string][]string{
		`""`:                           nil,
		"secret":                       {"config.yaml"},
		"pa$$s":                        {"config.yaml"},
		"${PASSWORD}":                  nil,
		"${PASSWORD}2026":              {"config.yaml"},
		"${file:password}":             {"password"},
		"${credential:database}":       {"credentials/database"},
		"x${file:password}":            {"config.yaml", "password"},
		"${PASSWORD}$${PASSWORD}":      {"config.yaml"},
		"&a ${file:password}":          {"password"},
		"secret\n  tls: {mode: false}": {"config.yaml"},
	} {
		file := filepath.Join(dir, "config.yaml")
		if err := os.WriteFile(file, []byte("database:\n  password: "+password+"\nsites: [{name: a, schema: b}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(file)
		if err != nil {
			t.Errorf("%s: %v", password, err)
			continue
		}
		var got []string
		for _, path := range c.Database.SecretFiles() {
			name, err := filepath.Rel(dir, path)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", password, got, want)
		}
	}
}

// TestClosedPassword: a password whose file was closed since is a fault, except for who has become another user, as root does.
func TestClosedPassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, secret := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "secret")
	for path, text := range map[string]string{file: "database:\n  password: ${file:secret}\nsites: [{name: a, schema: b}]\n", secret: "old\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(secret, 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with what it gives up here
		const nobody = 65534
		if err := syscall.Setfsuid(nobody); err != nil && os.Geteuid() == 0 { // root opens what is closed
			t.Error(err)
			return
		}
		if got, err := c.Database.ReadPassword(); err == nil || !strings.Contains(err.Error(), secret) {
			t.Errorf("got %q, %v", got, err)
		}
		c.Database.login.uid++
		if got, err := c.Database.ReadPassword(); got != "old" || err != nil {
			t.Errorf("as another user: got %q, %v", got, err)
		}
	}()
	<-done
}

func TestExposed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // a folder of this test, which others may pass
		t.Fatal(err)
	}
	files := []string{filepath.Join(dir, "none")}
	for name, mode := range map[string]os.FileMode{"a": 0o600, "b": 0o640, "c": 0o644, "d": 0o602, "e": 0o777} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		files = append(files, path, path)
	}
	link := filepath.Join(dir, "f")
	if err := os.Symlink(filepath.Join(dir, "c"), link); err != nil {
		t.Fatal(err)
	}
	for rights, want := range map[os.FileMode]string{0o004: "cef", 0o002: "de", 0o006: "cdef"} {
		got := ""
		for _, path := range Exposed(append(files, link), rights) {
			got += filepath.Base(path)
		}
		if got != want {
			t.Errorf("%o: %s, want %s", rights, got, want)
		}
	}
	if err := os.Chmod(dir, 0o750); err != nil { // as the packages make rules.d
		t.Fatal(err)
	}
	if got := Exposed(append(files, link), 0o006); got != nil {
		t.Errorf("in a folder that is closed to others: %s", got)
	}
}
