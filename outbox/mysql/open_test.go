package mysql

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"rowhook/connect"
	"rowhook/freeport"
	"rowhook/outbox"
)

// TestRefused: what waiting does not help is an error at once, and says what to type.
func TestRefused(t *testing.T) {
	t.Parallel()
	server := serve(t)
	server.CreateUser(t, "poor", "secret", "SELECT ON mysql.*")
	s := open(t, config(server, "outboxnewer"))
	if _, err := s.pools.writes.ExecContext(t.Context(), `UPDATE meta SET v = '99'`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(cfg *Config)
		want   string
	}{
		"password":   {func(cfg *Config) { cfg.Password = connect.Password("wrong") }, "CREATE USER 'rowhook'"},
		"rights":     {func(cfg *Config) { cfg.User = "poor" }, "GRANT ALL ON `outbox`.* TO 'poor'@'%';"},
		"another's":  {func(cfg *Config) { cfg.Schema = "mysql2" }, "GRANT ALL ON `mysql2`.* TO 'rowhook'@'%';"},
		"newer":      {func(cfg *Config) { cfg.Schema = "outboxnewer" }, "written by a newer rowhook (schema 99, this one knows 2)"},
		"no address": {func(cfg *Config) { cfg.Addresses = nil }, "needs an address"},
		"no port":    {func(cfg *Config) { cfg.Addresses = []string{"db"} }, "write host:port"},
	} {
		cfg := config(server, "outbox")
		c.change(&cfg)
		if _, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if _, err := OpenLog(t.Context(), cfg); err == nil {
			t.Errorf("%s: it is open for reading", name)
		}
		findings := Check(t.Context(), cfg)
		if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Grade == Fail && f.Fix != "" }) {
			t.Errorf("%s: found %+v", name, findings)
		}
	}
}

