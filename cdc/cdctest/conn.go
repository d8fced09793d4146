package cdctest

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/sqlmap"
	"rowhook/dbtest"
)

// Conn is a connection of the test, in UTC and without strict modes.
func Conn(t *testing.T, db *sql.DB) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	Exec(t, conn, "SET NAMES utf8mb4", "SET time_zone = '+00:00', sql_mode = ''")
	return conn
}

// Exec executes statements; one that fails ends the test.
func Exec(t *testing.T, conn *sql.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%.300s: %v", s, err)
		}
	}
}

// SchemaConn makes a schema and a connection to it.
func SchemaConn(t *testing.T, server *dbtest.Server, schema string, statements ...string) *sql.Conn {
	t.Helper()
	conn := Conn(t, server.DB(t, ""))
	Exec(t, conn, "CREATE DATABASE "+schema, "USE "+schema)
	Exec(t, conn, statements...)
	return conn
}

// SelectTexts selects rows as the server writes them.
func SelectTexts(tb testing.TB, conn *client.Conn, query string, columns int) [][]sql.NullString {
	tb.Helper()
	result, err := conn.Execute(query)
	if err != nil {
		tb.Fatalf("%.200s: %v", query, err)
	}
	rows := make([][]sql.NullString, len(result.RowDatas))
	for n, data := range result.RowDatas {
		rows[n] = make([]sql.NullString, columns)
		for i := range rows[n] {
			text, null, size, err := mysql.LengthEncodedString(data)
			if err != nil {
				tb.Fatal(err)
			}
			rows[n][i] = sql.NullString{String: string(text), Valid: !null}
			data = data[size:]
		}
	}
	return rows
}

// SelectConn connects to read what the server itself writes as text. database/sql would make numbers of it.
func SelectConn(t *testing.T, server *dbtest.Server) *client.Conn {
	t.Helper()
	conn, err := client.Connect(server.Socket(), "root", "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Execute("SET NAMES utf8mb4, time_zone = '+00:00'"); err != nil {
		t.Fatal(err)
	}
	return conn
}

// KillDumps ends the links of all followers.
func KillDumps(t *testing.T, server *dbtest.Server) {
	t.Helper()
	Kill(t, server, "command LIKE 'Binlog Dump%'")
}

// Kill ends the connections that a condition on the process list finds. One that is gone by then is no fault.
func Kill(t *testing.T, server *dbtest.Server, condition string) {
	t.Helper()
	db := server.DB(t, "")
	found, err := sqlmap.Rows(t.Context(), db, "SELECT id AS id FROM information_schema.processlist WHERE "+condition)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range found {
		_, err := db.ExecContext(t.Context(), "KILL "+row["id"])
		const noSuchThread = 1094
		if refused, ok := errors.AsType[*sqlmap.Error](err); ok && refused.Number == noSuchThread {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
