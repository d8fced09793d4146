package dbtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// WordPress is a real one, in a folder of its own. It needs PHP with mysqli (tools/need.sh php) and Debian's package unpacked
// (tools/get-wordpress.sh).
type WordPress struct {
	Root string
}

// InstallWordPress installs one in a schema of a server, with the prefix wp_, beside the salon's tables when those are there. It shows
// every error of PHP.
func InstallWordPress(tb testing.TB, s *Server, schema string) *WordPress {
	tb.Helper()
	w := &WordPress{Root: tb.TempDir()}
	from := filepath.Join(unpackedWordPress(tb), "usr/share/wordpress")
	for _, dir := range []string{".", "wp-admin"} {
		w.link(tb, from, dir)
	}
	s.Exec(tb, "CREATE DATABASE IF NOT EXISTS `"+schema+"`")
	for _, table := range []string{"options", "users", "postmeta"} { // the salon's are cut down
		s.Exec(tb, "DROP TABLE IF EXISTS `"+schema+"`.wp_"+table)
	}
	s.CreateUser(tb, "wordpress", "secret", "ALL ON `"+schema+"`.*")
	w.Write(tb, "wp-config.php", fmt.Sprintf(`<?php
define('DB_NAME', '%s'); define('DB_USER', 'wordpress'); define('DB_PASSWORD', 'secret'); define('DB_HOST', '%s'); define('DB_CHARSET', 'utf8mb4');
define('WP_DEBUG', true); define('WP_DEBUG_DISPLAY', true); define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_CONTENT_DIR', __DIR__ . '/wp-content'); define('WP_DEFAULT_THEME', 'plain');
define('WP_HOME', 'http://' . $_SERVER['HTTP_HOST']); define('WP_SITEURL', WP_HOME);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }
require_once ABSPATH . 'wp-settings.php';
`, schema, s.Address()))
	w.Write(tb, "wp-content/themes/plain/style.css", "/* Theme Name: plain */")
	w.Write(tb, "wp-content/themes/plain/index.php", "<p>a page</p>")
	out := w.RunBefore(tb, `define('WP_INSTALLING', true); function wp_new_blog_notification() {}`,
		`require ABSPATH . 'wp-admin/includes/upgrade.php'; wp_install('Salon', 'admin', 'admin@example.com', true, '', 'secret'); echo "\ninstalled";`)
	if !strings.HasSuffix(out, "installed") {
		tb.Fatalf("WordPress was not installed: %s", out)
	}
	return w
}

// link puts a folder of WordPress there: its files as copies, for PHP takes the folder that a file really is in for WordPress', and the
// folders in it as links.
func (w *WordPress) link(tb testing.TB, from, dir string) {
	tb.Helper()
	entries, err := os.ReadDir(filepath.Join(from, dir))
	if err != nil {
		tb.Fatalf("there is no WordPress (tools/get-wordpress.sh downloads it): %v", err)
	}
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		switch {
		case entry.IsDir() && name != "wp-admin" && name != "wp-content":
			err = os.Symlink(filepath.Join(from, name), filepath.Join(w.Root, name))
		case filepath.Ext(name) == ".php":
			var text []byte
			if text, err = os.ReadFile(filepath.Join(from, name)); err == nil {
				w.Write(tb, name, string(text))
			}
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// unpackedWordPress is where tools/get-wordpress.sh unpacks it.
func unpackedWordPress(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("ROWHOOK_WORDPRESS"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(cache, "rowhook-wordpress")
}

// Write writes a file in WordPress' folder.
func (w *WordPress) Write(tb testing.TB, name, text string) {
	tb.Helper()
	path := filepath.Join(w.Root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Run runs PHP code within WordPress and returns what it printed, errors too.
func (w *WordPress) Run(tb testing.TB, code string) string {
	tb.Helper()
	return w.RunBefore(tb, "", code)
}

// RunBefore is Run with code that comes before WordPress is loaded.
func (w *WordPress) RunBefore(tb testing.TB, before, code string) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "run.php")
	text := "<?php $_SERVER['HTTP_HOST'] = 'localhost'; " + before + " require " + strconv.Quote(filepath.Join(w.Root, "wp-load.php")) + ";\n" + code
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(tb.Context(), "php", "-d", "display_errors=1", "-d", "memory_limit=256M", file)
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("php, which this test needs with mysqli (tools/need.sh php installs it): %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// Serve serves WordPress on the loopback until the test ends, and returns its URL. Every error of PHP is shown in the page, and logged.
func (w *WordPress) Serve(tb testing.TB) string {
	tb.Helper()
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), "php", "-d", "display_errors=1", "-d", "log_errors=1", "-d", "error_log="+w.log(),
		"-d", "memory_limit=256M", "-S", address, "-t", w.Root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("php, which this test needs with mysqli (tools/need.sh php installs it): %v", err)
	}
	started, ended := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), "started") {
				started <- true
			}
		}
	}()
	tb.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		<-ended
		cmd.Wait() //nolint:errcheck // it was killed
	})
	select {
	case <-started:
	case <-ended:
		tb.Fatal("php -S ended at once")
	case <-time.After(startTimeout):
		tb.Fatal("php -S does not come up")
	}
	return "http://" + address
}

// log is where PHP logs its errors.
func (w *WordPress) log() string { return filepath.Join(w.Root, "php-errors.log") }

// Logged is what PHP has logged in the pages so far.
func (w *WordPress) Logged(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile(w.log())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	return string(text)
}

// Get asks WordPress for a page, and returns its status and body.
func (w *WordPress) Get(tb testing.TB, url string) (status int, body string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	client := &http.Client{Timeout: startTimeout}
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if _, err := bufio.NewReader(resp.Body).WriteTo(&b); err != nil {
		tb.Fatal(err)
	}
	return resp.StatusCode, b.String()
}
