package conformance

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rowhook/dbtest"
)

var update = flag.Bool("update", false, "make testdata anew from the folder that ROWHOOK_PLUGIN_DIR names")

// subset are the cases in testdata: every action and load mode, and the oddities of the findings.
var subset = []string{
	"001", "004", "009", "011", "020", "023", "030", "035", "038", "040", "041", "046", "050", "054", "062", "070", "074", "075", "076",
	"077", "080", "090", "093", "096", "098", "100", "191", "211", "215", "230", "265", "285",
}

// kept are the rows of large tables that the subset needs; of the other tables it has all.
var kept = map[string]string{
	"wp_options": "option_name IN ('siteurl', 'home', 'blogname', 'timezone_string', 'gmt_offset', 'date_format', 'time_format', 'WPLANG')",
	"wp_vikappointments_config": "param IN ('dateformat', 'timeformat', 'keepapplock', 'usercredit', 'multitimezone', 'ismultilang', 'defstatus')" +
		" OR param LIKE 'curr%' OR param LIKE 'webhooks%'",
	"wp_vikappointments_countries": "country_2_code IN ('IT', 'JE')",
	"wp_vikappointments_states":    "id_country = (SELECT id FROM wp_vikappointments_countries WHERE country_2_code = 'IT')",
}

// updateSubset makes testdata of the recorded cases: the rows before the first one, and before each what the cases
// between it and the one before it did to those rows.
func updateSubset(t *testing.T) {
	r := readRecords(t)[0]
	if !r.whole {
		t.Fatal("-update needs ROWHOOK_PLUGIN_DIR, the folder with all the recorded cases")
	}
	p := newReplay(t, r)
	if err := dbtest.CreateSalon(t.Context(), p.server, "salon", "wp_"); err != nil {
		t.Fatal(err)
	}
	p.exec(t, p.conn(t, markerConn), "DELETE FROM "+prefix+"coupon WHERE id = 0") // the replay makes it
	s := &snapshots{replay: p, tables: p.salonTables(t)}
	last := map[string]*tableRows{}
	dir := filepath.Join("testdata", "cases")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range r.cases {
		chosen := slices.Contains(subset, c.Number)
		if chosen {
			now := s.take(t)
			before := s.difference(last, now)
			if c.Number == subset[0] {
				writeFile(t, filepath.Join("testdata", "initial.sql"), s.initial(before))
				before = nil
			}
			file := filepath.Join(dir, c.Number+"-"+c.Name+".json")
			writeFile(t, file, string(s.shorten(t, c, before, r.hooks)))
		}
		for _, q := range c.SQL {
			p.exec(t, p.conn(t, q.Conn), q.SQL)
		}
		if chosen {
			last = s.take(t)
		}
	}
	writeFile(t, filepath.Join("testdata", "webhooks.json"), string(readFile(t, filepath.Join(r.dir, "webhooks.json"))))
}

// salonTables are the tables that dbtest's salon has, each with its primary key.
func (p *replay) salonTables(t *testing.T) map[string][]string {
	t.Helper()
	tables := map[string][]string{}
	for _, table := range p.read(t, "SELECT TABLE_NAME, GROUP_CONCAT(IF(COLUMN_KEY = 'PRI', COLUMN_NAME, NULL) ORDER BY ORDINAL_POSITION)"+
		" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'salon' GROUP BY TABLE_NAME") {
		tables[table[0]] = strings.Split(table[1], ",")
	}
	return tables
}

type snapshots struct {
	*replay
	tables map[string][]string // with their primary keys
}

// tableRows is what a table holds.
type tableRows struct {
	next    string            // AUTO_INCREMENT
	inserts map[string]string // the statement that makes a row, by the condition that finds it
}

