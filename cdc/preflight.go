package cdc

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Finding is the result of one check of a server.
type Finding struct {
	Check string `json:"check"` // what was looked at
	OK    bool   `json:"ok"`
	Warn  bool   `json:"warn,omitempty"` // not right, but rowhook works
	Found string `json:"found"`          // what the server says
	Fix   string `json:"fix,omitempty"`  // the statement or the my.cnf lines that mend it
}

// Check looks at everything that following the server's log depends on. It reads only. An error means that the server
// could not be asked.
func (s *Source) Check(ctx context.Context) ([]Finding, error) {
	vars, err := s.variables(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the server's variables: %w", err)
	}
	findings := []Finding{{Check: "server", OK: true, Found: s.version}}
	findings = append(findings, checkLog(vars)...)
	if s.cfg.NeedStatements {
		findings = append(findings, s.checkStatements(vars))
	}
	if vars["log_bin"] == "ON" {
		findings = append(findings, s.checkFilters(ctx)...)
		findings = append(findings, s.checkReplica(ctx, vars)...)
	}
	findings = append(findings, s.checkGrants(ctx))
	return append(findings, s.checkTables(ctx)...), nil
}

// variables reads the global variables that matter; one that this server does not have is missing.
func (s *Source) variables(ctx context.Context) (map[string]string, error) {
	rows, err := queryRows(ctx, s.db, `SHOW GLOBAL VARIABLES WHERE variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image',
		'binlog_row_value_options', 'log_slave_updates', 'log_replica_updates',
		'binlog_annotate_row_events', 'binlog_rows_query_log_events', 'expire_logs_days', 'binlog_expire_logs_seconds', 'gtid_mode', 'server_id')`)
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	for _, r := range rows {
		vars[strings.ToLower(r["Variable_name"])] = r["Value"]
	}
	return vars, nil
}

// checkLog looks at how the server writes its log.
func checkLog(vars map[string]string) []Finding {
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
	return append(findings, checkRetention(vars))
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
	return f
}

// retention is how long the server keeps a file of its log, 0 for ever.
func retention(vars map[string]string) time.Duration {
	seconds, _ := strconv.ParseInt(vars["binlog_expire_logs_seconds"], 10, 64)
	if days, _ := strconv.ParseFloat(vars["expire_logs_days"], 64); seconds == 0 && days > 0 {
		seconds = int64(days * 24 * 3600)
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

// checkFilters looks for filters that would keep a watched schema out of the log: silence that nobody notices.
func (s *Source) checkFilters(ctx context.Context) []Finding {
	status, err := s.logStatus(ctx)
	if err != nil {
		return []Finding{{
			Check: "position of the log", Found: err.Error(), Fix: s.grantFix(ctx),
		}}
	}
	var findings []Finding
	for schema := range s.watched {
		hidden := inList(status["Binlog_Ignore_DB"], schema) ||
			status["Binlog_Do_DB"] != "" && !inList(status["Binlog_Do_DB"], schema)
		findings = append(findings, Finding{
			Check: "schema " + schema + " is logged", OK: !hidden,
			Found: fmt.Sprintf("binlog_do_db %q, binlog_ignore_db %q", status["Binlog_Do_DB"], status["Binlog_Ignore_DB"]),
			Fix:   fmt.Sprintf("in my.cnf: remove binlog_ignore_db = %s, or add binlog_do_db = %s; then restart the server", schema, schema),
		})
	}
	return findings
}

func inList(list, name string) bool {
	for n := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(n), name) {
			return true
		}
	}
	return false
}

