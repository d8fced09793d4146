// Package preflight checks whether a server lets us follow its log and read its tables: what `rowhook check` shows. It reads
// only, and each finding says what to type.
package preflight

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/sqlmap"
	"rowhook/connect"
)

// Finding is the result of one check of a server.
type Finding struct {
	Check string `json:"check"` // what was looked at
	OK    bool   `json:"ok"`
	Warn  bool   `json:"warn,omitempty"` // not right, but rowhook works
	Hint  bool   `json:"hint,omitempty"` // right, but could be better
	Found string `json:"found"`          // what the server says
	Fix   string `json:"fix,omitempty"`  // the statement or the my.cnf lines that fix it
	// Schema is whose sites' own trouble a fault is: all others can be followed. Empty: nobody can.
	Schema string `json:"schema,omitempty"`
}

// Checker looks at one server. It never changes.
type Checker struct {
	DB      *sql.DB // side connections
	Server  *connect.Server
	MariaDB bool
	Version string // what it calls its version
	Hosting Hosting
	Define  func(ctx context.Context, name ddl.TableName) (*ddl.Definition, error) // asks it what a table is

	Tables   []ddl.TableName          // those that are watched
	Optional []ddl.TableName          // of these, what is wrong with one is a warning
	Prefixes map[ddl.TableName]string // what stands before the names by which a program knows them
	Lookups  []ddl.TableName          // those of which it only matters that rows changed
	Schemas  []string                 // of all of them, sorted

	Sound *Sound // of all tables; those in it are not looked at again

	NeedStatements bool // it is a fault when the server does not log the texts of statements
}

// Check looks at everything that following the server's log depends on. It reads only. An error means that the server
// could not be asked.
func (s *Checker) Check(ctx context.Context) ([]Finding, error) {
	vars, err := s.variables(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the server's variables: %w", err)
	}
	findings := []Finding{{Check: "server", OK: true, Found: s.Version}, checkEncryption(s.Server.Road(), s.Server.Config().Address)}
	findings = append(findings, s.checkConnections(ctx))
	findings = append(findings, s.checkLog(ctx, vars)...)
	if vars["log_bin"] == "ON" {
		findings = append(findings, s.checkFilters(ctx)...)
		findings = append(findings, s.checkReplica(ctx, vars)...)
	}
	findings = append(findings, s.checkGrants(ctx))
	c, err := s.lookAtTables(ctx)
	if err != nil {
		return findings, err
	}
	if c.nothing() { // as when schema or prefix are misspelt: then it is no single site's trouble
		for i := range c.findings {
			c.findings[i].Schema = ""
		}
	}
	return append(findings, c.findings...), nil
}

// variables reads the global variables that matter; one that this server does not have is missing.
func (s *Checker) variables(ctx context.Context) (map[string]string, error) {
	rows, err := sqlmap.Rows(ctx, s.DB, `SHOW GLOBAL VARIABLES WHERE variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image',
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
func (s *Checker) checkFilters(ctx context.Context) []Finding {
	status, err := LogStatus(ctx, s.DB, s.MariaDB)
	if err != nil {
		return []Finding{{
			Check: "position of the log", Found: err.Error(), Fix: s.grantFix(ctx),
		}}
	}
	var findings []Finding
	for _, schema := range s.Schemas {
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
func (s *Checker) checkReplica(ctx context.Context, vars map[string]string) []Finding {
	name := "log_slave_updates"
	if _, ok := vars[name]; !ok {
		name = "log_replica_updates"
	}
	if strings.EqualFold(vars[name], "ON") {
		return nil
	}
	fix := s.Hosting.setAtStart(name, "ON")
	if vars["wsrep_on"] == "ON" {
		return []Finding{{Check: "replica", Found: "a node of a Galera cluster, and " + name + " is off: what is written on the other nodes is not in its log", Fix: fix}}
	}
	statement := "SHOW REPLICA STATUS"
	if s.MariaDB {
		statement = "SHOW ALL SLAVES STATUS"
	}
	rows, err := sqlmap.Rows(ctx, s.DB, statement)
	if err != nil && s.MariaDB { // a server that never replicated needs no grant to tell
		if p, err := sqlmap.Row(ctx, s.DB, "SELECT @@global.gtid_slave_pos AS p"); err == nil && p["p"] == "" {
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

// LogStatus runs the statement of this server that says where the log ends.
func LogStatus(ctx context.Context, db *sql.DB, mariaDB bool) (map[string]string, error) {
	statements := []string{"SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"}
	if mariaDB {
		statements = []string{"SHOW MASTER STATUS"}
	}
	var err error
	for _, q := range statements {
		var row map[string]string
		if row, err = sqlmap.Row(ctx, db, q); err == nil {
			return row, nil
		}
		if me, ok := errors.AsType[*sqlmap.Error](err); !ok || me.Number != mysql.ER_PARSE_ERROR {
			break // only a statement that this version does not know is worth another try
		}
	}
	return nil, err
}
