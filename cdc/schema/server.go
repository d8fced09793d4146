package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/charset"
	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/sqlmap"
	"rowhook/connect"
)

// ErrAsking marks the failures of a side connection: trying again helps, unlike with a table that is not what the log
// says.
var ErrAsking = errors.New("asking the server for its columns")

// What the server may say of a table in place of its columns.
var (
	ErrNoTable = errors.New("the server has no such table now")
	ErrView    = errors.New("it is a view, and the log names the tables behind it")
)

// What is asked about a table. The names are compared with constants, and nothing is joined: else MariaDB would open every
// table of every schema for an answer.
const (
	askColumns = `SELECT table_schema AS table_schema, table_name AS table_name, column_name AS name,
		data_type AS data_type, column_type AS column_type, COALESCE(character_set_name, '') AS charset,
		COALESCE(generation_expression, '') AS made
		FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`
	askCollation = `SELECT table_collation AS collation, table_type AS type FROM information_schema.tables WHERE table_schema = ? AND table_name = ?`
	askUnique    = `SELECT index_name AS index_name, index_type AS kind, column_name AS name FROM information_schema.statistics
		WHERE table_schema = ? AND table_name = ? AND non_unique = 0 ORDER BY index_name, seq_in_index`
)

// IsOfTable says whether an error is the server's word on one table: that there is none, that we may not read it, that
// somebody holds it locked, that it is broken. The server may say otherwise later; other tables have nothing to do with it.
func IsOfTable(err error) bool {
	if errors.Is(err, ErrNoTable) || errors.Is(err, ErrView) {
		return true
	}
	refused, ok := errors.AsType[*sqlmap.Error](err)
	return ok && refused.Number != mysql.ER_QUERY_INTERRUPTED && connect.CauseOf(err) == connect.Unknown
}

// IsLocked says whether a table could not be asked for because somebody holds its lock.
func IsLocked(err error) bool {
	refused, ok := errors.AsType[*sqlmap.Error](err)
	return ok && refused.Number == mysql.ER_LOCK_WAIT_TIMEOUT
}

// MostLocked is for how many locked tables a server is asked in a row: each costs the patience of the connection.
const MostLocked = 2

// LockedHint is what to do about a table that is locked.
const LockedHint = "see SHOW PROCESSLIST: an import, LOCK TABLES or ALTER TABLE; it goes on by itself when the table is free"

// Server is asked what tables are, over side connections.
type Server struct {
	DB      *sql.DB
	MariaDB bool
	User    string // that we are, for messages
}

// askTimeout bounds a question to the server.
const askTimeout = 20 * time.Second

// Define asks the server what a table is now; or a schema, which has no Name. The answer is at least as new as what was
// read of the log: a statement is in the log before its effect is seen, but only while it locks the table. An error is
// the server's word on this table, see IsOfTable, or errAsking.
func (s Server) Define(ctx context.Context, name ddl.TableName) (*ddl.Definition, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	conn, err := s.DB.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAsking, err)
	}
	defer conn.Close()
	d, err := s.defineOn(ctx, conn, name)
	if err != nil && !IsOfTable(err) {
		return nil, fmt.Errorf("%w: %w", ErrAsking, err)
	}
	return d, err
}

func (s Server) defineOn(ctx context.Context, conn *sql.Conn, name ddl.TableName) (*ddl.Definition, error) {
	if name.Name == "" {
		rows, err := sqlmap.Rows(ctx, conn, "SELECT default_character_set_name AS charset FROM information_schema.schemata WHERE schema_name = ?", name.Schema)
		if err != nil || len(rows) == 0 {
			return nil, errors.Join(err, ErrNoTable)
		}
		return &ddl.Definition{Charset: charset.Named(rows[0]["charset"])}, nil
	}
	if err := s.prepare(ctx, conn, name); err != nil {
		return nil, err
	}
	rows, err := sqlmap.Rows(ctx, conn, askColumns, name.Schema, name.Name)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w, or user %s may not SELECT from it", ErrNoTable, s.User)
	}
	if is := (ddl.TableName{Schema: rows[0]["table_schema"], Name: rows[0]["table_name"]}); is != name { // the log's names tell case apart
		return nil, fmt.Errorf("%w: it calls it %s", ErrNoTable, is)
	}
	d := &ddl.Definition{Columns: make([]ddl.Column, len(rows))}
	positions := map[string]int{}
	for i, r := range rows {
		d.Columns[i] = ddl.ParseColumn(r["name"], r["data_type"], r["column_type"], r["charset"])
		positions[r["name"]] = i
		if made := strings.ToUpper(r["made"]); s.MariaDB && (made == "ROW START" || made == "ROW END") {
			d.Period = append(d.Period, r["name"])
			if len(d.Period) == 2 && made == "ROW START" { // they may stand in any order
				slices.Reverse(d.Period)
			}
		}
	}
	return d, s.defineRest(ctx, conn, name, d, positions)
}

