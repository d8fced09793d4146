package cdc

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestSchemaHistory reads tables that were altered while nobody followed, where the log tells no names.
func TestSchemaHistory(t *testing.T) { cdctest.OnServers(t, testSchemaHistory) }

func testSchemaHistory(t *testing.T, server *dbtest.Server) {
	t.Helper()
	server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))

	// behind follows a table until it is known, runs statements while nobody follows, and follows on.
	behind := func(t *testing.T, schema string, statements ...string) *follower {
		t.Helper()
		conn := cdctest.SchemaConn(t, server, schema, "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20), n INT UNSIGNED)")
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), schema, "a")))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x', 4000000000)")
		f.expect(t, "insert a(id=1 s=x n=4000000000)")
		f.stop()
		cdctest.Exec(t, conn, statements...)
		return followOn(t, f)
	}

	t.Run("names move, types stay", func(t *testing.T) {
		f := behind(t, "silent", "UPDATE a SET s = 'y'", "ALTER TABLE a ADD q VARCHAR(20) AFTER id", "UPDATE a SET q = 'q'", "ALTER TABLE a RENAME COLUMN s TO x, RENAME COLUMN q TO s",
			"UPDATE a SET x = 'z'", "ALTER TABLE a CHANGE s s VARCHAR(20) AFTER x", "DELETE FROM a")
		f.expect(t, "update a(id=1 s=x n=4000000000 -> id=1 s=y n=4000000000)", "update a(id=1 q=NULL s=y n=4000000000 -> id=1 q=q s=y n=4000000000)")
		f = followOn(t, f)
		f.expect(t, "update a(id=1 s=q x=y n=4000000000 -> id=1 s=q x=z n=4000000000)")
		f = followOn(t, f)
		f.expect(t, "delete a(id=1 x=z s=q n=4000000000)")
	})

	t.Run("swap", func(t *testing.T) { // and back
		f := behind(t, "swap", "CREATE TABLE _a_new LIKE a", "ALTER TABLE `swap`.`_a_new` DROP s, ADD t TEXT FIRST", "INSERT INTO _a_new SELECT 'copied', id, n FROM a",
			"UPDATE a SET s = 'late'", "RENAME TABLE a TO _a_old, _a_new TO a", "UPDATE a SET t = 'new'", "DROP TABLE _a_old",
			"CREATE TABLE `_a_ghc` (\n  `id` int(11) NOT NULL,\n  `z` enum('p','q') DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=latin1", "RENAME TABLE a TO _a_del, _a_ghc TO a",
			"INSERT INTO a VALUES (7, 'q')", "RENAME TABLE a TO _a_tmp, _a_del TO a, _a_tmp TO _a_del", "DELETE FROM a")
		f.expect(t, "update a(id=1 s=x n=4000000000 -> id=1 s=late n=4000000000)")
		f = followOn(t, f)
		f.expect(t, "update a(t=copied id=1 n=4000000000 -> t=new id=1 n=4000000000)")
		f = followOn(t, f)
		f.expect(t, "insert a(id=7 z=q)")
		f = followOn(t, f)
		f.expect(t, "delete a(t=new id=1 n=4000000000)")
	})

	t.Run("custom fields", func(t *testing.T) { // what the plugin does at run time
		f := behind(t, "fields", "ALTER TABLE `a` ADD COLUMN `field_hobby` varchar(256) DEFAULT NULL", "UPDATE `a` SET `field_hobby` = 'chess'",
			"ALTER TABLE `a` ADD COLUMN `field_note` TEXT", "ALTER TABLE `a` DROP COLUMN `field_hobby`", "UPDATE `a` SET `field_note` = 'größe'")
		f.expect(t, "update a(id=1 s=x n=4000000000 field_hobby=NULL -> id=1 s=x n=4000000000 field_hobby=chess)",
			"update a(id=1 s=x n=4000000000 field_note=NULL -> id=1 s=x n=4000000000 field_note=größe)")
	})

	t.Run("dropped and made anew", func(t *testing.T) {
		f := behind(t, "anew", "UPDATE a SET s = 'y'", "DROP TABLE a", "CREATE TABLE IF NOT EXISTS a (x INT, y CHAR(3) CHARACTER SET latin1)", "CREATE TABLE IF NOT EXISTS a (never INT)", "INSERT INTO a VALUES (1, 'ö')",
			"DROP DATABASE anew", "CREATE DATABASE anew", "CREATE TABLE anew.a (z INT) CHARACTER SET utf8mb4", "INSERT INTO anew.a VALUES (2)")
		f.expect(t, "update a(id=1 s=x n=4000000000 -> id=1 s=y n=4000000000)", "insert a(x=1 y=ö)", "insert a(z=2)")
	})

	if !server.Kind().MySQL() {
		t.Run("a CREATE OR REPLACE that failed", func(t *testing.T) { // has dropped the table
			conn := cdctest.SchemaConn(t, server, "half", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))", "CREATE TABLE b (id INT PRIMARY KEY)")
			f := followNow(t, openSource(t, sourceConfig(server, newLog(), "half", "a", "b")))
			cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x')", "INSERT INTO b VALUES (1)")
			f.expect(t, "insert a(id=1 s=x)", "insert b(id=1)")
			f.stop()
			cdctest.Exec(t, conn, "INSERT INTO a VALUES (2, 'b')", "INSERT INTO b VALUES (2)")
			if _, err := conn.ExecContext(t.Context(), "CREATE OR REPLACE TABLE b (a INT PRIMARY KEY, x INT PRIMARY KEY)"); err == nil {
				t.Fatal("the server made a table with two primary keys")
			}
			cdctest.Exec(t, conn, "CREATE TABLE IF NOT EXISTS b (x INT)", "INSERT INTO b VALUES (3)", "INSERT INTO a VALUES (3, 'c')", "ALTER TABLE a RENAME COLUMN s TO t")
			f = followOn(t, f)
			f.expect(t, "insert a(id=2 s=b)", "insert b(id=2)", "insert b(x=3)", "insert a(id=3 s=c)")
			f.stop()
		})
	}

	t.Run("a statement that is not understood", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "odd", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))")
		log := newLog()
		f := followNow(t, openSource(t, sourceConfig(server, log, "odd", "a")))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x')")
		f.expect(t, "insert a(id=1 s=x)")
		cdctest.Exec(t, conn, "ALTER TABLE a CHANGE s q VARCHAR(20), FORCE /* /* */", "INSERT INTO a VALUES (2, 'y')") // while it is current
		f.expect(t, "insert a(id=2 q=y)")
		log.wait(t, "not understood")
		cdctest.Exec(t, conn, "ALTER TABLE a /* /* */ FORCE", "INSERT INTO a VALUES (3, 'z')")
		f.expect(t, "insert a(id=3 q=z)")
		f.stop()
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (4, 'a')", "ALTER TABLE a CHANGE q r VARCHAR(20), FORCE /* /* */", "INSERT INTO a VALUES (5, 'b')") // behind, but the last
		f = followOn(t, f)
		f.expect(t, "insert a(id=4 q=a)", "insert a(id=5 r=b)")
		cdctest.Exec(t, conn, "ALTER TABLE a CHANGE r s VARCHAR(20), FORCE /* /* */", "CREATE TABLE other (id INT)")
		f.learn(t) // so that what follows is not met unprepared
		f.stop()
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (7, 'd')", "ALTER TABLE a CHANGE s r VARCHAR(20)")
		f = followOn(t, f)
		f.expect(t, "insert a(id=7 s=d)")
		f.reach(t)
		f.stop()
		cdctest.Exec(t, conn, "ALTER TABLE a CHANGE r t VARCHAR(20), FORCE /* /* */", "INSERT INTO a VALUES (6, 'c')", "ALTER TABLE a RENAME COLUMN t TO u")
		f = followOn(t, f)
		wantStop(t, f.stopError(t), "odd.a", "altered later", "RENAME COLUMN t TO u", "binlog_row_metadata")
	})

	t.Run("without records", func(t *testing.T) { // of an older version, or newly watched
		conn := cdctest.SchemaConn(t, server, "upgrade", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))", "CREATE TABLE b (id INT PRIMARY KEY)")
		s := openSource(t, sourceConfig(server, newLog(), "upgrade", "a", "b"))
		p := current(t, s)
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x')", "ALTER TABLE a ADD INDEX (s)", "CREATE TABLE IF NOT EXISTS a (q INT)", "ALTER TABLE b ADD x INT", "INSERT INTO a VALUES (2, 'y')")
		f := follow(t, s, p)
		f.expect(t, "insert a(id=1 s=x)", "insert a(id=2 s=y)")
		cdctest.Exec(t, conn, "INSERT INTO b VALUES (1, 2)", "ALTER TABLE a RENAME COLUMN s TO q", "INSERT INTO a VALUES (3, 'z')")
		f.expect(t, "insert b(id=1 x=2)", "insert a(id=3 q=z)")
	})

	t.Run("altered without a word in the log", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "unlogged", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))")
		log := newLog()
		f := followNow(t, openSource(t, sourceConfig(server, log, "unlogged", "a")))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x')")
		f.expect(t, "insert a(id=1 s=x)")
		f.stop()
		cdctest.Exec(t, conn, "SET sql_log_bin = 0", "ALTER TABLE a RENAME COLUMN s TO q", "SET sql_log_bin = 1")
		s := openSource(t, f.source.cfg) // starts anew, and compares
		if err := f.source.Close(); err != nil {
			t.Fatal(err)
		}
		f.source = s
		f = followOn(t, f)
		log.wait(t, "is not what the log made of it")
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (2, 'y')")
		f.expect(t, "insert a(id=2 q=y)")
		cdctest.Exec(t, conn, "SET sql_log_bin = 0", "ALTER TABLE a ADD n INT", "SET sql_log_bin = 1", "INSERT INTO a VALUES (3, 'z', 7)")
		f.expect(t, "insert a(id=3 q=z n=7)")
		log.wait(t, "without a word in the log")
	})

	t.Run("rows of the statement that makes the table", func(t *testing.T) {
		f := behind(t, "selected", "UPDATE a SET s = 'y'", "CREATE TABLE b SELECT 7 AS z, s FROM a", "DROP TABLE a", "CREATE TABLE a SELECT z, s AS w FROM b", "DELETE FROM a", "ALTER TABLE a DROP z", "INSERT INTO a VALUES ('end')")
		f.expect(t, "update a(id=1 s=x n=4000000000 -> id=1 s=y n=4000000000)", "insert a(z=7 w=y)", "delete a(z=7 w=y)", "insert a(w=end)")
	})

	t.Run("the charset of the client", func(t *testing.T) {
		f := behind(t, "client", "SET NAMES latin1", "ALTER TABLE a ADD gr\xf6\xdfe ENUM('gro\xdf', 'x') CHARACTER SET utf8mb4", "SET NAMES gbk", "ALTER TABLE a ADD \xd6\xd0 ENUM('\xb5\x5c', 'y') CHARACTER SET utf8mb4", // ends in a backslash
			"SET NAMES utf8mb4", "UPDATE a SET größe = 1, 中 = 1", "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", `ALTER TABLE "a" CHANGE s "q" SET('a\', 'b') CHARACTER SET latin1`, "UPDATE a SET q = 1", "SET sql_mode = ''", "ALTER TABLE a DROP q, DROP n, DROP größe")
		f.expect(t, "update a(id=1 s=x n=4000000000 größe=NULL 中=NULL -> id=1 s=x n=4000000000 größe=groß 中=礬)",
			`update a(id=1 q= n=4000000000 größe=groß 中=礬 -> id=1 q=a\ n=4000000000 größe=groß 中=礬)`)
	})

	t.Run("names in the log", func(t *testing.T) { // win; the history adds how numbers are shown
		conn := cdctest.SchemaConn(t, server, "names", "CREATE TABLE a (id INT PRIMARY KEY, f FLOAT(9,4))", "SET SESSION binlog_format = ROW")
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "names", "a")))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 1.5)")
		f.expect(t, "insert a(id=1 f=1.5000)")
		f.stop()
		server.Exec(t, "SET GLOBAL binlog_row_metadata = FULL")
		defer server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
		cdctest.Exec(t, conn, "UPDATE a SET f = 2.5", "ALTER TABLE a MODIFY f FLOAT(9,2) FIRST, FORCE /* /* */", "ALTER TABLE a RENAME COLUMN f TO g", "UPDATE a SET g = 3.5", "ALTER TABLE a MODIFY g FLOAT(9,1)")
		f = followOn(t, f)
		f.expect(t, "update a(id=1 f=1.5000 -> id=1 f=2.5000)")
		for txn := f.next(t); ; txn = f.next(t) { // which digits, nobody knows
			if len(txn.rows) > 0 {
				if !strings.HasPrefix(txn.rows[0], "update a(g=2.5") {
					t.Errorf("got %s", txn.rows)
				}
				break
			}
		}
	})

	t.Run("a broken record", func(t *testing.T) {
		conn := cdctest.SchemaConn(t, server, "broken", "CREATE TABLE a (id INT PRIMARY KEY)")
		log := newLog()
		s := openSource(t, sourceConfig(server, log, "broken", "a"))
		f := followWith(t, s, current(t, s), []SchemaRecord{{Key: "s`broken`.`a`", Data: []byte("{")}})
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
		f.expect(t, "insert a(id=1)")
		if !strings.Contains(log.String(), "cannot be read") {
			t.Errorf("it says nothing of the record:\n%s", log)
		}
	})
}

