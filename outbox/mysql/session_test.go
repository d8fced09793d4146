package mysql

import (
	"database/sql"
	"testing"
)

// TestLeave: of a server that says that it cannot be worked with, no connection is used again, be it idle or in use meanwhile.
func TestLeave(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for name, c := range map[string]struct {
		signal string
		leave  bool
	}{
		"a node that its cluster lost": {"SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = 1047", true},
		"a server that is read-only":   {"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290", true},
		"a lock":                       {"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205", false}, // it is no node of a cluster
		"a refusal":                    {"SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1062", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connector := newConnector(config(server, "unused"), false).without()
			one, other := pool(connector, 2), pool(connector, 1)
			defer one.Close()
			defer other.Close()
			busy, err := one.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			before := map[int64]bool{connection(t, busy): true, connection(t, one): true, connection(t, other): true}
			if _, err := other.ExecContext(t.Context(), c.signal); err == nil {
				t.Fatal("it was not refused")
			}
			if err := busy.Close(); err != nil {
				t.Fatal(err)
			}
			for _, db := range []*sql.DB{one, other, one} {
				if at := connection(t, db); before[at] == c.leave {
					t.Errorf("connection %d is used, before those were %v", at, before)
				}
			}
		})
	}
}

// connection is the server's number of a connection that is used.
func connection(t *testing.T, db rower) (id int64) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}