// defineRest asks for what is not told of each column: the primary key, the default charset, MariaDB's hashes.
func (s Server) defineRest(ctx context.Context, conn *sql.Conn, name ddl.TableName, d *ddl.Definition, positions map[string]int) error {
	tables, err := sqlmap.Rows(ctx, conn, askCollation, name.Schema, name.Name)
	if err != nil {
		return err
	}
	for _, r := range tables {
		prefix, _, _ := strings.Cut(r["collation"], "_")
		d.Charset = charset.Named(prefix)
		if r["type"] == "SYSTEM VERSIONED" && d.Period == nil {
			d.Period = []string{hiddenStart, hiddenEnd}
		}
	}
	rows, err := sqlmap.Rows(ctx, conn, askUnique, name.Schema, name.Name)
	if err != nil {
		return err
	}
	hashed := map[string]bool{}
	for _, r := range rows {
		if k, ok := positions[r["name"]]; ok && r["index_name"] == "PRIMARY" && !slices.Contains(d.Period, r["name"]) { // the end of a period is added to each key
			d.Key = append(d.Key, k)
		}
		if s.MariaDB && r["kind"] == "HASH" { // of other engines too: the log shows whether they have the column
			hashed[r["index_name"]] = true
		}
	}
	d.Hashes = len(hashed)
	return nil
}

// prepare waits for the end of statements that change the table, and lets MySQL show all columns. It waits for nobody
// else: SHOW CREATE TABLE and information_schema read a table that LOCK TABLES holds, and one that an ALTER TABLE copies
// or waits for, on all servers; a SELECT would not.
func (s Server) prepare(ctx context.Context, conn *sql.Conn, name ddl.TableName) error {
	if !s.MariaDB {
		const unknownVariable = 1193
		_, err := conn.ExecContext(ctx, "SET SESSION show_gipk_in_create_table_and_information_schema = ON") // keys that MySQL added by itself
		if refused, ok := errors.AsType[*sqlmap.Error](err); err != nil && (!ok || refused.Number != unknownVariable) {
			return err
		}
	}
	quote := func(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
	row, err := sqlmap.Row(ctx, conn, fmt.Sprintf("SHOW CREATE TABLE %s.%s", quote(name.Schema), quote(name.Name)))
	if refused, ok := errors.AsType[*sqlmap.Error](err); ok && (refused.Number == mysql.ER_NO_SUCH_TABLE || refused.Number == mysql.ER_BAD_DB_ERROR) {
		return fmt.Errorf("%w: %w", ErrNoTable, err)
	}
	_, isView := row["View"]
	if IsDenied(err) { // to see what a view is made of takes a grant of its own
		tables, err := sqlmap.Rows(ctx, conn, askCollation, name.Schema, name.Name)
		isView = err == nil && len(tables) == 1 && tables[0]["type"] == "VIEW"
	}
	if isView {
		return ErrView
	}
	return err
}

// IsDenied says whether our user may not read a table, or not all of it.
func IsDenied(err error) bool {
	refused, ok := errors.AsType[*sqlmap.Error](err)
	return ok && (refused.Number == mysql.ER_DBACCESS_DENIED_ERROR || refused.Number == mysql.ER_TABLEACCESS_DENIED_ERROR || refused.Number == mysql.ER_COLUMNACCESS_DENIED_ERROR)
}
