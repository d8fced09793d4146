package cdc

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/sqlmap"
	"rowhook/dbtest"
)

// TestDDLAsTheServer runs random statements that change tables, and compares what the history makes of them with what
// the server did.
func TestDDLAsTheServer(t *testing.T) { cdctest.OnKinds(t, testDDLAsTheServer) }

func testDDLAsTheServer(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	server := cdctest.StartServer(t, kind)
	conn := cdctest.SchemaConn(t, server, "ddl")
	cdctest.Exec(t, conn, "ALTER DATABASE ddl CHARACTER SET latin1")
	s := openSource(t, sourceConfig(server, newLog(), "ddl", "a", "b", "_a_new"))
	h := schema.NewHistory(s.watched().names)
	g := &ddlWriter{Rand: rand.New(rand.NewPCG(dbtest.Seed(t), 0)), mysql: kind.MySQL()}
	h.Learn(TableName{Schema: "ddl"}, &ddl.Definition{Charset: "latin1"})
	for _, name := range []string{"a", "b", "_a_new"} {
		h.Learn(TableName{Schema: "ddl", Name: name}, ddl.Gone)
	}
	done, declined := 0, 0
	for range 500 {
		text := g.statement()
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			if wrong(err) {
				t.Fatalf("%s: %v", text, err)
			}
			if strings.Contains(text, "OR REPLACE TABLE") { // has dropped the old one
				relearn(t, s, h)
			}
			continue
		}
		done++
		if err := applyText(s, h, text); err != nil {
			if !ambiguous.MatchString(text) && !ambiguousError.MatchString(err.Error()) {
				t.Fatalf("%s: %v", text, err)
			}
			declined++
			relearn(t, s, h)
		}
		h.Commit()
		for _, name := range []string{"a", "b", "_a_new"} {
			compareWithServer(t, s, h, TableName{Schema: "ddl", Name: name}, text)
		}
		g.look(t, conn)
	}
	t.Logf("%d statements, %d declined", done, declined)
	if done < 120 || declined > done/10 {
		t.Errorf("the server took %d statements, of which %d were declined", done, declined)
	}
}

// TestLabelsInOtherCharsets converts columns with labels, of which the servers only look at the bytes anew. What that makes
// of labels is known to the history, or declined.
func TestLabelsInOtherCharsets(t *testing.T) { cdctest.OnKinds(t, testLabelsInOtherCharsets) }

func testLabelsInOtherCharsets(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	server := cdctest.StartServer(t, kind)
	conn := cdctest.SchemaConn(t, server, "ddl")
	s := openSource(t, sourceConfig(server, newLog(), "ddl", "a"))
	h := schema.NewHistory(s.watched().names)
	for _, c := range []struct {
		labels, from, to string
		known            bool
	}{
		{"'x','',' y','a\\\\b'", "latin1", "utf8mb4", true},
		{"'x','',' y','a\\\\b'", "gbk", "cp1251", true},
		{"'größe','☃'", "utf8mb3", "utf8mb4", true},
		{"'größe','☃'", "utf8mb4", "utf8mb3", true},
		{"'größe'", "latin1", "utf8mb4", false},
		{"'größe'", "utf8mb4", "latin1", false},
		{"'x',' y'", "ucs2", "utf8mb4", false},
		{"'x',' y'", "utf16le", "latin1", false},
		{"'x',' y'", "utf8mb4", "ucs2", false},
		{"'[x]'", "utf8mb4", "swe7", false},
	} {
		cdctest.Exec(t, conn, "DROP TABLE IF EXISTS a", fmt.Sprintf("CREATE TABLE a (id INT PRIMARY KEY, e ENUM(%s), s SET(%[1]s)) CHARACTER SET %s", c.labels, c.from))
		relearn(t, s, h)
		text := "ALTER TABLE a CONVERT TO CHARACTER SET " + c.to
		cdctest.Exec(t, conn, text)
		if err := applyText(s, h, text); (err == nil) != c.known {
			t.Errorf("labels %s from %s to %s: %v", c.labels, c.from, c.to, err)
		} else if c.known {
			compareWithServer(t, s, h, TableName{Schema: "ddl", Name: "a"}, text)
		}
	}
}

// TestLabelsOfSessions makes labels under other charsets of the session: the server converts them to that of the
// connection first, which may lose characters, or change the bytes that a binary column keeps.
func TestLabelsOfSessions(t *testing.T) { cdctest.OnKinds(t, testLabelsOfSessions) }