// checkReplica looks at a server that is itself a replica: without log_slave_updates its log is silent.
func (s *Source) checkReplica(ctx context.Context, vars map[string]string) []Finding {
	name := "log_slave_updates"
	if _, ok := vars[name]; !ok {
		name = "log_replica_updates"
	}
	if strings.EqualFold(vars[name], "ON") {
		return nil
	}
	statement := "SHOW REPLICA STATUS"
	if s.MariaDB() {
		statement = "SHOW ALL SLAVES STATUS"
	}
	rows, err := queryRows(ctx, s.db, statement)
	if err != nil && s.MariaDB() { // a server that never replicated needs no grant to tell
		if p, err := queryRow(ctx, s.db, "SELECT @@global.gtid_slave_pos AS p"); err == nil && p["p"] == "" {
			return nil
		}
	}
	if err != nil {
		return []Finding{{
			Check: "replica", OK: true, Warn: true, Found: "may not ask whether the server is a replica, and " + name + " is off",
			Fix: "if it is one, in my.cnf:  " + name + " = ON",
		}}
	}
	return []Finding{{
		Check: "replica", OK: len(rows) == 0, Found: fmt.Sprintf("replicates from %d servers, %s is off", len(rows), name),
		Fix: "in my.cnf:  " + name + " = ON   then restart the server",
	}}
}

// checkGrants looks for the privilege to read the log; the others show by themselves.
func (s *Source) checkGrants(ctx context.Context) Finding {
	f := Finding{Check: "grants", Fix: s.grantFix(ctx)}
	rows, err := queryRows(ctx, s.db, "SHOW GRANTS")
	if err != nil {
		f.Found = err.Error()
		return f
	}
	var global []string
	for _, r := range rows {
		for _, grant := range r {
			before, _, ok := strings.Cut(grant, " ON *.* ")
			if ok {
				global = append(global, strings.TrimPrefix(before, "GRANT "))
			}
		}
	}
	f.Found = strings.Join(global, "; ")
	granted := strings.ToUpper(f.Found)
	has := func(names ...string) bool {
		for _, n := range append(names, "ALL PRIVILEGES") {
			for _, g := range strings.FieldsFunc(granted, func(r rune) bool { return r == ',' || r == ';' }) {
				if strings.TrimSpace(g) == n {
					return true
				}
			}
		}
		return false
	}
	f.OK = has("REPLICATION SLAVE", "REPLICATION REPLICA") && has("REPLICATION CLIENT", "BINLOG MONITOR")
	return f
}

func (s *Source) grantFix(ctx context.Context) string {
	status := "REPLICATION CLIENT"
	if s.MariaDB() {
		status = "BINLOG MONITOR"
	}
	return fmt.Sprintf("GRANT REPLICATION SLAVE, %s ON *.* TO %s;", status, s.account(ctx))
}

// account is how GRANT names our user.
func (s *Source) account(ctx context.Context) string {
	user, host := s.cfg.User, "%"
	if r, err := queryRow(ctx, s.db, "SELECT CURRENT_USER() AS account"); err == nil {
		if i := strings.LastIndexByte(r["account"], '@'); i >= 0 {
			user, host = r["account"][:i], r["account"][i+1:]
		}
	}
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	return quote(user) + "@" + quote(host)
}

// checkTables looks for the watched tables, and for the primary key that tells their rows apart.
func (s *Source) checkTables(ctx context.Context) []Finding {
	missing := map[string][]string{}
	var findings []Finding
	for _, t := range s.cfg.Tables {
		is, err := s.define(ctx, t)
		switch {
		case err != nil:
			missing[t.Schema] = append(missing[t.Schema], t.Name)
		case len(is.Key) == 0:
			findings = append(findings, Finding{
				Check: "table " + t.String(), Warn: true, Found: "no primary key", Fix: fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (id);", t),
			})
		}
	}
	for schema := range s.watched {
		f := Finding{Check: "tables of schema " + schema, OK: len(missing[schema]) == 0, Found: "all found and readable"}
		if !f.OK {
			f.Found = "not found, or not readable: " + strings.Join(missing[schema], ", ")
			f.Fix = fmt.Sprintf("check sites[].schema and sites[].prefix in the configuration, and that VikAppointments is installed; then  GRANT SELECT ON `%s`.* TO %s;",
				strings.ReplaceAll(schema, "`", "``"), s.account(ctx))
		}
		findings = append(findings, f)
	}
	return findings
}