// take reads the rows that the subset needs.
func (s *snapshots) take(t *testing.T) map[string]*tableRows {
	t.Helper()
	all := map[string]*tableRows{}
	for table, key := range s.tables {
		rows := &tableRows{inserts: map[string]string{}}
		rows.next = s.read(t, "SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?", schema, table)[0][0]
		found, err := s.db.QueryContext(t.Context(), "SELECT * FROM `"+table+"` WHERE "+cmp.Or(kept[table], "1"))
		if err != nil {
			t.Fatal(err)
		}
		rows.read(t, table, key, found)
		all[table] = rows
	}
	return all
}

func (r *tableRows) read(t *testing.T, table string, key []string, found *sql.Rows) {
	t.Helper()
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]sql.NullString, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for found.Next() {
		if err := found.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		literals := make([]string, len(columns))
		var where []string
		for i, v := range values {
			literals[i] = literal(v)
			if columns[i] == "user_pass" {
				literals[i] = "''"
			}
			if slices.Contains(key, columns[i]) {
				where = append(where, "`"+columns[i]+"` = "+literals[i])
			}
		}
		r.inserts[strings.Join(where, " AND ")] = fmt.Sprintf("REPLACE INTO `%s` (`%s`) VALUES (%s)",
			table, strings.Join(columns, "`, `"), strings.Join(literals, ", "))
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
}

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

func literal(v sql.NullString) string {
	if !v.Valid {
		return "NULL"
	}
	return "'" + escapes.Replace(v.String) + "'"
}

// difference is what leads from one state to another.
func (s *snapshots) difference(from, to map[string]*tableRows) []string {
	var statements []string
	for _, table := range slices.Sorted(maps.Keys(to)) {
		old, now := from[table], to[table]
		switch {
		case old == nil:
			old = &tableRows{}
		case table == prefix+"webhook":
			continue // its rows count at the import only
		}
		for _, where := range slices.Sorted(maps.Keys(old.inserts)) {
			if now.inserts[where] == "" {
				statements = append(statements, "DELETE FROM `"+table+"` WHERE "+where)
			}
		}
		for _, where := range slices.Sorted(maps.Keys(now.inserts)) {
			if now.inserts[where] != old.inserts[where] {
				statements = append(statements, now.inserts[where])
			}
		}
		if now.next != old.next && now.next != "" {
			statements = append(statements, fmt.Sprintf("ALTER TABLE `%s` AUTO_INCREMENT = %s", table, now.next))
		}
	}
	return statements
}

// initial is the script that makes the database before the first case of dbtest's salon.
func (s *snapshots) initial(rows []string) string {
	var b strings.Builder
	b.WriteString("-- The rows before the first case, made by go test -update. The tables are those of dbtest's salon.\n")
	for _, table := range slices.Sorted(maps.Keys(s.tables)) {
		fmt.Fprintf(&b, "TRUNCATE TABLE `%s`;\n", table)
	}
	for _, statement := range rows {
		b.WriteString(statement + ";\n")
	}
	return b.String()
}

var namedTable = regexp.MustCompile("^\\s*(?i:INSERT INTO|UPDATE|DELETE\\s+FROM|ALTER TABLE)\\s+`?(wp_[a-z_]+)`?")

// shorten is a case's file without what the subset cannot use: statements for tables that it does not have, requests of
// custom hooks.
func (s *snapshots) shorten(t *testing.T, c *testCase, before []string, hooks map[int]hook) []byte {
	t.Helper()
	short := *c
	short.Before = before
	short.SQL = slices.DeleteFunc(slices.Clone(c.SQL), func(q statement) bool {
		if m := pinged.FindStringSubmatch(q.SQL); m != nil {
			id, _ := strconv.Atoi(m[1])
			return !hooks[id].documented()
		}
		m := namedTable.FindStringSubmatch(q.SQL)
		if m == nil {
			t.Fatalf("case %s: no table in %.200q", c.Number, q.SQL)
		}
		return s.tables[m[1]] == nil
	})
	short.Requests = slices.DeleteFunc(slices.Clone(c.Requests), func(q request) bool { return !q.Documented })
	if c.Requests != nil && short.Requests == nil {
		short.Requests = []request{}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(short); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
