package sqltext

import (
	"strings"
	"testing"
)

func TestWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"INSERT INTO a VALUES (1)", "INSERT a"},
		{"insert low_priority ignore s.a (x) select x from b", "INSERT s.a"},
		{"/* b */ INSERT HIGH_PRIORITY INTO `a b` SET x = 'UPDATE c'", "INSERT a b"},
		{"REPLACE INTO percona.checksums (db, tbl) SELECT 'wordpress', 'a', COUNT(*) FROM `wordpress`.`a` FORCE INDEX(`PRIMARY`) /*checksum chunk*/", "REPLACE percona.checksums"},
		{"REPLACE DELAYED a() VALUES ()", "REPLACE a"},
		{"INSERT INTO .a VALUES (1)", "INSERT a"},
		{"INSERT INTO a PARTITION (p0) VALUES (1) ON DUPLICATE KEY UPDATE x = (SELECT y FROM b)", "INSERT a"},
		{"LOAD DATA LOCAL INFILE 'INTO TABLE b' REPLACE INTO TABLE s.a FIELDS TERMINATED BY ',' (x)", "LOAD s.a"},
		{"LOAD XML INFILE '/x' INTO TABLE a", "LOAD a"},

		{"UPDATE a SET x = 1", "UPDATE a"},
		{"UPDATE LOW_PRIORITY IGNORE s.a AS q SET q.x = 1 WHERE q.y IN (SELECT z FROM b)", "UPDATE s.a"},
		{"UPDATE a PARTITION (p0, p1) q SET x = (SELECT MAX(y), 2 FROM b), q.z = 1 ORDER BY x LIMIT 1", "UPDATE a"},
		{"UPDATE a, b SET a.x = b.x", "UPDATE a"},
		{"UPDATE a JOIN b USING (id) SET b.x = 1, a.y = 2", "UPDATE b, a"},
		{"UPDATE a LEFT JOIN s.b AS q ON (a.id = q.id AND q.x IN (1, 2)) SET q.x = 1", "UPDATE s.b"},
		{"UPDATE a NATURAL JOIN b SET x = 1", "UPDATE a, b"},
		{"UPDATE a, (SELECT id FROM b) d SET a.x = 1 WHERE a.id = d.id", "UPDATE a"},
		{"UPDATE (a, b q) STRAIGHT_JOIN ((c)) ON 1 SET q.x = 1, c.y = 1", "UPDATE b, c"},
		{"UPDATE a USE INDEX (i), b IGNORE INDEX FOR JOIN (j) SET b.x = 1", "UPDATE b"},
		{"UPDATE s.a, q.a SET s.a.x = 1", "UPDATE s.a"},
		{"UPDATE a JOIN JSON_TABLE('[1]', '$[*]' COLUMNS (id INT PATH '$')) j SET a.x = j.id", "UPDATE a"},
		{"UPDATE { OJ a LEFT OUTER JOIN b ON a.id = b.id } SET b.x = 1", "UPDATE b"},
		{"UPDATE a FOR PORTION OF p FROM '2000-01-01' TO '2001-01-01' SET x = 1", "UPDATE a"},
		{"WITH b AS (SELECT 1 AS id), c (x) AS (SELECT 2) UPDATE a, b SET a.x = b.id", "UPDATE a"},
		{"WITH RECURSIVE b AS (SELECT 1) DELETE FROM a WHERE id IN (SELECT * FROM b)", "DELETE a"},
		{"WITH b AS (SELECT 1 AS id) UPDATE a, b SET x = id", "UPDATE a"},

		{"DELETE FROM a", "DELETE a"},
		{"DELETE QUICK IGNORE FROM s.a WHERE x IN (SELECT y FROM b)", "DELETE s.a"},
		{"DELETE FROM a AS q WHERE q.x = 1 ORDER BY y LIMIT 3", "DELETE a"},
		{"DELETE FROM a PARTITION (p0) WHERE 1", "DELETE a"},
		{"DELETE a, c FROM a JOIN b ON a.id = b.id, s.c WHERE b.x", "DELETE a, s.c"},
		{"DELETE q.* FROM a JOIN b q ON a.id = q.id", "DELETE b"},
		{"DELETE FROM q, b.* USING a AS q INNER JOIN b", "DELETE a, b"},
		{"DELETE s.a FROM s.a, b", "DELETE s.a"},
		{"DELETE HISTORY FROM a BEFORE SYSTEM_TIME '2000-01-01'", "DELETE a"},
		{"DELETE FROM a WHERE x = 1 RETURNING y", "DELETE a"},

		{"SET STATEMENT max_statement_time = 1, x = 'FOR' FOR UPDATE a SET x = 1", "UPDATE a"},
		{"ANALYZE FORMAT=JSON UPDATE a SET x = 1", "UPDATE a"},
		{"ANALYZE TABLE a", "ANALYZE"},
		{"/*!50000 REPLACE */ INTO a VALUES (1)", "REPLACE a"},
		{"CREATE TABLE a (x INT DEFAULT 1) SELECT 1 AS y", "CREATE a"},
		{"CREATE OR REPLACE TABLE a AS (SELECT 1)", "CREATE a"},
		{"CREATE TABLE a AS TABLE b", "CREATE a"},
		{"CREATE TABLE a (x INT) VALUES ROW(1)", "CREATE a"},
		{"CREATE TABLE a (x INT) PARTITION BY LIST (x) (PARTITION p VALUES IN (1))", "CREATE"},
		{"CREATE TABLE a (x INT COMMENT 'SELECT')", "CREATE"},
		{"CREATE TEMPORARY TABLE a SELECT 1", "CREATE"},
		{"SELECT `s`.`f`(1)", "SELECT calls"},
		{"DO f(1)", "DO calls"},
		{"SET @a = 'UPDATE b SET x = 1'", "SET"},
		{"", ""},
		{"# Dummy event", ""},

		{"UPDATE a", "-"},
		{"UPDATE a, b SET x", "-"},
		{"DELETE a", "-"},
		{"INSERT INTO 'a' VALUES (1)", "-"},
		{"UPDATE " + strings.Repeat("(", 5000) + "a", "-"},
		{"42", "-"},
	} {
		w := ReadWrites(Dialect{}, c.text)
		got := w.Verb
		for i, n := range w.Targets {
			if got += ", "; i == 0 {
				got = w.Verb + " "
			}
			if n.Schema != "" {
				got += n.Schema + "."
			}
			got += n.Name
		}
		if w.Calls {
			got += " calls"
		}
		if !w.Known {
			got = "-"
		}
		if got != c.want {
			t.Errorf("%.200s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// A statement that is cut writes what its beginning says, or nobody knows.
func TestWritesOfACut(t *testing.T) {
	t.Parallel()
	for text, known := range map[string]bool{
		"INSERT INTO a (x) VALUES ('": true, "INSERT INTO a": false, "INSERT INTO a.": false, "INSERT INTO s.a": false, "INSERT INTO s.a /* long": true, "UPDATE a SET x = 'long": true, "UPDATE a, b SET a.x = 'long": false, "UPDATE a JOIN b": false, "/* long": false, "DELETE FROM a WHERE x IN (1, ": true,
		"DELETE FROM a, ": false, "REPLACE s.": false, "LOAD DATA INFILE 'x' INTO TABLE a (x": true,
	} {
		if w := ReadWrites(Dialect{Cut: true}, text); w.Known != known {
			t.Errorf("%q: %+v", text, w)
		}
	}
}
