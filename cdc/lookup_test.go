package cdc

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// TestSchemaHistory reads tables that were altered while nobody followed, where the log tells no names.
func TestSchemaHistory(t *testing.T) { onServers(t, testSchemaHistory) }

func testSchemaHistory(t *testing.T, server *dbtest.Server) {
	t.Helper()
	server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))

	// behind follows a table until it is known, runs statements while nobody follows, and follows on.
	behind := func(t *testing.T, schema string, statements ...string) *follower {
		t.Helper()
		conn := schemaConn(t, server, schema, "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20), n INT UNSIGNED)")
		f := followNow(t, openSource(t, sourceConfig(server, newLog(), schema, "a")))
		execute(t, conn, "INSERT INTO a VALUES (1, 'x', 4000000000)")
		f.expect(t, "insert a(id=1 s=x n=4000000000)")
		f.stop()
		execute(t, conn, statements...)
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

	t.Run("swap", func(t *testing.T) { // as pt-online-schema-change and gh-ost do it
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

	t.Run("a statement that is not understood", func(t *testing.T) {
		conn := schemaConn(t, server, "odd", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))")
		log := newLog()
		f := followNow(t, openSource(t, sourceConfig(server, log, "odd", "a")))
		execute(t, conn, "INSERT INTO a VALUES (1, 'x')", "ALTER TABLE a CHANGE s q VARCHAR(20), ORDER BY id", "INSERT INTO a VALUES (2, 'y')") // while it is current
		f.expect(t, "insert a(id=1 s=x)", "insert a(id=2 q=y)")
		log.wait(t, "not understood")
		execute(t, conn, "ALTER TABLE a ORDER BY id", "INSERT INTO a VALUES (3, 'z')")
		f.expect(t, "insert a(id=3 q=z)")
		f.stop()
		execute(t, conn, "INSERT INTO a VALUES (4, 'a')", "ALTER TABLE a CHANGE q r VARCHAR(20), ORDER BY id", "INSERT INTO a VALUES (5, 'b')") // behind, but the last
		f = followOn(t, f)
		f.expect(t, "insert a(id=4 q=a)", "insert a(id=5 r=b)")
		f.stop()
		execute(t, conn, "ALTER TABLE a CHANGE r t VARCHAR(20), ORDER BY id", "INSERT INTO a VALUES (6, 'c')", "ALTER TABLE a RENAME COLUMN t TO u")
		f = followOn(t, f)
		wantStop(t, f.stopError(t), "odd.a", "altered later", "RENAME COLUMN t TO u", "binlog_row_metadata")
	})

	t.Run("without records", func(t *testing.T) { // of an older version, or newly watched
		conn := schemaConn(t, server, "upgrade", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))", "CREATE TABLE b (id INT PRIMARY KEY)")
		s := openSource(t, sourceConfig(server, newLog(), "upgrade", "a", "b"))
		p := current(t, s)
		execute(t, conn, "INSERT INTO a VALUES (1, 'x')", "ALTER TABLE a ADD INDEX (s)", "CREATE TABLE IF NOT EXISTS a (q INT)", "ALTER TABLE b ADD x INT", "INSERT INTO a VALUES (2, 'y')")
		f := follow(t, s, p)
		f.expect(t, "insert a(id=1 s=x)", "insert a(id=2 s=y)")
		execute(t, conn, "INSERT INTO b VALUES (1, 2)", "ALTER TABLE a RENAME COLUMN s TO q", "INSERT INTO a VALUES (3, 'z')")
		f.expect(t, "insert b(id=1 x=2)", "insert a(id=3 q=z)")
	})

	t.Run("altered without a word in the log", func(t *testing.T) {
		conn := schemaConn(t, server, "unlogged", "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20))")
		log := newLog()
		f := followNow(t, openSource(t, sourceConfig(server, log, "unlogged", "a")))
		execute(t, conn, "INSERT INTO a VALUES (1, 'x')")
		f.expect(t, "insert a(id=1 s=x)")
		f.stop()
		execute(t, conn, "SET sql_log_bin = 0", "ALTER TABLE a RENAME COLUMN s TO q", "SET sql_log_bin = 1")
		s := openSource(t, f.source.cfg) // starts anew, and compares
		if err := f.source.Close(); err != nil {
			t.Fatal(err)
		}
		f.source = s
		f = followOn(t, f)
		log.wait(t, "is not what the log made of it")
		execute(t, conn, "INSERT INTO a VALUES (2, 'y')")
		f.expect(t, "insert a(id=2 q=y)")
		execute(t, conn, "SET sql_log_bin = 0", "ALTER TABLE a ADD n INT", "SET sql_log_bin = 1", "INSERT INTO a VALUES (3, 'z', 7)")
		f.expect(t, "insert a(id=3 q=z n=7)")
		log.wait(t, "without a word in the log")
	})

	t.Run("a broken record", func(t *testing.T) {
		conn := schemaConn(t, server, "broken", "CREATE TABLE a (id INT PRIMARY KEY)")
		log := newLog()
		s := openSource(t, sourceConfig(server, log, "broken", "a"))
		f := followWith(t, s, current(t, s), []SchemaRecord{{Key: "s`broken`.`a`", Data: []byte("{")}})
		execute(t, conn, "INSERT INTO a VALUES (1)")
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
func TestReconnectDoesNotAlterTwice(t *testing.T) { onServers(t, testReconnectDoesNotAlterTwice) }

func testReconnectDoesNotAlterTwice(t *testing.T, server *dbtest.Server) {
	t.Helper()
	server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
	conn := schemaConn(t, server, "twice", "CREATE TABLE a (id INT, s VARCHAR(20))", "CREATE TABLE b (id INT)")
	log := newLog()
	f := followNow(t, openSource(t, sourceConfig(server, log, "twice", "a")))
	want := "id=%d s=x"
	for i := range 5 {
		execute(t, conn, fmt.Sprintf("ALTER TABLE a ADD c%d INT FIRST", i))
		want = fmt.Sprintf("c%d=NULL ", i) + want
		f.reach(t)
		killDumps(t, server)
		execute(t, conn, fmt.Sprintf("INSERT INTO a (id, s) VALUES (%d, 'x')", i))
		f.expect(t, fmt.Sprintf("insert a("+want+")", i))
	}
	if strings.Contains(log.String(), "does not go with") {
		t.Errorf("it said:\n%s", log)
	}
}
