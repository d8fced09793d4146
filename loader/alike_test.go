package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/rules"
)

// TestRowsAreAlike writes random rows of a table that has every type, and makes payloads of them as the log has them and
// as a SELECT does. They must be the same, byte for byte.
func TestRowsAreAlike(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := dbtest.StartServer(t, kind)
			for _, metadata := range []string{"MINIMAL", "FULL"} {
				server.Exec(t, "SET GLOBAL binlog_row_metadata = "+metadata)
				rowsAreAlike(t, server, "alike_"+strings.ToLower(metadata), "utf8mb4", everyType(kind))
			}
			for _, charset := range []string{"latin1", "cp1251", "utf8mb3", "gbk"} {
				rowsAreAlike(t, server, "alike_"+charset, charset, everyType(kind))
			}
		})
	}
}

// typed is a column with values in SQL.
type typed struct {
	def    string
	values []string
}

func everyType(kind dbtest.Kind) []typed {
	numbers := []string{"0", "-1", "1", "42", "3.10", "-0.0", "1e300", "-1e300", "1e-300", "0.1", "123456789012345678", "3.4e38", "1e15", "1e16", "18446744073709551615"}
	texts := []string{"''", "'ZoÃ«, â‚¬'", "'РџСЂРё ðŸ˜€'", "' a '", "'Zoë €'", "'漢😀'", "'a\\0b\\n\"'", "'a'"}
	bytes := []string{"''", "x'00'", "x'610000'", "x'ff'", "x'fffe00'", "'a'"}
	times := []string{"'0000-00-00'", "'2024-02-29 23:59:59.987654'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-03-31 02:30:00.5'", "'838:59:59'", "'-838:59:59'", "'-00:00:00.5'", "'100:00:00.25'"}
	var columns []typed
	add := func(values []string, defs ...string) {
		for _, def := range defs {
			columns = append(columns, typed{def, values})
		}
	}
	add(numbers, "TINYINT", "SMALLINT UNSIGNED", "MEDIUMINT", "INT(8) ZEROFILL", "BIGINT", "BIGINT UNSIGNED", "BIGINT(20) ZEROFILL", "BOOL",
		"DECIMAL(10,2)", "DECIMAL(10,2) ZEROFILL", "DECIMAL(65,30)", "DECIMAL(5,0)", "FLOAT", "FLOAT(7,2)", "FLOAT(9,3) ZEROFILL", "FLOAT ZEROFILL",
		"DOUBLE", "DOUBLE(20,4)", "DOUBLE ZEROFILL", "DOUBLE UNSIGNED")
	add([]string{"b'0'", "b'1'", "b'1010101'", "0xffffffffffffffff"}, "BIT", "BIT(1)", "BIT(9)", "BIT(64)")
	add([]string{"0", "1901", "2000", "2155", "70", "69"}, "YEAR")
	add(times, "DATE", "TIME", "TIME(1)", "TIME(6)", "DATETIME", "DATETIME(3)", "DATETIME(6)", "TIMESTAMP NULL", "TIMESTAMP(6) NULL", "TIMESTAMP(2) NULL")
	add(texts, "CHAR(9)", "VARCHAR(40)", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "VARCHAR(40) CHARACTER SET latin1", "TEXT CHARACTER SET utf8mb3",
		"CHAR(9) CHARACTER SET ucs2", "LONGTEXT CHARACTER SET cp1251")
	add(bytes, "BINARY(1)", "BINARY(9)", "VARBINARY(40)", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB")
	add([]string{"'x'", "'ünï'", "''", "'nothing'", "1"}, "ENUM('x','ünï')", "ENUM('x','ünï') CHARACTER SET latin1", "SET('x','ünï')")
	add([]string{"POINT(1,-2.5)", "ST_GeomFromText('LINESTRING(0 0,1 1)')"}, "GEOMETRY")
	add([]string{`'{"b": [1, 2.50, -0.0, 1e300], "a": "Zoë"}'`, "'[]'", `'"x"'`}, "JSON")
	if kind.MySQL() {
		add([]string{"TO_VECTOR('[1,2.5]')"}, "VECTOR(3)")
		return columns
	}
	add([]string{"'69'", "'70'", "'2001'"}, "YEAR(2)")
	add([]string{"'::1'", "'2001:db8::'", "'::1.2.3.4'"}, "INET6")
	add([]string{"'1.2.3.0'", "'0.0.0.0'"}, "INET4")
	add([]string{"UUID()", "'00000000-0000-0000-0000-000000000000'"}, "UUID")
	add(texts, "TEXT COMPRESSED", "LONGTEXT COMPRESSED")
	if kind != dbtest.MariaDB1011 {
		add([]string{"VEC_FromText('[1,2.5,0]')"}, "VECTOR(3)")
	}
	return columns
}

// logged gathers rows as the log has them, by id.
type logged struct {
	rows map[int64]record
	want int
	done context.CancelFunc
}

func (l *logged) Change(c *cdc.Change) error {
	if c.Op != cdc.Delete {
		id, _ := c.After.Int(c.Table.Index("id"))
		l.rows[id] = record{c.Table, c.After}
	}
	return nil
}

func (l *logged) Discard(int) {}

func (l *logged) Commit(*cdc.Commit) error {
	if len(l.rows) == l.want {
		l.done()
	}
	return nil
}

// rowsAreAlike does so for a site whose programs connect in a charset.
func rowsAreAlike(t *testing.T, server *dbtest.Server, schema, charset string, columns []typed) {
	t.Helper()
	const rows = 60
	seed := dbtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 0))
	defs := []string{"id INT PRIMARY KEY"}
	for i, c := range columns {
		def := fmt.Sprintf("c%d %s DEFAULT NULL", i, c.def)
		if i%5 == 0 {
			def += " INVISIBLE"
		}
		defs = append(defs, def)
	}
	server.Exec(t, "CREATE DATABASE "+schema)
	name := cdc.TableName{Schema: schema, Name: "t"}
	client, err := cdc.NewClient(charset)
	if err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "CREATE TABLE "+quoted(name)+" ("+strings.Join(defs, ", ")+", made VARCHAR(40) AS (CONCAT('é', id)) STORED)")
	db := server.DB(t, "")
	source, err := cdc.Open(t.Context(), db, cdc.Config{
		Server: connect.New(connect.Config{Network: "unix", Address: server.Socket(), User: "root"}), ServerID: 4242,
		Watch: cdc.Watch{Tables: []cdc.TableName{name}, Clients: map[cdc.TableName]*cdc.Client{name: client}}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	start, err := source.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id := range rows {
		names, values := []string{"id"}, []string{fmt.Sprint(id)}
		for i, c := range columns {
			if rnd.IntN(8) > 0 {
				names = append(names, fmt.Sprintf("c%d", i))
				values = append(values, c.values[rnd.IntN(len(c.values))])
			}
		}
		server.Exec(t, "SET sql_mode = ''; INSERT IGNORE INTO "+quoted(name)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")")
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	log := &logged{rows: map[int64]record{}, want: rows, done: stop}
	if err := source.Follow(ctx, start, nil, log); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	compareSelected(t, New(db, source, Options{}, slog.New(slog.DiscardHandler)), &rules.Site{Client: client}, name, log.rows, columns)
}

func compareSelected(t *testing.T, l *Loader, site *rules.Site, name cdc.TableName, rows map[int64]record, columns []typed) {
	t.Helper()
	conn, err := l.pool.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "SET time_zone = '+00:00'"); err != nil {
		t.Fatal(err)
	}
	snap := &snapshot{conn: conn, mariaDB: l.src.MariaDB(), layouts: &l.layouts, client: site.Client,
		bounds: bounds{limit: maxLoaded, most: maxLoaded}}
	selected, err := snap.all(t.Context(), name, "TRUE")
	if err != nil || len(selected) != len(rows) {
		t.Fatalf("%d rows, want %d: %v", len(selected), len(rows), err)
	}
	for _, s := range selected {
		row := rows[s.id("id")]
		for i, name := range row.table.Columns {
			got, want := string(appendNative(nil, s.row, s.column(name))), string(appendNative(nil, row.row, i))
			if got != want || s.row.Kind(s.column(name)) != row.row.Kind(i) {
				def := "id"
				if i > 0 && i <= len(columns) {
					def = columns[i-1].def
				}
				t.Errorf("%s %s: selected %.100s, kind %d; logged %.100s, kind %d", name, def, got, s.row.Kind(s.column(name)), want, row.row.Kind(i))
			}
		}
		got, want := fullBody(&rules.Entity{}, s, quirks{}), fullBody(&rules.Entity{}, row, quirks{})
		if string(got) != string(want) {
			t.Fatalf("selected %s\nlogged %s", got, want)
		}
	}
}
