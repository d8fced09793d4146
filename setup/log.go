package setup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rowhook/cdc"
)

// Log is what to change so that the server's log can be followed.
type Log struct {
	Lines   []string // for my.cnf; none where nobody has one
	File    string   // where they go
	Restart bool     // whether the server must be started again
	Now     []string // statements that do the same until then, where no restart is needed
	Typed   []string // what to type besides, or at a hosting instead
}

// setting is a variable of the server, and which finding asks for it.
type setting struct {
	check, name, value string
	atStart            bool // it cannot be set while the server runs
}

func settings(serverID string) []setting {
	if serverID == "" || serverID == "0" {
		serverID = "1"
	}
	return []setting{
		{"log_bin", "server_id", serverID, true},
		{"log_bin", "log_bin", "mysql-bin", true},
		{"binlog_format", "binlog_format", "ROW", false},
		{"binlog_row_image", "binlog_row_image", "FULL", false},
		{"binlog_row_metadata", "binlog_row_metadata", "FULL", false},
		{"binlog_annotate_row_events", "binlog_annotate_row_events", "ON", false},
		{"retention of the log", "binlog_expire_logs_seconds", "604800", false},
		{"sync_binlog", "sync_binlog", "1", false},
		{"gtid_mode", "enforce_gtid_consistency", "ON", true},
		{"gtid_mode", "gtid_mode", "ON", true},
	}
}

// Log is what the server's log lacks. Nothing is to be done when there are neither lines nor something to type.
func (s *Server) Log() Log {
	var log Log
	if s.Survey.Managed {
		for _, f := range s.Survey.Log {
			if lacking(f) {
				log.Typed = append(log.Typed, f.Fix)
			}
		}
		return log
	}
	off := slices.ContainsFunc(s.Survey.Log, func(f cdc.Finding) bool { return f.Check == "log_bin" && !f.OK })
	for _, one := range settings(s.Survey.ServerID) {
		i := slices.IndexFunc(s.Survey.Log, func(f cdc.Finding) bool { return f.Check == one.check })
		switch {
		case i < 0 || !off && !lacking(s.Survey.Log[i]): // a log that is turned on gets all its lines
		case !off && one.name == "gtid_mode": // step by step, without a restart, and kept by the server itself
			log.Typed = append(log.Typed, s.Survey.Log[i].Fix)
		case !off && one.check == "gtid_mode":
		default:
			log.Lines = append(log.Lines, one.name+" = "+one.value)
			log.Now = append(log.Now, "SET GLOBAL "+one.name+" = "+one.value)
			log.Restart = log.Restart || one.atStart
		}
	}
	if log.Restart {
		log.Now = nil
	}
	if len(log.Lines) > 0 {
		log.File = s.lineFile()
	}
	return log
}

// lacking says whether a finding asks for a change.
func lacking(f cdc.Finding) bool { return !f.OK || f.Warn }

// lineFile is where lines for the server go: a file of their own where the system has a folder for such.
func (s *Server) lineFile() string {
	if !strings.HasPrefix(s.Address, "/") && s.Host != "localhost" && s.Host != "127.0.0.1" {
		return "my.cnf on the server's machine"
	}
	folders := []string{"/etc/mysql/mariadb.conf.d", "/etc/mysql/mysql.conf.d", "/etc/mysql/conf.d", "/etc/my.cnf.d"}
	if !strings.Contains(strings.ToLower(s.Survey.Version), "mariadb") {
		folders = folders[1:]
	}
	for _, dir := range folders {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return filepath.Join(dir, "zz-rowhook.cnf")
		}
	}
	return "my.cnf"
}