// TestHostileDefaults: what the server's sessions begin with changes nothing.
func TestHostileDefaults(t *testing.T) {
	t.Parallel()
	server := serve(t, "--autocommit=0", "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,NO_ZERO_DATE", "--transaction-isolation=SERIALIZABLE",
		"--character-set-server=latin1", "--collation-server=latin1_swedish_ci", "--completion-type=CHAIN", "--max-statement-time=0.001", "--lower-case-table-names=1",
		"--init-connect=SET sql_mode = 'NO_BACKSLASH_ESCAPES', sql_select_limit = 1, autocommit = 0, sql_safe_updates = 1, time_zone = '+13:00'; BEGIN")
	cfg := config(server, "outboxhostile")
	s := open(t, cfg)
	if _, err := s.Route(t.Context(), map[string]string{"crm": "https://crm.example"}); err != nil {
		t.Fatal(err)
	}
	const text = "\\' OR \"1\" -- \x00 Zoë \U0001F600"
	b := &outbox.Batch{Checkpoint: []byte(text), Open: []outbox.Record{{Owner: "events", Key: text, Data: []byte(text)}}}
	for i := range 3 {
		b.Deliveries = append(b.Deliveries, &outbox.Delivery{ID: outbox.ID{15: byte(i)}, Rule: "crm", Site: text, Action: text, Kind: "a.b", Keys: []string{text}, Body: []byte(text)})
	}
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context(), []outbox.Outcome{{Seq: 1, State: outbox.Delivered, Attempts: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, cfg)
	res, err := s.Resume(t.Context())
	if err != nil || string(res.Checkpoint) != text || len(res.Open) != 1 || res.Open[0].Key != text || string(res.Open[0].Data) != text {
		t.Errorf("resumed %q, %v", res, err)
	}
	list, err := s.Claim(t.Context(), "https://crm.example", 0, 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d are undelivered: %v", len(list), err)
	}
	for _, d := range list {
		if d.Site != text || d.Keys[0] != text || string(d.Body) != text {
			t.Errorf("got %+v", d)
		}
	}
}

// TestRotatedPassword: a password that was changed is taken up by the next login.
func TestRotatedPassword(t *testing.T) {
	t.Parallel()
	server := serve(t)
	server.CreateUser(t, "rotating", "old", "ALL ON outboxrotated.*")
	var password atomic.Value
	password.Store("old")
	cfg := config(server, "outboxrotated")
	cfg.User, cfg.Password = "rotating", func() (string, error) { return password.Load().(string), nil }
	s := open(t, cfg)
	server.Exec(t, "ALTER USER rotating@'%' IDENTIFIED BY 'new'")
	password.Store("new")
	server.KillConnections(t, "rotating")
	if err := s.Commit(t.Context(), &outbox.Batch{Checkpoint: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if log, err := OpenLog(t.Context(), cfg); err != nil {
		t.Error(err)
	} else if err := log.Close(); err != nil {
		t.Error(err)
	}
}

// TestAddresses: the first server that answers and takes writes is used; reading makes do with one that takes none.
func TestAddresses(t *testing.T) {
	t.Parallel()
	good, readOnly := serve(t), serve(t, "--read-only=1")
	gone, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(good, "outbox")
	cfg.Addresses = []string{gone, readOnly.Address(), good.Address()}
	s := open(t, cfg)
	route(t, s)
	commit(t, s, 0)
	log, err := OpenLog(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if due, err := log.Due(t.Context()); err != nil || due["a"].Count != 3 {
		t.Errorf("due are %v, %v", due, err)
	}
	if _, err := log.Drop(t.Context(), outbox.Filter{}); !errors.Is(err, outbox.ErrReadOnly) {
		t.Errorf("dropping: %v", err)
	}
	cfg.Addresses = cfg.Addresses[:2]
	if _, err := OpenLog(t.Context(), cfg); !errors.Is(err, outbox.ErrNotExist) {
		t.Errorf("on a server without it: %v", err)
	}
	waiting, cancel := context.WithCancel(t.Context())
	saying := &lineWriter{said: cancel}
	if _, err := Open(waiting, cfg, slog.New(slog.NewTextHandler(saying, nil))); !errors.Is(err, context.Canceled) {
		t.Errorf("with no server that takes writes: %v", err)
	}
	if !strings.Contains(saying.text, "read-only") || strings.Contains(saying.text, "secret") {
		t.Errorf("it says %q", saying.text)
	}
}

// lineWriter keeps the first line that is logged, and calls said.
type lineWriter struct {
	text string
	said func()
}

func (w *lineWriter) Write(line []byte) (int, error) {
	w.text += string(line)
	w.said()
	return len(line), nil
}

// TestCheck: on a server as it should be nothing fails, and what could be better is named.
func TestCheck(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for _, f := range Check(t.Context(), config(server, "outbox")) {
		if f.Grade == Fail || f.Found == "" || f.Grade == Warn && f.Name != "durability" && f.Name != "binlog_annotate_row_events" {
			t.Errorf("found %+v", f)
		}
	}
	server.Exec(t, "SET GLOBAL max_allowed_packet = 1048576, GLOBAL read_only = 0")
	found := Check(t.Context(), config(server, "outbox"))
	if !slices.ContainsFunc(found, func(f Finding) bool { return f.Name == "max_allowed_packet" && f.Grade == Fail }) {
		t.Errorf("with a small packet: %+v", found)
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scope string
		want  bool
	}{
		{"*.*", true}, {"`row_hook`.*", true}, {"`row\\_hook`.*", true}, {"`row%`.*", true}, {"`row\\_hoo`.*", false},
		{"`row\\%`.*", false}, {"`rowxhook`.*", false}, {"`(`.*", false}, {"`mysql`.`user`", false},
	} {
		if got := covers(c.scope, "row_hook"); got != c.want {
			t.Errorf("%s: %v", c.scope, got)
		}
	}
}

// TestConnectionsStay: who may not do all that would be good uses its connections again all the same.
func TestConnectionsStay(t *testing.T) {
	t.Parallel()
	s := open(t, config(serve(t), "outbox"))
	route(t, s)
	logins := func() (n int) {
		var name string
		if err := s.reader.db.QueryRowContext(t.Context(), `SHOW GLOBAL STATUS LIKE 'Connections'`).Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := logins()
	for n := range 20 {
		commit(t, s, n)
	}
	if more := logins() - before; more > 5 {
		t.Errorf("20 commits took %d logins", more)
	}
}
