package cdc

import (
	"fmt"
	"strings"
)

// hosting is who runs the server, and so how a variable of it is set and how long its log is kept: nobody but a server's
// own administrator has a my.cnf or may SET GLOBAL.
type hosting int

const (
	ownServer hosting = iota
	amazonRDS
	amazonAurora
	googleCloudSQL
)

// hostingOf recognises the hosting by variables that its customers cannot set.
func hostingOf(vars map[string]string) hosting {
	_, aurora := vars["aurora_version"]
	switch {
	case aurora:
		return amazonAurora
	case strings.HasPrefix(vars["basedir"], "/rdsdbbin/"), strings.HasPrefix(vars["datadir"], "/rdsdbdata/"):
		return amazonRDS
	case strings.Contains(vars["version"], "-google"), strings.Contains(vars["version_comment"], "(Google)"):
		return googleCloudSQL
	}
	return ownServer
}

// String is the hosting's own name for it.
func (h hosting) String() string {
	return [...]string{"a server of one's own", "Amazon RDS", "Amazon Aurora", "Google Cloud SQL"}[h]
}

// amazon says whether Amazon's procedures are there.
func (h hosting) amazon() bool { return h == amazonRDS || h == amazonAurora }

// set is what to type to give a variable another value. An empty value is one, too.
func (h hosting) set(name, value string) string {
	switch h {
	case amazonRDS:
		return fmt.Sprintf("in the DB parameter group of the instance:  %s = %s", name, value)
	case amazonAurora:
		return fmt.Sprintf("in the DB cluster parameter group:  %s = %s   then reboot the writer", name, value)
	case googleCloudSQL:
		return fmt.Sprintf("gcloud sql instances patch INSTANCE --database-flags=%s=%s   (and in the same list all flags that are set already)", name, strings.ToLower(value))
	case ownServer:
	}
	quoted := value
	if value != "ON" && value != "OFF" && strings.Trim(value, "0123456789") != "" || value == "" {
		quoted = "'" + value + "'"
	}
	return fmt.Sprintf("SET GLOBAL %s = %s;   and in my.cnf, under [mysqld]:  %[1]s = %[3]s", name, quoted, value)
}

// setAtStart is set for a variable that is read when the server starts.
func (h hosting) setAtStart(name, value string) string {
	if h != ownServer {
		return h.set(name, value)
	}
	return fmt.Sprintf("in my.cnf, under [mysqld]:  %s = %s   then restart the server", name, value)
}

// enableLog is what to type to make the server write a binary log.
func (h hosting) enableLog() string {
	switch h {
	case amazonRDS:
		return "aws rds modify-db-instance --db-instance-identifier INSTANCE --backup-retention-period 7 --apply-immediately   (the log is on while automated backups are)"
	case amazonAurora:
		return h.set("binlog_format", "ROW")
	case googleCloudSQL:
		return "gcloud sql instances patch INSTANCE --enable-bin-log"
	case ownServer:
	}
	return "in my.cnf, under [mysqld]:  log_bin = mysql-bin   and   server_id = 1   then restart the server"
}
