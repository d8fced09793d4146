package cdc

import (
	"crypto/tls"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"rowhook/cdc/sqlmap"
	"rowhook/connect"
	"rowhook/dbtest"
)

// hasGTIDs says whether a server gives its transactions GTIDs.
func hasGTIDs(t *testing.T, server *dbtest.Server) bool {
	t.Helper()
	if !server.Kind().MySQL() {
		return true
	}
	row, err := sqlmap.Row(t.Context(), server.DB(t, ""), "SELECT @@gtid_mode AS mode")
	if err != nil {
		t.Fatal(err)
	}
	return row["mode"] == "ON"
}

// compresses says whether a server compresses transactions in its log.
func compresses(t *testing.T, server *dbtest.Server) bool {
	t.Helper()
	name := "log_bin_compress"
	if server.Kind().MySQL() {
		name = "binlog_transaction_compression"
	}
	row, err := sqlmap.Row(t.Context(), server.DB(t, ""), "SELECT @@global."+name+" AS setting")
	if err != nil {
		t.Fatal(err)
	}
	return row["setting"] == "1"
}

// resetLog begins the log of a server anew.
func resetLog(server *dbtest.Server) string {
	if server.Kind().MySQL() {
		return "RESET BINARY LOGS AND GTIDS"
	}
	return "RESET MASTER"
}

// sourceConfig watches tables of a schema, as user rowhook.
func sourceConfig(server *dbtest.Server, log *logText, schema string, tables ...string) Config {
	cfg := Config{
		Server:   connect.New(connect.Config{Address: server.Address(), User: "rowhook", Password: connect.Password("secret")}),
		ServerID: rand.Uint32() | 1,
		Log:      slog.New(slog.NewTextHandler(log, nil)),
	}
	for _, name := range tables {
		cfg.Tables = append(cfg.Tables, TableName{Schema: schema, Name: name})
	}
	return cfg
}

// openSource opens a source that is closed with the test.
func openSource(t *testing.T, cfg Config) *Source {
	t.Helper()
	s, err := Open(t.Context(), pool(t, cfg), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the source: %v", err)
		}
	})
	return s
}

// pool makes the side connections.
func pool(t *testing.T, cfg Config) *sql.DB {
	t.Helper()
	db := cfg.Server.Pool()
	t.Cleanup(func() { db.Close() })
	return db
}

// reach changes how a source reaches its server.
func (c *Config) reach(change func(*connect.Config)) {
	server := c.Server.Config()
	change(&server)
	c.Server = connect.New(server)
}

// at makes a source go to another address.
func (c *Config) at(address string) {
	c.reach(func(s *connect.Config) {
		if s.Network, s.Address = "tcp", address; strings.HasPrefix(address, "/") {
			s.Network = "unix"
		}
	})
}

// as makes a source log in as another user.
func (c *Config) as(user string) { c.reach(func(s *connect.Config) { s.User = user }) }

// secure makes a source use TLS.
func (c *Config) secure(with *tls.Config) {
	c.reach(func(s *connect.Config) { s.TLS = func() (*tls.Config, error) { return with, nil } })
}

// wantEventAt checks that an event of a type begins at a place of the log.
func wantEventAt(t *testing.T, db *sql.DB, at Coord, kind string) {
	t.Helper()
	row, err := sqlmap.Row(t.Context(), db, fmt.Sprintf("SHOW BINLOG EVENTS IN '%s' FROM %d LIMIT 1", at.File, at.Offset))
	if err != nil {
		t.Fatalf("no event at %s: %v", at, err)
	}
	if row["Event_type"] != kind || row["Pos"] != fmt.Sprint(at.Offset) {
		t.Errorf("at %s begins %v", at, row)
	}
}
