package cdc

import (
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"rowhook/cdc/connect"
	"rowhook/dbtest"
)

// grants are what a user needs to follow the log, by the names that every server knows.
const grants = "REPLICATION SLAVE, REPLICATION CLIENT ON *.*"

// variant is a kind of server with settings that change how its log is written.
type variant struct {
	name string
	kind dbtest.Kind
	args []string
}

// onServers runs a test on a server of each kind and of each variant, with a user as rowhook's should be.
func onServers(t *testing.T, f func(t *testing.T, server *dbtest.Server)) {
	t.Helper()
	onKinds(t, func(t *testing.T, kind dbtest.Kind) { f(t, startServer(t, kind)) })
	for _, v := range variants(t) {
		t.Run(string(v.kind)+"_"+v.name, func(t *testing.T) {
			t.Parallel()
			f(t, startServer(t, v.kind, v.args...))
		})
	}
}

// onKinds runs a test for each kind of server.
func onKinds(t *testing.T, f func(t *testing.T, kind dbtest.Kind)) {
	t.Helper()
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f(t, kind)
		})
	}
}

// startServer runs a server with a user as rowhook's should be.
func startServer(t *testing.T, kind dbtest.Kind, args ...string) *dbtest.Server {
	t.Helper()
	server := dbtest.StartServer(t, kind, args...)
	server.CreateUser(t, "rowhook", "secret", grants, "SELECT ON *.*")
	return server
}

// hasGTIDs says whether a server gives its transactions GTIDs.
func hasGTIDs(t *testing.T, server *dbtest.Server) bool {
	t.Helper()
	if !server.Kind().MySQL() {
		return true
	}
	row, err := queryRow(t.Context(), server.DB(t, ""), "SELECT @@gtid_mode AS mode")
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
	row, err := queryRow(t.Context(), server.DB(t, ""), "SELECT @@global."+name+" AS setting")
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

// logStatus shows where the log of a server ends.
func logStatus(server *dbtest.Server) string {
	if server.Kind().MySQL() {
		return "SHOW BINARY LOG STATUS"
	}
	return "SHOW MASTER STATUS"
}

// killDumps ends the links of all followers.
func killDumps(t *testing.T, server *dbtest.Server) {
	t.Helper()
	kill(t, server, "command LIKE 'Binlog Dump%'")
}

// kill ends the connections that a condition on the process list finds. One that is gone by then is no fault.
func kill(t *testing.T, server *dbtest.Server, condition string) {
	t.Helper()
	db := server.DB(t, "")
	found, err := queryRows(t.Context(), db, "SELECT id AS id FROM information_schema.processlist WHERE "+condition)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range found {
		_, err := db.ExecContext(t.Context(), "KILL "+row["id"])
		const noSuchThread = 1094
		if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == noSuchThread {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
	}
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

// schemaConn makes a schema and a connection to it.
func schemaConn(t *testing.T, server *dbtest.Server, schema string, statements ...string) *sql.Conn {
	t.Helper()
	conn := testConn(t, server.DB(t, ""))
	execute(t, conn, "CREATE DATABASE "+schema, "USE "+schema)
	execute(t, conn, statements...)
	return conn
}

// wantEventAt checks that an event of a type begins at a place of the log.
func wantEventAt(t *testing.T, db *sql.DB, at Coord, kind string) {
	t.Helper()
	row, err := queryRow(t.Context(), db, fmt.Sprintf("SHOW BINLOG EVENTS IN '%s' FROM %d LIMIT 1", at.File, at.Offset))
	if err != nil {
		t.Fatalf("no event at %s: %v", at, err)
	}
	if row["Event_type"] != kind || row["Pos"] != fmt.Sprint(at.Offset) {
		t.Errorf("at %s begins %v", at, row)
	}
}
