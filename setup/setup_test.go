package setup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/config"
)

// found are findings about a server's log: those named are as they must be, ! in front says not, ? that it is a warning.
func found(checks ...string) (all []cdc.Finding) {
	for _, c := range checks {
		name := strings.TrimLeft(c, "!?")
		all = append(all, cdc.Finding{Check: name, OK: c[0] != '!', Warn: c[0] == '?', Fix: "fix of " + name})
	}
	return all
}

// TestLog: what the server's log lacks becomes lines for its configuration, or what is typed at a hosting; it says whether that
// takes a restart.
func TestLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		survey  cdc.Survey
		lines   string
		now     bool
		restart bool
		typed   string
	}{
		{name: "nothing", survey: cdc.Survey{Log: found("log_bin", "binlog_format", "sync_binlog")}},
		{
			name: "the log is off", survey: cdc.Survey{ServerID: "7", Log: found("!log_bin", "binlog_format", "?sync_binlog")},
			lines: "server_id = 7, log_bin = mysql-bin, binlog_format = ROW, sync_binlog = 1", restart: true,
		},
		{
			name: "the log is off, on a server without a number", survey: cdc.Survey{ServerID: "0", Log: found("!log_bin")},
			lines: "server_id = 1, log_bin = mysql-bin", restart: true,
		},
		{
			name: "the log is off, and so are GTIDs", survey: cdc.Survey{ServerID: "1", Log: found("!log_bin", "!gtid_mode")},
			lines: "server_id = 1, log_bin = mysql-bin, enforce_gtid_consistency = ON, gtid_mode = ON", restart: true,
		},
		{
			name: "no restart", survey: cdc.Survey{Log: found("log_bin", "!binlog_format", "?binlog_row_image", "?retention of the log")},
			lines: "binlog_format = ROW, binlog_row_image = FULL, binlog_expire_logs_seconds = 604800", now: true,
		},
		{name: "GTIDs of a server that runs", survey: cdc.Survey{Log: found("log_bin", "!gtid_mode")}, typed: "fix of gtid_mode"},
		{
			name: "a hosting", survey: cdc.Survey{Managed: true, Log: found("!log_bin", "binlog_format", "?retention of the log")},
			typed: "fix of log_bin, fix of retention of the log",
		},
	} {
		log := (&Server{Address: "/run/x.sock", Survey: c.survey}).Log()
		if got := strings.Join(log.Lines, ", "); got != c.lines || log.Restart != c.restart || (log.File != "") != (c.lines != "") {
			t.Errorf("%s: lines %q for %q, restart %t", c.name, got, log.File, log.Restart)
		}
		if got := strings.Join(log.Typed, ", "); got != c.typed {
			t.Errorf("%s: to be typed %q", c.name, got)
		}
		if (len(log.Now) > 0) != c.now || c.now && log.Now[0] != "SET GLOBAL "+log.Lines[0] {
			t.Errorf("%s: at once %q", c.name, log.Now)
		}
	}
	if file := (&Server{Address: "10.0.0.5:3306", Host: "10.0.0.9", Survey: cdc.Survey{Log: found("!log_bin")}}).Log().File; file != "my.cnf on the server's machine" {
		t.Errorf("lines for another machine go into %s", file)
	}
}

// TestStatements: the grants are for the sites' schemas and for no other, whatever these are called.
func TestStatements(t *testing.T) {
	t.Parallel()
	s := &Server{Host: "localhost", Survey: cdc.Survey{Privileges: []string{"A", "B C"}}, Sites: []Site{{Schema: "wp_1"}, {Schema: "a`b%"}, {Schema: "wp_1"}}}
	a := Account{User: "row'hook", Password: `a\'b`}
	want := []string{
		`CREATE USER IF NOT EXISTS 'row''hook'@'localhost' IDENTIFIED BY 'a\\''b'`, `GRANT A, B C ON *.* TO 'row''hook'@'localhost'`,
		"GRANT SELECT ON `wp\\_1`.* TO 'row''hook'@'localhost'", "GRANT SELECT ON `a``b\\%`.* TO 'row''hook'@'localhost'",
	}
	if got := s.Statements(a); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	s.Survey.LiteralGrants = true
	if got := s.Statements(a)[2]; got != "GRANT SELECT ON `wp_1`.* TO 'row''hook'@'localhost'" {
		t.Errorf("where a name means itself: %s", got)
	}
}

// TestConfigText: what is written is what is read, whatever sites are called.
func TestConfigText(t *testing.T) {
	t.Parallel()
	s := &Server{Address: "/run/mysqld/mysqld.sock", Sites: []Site{
		{Name: "shop-example-com", Schema: "wordpress", Prefix: "wp_", Root: "/var/www/html"},
		{Name: "on", Schema: "null", Prefix: "1_", Root: "/var/www/it's ${HOME} # \"x\"", Charset: "latin1"},
		{Name: "2024", Schema: "Kunde Müller: a", Prefix: "Wp_2_", Root: "/srv/ü"},
	}}
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	files := []File{{Path: CredentialFile(file), Text: "geheim\n", Secret: true}, {Path: file, Text: s.ConfigText(Account{User: "rowhook"})}}
	for range 2 {
		if _, err := Write(files, ServiceOwner()); err != nil {
			t.Fatal(err)
		}
		files[1].Text = "not written over what is there"
	}
	c, err := config.Load(file)
	if err != nil {
		text, _ := os.ReadFile(file)
		t.Fatalf("%v\n%s", err, text)
	}
	for i, site := range s.Sites {
		if got := c.Sites[i]; got.Name != site.Name || got.Schema != site.Schema || got.Prefix != site.Prefix || got.Root != site.Root || got.DBCharset != site.Charset {
			t.Errorf("got %+v, want %+v", got, site)
		}
	}
	if c.Database.Address != s.Address || c.Database.User != "rowhook" || c.Database.Password != "geheim" {
		t.Errorf("the database is %q, %q, %q", c.Database.Address, c.Database.User, c.Database.Password)
	}
}
