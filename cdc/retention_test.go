package cdc

import (
	"cmp"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/preflight"
	"rowhook/dbtest"
)

// TestRetention reads how long the log is kept, at Amazon from the table that decides there.
func TestRetention(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011, "--sync-binlog=1")
	cdctest.SchemaConn(t, server, "checked", "CREATE TABLE a (id INT PRIMARY KEY)")
	server.Exec(t, "CREATE TABLE mysql.rds_configuration (name VARCHAR(100) NOT NULL, value VARCHAR(100), description VARCHAR(300) NOT NULL); "+
		"CREATE USER viewer IDENTIFIED BY 'secret'; GRANT "+cdctest.Grants+" TO viewer; GRANT SELECT ON checked.* TO viewer; "+
		"GRANT SELECT ON mysql.rds_configuration TO viewer; CREATE USER blind IDENTIFIED BY 'secret'; GRANT "+cdctest.Grants+" TO blind; GRANT SELECT ON checked.* TO blind")
	const hours = "'binlog retention hours'"
	longer := map[string]string{"as long as can be": "-", "own": "SET GLOBAL binlog_expire_logs_seconds = 1209600;", "Cloud SQL": "gcloud sql instances patch"}
	for _, c := range []struct {
		name, set, user string
		Hosting         preflight.Hosting
		warn            bool
		found, fix      string
	}{
		{"no row", "", "viewer", preflight.AmazonRDS, true, "as soon as it can", "CALL mysql.rds_set_configuration(" + hours + ", 168);"},
		{"NULL", "NULL", "viewer", preflight.AmazonAurora, true, "as soon as it can", "CALL mysql.rds_set_configuration"},
		{"not recognised", "NULL", "viewer", preflight.OwnServer, true, "as soon as it can", "CALL mysql.rds_set_configuration"},
		{"zero", "'0'", "viewer", preflight.AmazonRDS, true, "as soon as it can", "CALL mysql.rds_set_configuration"},
		{"too short", "'6'", "viewer", preflight.AmazonRDS, true, "6 hours", "CALL mysql.rds_set_configuration"},
		{"long", "'72'", "viewer", preflight.AmazonRDS, false, "3 days", ""},
		{"as long as can be", "'168'", "viewer", preflight.AmazonRDS, false, "7 days", ""},
		{"may not be read", "NULL", "blind", preflight.AmazonRDS, true, "not known", "GRANT SELECT ON mysql.rds_configuration TO 'blind'@'%'"},
		{"Cloud SQL", "NULL", "blind", preflight.GoogleCloudSQL, true, "not known", "--retained-transaction-log-days"},
		{"own", "NULL", "blind", preflight.OwnServer, false, "never", ""},
	} {
		server.Exec(t, "DELETE FROM mysql.rds_configuration")
		if c.set != "" {
			server.Exec(t, "INSERT INTO mysql.rds_configuration VALUES ("+hours+", "+c.set+", '')")
		}
		cfg := sourceConfig(server, newLog(), "checked", "a")
		cfg.as(c.user)
		source := openSource(t, cfg)
		source.hosting = c.Hosting
		findings, err := source.Preflight().Check(t.Context())
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
		} else if want := longer[c.name]; !strings.HasPrefix(st.Longer, cmp.Or(want, "CALL mysql.rds_set_configuration("+hours+", 168);")) && (want != "-" || st.Longer != "") {
			t.Errorf("%s: the log is kept longer by %q, want %q", c.name, st.Longer, want)
		}
	}
}
