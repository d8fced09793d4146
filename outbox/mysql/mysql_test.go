package mysql

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/outbox"
	"rowhook/outbox/outboxtest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	testStore(t, server, server.Address())
}

// testStore runs the suite on a server, or on a cluster that it is a node of.
func testStore(t *testing.T, server *dbtest.Server, addresses ...string) {
	t.Helper()
	var schemas atomic.Int64
	server.CreateUser(t, "rowhook", "secret", "ALL ON `outbox%`.*")
	outboxtest.Run(t, func(t testing.TB) func() outbox.Store {
		cfg := config(server, fmt.Sprint("outbox", schemas.Add(1)))
		cfg.Addresses = addresses
		return func() outbox.Store { return open(t, cfg) }
	})
}

func config(server *dbtest.Server, schema string) Config {
	return Config{Addresses: []string{server.Address()}, User: "rowhook", Password: connect.Password("secret"), Schema: schema, Who: Who{Rules: "same"}}
}

// open opens a store that logs to the test. It is closed with the test at the latest.
func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
