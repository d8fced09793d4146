package dbtest

import (
	"testing"
)

func TestServerLives(t *testing.T) {
	t.Parallel()
	s := Start(t)
	db := s.DB(t, "")
	var format, image, mode string
	if err := db.QueryRowContext(t.Context(), "SELECT @@binlog_format, @@binlog_row_image, @@sql_mode").Scan(&format, &image, &mode); err != nil {
		t.Fatal(err)
	}
	if format != "ROW" || image != "FULL" || mode != "" {
		t.Errorf("binlog_format %q, binlog_row_image %q, sql_mode %q; want ROW, FULL and none", format, image, mode)
	}
}

func TestServerComesBackWithItsData(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		name string
		do   func(*Server) error
	}{{"stop", (*Server).Stop}, {"kill", (*Server).Kill}} {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, "--innodb-flush-log-at-trx-commit=1")
			address := s.Address()
			s.Exec(t, "CREATE DATABASE a; CREATE TABLE a.b (c INT PRIMARY KEY); INSERT INTO a.b VALUES (7)")
			if err := end.do(s); err != nil {
				t.Fatal(err)
			}
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s.Address() != address {
				t.Errorf("the server is at %s now, was at %s", s.Address(), address)
			}
			var c int
			if err := s.DB(t, "a").QueryRowContext(t.Context(), "SELECT c FROM b").Scan(&c); err != nil || c != 7 {
				t.Errorf("read %d, %v; want 7", c, err)
			}
		})
	}
}

func TestArgumentsWin(t *testing.T) {
	t.Parallel()
	s := Start(t, "--skip-log-bin", "--innodb-flush-log-at-trx-commit=1")
	var logBin, flush int
	if err := s.DB(t, "").QueryRowContext(t.Context(), "SELECT @@log_bin, @@innodb_flush_log_at_trx_commit").Scan(&logBin, &flush); err != nil {
		t.Fatal(err)
	}
	if logBin != 0 || flush != 1 {
		t.Errorf("log_bin %d, innodb_flush_log_at_trx_commit %d; want 0 and 1", logBin, flush)
	}
}

func TestOnlyRootOnTheSocketGetsInUnasked(t *testing.T) {
	t.Parallel()
	s := Start(t)
	rows, err := s.DB(t, "").QueryContext(t.Context(), "SELECT CONCAT(User, '@', Host) FROM mysql.global_priv ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var users []string
	for rows.Next() {
		var u string
		if err := rows.Scan(&u); err != nil {
			t.Fatal(err)
		}
		users = append(users, u)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(users) != 2 || users[0] != "mariadb.sys@localhost" || users[1] != "root@localhost" {
		t.Errorf("users of a new server: %q; want root and mariadb.sys on localhost", users)
	}
}

func TestLaunchSaysWhyItFails(t *testing.T) {
	t.Parallel()
	s, err := Launch(t.Context(), t.TempDir(), "--no-such-option")
	if err == nil {
		if err := s.Kill(); err != nil {
			t.Error(err)
		}
		t.Fatal("a server with an unknown option started")
	}
	if !containsAll(err.Error(), "ended at once", "no-such-option") {
		t.Errorf("error %q does not say that the server ended, and why", err)
	}
}
