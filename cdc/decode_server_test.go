package cdc

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/ddl"
	"rowhook/dbtest"
)

// TestRowsOfServer has a real server log random rows of every type and compares each decoded column with what SELECT
// returns, byte for byte, for all settings of binlog_row_metadata.
func TestRowsOfServer(t *testing.T) {
	onKinds(t, func(t *testing.T, kind dbtest.Kind) {
		server := dbtest.StartServer(t, kind, "--binlog-checksum=NONE")
		db := server.DB(t, "")
		settings := []string{"NO_LOG", "MINIMAL", "FULL"}
		if kind.MySQL() {
			settings = settings[1:]
		}
		for _, metadata := range settings {
			t.Run(metadata, func(t *testing.T) {
				conn := testConn(t, db)
				execute(t, conn, "CREATE DATABASE IF NOT EXISTS decode", "USE decode", "SET GLOBAL binlog_row_metadata = "+metadata)
				for _, table := range tablesOfTypes(kind) {
					compareTable(t, server, conn, table)
				}
			})
		}
	})
}

// compareTable writes rows with each value and with random ones, changes and deletes them, and decodes the log.
func compareTable(t *testing.T, server *dbtest.Server, conn *sql.Conn, table typeTable) {
	t.Helper()
	seed := dbtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 0))
	execute(t, conn, "DROP TABLE IF EXISTS "+table.name, table.create())
	selects := selectConn(t, server)
	start := logEnd(t, server)
	var written [][]sql.NullString // each state of each row, in order
	for i := range table.rows() {
		execute(t, conn, table.insert(i, rnd))
		written = append(written, table.read(t, selects))
		execute(t, conn, table.update(rnd))
		written = append(written, table.read(t, selects))
		execute(t, conn, "DELETE FROM "+table.name)
	}
	schema := schemaColumns(t, conn, table.name)
	logged := 0
	check := func(row Row, want []sql.NullString) {
		t.Helper()
		for i, c := range table.columns {
			if got := (sql.NullString{String: row.Text(i), Valid: row.Kind(i) != Null}); got != want[i] {
				t.Fatalf("seed %d, %s.%s %s: decoded %+q (kind %d), SELECT says %+q (null: %t)", seed, table.name, c.name(i), c.def,
					got.String, row.Kind(i), want[i].String, !want[i].Valid)
			}
		}
	}
	eachChange(t, server, start, logEnd(t, server), func(m *tableMap) []ddl.Column {
		if columns, ok := columnsFromMap(m); ok {
			if !m.speaksForItself() {
				learn(m, columns, schema)
			}
			return columns
		}
		return schema
	}, func(op Op, before, after Row) {
		switch op {
		case Insert:
			check(after, written[logged])
		case Update:
			check(before, written[logged])
			check(after, written[logged+1])
			logged += 2
		case Delete:
			check(before, written[logged-1])
		}
	})
	if logged != len(written) {
		t.Fatalf("%s: %d rows logged, %d written", table.name, logged, len(written))
	}
}

func schemaColumns(t *testing.T, conn *sql.Conn, table string) []ddl.Column {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), `SELECT column_name, data_type, column_type, COALESCE(character_set_name, '')
		FROM information_schema.columns WHERE table_schema = 'decode' AND table_name = '`+table+`' ORDER BY ordinal_position`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var columns []ddl.Column
	for rows.Next() {
		var name, dataType, columnType, charset string
		if err := rows.Scan(&name, &dataType, &columnType, &charset); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, ddl.ParseColumn(name, dataType, columnType, charset))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return columns
}

// eachChange decodes the rows that were logged between two places.
func eachChange(t *testing.T, server *dbtest.Server, from, to Coord, columns func(*tableMap) []ddl.Column, f func(op Op, before, after Row)) {
	t.Helper()
	decodeEvents(t, flavor(server.Kind()), readLog(t, server, from, to), columns, func(_ *layout, op Op, before, after Row) { f(op, before, after) })
}

// rawEvent is an event as it was sent, without a checksum.
type rawEvent struct {
	typ replication.EventType
	raw []byte
}

func (e rawEvent) body() []byte { return e.raw[replication.EventHeaderSize:] }

