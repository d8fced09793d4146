package cdc

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// checkLog looks at how the server writes its log.
func (s *Source) checkLog(vars map[string]string) []Finding {
	is := func(name, want, fix string) Finding {
		return Finding{Check: name, OK: strings.EqualFold(vars[name], want), Found: vars[name], Fix: fix}
	}
	findings := []Finding{
		is("log_bin", "ON", "in my.cnf, under [mysqld]:  log_bin = mysql-bin   and   server_id = 1   then restart the server"),
		is("binlog_format", "ROW", "SET GLOBAL binlog_format = 'ROW';   and in my.cnf:  binlog_format = ROW   (open connections keep the old format: restart PHP-FPM)"),
		checkImage(vars),
	}
	if partial := "binlog_row_value_options"; vars[partial] != "" { // parts of JSON documents
		findings = append(findings, is(partial, "", "SET GLOBAL binlog_row_value_options = '';   and in my.cnf:  binlog_row_value_options =   (open connections keep the old value: restart PHP-FPM)"))
	}
	findings = append(findings, checkRetention(vars), checkSync(vars))
	if mode, ok := vars["gtid_mode"]; ok && mode != "ON" {
		findings = append(findings, Finding{
			Check: "gtid_mode", Found: mode + ": rowhook can follow by file and offset, but cannot prove that a row it loads is the one that was logged",
			Fix: "SET PERSIST enforce_gtid_consistency = ON; SET PERSIST gtid_mode = OFF_PERMISSIVE; SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON;",
		})
	}
	if s.cfg.NeedStatements {
		findings = append(findings, s.checkStatements(vars), checkCharset(vars))
	}
	return append(findings, checkMetadata(vars))
}

// checkSync looks whether a power cut can take transactions back that were read from the log.
func checkSync(vars map[string]string) Finding {
	f := Finding{Check: "sync_binlog", OK: true, Found: vars["sync_binlog"], Fix: "SET GLOBAL sync_binlog = 1;   and in my.cnf:  sync_binlog = 1"}
	if f.Found != "1" {
		f.Warn = true
		f.Found += ": after a power cut the server may have lost transactions that were posted already; rowhook stops then"
	}
	return f
}

// checkMetadata looks whether the log tells the names of columns.
func checkMetadata(vars map[string]string) Finding {
	f := Finding{
		Check: "binlog_row_metadata", OK: true, Found: vars["binlog_row_metadata"],
		Fix: "SET GLOBAL binlog_row_metadata = 'FULL';   and in my.cnf:  binlog_row_metadata = FULL",
	}
	if !strings.EqualFold(f.Found, "FULL") {
		f.Hint = true
		f.Found += ": with FULL the log tells the names of columns itself, also of tables that were altered while rowhook was away"
	}
	return f
}

// checkImage looks whether rows are logged whole.
func checkImage(vars map[string]string) Finding {
	f := Finding{
		Check: "binlog_row_image", OK: true, Found: vars["binlog_row_image"],
		Fix: "SET GLOBAL binlog_row_image = 'FULL';   and in my.cnf:  binlog_row_image = FULL   (open connections keep the old value: restart PHP-FPM)",
	}
	if !strings.EqualFold(f.Found, "FULL") {
		f.Warn = true
		f.Found += ": rows are logged in part, and what is missing is read from the tables later. What is lost is the row before a change:" +
			" a status that is saved again counts as changed, and an option or item that is deleted alone makes no save of its order"
	}
	return f
}

// minRetention is how long an outage of rowhook must be survivable without a warning.
const minRetention = 24 * time.Hour

// checkRetention looks at how long the server keeps its log; 0 is for ever.
func checkRetention(vars map[string]string) Finding {
	f := Finding{
		Check: "retention of the log", OK: true, Found: "for ever",
		Fix: "SET GLOBAL binlog_expire_logs_seconds = 604800;   and in my.cnf:  binlog_expire_logs_seconds = 604800",
	}
	if kept := retention(vars); kept > 0 {
		f.Found = fmt.Sprintf("%.0f seconds", kept.Seconds())
		f.OK = kept >= minRetention
		f.Warn = !f.OK
	}
	if most := vars["max_binlog_total_size"]; most != "" && most != "0" {
		f.Found += ", but no more than " + most + " bytes in all (max_binlog_total_size)"
	}
	return f
}

// retention is how long the server keeps a file of its log, 0 for ever.
func retention(vars map[string]string) time.Duration {
	seconds, _ := strconv.ParseInt(vars["binlog_expire_logs_seconds"], 10, 64)
	if days, _ := strconv.ParseFloat(vars["expire_logs_days"], 64); seconds == 0 && days > 0 {
		seconds = int64(days * 24 * 3600)
	}
	if strings.EqualFold(vars["binlog_expire_logs_auto_purge"], "OFF") {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// checkStatements looks whether the server logs the texts of statements.
func (s *Source) checkStatements(vars map[string]string) Finding {
	name := "binlog_rows_query_log_events"
	if s.MariaDB() {
		name = "binlog_annotate_row_events"
	}
	return Finding{
		Check: name, OK: strings.EqualFold(vars[name], "ON"), Found: vars[name],
		Fix: fmt.Sprintf("SET GLOBAL %s = ON;   and in my.cnf:  %s = ON   (fidelity: plugin must know what the plugin wrote; open connections keep the old value: restart PHP-FPM)", name, name),
	}
}

// checkCharset looks at the character set that clients have unless they say otherwise: a statement's text is in it, and
// where a byte of a letter may look like a quote the text cannot be read.
func checkCharset(vars map[string]string) Finding {
	f := Finding{
		Check: "character_set_client", OK: true, Found: vars["character_set_client"],
		Fix: "in wp-config.php:  define('DB_CHARSET', 'utf8mb4');",
	}
	switch f.Found {
	case "big5", "cp932", "gb18030", "gbk", "sjis":
		f.Warn = true
		f.Found += ": clients that do not choose another (WordPress does, with DB_CHARSET) write statements that fidelity: plugin may misread"
	}
	return f
}
