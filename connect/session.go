package connect

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// sessionKind is what a connection is for.
type sessionKind int

const (
	sideSession  sessionKind = iota // of the pool
	logSession                      // for the binary log
	writeSession                    // for our own schema
)

// variable is one that we rely on. The server's defaults are its administrator's, and may be anything.
type variable struct {
	name, value string
	log         string // the value for the log's connection, empty: the same
	write       string // the value for a session that writes, empty: the same
}

// of is the value for a kind of session.
func (v *variable) of(kind sessionKind) string {
	switch {
	case kind == logSession && v.log != "":
		return v.log
	case kind == writeSession && v.write != "":
		return v.write
	}
	return v.value
}

// variables of a session. One that a server does not have is left out.
func variables() []variable {
	const unlimited = "18446744073709551615"
	return []variable{
		{name: "autocommit", value: "1"}, // else the first SELECT begins a transaction, which locks the table against ALTER
		{name: "completion_type", value: "'NO_CHAIN'"},
		{name: "sql_mode", value: "''", write: "'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES'"}, // else what is wrong is stored as something else
		{name: "time_zone", value: "'+00:00'"},
		{name: "lc_messages", value: "'en_US'"}, // some errors are told apart by their texts
		{name: "sql_select_limit", value: unlimited},
		{name: "sql_big_selects", value: "1"},  // whatever max_join_size says
		{name: "sql_safe_updates", value: "0"}, // else an UPDATE of a whole table is an error
		{name: "group_concat_max_len", value: "1048576"},
		// Who holds a table's lock must not hold us up for long, nor we the others.
		{name: "lock_wait_timeout", value: "2", write: "5"},
		{name: "innodb_lock_wait_timeout", value: "2", write: "5"},
		// A statement that we have given up (readTimeout) ends on the server, too.
		{name: "max_statement_time", value: "110", log: "0"},    // MariaDB, seconds
		{name: "max_execution_time", value: "110000", log: "0"}, // MySQL, milliseconds
		// A server that lost us ends what we left behind. It bears with a reader of its log that is slow.
		{name: "wait_timeout", value: "300", log: "28800"},
		{name: "idle_transaction_timeout", value: "0"},
		{name: "idle_readonly_transaction_timeout", value: "0"},
		{name: "idle_write_transaction_timeout", value: "0", write: "5"}, // MariaDB: who was frozen in one shall hold no locks
		{name: "net_read_timeout", value: "60"},
		{name: "net_write_timeout", value: "120", log: "600"},
		{name: "show_gipk_in_create_table_and_information_schema", value: "1"}, // keys that MySQL added by itself
	}
}

// prepare makes a session ours.
func (s *Server) prepare(p *packets, kind sessionKind) error {
	names, isolation := "utf8mb4", "REPEATABLE READ, READ ONLY" // nothing is written to the site's server
	if kind == writeSession {
		names = "binary"                         // what is written is bytes, of which the server need not look for characters
		isolation = "READ COMMITTED, READ WRITE" // more would lock the gaps between rows
	}
	for _, statement := range []string{
		"COMMIT AND NO CHAIN NO RELEASE", // init_connect may have begun a transaction, which would hold its locks
		"SET NAMES " + names,
		"SET SESSION TRANSACTION ISOLATION LEVEL " + isolation,
	} {
		if err := p.exec(statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	all := variables()
	for range all {
		err := p.exec(s.setting(kind))
		if err == nil {
			return nil
		}
		if !s.lacks(err) {
			return fmt.Errorf("preparing the session: %w", err)
		}
	}
	return errors.New("preparing the session: the server has none of its variables")
}

// setting is the statement that sets the variables that the server is known or believed to have.
func (s *Server) setting(kind sessionKind) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var set []string
	for _, v := range variables() {
		if s.lacking[v.name] {
			continue
		}
		set = append(set, "SESSION "+v.name+" = "+v.of(kind))
	}
	return "SET " + strings.Join(set, ", ")
}

// lacks takes a server's answer that it does not have a variable, and says whether that is what it was.
func (s *Server) lacks(err error) bool {
	const unknownVariable, readOnlyVariable = 1193, 1238
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok || refused.Number != unknownVariable && refused.Number != readOnlyVariable {
		return false
	}
	named := ""
	for _, v := range variables() { // one name may be part of another
		if strings.Contains(refused.Message, v.name) && len(v.name) > len(named) {
			named = v.name
		}
	}
	if named == "" {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lacking[named] = true
	return true
}