// readLog returns the format description, table maps and rows events between two places of one log file.
func readLog(t testing.TB, server *dbtest.Server, from, to Coord) []rawEvent {
	t.Helper()
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		ServerID: 4711, Flavor: flavor(server.Kind()), Host: server.Socket(), User: "root",
		RawModeEnabled: true, DisableRetrySync: true, Logger: slog.New(slog.DiscardHandler),
	})
	defer syncer.Close()
	stream, err := syncer.StartSync(mysql.Position{Name: from.File, Pos: uint32(from.Offset)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var events []rawEvent
	for {
		e, err := stream.GetEvent(ctx)
		if err != nil {
			t.Fatalf("reading the log from %s to %s: %v", from, to, err)
		}
		switch e.Header.EventType {
		case replication.FORMAT_DESCRIPTION_EVENT, replication.TABLE_MAP_EVENT, replication.WRITE_ROWS_EVENTv1, replication.UPDATE_ROWS_EVENTv1, replication.DELETE_ROWS_EVENTv1,
			replication.WRITE_ROWS_EVENTv2, replication.UPDATE_ROWS_EVENTv2, replication.DELETE_ROWS_EVENTv2,
			replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1, replication.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1,
			replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1:
			events = append(events, rawEvent{e.Header.EventType, e.RawData})
		}
		if uint64(e.Header.LogPos) >= to.Offset {
			return events
		}
	}
}

func testConn(t *testing.T, db *sql.DB) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	execute(t, conn, "SET NAMES utf8mb4", "SET time_zone = '+00:00', sql_mode = ''")
	return conn
}

func execute(t *testing.T, conn *sql.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%.300s: %v", s, err)
		}
	}
}

func logEnd(t *testing.T, server *dbtest.Server) Coord {
	t.Helper()
	row, err := queryRow(t.Context(), server.DB(t, ""), logStatus(server))
	if err != nil {
		t.Fatal(err)
	}
	offset, err := strconv.ParseUint(row["Position"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return Coord{row["File"], offset}
}

func flavor(kind dbtest.Kind) string {
	if kind.MySQL() {
		return mysql.MySQLFlavor
	}
	return mysql.MariaDBFlavor
}

// typeTable is a table of columns of many types.
type typeTable struct {
	name    string
	columns []typeColumn
}

// typeColumn is a column with values that are SQL expressions.
type typeColumn struct {
	def    string
	values []string
	random func(*rand.Rand) string
}

func (c typeColumn) name(i int) string { return fmt.Sprintf("c%d", i) }

// shown is what is selected to see a column as rows have it: of a BIT its number.
func (c typeColumn) shown(name string) string {
	if strings.HasPrefix(c.def, "BIT") {
		return name + " + 0"
	}
	return name
}

func (c typeColumn) value(i int, rnd *rand.Rand) string {
	switch {
	case i < len(c.values):
		return c.values[i]
	case rnd.IntN(8) == 0:
		return "NULL"
	case c.random == nil:
		return c.values[rnd.IntN(len(c.values))]
	}
	return c.random(rnd)
}

func (t typeTable) create() string {
	defs := make([]string, len(t.columns))
	for i, c := range t.columns {
		defs[i] = c.name(i) + " " + c.def + " NULL DEFAULT NULL"
	}
	// The last column makes the server log an update even when nothing else changes.
	return fmt.Sprintf("CREATE TABLE %s (%s, n INT NOT NULL DEFAULT 0) ENGINE=InnoDB", t.name, strings.Join(defs, ", "))
}

func (t typeTable) rows() int {
	most := 0
	for _, c := range t.columns {
		most = max(most, len(c.values))
	}
	return most + 20
}

func (t typeTable) insert(i int, rnd *rand.Rand) string {
	values := make([]string, len(t.columns))
	for n, c := range t.columns {
		values[n] = c.value(i, rnd)
	}
	return fmt.Sprintf("INSERT INTO %s VALUES (%s, 0)", t.name, strings.Join(values, ", "))
}

func (t typeTable) update(rnd *rand.Rand) string {
	sets := make([]string, len(t.columns))
	for n, c := range t.columns {
		sets[n] = c.name(n) + " = " + c.value(len(c.values), rnd)
	}
	return fmt.Sprintf("UPDATE %s SET %s, n = n + 1", t.name, strings.Join(sets, ", "))
}

// read selects the table's one row.
func (t typeTable) read(tb testing.TB, conn *client.Conn) []sql.NullString {
	tb.Helper()
	shown := make([]string, len(t.columns))
	for i, c := range t.columns {
		shown[i] = c.shown(c.name(i))
	}
	rows := selectTexts(tb, conn, fmt.Sprintf("SELECT %s FROM decode.%s", strings.Join(shown, ", "), t.name), len(t.columns))
	if len(rows) != 1 {
		tb.Fatalf("%s has %d rows", t.name, len(rows))
	}
	return rows[0]
}

// selectTexts selects rows as the server writes them.
func selectTexts(tb testing.TB, conn *client.Conn, query string, columns int) [][]sql.NullString {
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

// selectConn connects to read what the server itself writes as text. database/sql would make numbers of it.
func selectConn(t *testing.T, server *dbtest.Server) *client.Conn {
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