// least is the setting with which a server logs the least of tables.
func least(server *dbtest.Server) string {
	if server.Kind().MySQL() {
		return "MINIMAL"
	}
	return "NO_LOG"
}

// TestReconnectDoesNotAlterTwice breaks the link behind statements that cannot be done twice.
func TestReconnectDoesNotAlterTwice(t *testing.T) {
	cdctest.OnServers(t, testReconnectDoesNotAlterTwice)
}

func testReconnectDoesNotAlterTwice(t *testing.T, server *dbtest.Server) {
	t.Helper()
	server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
	conn := cdctest.SchemaConn(t, server, "twice", "CREATE TABLE a (id INT, s VARCHAR(20))", "CREATE TABLE b (id INT)")
	log := newLog()
	f := followNow(t, openSource(t, sourceConfig(server, log, "twice", "a")))
	want := "id=%d s=x"
	for i := range 5 {
		cdctest.Exec(t, conn, fmt.Sprintf("ALTER TABLE a ADD c%d INT FIRST", i))
		want = fmt.Sprintf("c%d=NULL ", i) + want
		f.reach(t)
		cdctest.KillDumps(t, server)
		cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a (id, s) VALUES (%d, 'x')", i))
		f.expect(t, fmt.Sprintf("insert a("+want+")", i))
	}
	if strings.Contains(log.String(), "does not go with") {
		t.Errorf("it said:\n%s", log)
	}
}

