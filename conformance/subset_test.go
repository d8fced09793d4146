package conformance

import (
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

var update = flag.Bool("update", false, "make testdata anew from the records that ROWHOOK_PLUGIN_DIR names")

// subsets are what is in testdata, by record.
var subsets = map[string]struct {
	cases []string // every action and load mode, and the oddities of the findings
	// thin is without the webhooks that full and extended have for inserts, updates and statuses alone, whose payloads are
	// those of the webhooks for all of them.
	thin bool
}{
	"plugin": {cases: []string{
		"001", "004", "009", "011", "020", "023", "030", "035", "038", "040", "041", "046", "050", "054", "062", "070", "074", "075", "076",
		"077", "080", "090", "093", "096", "098", "100", "191", "211", "215", "220", "223", "230", "265", "285",
	}},
	"plugin-2": {thin: true, cases: []string{
		"305", "325", "329", "354", "358", "361", "369", "370", "373", "391", "404", "416", "426", "429", "432", "442", "444", "507b", "519", "530",
		"568", "569", "571", "582", "584",
	}},
}

// dropped are the webhooks that a record's subset is without.
func dropped(r *record) map[int]bool {
	ids := map[int]bool{}
	for id, h := range r.hooks {
		part := h.Type == "insert" || h.Type == "update" || len(h.Statuses) > 0
		if !h.documented() || subsets[r.name].thin && part && (h.Load == "full" || h.Load == "extended") {
			ids[id] = true
		}
	}
	return ids
}

// kept are the rows of large tables that the subset needs; of the other tables it has all.
var kept = map[string]string{
	"wp_options": "option_name IN ('siteurl', 'home', 'blogname', 'timezone_string', 'gmt_offset', 'date_format', 'time_format', 'WPLANG')",
	"wp_vikappointments_config": "param IN ('dateformat', 'timeformat', 'keepapplock', 'usercredit', 'multitimezone', 'ismultilang', 'defstatus')" +
		" OR param LIKE 'curr%' OR param LIKE 'webhooks%'",
	"wp_vikappointments_countries": "country_2_code IN ('IT', 'JE')",
	"wp_vikappointments_states":    "id_country = (SELECT id FROM wp_vikappointments_countries WHERE country_2_code = 'IT')",
}

// updateSubset makes testdata of a record's cases: the rows before the first one, and before each what the cases between
// it and the one before it did to those rows.
func updateSubset(t *testing.T, r *record) {
	if !r.whole {
		t.Fatal("-update needs ROWHOOK_PLUGIN_DIR, the records with all their cases")
	}
	subset, without := subsets[r.name].cases, dropped(r)
	p := newReplay(t, r)
	if err := dbtest.CreateSalon(t.Context(), p.server, "salon", "wp_"); err != nil {
		t.Fatal(err)
	}
	p.exec(t, p.conn(t, markerConn), "DELETE FROM "+prefix+"coupon WHERE id = 0") // the replay makes it
	s := &snapshots{replay: p, tables: p.salonTables(t)}
	last := map[string]*tableRows{}
	dir := filepath.Join("testdata", r.name)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range r.cases {
		for _, q := range c.Before {
			p.exec(t, p.conn(t, 1), q)
		}
		chosen := slices.Contains(subset, c.Number)
		if chosen {
			now := s.take(t)
			before := s.difference(last, now)
			if c.Number == subset[0] {
				for id := range without {
					p.exec(t, p.conn(t, 1), "DELETE FROM `"+prefix+"webhook` WHERE id = ?", id)
				}
				writeFile(t, filepath.Join(dir, "initial.sql"), s.initial(s.difference(last, s.take(t))))
				before = nil
			}
			file := filepath.Join(dir, "cases", c.Number+"-"+c.Name+".json")
			writeFile(t, file, s.shorten(t, c, before, without))
		}
		for _, q := range c.SQL {
			p.exec(t, p.conn(t, q.Conn), q.SQL)
		}
		if chosen {
			last = s.take(t)
		}
	}
	for _, c := range r.byHand {
		writeFile(t, filepath.Join(dir, "by-hand", c.Number+"-"+c.Name+".json"), asLines(t, c))
	}
	var hooks map[int]json.RawMessage
	if err := json.Unmarshal(readFile(t, filepath.Join(r.dir, "webhooks.json")), &hooks); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(hooks, func(id int, _ json.RawMessage) bool { return without[id] })
	writeFile(t, filepath.Join(dir, "webhooks.json"), strings.ReplaceAll(compact(t, hooks), "},", "},\n")+"\n")
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
	next    string // AUTO_INCREMENT
	columns string
	rows    map[string]string // the values of a row, by the condition that finds it
}

// take reads the rows that the subset needs.
func (s *snapshots) take(t *testing.T) map[string]*tableRows {
	t.Helper()
	all := map[string]*tableRows{}
	for table, key := range s.tables {
		rows := &tableRows{rows: map[string]string{}}
		rows.next = s.read(t, "SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?", schema, table)[0][0]
		found, err := s.db.QueryContext(t.Context(), "SELECT * FROM `"+table+"` WHERE "+cmp.Or(kept[table], "1"))
		if err != nil {
			t.Fatal(err)
		}
		rows.read(t, key, found)
		all[table] = rows
	}
	return all
}

func (r *tableRows) read(t *testing.T, key []string, found *sql.Rows) {
	t.Helper()
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	r.columns = "`" + strings.Join(columns, "`, `") + "`"
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
		r.rows[strings.Join(where, " AND ")] = "(" + strings.Join(literals, ", ") + ")"
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
		for _, where := range slices.Sorted(maps.Keys(old.rows)) {
			if now.rows[where] == "" {
				statements = append(statements, "DELETE FROM `"+table+"` WHERE "+where)
			}
		}
		var changed []string
		for _, where := range slices.Sorted(maps.Keys(now.rows)) {
			if now.rows[where] != old.rows[where] {
				changed = append(changed, now.rows[where])
			}
		}
		if len(changed) > 0 {
			statements = append(statements, "REPLACE INTO `"+table+"` ("+now.columns+") VALUES\n"+strings.Join(changed, ",\n"))
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
func (s *snapshots) shorten(t *testing.T, c *testCase, before []string, without map[int]bool) string {
	t.Helper()
	short := *c
	short.Before = before
	short.SQL = slices.DeleteFunc(slices.Clone(c.SQL), func(q statement) bool {
		if m := pinged.FindStringSubmatch(q.SQL); m != nil {
			id, _ := strconv.Atoi(m[1])
			return without[id]
		}
		m := namedTable.FindStringSubmatch(q.SQL)
		if m == nil {
			t.Fatalf("case %s: no table in %.200q", c.Number, q.SQL)
		}
		return s.tables[m[1]] == nil
	})
	short.Requests = slices.DeleteFunc(slices.Clone(c.Requests), func(q request) bool { return !q.Documented || without[q.Webhook] })
	if c.Requests != nil && short.Requests == nil {
		short.Requests = []request{}
	}
	return asLines(t, &short)
}

// asLines is a case as JSON, with a line for each statement and request.
func asLines(t *testing.T, c *testCase) string {
	t.Helper()
	requests := "null"
	if c.Requests != nil {
		requests = lines(t, c.Requests)
	}
	return fmt.Sprintf("{\"name\": %s,\n\"what\": %s,\n\"before\": %s,\n\"sql\": %s,\n\"requests\": %s}\n",
		compact(t, c.Name), compact(t, c.What), lines(t, c.Before), lines(t, c.SQL), requests)
}

// lines is a list as JSON, each element on a line.
func lines[T any](t *testing.T, list []T) string {
	t.Helper()
	texts := make([]string, len(list))
	for i, element := range list {
		texts[i] = "\n" + compact(t, element)
	}
	return "[" + strings.Join(texts, ",") + "]"
}

func compact(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