func testLabelsOfSessions(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	server := cdctest.StartServer(t, kind)
	conn := cdctest.SchemaConn(t, server, "ddl")
	s := openSource(t, sourceConfig(server, newLog(), "ddl", "a"))
	h := schema.NewHistory(s.watched().names)
	for _, c := range []struct {
		labels, column, client, connection string // charsets, or the column's collation
		known                              bool
	}{
		{"'a','b c'", "CHARACTER SET binary", "utf8mb4", "utf8mb4_general_ci", true},
		{"'a','b c'", "CHARACTER SET binary", "utf8mb4", "latin1_swedish_ci", true},
		{"'a','b c'", "CHARACTER SET binary", "utf8mb4", "utf32_bin", false},
		{"'a','b c'", "CHARACTER SET binary", "utf8mb3", "ucs2_bin", false},
		{"'a','b c'", "CHARACTER SET binary", "latin1", "utf16_bin", false},
		{"'a','b c'", "CHARACTER SET utf8mb4", "utf8mb4", "utf32_bin", true},
		{"'größe','☃'", "CHARACTER SET utf8mb4", "utf8mb4", "utf32_bin", true},
		{"'größe','☃'", "CHARACTER SET utf8mb4", "utf8mb4", "utf8mb3_bin", true},
		{"'größe','☃'", "CHARACTER SET utf8mb4", "utf8mb4", "latin1_bin", false},
		{"'größe','☃'", "COLLATE utf8mb4_bin", "utf8mb4", "utf8mb4_bin", true},
		{"'x','yz'", "CHARACTER SET utf8mb4", "utf8mb4", "latin1_bin", true},
	} {
		for _, of := range []string{"ENUM", "SET"} {
			cdctest.Exec(t, conn, "SET NAMES utf8mb4", "DROP TABLE IF EXISTS a")
			relearn(t, s, h)
			h.Learn(TableName{Schema: "ddl"}, &ddl.Definition{Charset: "utf8mb4"})
			text := fmt.Sprintf("CREATE TABLE a (id INT PRIMARY KEY, c %s(%s) %s)", of, c.labels, c.column)
			cdctest.Exec(t, conn, "SET NAMES "+c.client, "SET collation_connection = "+c.connection, text, "SET NAMES utf8mb4")
			connection, _, _ := strings.Cut(c.connection, "_")
			ops, ok := inSession(s, text, c.client, connection).Ops()
			var err error
			for i := range ops {
				err = errors.Join(err, h.Apply(&ops[i]))
			}
			if known := ok && err == nil; known != c.known {
				t.Errorf("%s of %s under %s: known: %t, %v", text, c.client, c.connection, known, err)
			} else if known {
				compareWithServer(t, s, h, TableName{Schema: "ddl", Name: "a"}, text)
			}
		}
	}
}

// ambiguous are statements that may be declined: the servers go ways of their own with them.
var ambiguous = regexp.MustCompile("CONVERT TO|AFTER|IF NOT EXISTS|IF EXISTS")

// ambiguousError is why others may be declined. MariaDB lets a clause alter a column that a clause before it added.
var ambiguousError = regexp.MustCompile("gives its name to another one|is altered twice")

// relearn takes in what the tables are by the server's word.
func relearn(t *testing.T, s *Source, h *schema.History) {
	t.Helper()
	for _, name := range h.All() {
		is, err := s.tables().Define(t.Context(), name)
		if err != nil {
			is = ddl.Gone
		}
		h.Learn(name, is)
	}
}

// applyText moves a history forward by a statement.
func applyText(s *Source, h *schema.History, text string) error {
	ops, ok := inSession(s, text, "utf8mb4", "utf8mb4").Ops()
	if !ok {
		return errors.New("not understood")
	}
	for i := range ops {
		if err := h.Apply(&ops[i]); err != nil {
			return err
		}
	}
	return nil
}

// inSession is a statement of a session with charsets.
func inSession(s *Source, text, client, connection string) *schema.Statement {
	q := &schema.Statement{Schema: "ddl", Text: text, Dialect: s.dialect}
	q.Dialect.Client, q.Dialect.Connection = client, connection
	return q
}