// TestAlterInTwoPhases follows a MariaDB that logs an ALTER TABLE when it begins, and once more when it is done.
func TestAlterInTwoPhases(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011)
	conn := cdctest.SchemaConn(t, server, "phases", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20), q VARCHAR(20))", "SET binlog_alter_two_phase = ON")
	log := newLog()
	f := followNow(t, openSource(t, sourceConfig(server, log, "phases", "a")))
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x', 'x')")
	f.expect(t, "insert a(id=1 s=x q=x)")
	f.stop()
	cdctest.Exec(t, conn, "ALTER TABLE a ADD n INT", "UPDATE a SET n = 7", "ALTER TABLE a RENAME COLUMN s TO q, RENAME COLUMN q TO s")
	if _, err := conn.ExecContext(t.Context(), "INSERT INTO a VALUES (2, 'y', 'x', 8)"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "ALTER TABLE a DROP COLUMN q, ADD UNIQUE (s)"); err == nil { // two rows have the same
		t.Fatal("the ALTER that was to fail did not")
	}
	cdctest.Exec(t, conn, "DELETE FROM a")
	f = followOn(t, f)
	f.expect(t, "update a(id=1 s=x q=x n=NULL -> id=1 s=x q=x n=7)", "insert a(id=2 q=y s=x n=8)", "delete a(id=1 q=x s=x n=7); delete a(id=2 q=y s=x n=8)")
	if strings.Contains(log.String(), "ahead") || strings.Contains(log.String(), "does not go with") {
		t.Errorf("it said:\n%s", log)
	}
}

