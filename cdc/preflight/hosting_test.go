package preflight

import (
	"strings"
	"testing"
)

func TestHostingOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		vars map[string]string
		want Hosting
		set  string // of binlog_row_image
		log  string // what turns the log on
	}{
		{map[string]string{"basedir": "/usr", "datadir": "/var/lib/mysql/", "version": "10.11.6-MariaDB"}, OwnServer, "SET GLOBAL binlog_row_image = 'FULL'", "log_bin"},
		{map[string]string{"basedir": "/rdsdbbin/mysql-8.0.35.R3/"}, AmazonRDS, "parameter group", "backup-retention-period"},
		{map[string]string{"datadir": "/rdsdbdata/db/", "version": "10.11.6-MariaDB-log"}, AmazonRDS, "parameter group", "backup-retention-period"},
		{map[string]string{"basedir": "/rdsdbbin/oscar/", "aurora_version": "3.05.2"}, AmazonAurora, "cluster parameter group", "binlog_format = ROW"},
		{map[string]string{"version": "8.0.31-google", "version_comment": "(Google)"}, GoogleCloudSQL, "--database-flags=binlog_row_image=full", "--enable-bin-log"},
	} {
		h := HostingOf(c.vars)
		if h != c.want {
			t.Errorf("%v is %s", c.vars, h)
		}
		if set := h.set("binlog_row_image", "FULL"); !strings.Contains(set, c.set) {
			t.Errorf("%s: a variable is set with %s", h, set)
		}
		if log := h.enableLog(); !strings.Contains(log, c.log) {
			t.Errorf("%s: the log is turned on with %s", h, log)
		}
		if h != OwnServer && (strings.Contains(h.set("a", "1")+h.enableLog()+GTIDSteps(h, "OFF"), "SET GLOBAL") || strings.Contains(h.setAtStart("a", "1"), "my.cnf")) {
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
		if steps := GTIDSteps(OwnServer, mode); !strings.Contains(steps, want) {
			t.Errorf("from %s: %s", mode, steps)
		}
	}
}
