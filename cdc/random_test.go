package cdc

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"
	driver "github.com/go-sql-driver/mysql"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestRandomTables follows random statements on random tables and compares every image of every row, column by column,
// with what SELECT says before and after the statement.
func TestRandomTables(t *testing.T) {
	const tables = 9
	seed := dbtest.Seed(t)
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		server := cdctest.StartServer(t, kind)
		conn := cdctest.SchemaConn(t, server, "random")
		addZone(t, conn)
		settings := []string{"NO_LOG", "MINIMAL", "FULL"}
		if kind.MySQL() {
			settings = settings[1:]
		}
		for n := range tables {
			metadata := settings[n%len(settings)]
			t.Run(fmt.Sprintf("%s_%d", metadata, n), func(t *testing.T) {
				cdctest.Exec(t, conn, "SET GLOBAL binlog_row_metadata = "+metadata)
				r := randomTable{kind: kind, rnd: rand.New(rand.NewPCG(seed, uint64(n))), name: fmt.Sprintf("t%d", n)}
				r.create(t, conn)
				r.compare(t, server, conn)
			})
		}
	})
}

// zone is a time zone with a summer time, which servers without the system's zones have not.
const zone = "Test/Summer"

// addZone makes the zone: an hour more from 2024-03-31 01:00 UTC to 2024-10-27 01:00 UTC.
func addZone(t *testing.T, conn *sql.Conn) {
	t.Helper()
	cdctest.Exec(t, conn, "SET SESSION sql_log_bin = 0",
		"INSERT INTO mysql.time_zone VALUES (4711, 'N')", "INSERT INTO mysql.time_zone_name VALUES ('"+zone+"', 4711)",
		"INSERT INTO mysql.time_zone_transition_type VALUES (4711, 0, 3600, 0, 'N'), (4711, 1, 7200, 1, 'S')",
		"INSERT INTO mysql.time_zone_transition VALUES (4711, 1711846800, 1), (4711, 1729990800, 0)",
		"SET SESSION sql_log_bin = 1")
}

// randomTable is a table of random columns, with its rows by id.
type randomTable struct {
	kind    dbtest.Kind
	rnd     *rand.Rand
	name    string
	columns []randomColumn
	ids     []int // of the rows that there are
	last    int   // the last id that was given
	keyed   bool  // by id
}

// randomColumn is a column of a randomTable. Without values it is made by the server: generated.
type randomColumn struct {
	cdctest.Column

	name string
	null bool
}

func (c randomColumn) generated() bool { return c.Values == nil }

func (c randomColumn) pick(rnd *rand.Rand) string {
	switch {
	case c.null && rnd.IntN(6) == 0:
		return "NULL"
	case c.Random != nil && rnd.IntN(2) == 0:
		return c.Random(rnd)
	}
	return c.Values[rnd.IntN(len(c.Values))]
}

// create makes the table. What a server refuses to combine, such as too many long columns, is left out.
func (r *randomTable) create(t *testing.T, conn *sql.Conn) {
	t.Helper()
	r.choose()
	partitioned := r.rnd.IntN(3) == 0
	keys := []string{"PRIMARY KEY (id)", "PRIMARY KEY (n, id)", "KEY (id)"}
	key := keys[r.rnd.IntN(len(keys))]
	r.keyed = key == keys[0]
	if r.kind.MySQL() && r.rnd.IntN(2) == 0 {
		key += ", KEY ((id * 2)), KEY ((CAST(tags->'$' AS UNSIGNED ARRAY)))" // hidden columns
	}
	for {
		defs := make([]string, len(r.columns))
		for i, c := range r.columns {
			defs[i] = "`" + c.name + "` " + c.Def
		}
		query := fmt.Sprintf("CREATE TABLE %s (%s, %s)", r.name, strings.Join(defs, ", "), key)
		if partitioned {
			query += " PARTITION BY HASH(id) PARTITIONS 3"
		}
		_, err := conn.ExecContext(t.Context(), query)
		refused, ok := errors.AsType[*driver.MySQLError](err)
		switch {
		case err == nil:
			t.Log(query)
			return
		case !ok || len(r.columns) < 6:
			t.Fatalf("%s: %v", query, err)
		case partitioned:
			partitioned = false
		case refused.Number == 1118 || refused.Number == 1170: // too large
			drop := slices.IndexFunc(r.columns, func(c randomColumn) bool { return strings.HasPrefix(c.name, "c") })
			r.columns = slices.Delete(r.columns, drop, drop+1)
		default:
			t.Fatalf("%s: %v", query, err)
		}
	}
}

