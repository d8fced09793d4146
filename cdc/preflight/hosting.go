package preflight

import (
	"fmt"
	"strings"
)

// Hosting is who runs the server, and so how a variable of it is set and how long its log is kept: nobody but a server's
// own administrator has a my.cnf or may SET GLOBAL.
type Hosting int

// The hostings that are known.
const (
	OwnServer Hosting = iota
	AmazonRDS
	AmazonAurora
	GoogleCloudSQL
)

// HostingOf recognises the hosting by variables that its customers cannot set.
func HostingOf(vars map[string]string) Hosting {
	_, aurora := vars["aurora_version"]
	switch {
	case aurora:
		return AmazonAurora
	case strings.HasPrefix(vars["basedir"], "/rdsdbbin/"), strings.HasPrefix(vars["datadir"], "/rdsdbdata/"):
		return AmazonRDS
	case strings.Contains(vars["version"], "-google"), strings.Contains(vars["version_comment"], "(Google)"):
		return GoogleCloudSQL
	}
	return OwnServer
}

// String is the hosting's own name for it.
func (h Hosting) String() string {
	return [...]string{"a server of one's own", "Amazon RDS", "Amazon Aurora", "Google Cloud SQL"}[h]
}

// Amazon says whether Amazon's procedures are there.
func (h Hosting) Amazon() bool { return h == AmazonRDS || h == AmazonAurora }

// set is what to type to give a variable another value. An empty value is one, too.
func (h Hosting) set(name, value string) string {
	switch h {
	case AmazonRDS:
		return fmt.Sprintf("in the DB parameter group of the instance:  %s = %s", name, value)
	case AmazonAurora:
		return fmt.Sprintf("in the DB cluster parameter group:  %s = %s   then reboot the writer", name, value)
	case GoogleCloudSQL:
		return fmt.Sprintf("gcloud sql instances patch INSTANCE --database-flags=%s=%s   (and in the same list all flags that are set already)", name, strings.ToLower(value))
	case OwnServer:
	}
	quoted := value
	if value != "ON" && value != "OFF" && strings.Trim(value, "0123456789") != "" || value == "" {
		quoted = "'" + value + "'"
	}
	return fmt.Sprintf("SET GLOBAL %s = %s;   and in my.cnf, under [mysqld]:  %[1]s = %[3]s", name, quoted, value)
}

// setAtStart is set for a variable that is read when the server starts.
func (h Hosting) setAtStart(name, value string) string {
	if h != OwnServer {
		return h.set(name, value)
	}
	return fmt.Sprintf("in my.cnf, under [mysqld]:  %s = %s   then restart the server", name, value)
}

// enableLog is what to type to make the server write a binary log.
func (h Hosting) enableLog() string {
	switch h {
	case AmazonRDS:
		return "aws rds modify-db-instance --db-instance-identifier INSTANCE --backup-retention-period 7 --apply-immediately   (the log is on while automated backups are)"
	case AmazonAurora:
		return h.set("binlog_format", "ROW")
	case GoogleCloudSQL:
		return "gcloud sql instances patch INSTANCE --enable-bin-log"
	case OwnServer:
	}
	return "in my.cnf, under [mysqld]:  log_bin = mysql-bin   and   server_id = 1   then restart the server"
}
