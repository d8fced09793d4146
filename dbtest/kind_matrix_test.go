//go:build matrix

package dbtest

import (
	"strings"
	"testing"
)

func TestEveryKindLives(t *testing.T) {
	t.Parallel()
	for _, kind := range Servers(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := StartServer(t, kind, "--innodb-flush-log-at-trx-commit=1")
			s.Exec(t, "CREATE DATABASE a; CREATE TABLE a.b (c INT PRIMARY KEY); INSERT INTO a.b VALUES (7)")
			if err := s.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			var version, format string
			var c int
			if err := s.DB(t, "a").QueryRowContext(t.Context(), "SELECT VERSION(), @@binlog_format, c FROM b").Scan(&version, &format, &c); err != nil {
				t.Fatal(err)
			}
			if format != "ROW" || c != 7 || strings.Contains(version, "MariaDB") == kind.MySQL() || s.Kind() != kind {
				t.Errorf("%s is %s, binlog_format %s, read %d", kind, version, format, c)
			}
		})
	}
}

func TestServersLeftOut(t *testing.T) {
	t.Setenv("ROWHOOK_SKIP_SERVERS", "mysql97, mariadb118")
	if kinds := Servers(t); len(kinds) != 1 || kinds[0] != MariaDB1011 {
		t.Errorf("the servers are %v", kinds)
	}
}
