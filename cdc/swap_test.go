package cdc

import (
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestOnlineSchemaChange follows tables that the two tools for it alter: they copy a table into one of another shape, keep
// the copy up to date, and swap the two. The log tells no names, and nobody follows meanwhile.
func TestOnlineSchemaChange(t *testing.T) { cdctest.OnServers(t, testOnlineSchemaChange) }

func testOnlineSchemaChange(t *testing.T, server *dbtest.Server) {
	t.Helper()
	server.Exec(t, "SET GLOBAL binlog_row_metadata = "+least(server))
	for name, c := range map[string]struct {
		tool []string
		want []string // of changes
	}{
		"ghost": { // it reads the log, as we do, and writes the copy itself
			[]string{
				"drop /* gh-ost */ table if exists `ghost`.`_a_gho`",
				"drop /* gh-ost */ table if exists `ghost`.`_a_del`",
				"drop /* gh-ost */ table if exists `ghost`.`_a_ghc`",
				"create /* gh-ost */ table `ghost`.`_a_ghc` (\n\tid bigint unsigned auto_increment,\n\tlast_update timestamp not null DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n" +
					"\thint varchar(64) charset ascii not null,\n\tvalue varchar(4096) charset ascii not null,\n\tprimary key(id),\n\tunique key hint_uidx(hint)\n) auto_increment=256 comment='progress'",
				"create /* gh-ost */ table `ghost`.`_a_gho` like `ghost`.`a`",
				"alter /* gh-ost */ table `ghost`.`_a_gho` add column note varchar(30) default 'none' after id, change s label varchar(40)",
				"insert /* gh-ost `ghost`.`a` */ ignore into `ghost`.`_a_gho` (`id`, `label`, `n`) (select `id`, `s`, `n` from `ghost`.`a` force index (`PRIMARY`))",
				"update a set s = 'late'",
				"replace /* gh-ost `ghost`.`_a_gho` */ into `ghost`.`_a_gho` (`id`, `label`, `n`) values (1, 'late', 4000000000)",
				"create /* gh-ost */ table `ghost`.`_a_del` (\n\tid int auto_increment primary key\n) engine=InnoDB comment='sentry'",
				"drop /* gh-ost */ table if exists `ghost`.`_a_del`",
				"rename /* gh-ost */ table `ghost`.`a` to `ghost`.`_a_del`, `ghost`.`_a_gho` to `ghost`.`a`",
				"update a set note = 'new'",
				"drop /* gh-ost */ table if exists `ghost`.`_a_ghc`, `ghost`.`_a_del`",
				"delete from a",
				"alter table a drop note", // that the server cannot say what it was
			},
			[]string{
				"update a(id=1 s=x n=4000000000 -> id=1 s=late n=4000000000)",
				"update a(id=1 note=none label=late n=4000000000 -> id=1 note=new label=late n=4000000000)",
				"delete a(id=1 note=new label=late n=4000000000)",
			},
		},
		"ptosc": { // triggers write the copy
			[]string{
				"CREATE TABLE `ptosc`.`_a_new` (\n  `id` int(11) NOT NULL,\n  `s` varchar(20) DEFAULT NULL,\n  `n` int(10) unsigned DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB",
				"ALTER TABLE `ptosc`.`_a_new` MODIFY n bigint FIRST, ADD COLUMN note enum('none','new') DEFAULT 'none'",
				"CREATE TRIGGER `pt_osc_a_del` AFTER DELETE ON `ptosc`.`a` FOR EACH ROW DELETE IGNORE FROM `ptosc`.`_a_new` WHERE `ptosc`.`_a_new`.`id` <=> OLD.`id`",
				"CREATE TRIGGER `pt_osc_a_upd` AFTER UPDATE ON `ptosc`.`a` FOR EACH ROW REPLACE INTO `ptosc`.`_a_new` (`id`, `s`, `n`) VALUES (NEW.`id`, NEW.`s`, NEW.`n`)",
				"CREATE TRIGGER `pt_osc_a_ins` AFTER INSERT ON `ptosc`.`a` FOR EACH ROW REPLACE INTO `ptosc`.`_a_new` (`id`, `s`, `n`) VALUES (NEW.`id`, NEW.`s`, NEW.`n`)",
				"INSERT LOW_PRIORITY IGNORE INTO `ptosc`.`_a_new` (`id`, `s`, `n`) SELECT `id`, `s`, `n` FROM `ptosc`.`a` LOCK IN SHARE MODE",
				"UPDATE a SET s = 'late'",
				"ANALYZE TABLE `ptosc`.`_a_new` /* pt-online-schema-change */",
				"RENAME TABLE `ptosc`.`a` TO `ptosc`.`_a_old`, `ptosc`.`_a_new` TO `ptosc`.`a`",
				"UPDATE a SET note = 'new'",
				"DROP TABLE IF EXISTS `ptosc`.`_a_old`",
				"DROP TRIGGER IF EXISTS `ptosc`.`pt_osc_a_del`",
				"DROP TRIGGER IF EXISTS `ptosc`.`pt_osc_a_upd`",
				"DROP TRIGGER IF EXISTS `ptosc`.`pt_osc_a_ins`",
				"DELETE FROM a",
				"ALTER TABLE a DROP note",
			},
			[]string{
				"update a(id=1 s=x n=4000000000 -> id=1 s=late n=4000000000)",
				"update a(n=4000000000 id=1 s=late note=none -> n=4000000000 id=1 s=late note=new)",
				"delete a(n=4000000000 id=1 s=late note=new)",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn := cdctest.SchemaConn(t, server, name, "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20), n INT UNSIGNED)")
			log := newLog()
			f := followNow(t, openSource(t, sourceConfig(server, log, name, "a")))
			cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'x', 4000000000)")
			f.expect(t, "insert a(id=1 s=x n=4000000000)")
			f.stop()
			said := len(log.String())
			cdctest.Exec(t, conn, c.tool...)
			for _, want := range c.want {
				f = followOn(t, f)
				f.expect(t, want)
			}
			if text := log.String()[said:]; strings.Contains(text, "ahead") || strings.Contains(text, "not understood") {
				t.Errorf("it said:\n%s", log)
			}
		})
	}
}