// choose finds columns. Some are at fixed names: id tells rows apart, n is changed by every update, tags and unique are
// for hidden columns.
func (r *randomTable) choose() {
	var pool []cdctest.Column
	for _, table := range cdctest.TablesOfTypes(r.kind) {
		pool = append(pool, table.Columns...)
	}
	add := func(name, def string, column cdctest.Column) {
		column.Def = def
		if strings.Contains(def, "DEFAULT NULL") && r.rnd.IntN(6) == 0 {
			column.Def += " INVISIBLE"
		}
		at := r.rnd.IntN(len(r.columns) + 1)
		r.columns = slices.Insert(r.columns, at, randomColumn{column, name, strings.Contains(def, " NULL DEFAULT NULL")})
	}
	for n := range 1 + r.rnd.IntN(30) {
		column := pool[r.rnd.IntN(len(pool))]
		null := " NULL DEFAULT NULL"
		if r.rnd.IntN(4) == 0 {
			null = " NOT NULL"
		}
		add(fmt.Sprintf("c%d", n), column.Def+null, column)
	}
	add("id", "INT NOT NULL", cdctest.Column{Values: []string{""}})
	add("n", "INT NOT NULL", cdctest.Column{Values: []string{"0"}})
	add("g ünd v", "BIGINT AS (id * 7) VIRTUAL", cdctest.Column{})
	add("g`` s", "VARCHAR(40) AS (CONCAT('é', id)) STORED", cdctest.Column{})
	if r.kind.MySQL() {
		add("tags", "JSON NULL DEFAULT NULL", cdctest.Column{Values: []string{"'[1, 2, 3]'", "'[]'"}})
	} else if r.rnd.IntN(2) == 0 {
		add("uni", "TEXT NULL UNIQUE", cdctest.Column{Values: []string{"UUID()"}}) // has a hidden column
	}
}

// compare runs statements and follows them.
func (r *randomTable) compare(t *testing.T, server *dbtest.Server, conn *sql.Conn) {
	t.Helper()
	const statements = 24
	var changes []Change
	rec := newRecorder()
	rec.onChange = func(c *Change) error {
		changes = append(changes, *c)
		return nil
	}
	s := openSource(t, sourceConfig(server, newLog(), "random", r.name))
	f := follow(t, s, current(t, s), rec)
	selects := cdctest.SelectConn(t, server)
	state := r.read(t, selects)
	for range statements {
		zones := []string{"+00:00", "-11:30", "+13:00", zone}
		images := []string{"FULL", "FULL", "FULL", "MINIMAL", "NOBLOB"}
		settings := fmt.Sprintf("SET time_zone = '%s', binlog_row_image = %s", zones[r.rnd.IntN(len(zones))], images[r.rnd.IntN(len(images))])
		cdctest.Exec(t, conn, settings)
		if !r.kind.MySQL() {
			cdctest.Exec(t, conn, fmt.Sprintf("SET column_compression_threshold = %d, column_compression_zlib_wrap = %d, column_compression_zlib_level = %d",
				r.rnd.IntN(2)*100, r.rnd.IntN(2), r.rnd.IntN(10)))
		}
		query := r.statement()
		cdctest.Exec(t, conn, query)
		after := r.read(t, selects)
		for txn := f.next(t); len(txn.rows) == 0; {
			txn = f.next(t)
		}
		if fault := r.check(changes, state, after); fault != "" {
			t.Fatalf("%s; %.400s\n%s", settings, query, fault)
		}
		changes, state = nil, after
	}
	f.stop()
}