func compareWithServer(t *testing.T, s *Source, h *schema.History, name TableName, text string) {
	t.Helper()
	is := h.Get(name)
	want, err := s.tables().Define(t.Context(), name)
	switch {
	case err != nil && (is == nil || is == ddl.Gone):
	case err != nil:
		t.Fatalf("%s is known as %v, the server says %v\nafter %s", name, is, err, text)
	case is == nil || is == ddl.Gone:
		t.Fatalf("%s is not known\nafter %s", name, text)
	default:
		if d := is.Difference(want); d != "" || is.Vague() {
			t.Fatalf("%s: the server says %s (vague: %t)\nafter %s\n got %v\nwant %v", name, d, is.Vague(), text, is.Columns, want.Columns)
		}
	}
}

// ddlWriter writes random statements about tables a, b and _a_new.
type ddlWriter struct {
	*rand.Rand
	mysql   bool
	columns map[string][]string // by table, as they are
	fresh   int
}

// look reads what columns there are, to write about.
func (g *ddlWriter) look(t *testing.T, conn *sql.Conn) {
	t.Helper()
	rows, err := sqlmap.Rows(t.Context(), conn, "SELECT table_name AS name, column_name AS col FROM information_schema.columns WHERE table_schema = 'ddl' ORDER BY ordinal_position")
	if err != nil {
		t.Fatal(err)
	}
	g.columns = map[string][]string{}
	for _, r := range rows {
		g.columns[r["name"]] = append(g.columns[r["name"]], r["col"])
	}
}

// wrong says whether the server could not read a statement; other refusals are to be expected.
func wrong(err error) bool {
	refused, ok := errors.AsType[*sqlmap.Error](err)
	return !ok || refused.Number == mysql.ER_PARSE_ERROR
}

func (g *ddlWriter) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g *ddlWriter) table() string { return g.pick("a", "a", "a", "b", "_a_new") }

func (g *ddlWriter) column(table string) string {
	columns := g.columns[table]
	if len(columns) == 0 {
		return "none"
	}
	return g.varied(columns[g.IntN(len(columns))])
}

