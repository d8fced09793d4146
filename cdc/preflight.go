package cdc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// Finding is the result of one check of a server.
type Finding struct {
	Check string `json:"check"` // what was looked at
	OK    bool   `json:"ok"`
	Warn  bool   `json:"warn,omitempty"` // not right, but rowhook works
	Hint  bool   `json:"hint,omitempty"` // right, but could be better
	Found string `json:"found"`          // what the server says
	Fix   string `json:"fix,omitempty"`  // the statement or the my.cnf lines that fix it
}

// Check looks at everything that following the server's log depends on. It reads only. An error means that the server
// could not be asked.
func (s *Source) Check(ctx context.Context) ([]Finding, error) {
	vars, err := s.variables(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the server's variables: %w", err)
	}
	findings := []Finding{{Check: "server", OK: true, Found: s.version}, checkEncryption(s.cfg.Server.Road(), s.cfg.Server.Config().Address)}
	findings = append(findings, s.checkLog(ctx, vars)...)
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
		'binlog_row_value_options', 'binlog_row_metadata', 'sync_binlog', 'log_slave_updates', 'log_replica_updates',
		'binlog_annotate_row_events', 'binlog_rows_query_log_events', 'character_set_client',
		'expire_logs_days', 'binlog_expire_logs_seconds', 'binlog_expire_logs_auto_purge', 'max_binlog_total_size', 'gtid_mode', 'wsrep_on')`)
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	for _, r := range rows {
		vars[strings.ToLower(r["Variable_name"])] = r["Value"]
	}
	return vars, nil
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
	for _, schema := range slices.Sorted(maps.Keys(s.watched)) {
		hidden := inList(status["Binlog_Ignore_DB"], schema) ||
			status["Binlog_Do_DB"] != "" && !inList(status["Binlog_Do_DB"], schema)
		found := "nothing is filtered"
		if status["Binlog_Do_DB"] != "" || status["Binlog_Ignore_DB"] != "" {
			found = fmt.Sprintf("binlog_do_db %q, binlog_ignore_db %q", status["Binlog_Do_DB"], status["Binlog_Ignore_DB"])
		}
		findings = append(findings, Finding{
			Check: "schema " + schema + " is logged", OK: !hidden, Found: found,
			Fix: fmt.Sprintf("in my.cnf, under [mysqld]: remove binlog_ignore_db = %s, or add binlog_do_db = %s; then restart the server", schema, schema),
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
	fix := s.hosting.setAtStart(name, "ON")
	if vars["wsrep_on"] == "ON" {
		return []Finding{{Check: "replica", Found: "a node of a Galera cluster, and " + name + " is off: what is written on the other nodes is not in its log", Fix: fix}}
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
			Fix: "if it is one,  " + fix,
		}}
	}
	return []Finding{{
		Check: "replica", OK: len(rows) == 0, Found: fmt.Sprintf("replicates from %d servers, %s is off", len(rows), name),
		Fix: fix,
	}}
}

// checkTables looks for the watched tables, and for the primary key that tells their rows apart; and whether the tables
// can be read whole, which loading needs.
func (s *Source) checkTables(ctx context.Context) []Finding {
	missing, denied, unread := map[string][]string{}, map[string][]string{}, map[string][]string{}
	var findings []Finding
	for _, t := range s.cfg.Tables {
		is, err := s.define(ctx, t)
		if err == nil {
			err = s.readable(ctx, t)
		}
		switch {
		case isLocked(err): // which says nothing of the table
			findings = append(findings, Finding{
				Check: "table " + t.String(), Warn: true, Found: "locked by somebody, so it could not be looked at", Fix: "see SHOW PROCESSLIST: an import, LOCK TABLES or ALTER TABLE; its rows are read when it is free",
			})
		case isDenied(err):
			denied[t.Schema] = append(denied[t.Schema], t.Name)
		case err != nil:
			missing[t.Schema] = append(missing[t.Schema], t.Name)
		case is.ByTransaction():
			findings = append(findings, Finding{Check: "table " + t.String(), Found: "its changes are logged as statements", Fix: byTransactionHint(t)})
		case len(is.Key) == 0:
			findings = append(findings, Finding{
				Check: "table " + t.String(), Warn: true, Found: "no primary key", Fix: fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (id);", t),
			})
		}
	}
	for t := range s.cfg.Lookups {
		if !slices.Contains(s.cfg.Tables, t) && isUnreadable(s.readable(ctx, t)) {
			unread[t.Schema] = append(unread[t.Schema], t.Name)
		}
	}
	for _, schema := range slices.Sorted(maps.Keys(s.watched)) {
		f := Finding{Check: "tables of schema " + schema, OK: len(missing[schema])+len(denied[schema]) == 0, Found: "all found and readable"}
		grant := fmt.Sprintf("GRANT SELECT ON `%s`.* TO %s;", strings.ReplaceAll(schema, "`", "``"), s.account(ctx))
		if !f.OK {
			f.Found, f.Fix = s.misses(ctx, schema, missing[schema], denied[schema], grant)
		} else if unread := unread[schema]; len(unread) > 0 {
			slices.Sort(unread)
			f.Warn, f.Fix = true, grant
			f.Found = "found and readable, but not what extended payloads need besides: " + strings.Join(unread, ", ")
		}
		findings = append(findings, f)
	}
	return findings
}

// readable says whether every column of a table may be selected.
func (s *Source) readable(ctx context.Context, t TableName) error {
	_, err := queryRow(ctx, s.db, fmt.Sprintf("SELECT * FROM `%s`.`%s` LIMIT 0", strings.ReplaceAll(t.Schema, "`", "``"), strings.ReplaceAll(t.Name, "`", "``")))
	return err
}

// misses says which tables of a schema are not there or may not be read, and what to do.
func (s *Source) misses(ctx context.Context, schema string, missing, denied []string, grant string) (found, fix string) {
	var says []string
	if len(missing) > 0 {
		says = append(says, "not found: "+strings.Join(missing, ", "))
		fix = "sites[].schema and sites[].prefix in the configuration must be DB_NAME and $table_prefix of wp-config.php, and VikAppointments be installed there"
	}
	if len(denied) > 0 { // also what the server says of a missing table to whom may not know
		says = append(says, "not readable: "+strings.Join(denied, ", "))
		fix = "see that sites[].schema and sites[].prefix are right in the configuration; then  " + grant
	}
	if elsewhere, change := s.lost(ctx, schema, slices.Concat(missing, denied)); elsewhere != "" {
		says, fix = append(says, elsewhere), change
	}
	return strings.Join(says, "; "), fix
}

// isDenied says whether our user may not read a table, or not all of it.
func isDenied(err error) bool {
	refused, ok := errors.AsType[*mysqlError](err)
	return ok && (refused.Number == mysql.ER_DBACCESS_DENIED_ERROR || refused.Number == mysql.ER_TABLEACCESS_DENIED_ERROR || refused.Number == mysql.ER_COLUMNACCESS_DENIED_ERROR)
}

// isUnreadable says whether a table may not be selected, or is not there; one that is locked may be.
func isUnreadable(err error) bool { return err != nil && !isLocked(err) }
