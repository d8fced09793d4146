package cdc

import (
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

func TestHostingOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		vars map[string]string
		want hosting
		set  string // of binlog_row_image
		log  string // what turns the log on
	}{
		{map[string]string{"basedir": "/usr", "datadir": "/var/lib/mysql/", "version": "10.11.6-MariaDB"}, ownServer, "SET GLOBAL binlog_row_image = 'FULL'", "log_bin"},
		{map[string]string{"basedir": "/rdsdbbin/mysql-8.0.35.R3/"}, amazonRDS, "parameter group", "backup-retention-period"},
		{map[string]string{"datadir": "/rdsdbdata/db/", "version": "10.11.6-MariaDB-log"}, amazonRDS, "parameter group", "backup-retention-period"},
		{map[string]string{"basedir": "/rdsdbbin/oscar/", "aurora_version": "3.05.2"}, amazonAurora, "cluster parameter group", "binlog_format = ROW"},
		{map[string]string{"version": "8.0.31-google", "version_comment": "(Google)"}, googleCloudSQL, "--database-flags=binlog_row_image=full", "--enable-bin-log"},
	} {
		h := hostingOf(c.vars)
		if h != c.want {
			t.Errorf("%v is %s", c.vars, h)
		}
		if set := h.set("binlog_row_image", "FULL"); !strings.Contains(set, c.set) {
			t.Errorf("%s: a variable is set with %s", h, set)
		}
		if log := h.enableLog(); !strings.Contains(log, c.log) {
			t.Errorf("%s: the log is turned on with %s", h, log)
		}
		if h != ownServer && (strings.Contains(h.set("a", "1")+h.enableLog()+gtidSteps(h, "OFF"), "SET GLOBAL") || strings.Contains(h.setAtStart("a", "1"), "my.cnf")) {
			t.Errorf("%s: nobody there may SET GLOBAL or has a my.cnf", h)
		}
	}
}

func TestGTIDSteps(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{
		"OFF":            "gtid_mode = OFF_PERMISSIVE; SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON;",
		"OFF_PERMISSIVE": "gtid_consistency = ON; SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON;",
		"ON_PERMISSIVE":  "gtid_consistency = ON; SET PERSIST gtid_mode = ON;",
	} {
		if steps := gtidSteps(ownServer, mode); !strings.Contains(steps, want) {
			t.Errorf("from %s: %s", mode, steps)
		}
	}
}

// TestRetention reads how long the log is kept, at Amazon from the table that decides there.
func TestRetention(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011, "--sync-binlog=1")
	cdctest.SchemaConn(t, server, "checked", "CREATE TABLE a (id INT PRIMARY KEY)")
	server.Exec(t, "CREATE TABLE mysql.rds_configuration (name VARCHAR(100) NOT NULL, value VARCHAR(100), description VARCHAR(300) NOT NULL); "+
		"CREATE USER viewer IDENTIFIED BY 'secret'; GRANT "+cdctest.Grants+" TO viewer; GRANT SELECT ON checked.* TO viewer; "+
		"GRANT SELECT ON mysql.rds_configuration TO viewer; CREATE USER blind IDENTIFIED BY 'secret'; GRANT "+cdctest.Grants+" TO blind; GRANT SELECT ON checked.* TO blind")
	const hours = "'binlog retention hours'"
	for _, c := range []struct {
		name, set, user string
		hosting         hosting
		warn            bool
		found, fix      string
	}{
		{"no row", "", "viewer", amazonRDS, true, "as soon as it can", "CALL mysql.rds_set_configuration(" + hours + ", 168);"},
		{"NULL", "NULL", "viewer", amazonAurora, true, "as soon as it can", "CALL mysql.rds_set_configuration"},
		{"not recognised", "NULL", "viewer", ownServer, true, "as soon as it can", "CALL mysql.rds_set_configuration"},
		{"zero", "'0'", "viewer", amazonRDS, true, "as soon as it can", "CALL mysql.rds_set_configuration"},
		{"too short", "'6'", "viewer", amazonRDS, true, "6 hours", "CALL mysql.rds_set_configuration"},
		{"long", "'72'", "viewer", amazonRDS, false, "3 days", ""},
		{"may not be read", "NULL", "blind", amazonRDS, true, "not known", "GRANT SELECT ON mysql.rds_configuration TO 'blind'@'%'"},
		{"Cloud SQL", "NULL", "blind", googleCloudSQL, true, "not known", "--retained-transaction-log-days"},
		{"own", "NULL", "blind", ownServer, false, "never", ""},
	} {
		server.Exec(t, "DELETE FROM mysql.rds_configuration")
		if c.set != "" {
			server.Exec(t, "INSERT INTO mysql.rds_configuration VALUES ("+hours+", "+c.set+", '')")
		}
		cfg := sourceConfig(server, newLog(), "checked", "a")
		cfg.as(c.user)
		source := openSource(t, cfg)
		source.hosting = c.hosting
		findings, err := source.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if f.Check == "retention of the log" && (f.Warn != c.warn || f.OK == c.warn || !strings.Contains(f.Found, c.found) || c.warn && !strings.Contains(f.Fix, c.fix)) {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		standing, err := source.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st, err := source.Standing(t.Context(), standing); err != nil || st.Hidden != (c.warn && st.Retention == 0) {
			t.Errorf("%s: the position's log: %+v, %v", c.name, st, err)
		}
	}
}