// varied writes a name in one of the ways there are.
func (g *ddlWriter) varied(name string) string {
	switch g.IntN(6) {
	case 0:
		return "`" + strings.ReplaceAll(strings.ToUpper(name), "`", "``") + "`"
	case 1, 2, 3:
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	if strings.ContainsAny(name, "` ,") || strings.EqualFold(name, "key") || strings.EqualFold(name, "primary") {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	return name
}

func (g *ddlWriter) name() string {
	g.fresh++
	switch g.IntN(12) {
	case 0:
		return "`odd ``name, " + fmt.Sprint(g.fresh) + "`"
	case 1:
		return "größe" + fmt.Sprint(g.fresh)
	case 2:
		return g.pick("comment", "status", "type", "date", "`key`", "`primary`", "algorithm", "engine")
	}
	return fmt.Sprintf("c%d", g.fresh)
}

func (g *ddlWriter) statement() string {
	switch g.IntN(24) {
	case 0, 1:
		return g.create()
	case 2:
		return "DROP TABLE IF EXISTS " + g.pick("b", "_a_new", "`b`, _a_new", "ddl.a")
	case 3:
		return g.pick("CREATE TABLE b LIKE a", "CREATE TABLE _a_new LIKE ddl.a", "CREATE TABLE b (LIKE _a_new)", "CREATE TABLE IF NOT EXISTS _a_new LIKE a")
	case 4:
		return g.pick("RENAME TABLE a TO old, b TO a, old TO b", "RENAME TABLE b TO _a_new", "RENAME TABLE a TO b, _a_new TO a", "ALTER TABLE b RENAME TO _a_new", "ALTER TABLE b RENAME a")
	case 5:
		return g.pick("CREATE INDEX i ON a ("+g.column("a")+")", "DROP INDEX `PRIMARY` ON a", "TRUNCATE a", "CREATE OR REPLACE VIEW v AS SELECT 1",
			"DROP VIEW IF EXISTS v", "ALTER DATABASE ddl CHARACTER SET "+g.charset(), "ALTER SCHEMA DEFAULT COLLATE utf8mb4_general_ci")
	}
	table := g.table()
	var clauses []string
	for range 1 + g.IntN(3) {
		clauses = append(clauses, g.clause(table))
	}
	if g.IntN(12) == 0 {
		clauses = append(clauses, "ORDER BY "+g.column(table)+g.pick("", " DESC", ", id"))
	}
	return g.pick("ALTER TABLE ", "alter table ", "/*!50000 ALTER */ TABLE ddl.", "ALTER/* a comment */TABLE\n") + table + " " + strings.Join(clauses, g.pick(", ", ",\n  ", " , "))
}

func (g *ddlWriter) create() string {
	items := []string{}
	for range 1 + g.IntN(6) {
		items = append(items, g.name()+" "+g.definition())
	}
	if g.IntN(2) == 0 {
		items = append(items, "id INT NOT NULL", g.pick("PRIMARY KEY (id)", "PRIMARY KEY USING BTREE (`id`)", "CONSTRAINT pk PRIMARY KEY (id)", "KEY k (id), PRIMARY KEY (id DESC)", "UNIQUE KEY u (id)"))
	}
	g.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	or := "CREATE TABLE "
	switch g.IntN(3) {
	case 0:
		or = "CREATE TABLE IF NOT EXISTS "
	case 1:
		if !g.mysql {
			or = "CREATE OR REPLACE TABLE "
		}
	}
	options := g.pick("", "", " DEFAULT CHARSET="+g.charset(), " ENGINE=InnoDB CHARACTER SET "+g.charset()+" COMMENT='a ''table'' ;'", " COLLATE utf8mb4_unicode_ci, ENGINE InnoDB",
		" ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci ROW_FORMAT=DYNAMIC")
	return or + g.table() + " (\n" + strings.Join(items, ",\n") + "\n)" + options
}

func (g *ddlWriter) charset() string {
	return g.pick("latin1", "utf8", "utf8mb4", "utf8mb4", "utf8mb3", "cp1251", "ucs2", "binary", "gbk", "ascii")
}

func (g *ddlWriter) clause(table string) string {
	place := ""
	switch g.IntN(4) {
	case 0:
		place = " FIRST"
	case 1:
		place = " AFTER " + g.column(table)
	}
	maybe, maybeNot := "", ""
	if !g.mysql && g.IntN(4) == 0 {
		maybe, maybeNot = "IF EXISTS ", "IF NOT EXISTS "
	}
	switch g.IntN(22) {
	case 0, 1, 2, 3:
		return "ADD " + g.pick("COLUMN ", "COLUMN ", "") + maybeNot + g.pick(g.name(), g.name(), g.name(), g.column(table)) + " " + g.definition() + place
	case 4:
		return "ADD (" + g.name() + " " + g.definition() + ", " + g.name() + " " + g.definition() + ")"
	case 5, 6:
		return "DROP " + g.pick("COLUMN ", "") + maybe + g.column(table)
	case 7, 8, 9:
		return "MODIFY " + g.pick("COLUMN ", "") + maybe + g.column(table) + " " + g.definition() + place
	case 10, 11, 12:
		return "CHANGE " + g.pick("COLUMN ", "") + maybe + g.column(table) + " " + g.pick(g.name(), g.column(table)) + " " + g.definition() + place
	case 13, 14, 15:
		return "RENAME COLUMN " + g.column(table) + " TO " + g.pick(g.name(), g.column(table))
	case 16:
		return g.pick("DROP PRIMARY KEY", "DROP PRIMARY KEY, ADD PRIMARY KEY ("+g.column(table)+")", "ADD PRIMARY KEY ("+g.column(table)+", "+g.column(table)+"(3))", "DROP KEY `PRIMARY`", "ADD CONSTRAINT PRIMARY KEY ("+g.column(table)+")")
	case 17:
		return "CONVERT TO CHARACTER SET " + g.pick("utf8mb4", "utf8mb4", "utf8mb4 COLLATE utf8mb4_bin", "utf8mb3", "latin1", "ucs2")
	case 18:
		return g.pick("DEFAULT CHARSET ", "CHARACTER SET = ", "DEFAULT CHARACTER SET ") + g.charset()
	case 19:
		return g.pick("ADD INDEX (", "ADD KEY k2 (", "ADD UNIQUE KEY (", "ADD UNIQUE (") + g.column(table) + ")"
	}
	if g.IntN(4) == 0 {
		hide := "ALTER INDEX k2 IGNORED"
		if g.mysql {
			hide = "ALTER INDEX k2 INVISIBLE"
		}
		return g.pick("DISABLE KEYS", "ENABLE KEYS", "LOCK=DEFAULT", "ALGORITHM DEFAULT", hide, "DROP INDEX k2", "RENAME INDEX k2 TO k2", "STATS_PERSISTENT=0", "MAX_ROWS 7")
	}
	return g.pick("ENGINE=InnoDB", "COMMENT 'it''s \\'quoted\\', ADD x INT'", "ALTER COLUMN "+g.column(table)+" DROP DEFAULT", "FORCE", "ALGORITHM=COPY", "AUTO_INCREMENT = 100",
		"ALTER "+g.column(table)+" SET DEFAULT '1'", "ROW_FORMAT=DYNAMIC")
}

func (g *ddlWriter) definition() string {
	of := g.pick("INT", "INT(10) UNSIGNED", "INTEGER", "TINYINT(1)", "BOOL", "BOOLEAN", "SMALLINT UNSIGNED ZEROFILL", "MEDIUMINT", "MIDDLEINT", "BIGINT UNSIGNED", "INT8", "BIGINT(20) SIGNED",
		"FLOAT", "FLOAT(7,3)", "FLOAT(20)", "FLOAT(40)", "FLOAT8", "DOUBLE PRECISION", "DOUBLE(9,2) UNSIGNED", "REAL", "DECIMAL(10,2)", "NUMERIC", "DEC(5)", "FIXED(4,1) UNSIGNED", "BIT(9)", "BIT",
		"DATE", "TIME", "TIME(3)", "DATETIME", "DATETIME(6)", "TIMESTAMP NULL", "TIMESTAMP(2) NULL DEFAULT NULL", "YEAR", "YEAR(4)",
		"BINARY(7)", "VARBINARY(30)", "BLOB", "TINYBLOB", "LONGBLOB", "LONG VARBINARY", "BLOB(100)", "CHAR(5) BYTE",
		"JSON", "POINT", "GEOMETRY", "MULTIPOINT", "GEOMETRYCOLLECTION", "SERIAL",
		"NCHAR(5)", "NATIONAL CHAR(5)", "NATIONAL VARCHAR(5)", "NVARCHAR(10)", "NATIONAL CHARACTER VARYING(3)", "NCHAR VARYING(3)",
		g.text(), g.text(), g.text(), g.text(), g.text(), g.text())
	if !g.mysql {
		of = g.pick(of, of, of, of, of, of, of, of, "UUID", "INET6", "INET4", "YEAR(2)", "VARCHAR(9) COMPRESSED")
	}
	for _, attribute := range []string{"NOT NULL", "NULL", "COMMENT 'x, y (\\\\)'", "UNIQUE", "PRIMARY KEY", "INVISIBLE DEFAULT NULL"} {
		if g.IntN(12) == 0 && of != "SERIAL" {
			of += " " + attribute
			break
		}
	}
	switch g.IntN(20) {
	case 0:
		of = g.pick("INT GENERATED ALWAYS AS (1 + 2) VIRTUAL", "VARCHAR(10) AS (CONCAT('a', ')')) STORED", "INT AS (3)", "INT CHECK (1 < 2)", "INT DEFAULT (1 + 1)", "INT DEFAULT -1",
			"DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP", "TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)", "CHAR(3) DEFAULT _latin1 'a'", "INT DEFAULT 0x1F", "DOUBLE DEFAULT 1.5", "BIT(3) DEFAULT b'101'",
			"INT NOT NULL DEFAULT 7")
	}
	return of
}

// text is the type of a column with a charset.
func (g *ddlWriter) text() string {
	labels := g.pick("('a','b')", "('it''s', \"say \\\"x\\\"\", 'c d  ')", "('x', '', ' y', 'a\\\\b')")
	of := g.pick("CHAR(5)", "CHARACTER(5)", "VARCHAR(20)", "CHARACTER VARYING(20)", "CHAR VARYING(7)", "TEXT", "TINYTEXT", "MEDIUMTEXT", "LONGTEXT", "LONG VARCHAR", "LONG", "TEXT(50)", "ENUM"+labels, "SET"+strings.ReplaceAll(labels, ",''", ""))
	switch g.IntN(6) {
	case 0:
		charset := g.charset()
		if strings.HasPrefix(of, "ENUM") || strings.HasPrefix(of, "SET") {
			charset = g.pick("latin1", "utf8mb4", "ucs2")
		}
		return of + g.pick(" CHARACTER SET ", " CHARSET ") + charset
	case 1:
		return of + " COLLATE " + g.pick("latin1_bin", "utf8mb4_unicode_ci", "utf8_bin")
	case 2:
		return of + g.pick(" BINARY", " ASCII", " UNICODE", " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
	}
	if slices.Contains([]string{"ENUM", "SET"}, of[:min(4, len(of))]) && g.IntN(3) == 0 {
		return strings.Replace(of, "('", "('größe ☃','", 1) + " CHARACTER SET utf8mb4"
	}
	return of
}