// statement is one that changes rows.
func (r *randomTable) statement() string {
	id := func() int { return r.ids[r.rnd.IntN(len(r.ids))] }
	kind := r.rnd.IntN(10)
	switch {
	case len(r.ids) < 2 || kind < 4:
		rows := make([]string, 1+r.rnd.IntN(4))
		for i := range rows {
			r.last++
			r.ids = append(r.ids, r.last)
			rows[i] = r.values(r.last)
		}
		return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", r.name, r.names(), strings.Join(rows, ", "))
	case kind < 5 && r.keyed:
		return fmt.Sprintf("REPLACE INTO %s (%s) VALUES %s", r.name, r.names(), r.values(id()))
	case kind < 6:
		gone := id()
		r.ids = slices.DeleteFunc(r.ids, func(other int) bool { return other == gone })
		return fmt.Sprintf("DELETE FROM %s WHERE id = %d", r.name, gone)
	}
	sets := []string{"n = n + 1"}
	for _, c := range r.columns {
		if !c.generated() && c.name != "id" && c.name != "n" && r.rnd.IntN(2) == 0 {
			sets = append(sets, "`"+c.name+"` = "+c.pick(r.rnd))
		}
	}
	return fmt.Sprintf("UPDATE %s SET %s WHERE id IN (%d, %d)", r.name, strings.Join(sets, ", "), id(), id())
}

// names are the columns that a statement may write.
func (r *randomTable) names() string {
	var names []string
	for _, c := range r.columns {
		if !c.generated() {
			names = append(names, "`"+c.name+"`")
		}
	}
	return strings.Join(names, ", ")
}

func (r *randomTable) values(id int) string {
	var values []string
	for _, c := range r.columns {
		switch {
		case c.name == "id":
			values = append(values, strconv.Itoa(id))
		case !c.generated():
			values = append(values, c.pick(r.rnd))
		}
	}
	return "(" + strings.Join(values, ", ") + ")"
}

// read selects all rows.
func (r *randomTable) read(t *testing.T, conn *client.Conn) map[string][]sql.NullString {
	t.Helper()
	rows := map[string][]sql.NullString{}
	id := slices.IndexFunc(r.columns, func(c randomColumn) bool { return c.name == "id" })
	shown := make([]string, len(r.columns))
	for i, c := range r.columns {
		shown[i] = c.Shown("`" + c.name + "`")
	}
	for _, row := range cdctest.SelectTexts(t, conn, fmt.Sprintf("SELECT %s FROM random.%s", strings.Join(shown, ", "), r.name), len(r.columns)) {
		rows[row[id].String] = row
	}
	return rows
}

// check compares the images of a statement's changes with the rows before and after it, and says what differs.
func (r *randomTable) check(changes []Change, before, after map[string][]sql.NullString) string {
	state := maps.Clone(before)
	for _, c := range changes {
		id := ""
		if c.Op != Insert {
			id = c.Before.Text(c.Table.Index("id"))
			if fault := r.differs(c.Before, state[id]); fault != "" {
				return fmt.Sprintf("%s, before, row %s: %s", c.Op, id, fault)
			}
			delete(state, id)
		}
		if c.Op == Delete {
			continue
		}
		if at := c.Table.Index("id"); c.After.Kind(at) != Absent {
			id = c.After.Text(at)
		}
		want := after[id]
		if c.Op == Insert && want == nil { // of a REPLACE that was replaced is no trace
			return fmt.Sprintf("row %s was inserted, SELECT has none", id)
		}
		if fault := r.differs(c.After, want); fault != "" {
			return fmt.Sprintf("%s, after, row %s: %s", c.Op, id, fault)
		}
		state[id] = want
	}
	for id, row := range after {
		if !slices.Equal(state[id], row) {
			return fmt.Sprintf("row %s changed unseen", id)
		}
	}
	if len(state) != len(after) {
		return fmt.Sprintf("%d rows are left, SELECT has %d", len(state), len(after))
	}
	return ""
}

// differs compares the columns that an image has. MariaDB leaves generated ones out, and a session all but the changed.
func (r *randomTable) differs(row Row, want []sql.NullString) string {
	if row.Len() != len(want) {
		return fmt.Sprintf("%d columns, SELECT has %d", row.Len(), len(want))
	}
	for i, c := range r.columns {
		if row.Kind(i) == Absent {
			continue
		}
		if got := (sql.NullString{String: row.Text(i), Valid: row.Kind(i) != Null}); got != want[i] {
			return fmt.Sprintf("column %s %s\n got %+.200q (kind %d)\nwant %+.200q (null: %t)", c.name, c.Def, got.String, row.Kind(i), want[i].String, !want[i].Valid)
		}
	}
	return ""
}