// TestNamesWithoutCase follows a server that stores the names of tables in lower case.
func TestNamesWithoutCase(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011, "--lower-case-table-names=1")
	conn := cdctest.SchemaConn(t, server, "lower", "CREATE TABLE a (id INT PRIMARY KEY)")
	f := followNow(t, openSource(t, sourceConfig(server, newLog(), "lower", "a")))
	cdctest.Exec(t, conn, "INSERT INTO A VALUES (1)")
	f.expect(t, "insert a(id=1)")
	f.stop()
	cdctest.Exec(t, conn, "ALTER TABLE LOWER.A RENAME COLUMN id TO x", "UPDATE a SET x = 2", "ALTER TABLE a RENAME COLUMN x TO y")
	f = followOn(t, f)
	f.expect(t, "update a(x=1 -> x=2)")
}

// TestInvisibleKeys follows tables to which MySQL gives a primary key by itself, and others with columns that SELECT * hides.
func TestInvisibleKeys(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		server := cdctest.StartServer(t, kind)
		key, value := "", ""
		if kind.MySQL() {
			server.Exec(t, "SET GLOBAL sql_generate_invisible_primary_key = ON, show_gipk_in_create_table_and_information_schema = OFF")
			key, value = "my_row_id=1 ", "my_row_id=2 "
		}
		server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
		conn := cdctest.SchemaConn(t, server, "hidden", "CREATE TABLE a (s VARCHAR(9), n INT)")
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), "hidden", "a")))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES ('x', 1)")
		f.expect(t, "insert a("+key+"s=x n=1)")
		f.stop()
		cdctest.Exec(t, conn, "DROP TABLE a", "CREATE TABLE a (s VARCHAR(9) INVISIBLE DEFAULT 'h', n INT, v INT AS (n + 1) VIRTUAL)", "INSERT INTO a (n) VALUES (1)", "ALTER TABLE a ADD x INT INVISIBLE DEFAULT 5 AFTER s, DROP v",
			"INSERT INTO a (n) VALUES (3)", "ALTER TABLE a DROP s")
		f = followOn(t, f)
		for _, want := range []string{"insert a(" + key + "s=h n=1", "insert a(" + value + "s=h x=5 n=3)"} { // the log may have v, or not
			txn := f.next(t)
			for len(txn.rows) == 0 {
				txn = f.next(t)
			}
			if !strings.HasPrefix(txn.rows[0], want) {
				t.Errorf("got %s, want %s", txn.rows[0], want)
			}
		}
	})
}
