package cdctest

import (
	"strconv"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/sqlmap"
	"rowhook/dbtest"
)

// LogStatus shows where the log of a server ends.
func LogStatus(server *dbtest.Server) string {
	if server.Kind().MySQL() {
		return "SHOW BINARY LOG STATUS"
	}
	return "SHOW MASTER STATUS"
}

// LogEnd is where the log of a server ends.
func LogEnd(t *testing.T, server *dbtest.Server) mysql.Position {
	t.Helper()
	row, err := sqlmap.Row(t.Context(), server.DB(t, ""), LogStatus(server))
	if err != nil {
		t.Fatal(err)
	}
	offset, err := strconv.ParseUint(row["Position"], 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return mysql.Position{Name: row["File"], Pos: uint32(offset)}
}

// Flavor is what go-mysql calls a kind of server.
func Flavor(kind dbtest.Kind) string {
	if kind.MySQL() {
		return mysql.MySQLFlavor
	}
	return mysql.MariaDBFlavor
}
