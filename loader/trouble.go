package loader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/cdc/schema"
)

// Numbers of errors that go-mysql has no constants for: MariaDB's own, and newer ones of MySQL.
const (
	errCollations          = 1267 // Illegal mix of collations
	errCollations3         = 1270
	errCollationsMany      = 1271
	errCannotConvert       = 1977 // MariaDB: Cannot convert 'utf8mb4' character to 'latin1'
	errStatementTimeout    = 1969 // MariaDB: max_statement_time exceeded
	errConnectionKilled    = 1927 // MariaDB
	errAccountLocked       = 3118 // MySQL
	errQueryTimeout        = 3024 // MySQL: max_execution_time exceeded
	errCannotConvertString = 3854 // MySQL: Cannot convert string from utf8mb4 to latin1
	errImpossibleConvert   = 3988 // MySQL: Conversion from collation ... impossible for parameter
	errInvalidJSON         = 3141 // MySQL: Invalid JSON text in argument
	errTooManyConnections  = gomysql.ER_CON_COUNT_ERROR
	errTooManyOfUser       = gomysql.ER_TOO_MANY_USER_CONNECTIONS
	errUserLimit           = gomysql.ER_USER_LIMIT_REACHED
)

// Trouble is whose trouble an error of Load is, and so who waits for it.
type Trouble uint8

const (
	// Outage is everybody's: the database does not answer, or lets nobody in. It is asked again, nothing else can be done.
	Outage Trouble = iota
	// Held is the event's: it cannot be loaded as things are, and can be when somebody has given back a privilege, restored
	// a table, raised a limit or released a lock. It is tried again until then; other events go on.
	Held
	// Unfit is the event's for ever: its data cannot be compared or rendered. It is delivered as far as the log shows it.
	Unfit
)

// TroubleOf says whose trouble an error of Load is, by the server's error number.
func TroubleOf(err error) Trouble {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	switch {
	case ok:
		return troubleOf(refused)
	case errors.Is(err, errRender), errors.Is(err, errTooMuch), errors.Is(err, errLarge):
		return Unfit
	case errors.Is(err, mysql.ErrPktTooLarge), errors.Is(err, errNotVisible), schema.IsOfTable(err):
		return Held
	}
	return Outage // of the network, of our own disk
}

func troubleOf(refused *mysql.MySQLError) Trouble {
	switch refused.Number {
	case errCollations, errCollations3, errCollationsMany, gomysql.ER_INVALID_CHARACTER_STRING, errCannotConvert, errCannotConvertString, errImpossibleConvert,
		gomysql.ER_UNKNOWN_CHARACTER_SET, gomysql.ER_UNKNOWN_COLLATION, gomysql.ER_COLLATION_CHARSET_MISMATCH:
		return Unfit
	case gomysql.ER_TRUNCATED_WRONG_VALUE, gomysql.ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, gomysql.ER_WRONG_VALUE, gomysql.ER_WRONG_VALUE_FOR_TYPE,
		gomysql.ER_DATA_OUT_OF_RANGE, gomysql.ER_DIVISION_BY_ZERO, errInvalidJSON: // a view, or a generated column, computes with the row's values
		return Unfit
	case errTooManyConnections, errTooManyOfUser, gomysql.ER_SERVER_SHUTDOWN, gomysql.ER_NORMAL_SHUTDOWN,
		gomysql.ER_ACCESS_DENIED_ERROR, gomysql.ER_ACCESS_DENIED_NO_PASSWORD_ERROR, gomysql.ER_HOST_NOT_PRIVILEGED, gomysql.ER_HOST_IS_BLOCKED,
		gomysql.ER_NEW_ABORTING_CONNECTION, gomysql.ER_ABORTING_CONNECTION, errConnectionKilled, gomysql.ER_MUST_CHANGE_PASSWORD_LOGIN,
		gomysql.ER_MUST_CHANGE_PASSWORD, errAccountLocked:
		return Outage
	case errUserLimit:
		if serverIsFull(refused) {
			return Outage
		}
	}
	return Held
}

// tableError is an error of a query, with the table that it was about.
type tableError struct {
	table cdc.TableName
	err   error
	user  string // as GRANT names him; known where he was denied something
}

// failed is such an error. To whom something would have to be granted only the server knows.
func (s *snapshot) failed(ctx context.Context, table cdc.TableName, err error) error {
	e := &tableError{table: table, err: err}
	if isDenied(err) {
		var account string
		if s.conn.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&account) == nil {
			i := strings.LastIndexByte(account, '@') + 1
			e.user = "'" + strings.ReplaceAll(account[:max(0, i-1)], "'", "''") + "'@'" + strings.ReplaceAll(account[i:], "'", "''") + "'"
		}
	}
	return e
}

func (e *tableError) Error() string { return fmt.Sprintf("reading %s: %v", e.table, e.err) }
func (e *tableError) Unwrap() error { return e.err }

// isNoTable says whether a query failed because its table, or its whole schema, does not exist.
func isNoTable(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (refused.Number == gomysql.ER_BAD_DB_ERROR || refused.Number == gomysql.ER_NO_SUCH_TABLE)
}

// isNoColumn says whether a query failed because a column that it names does not exist.
func isNoColumn(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && refused.Number == gomysql.ER_BAD_FIELD_ERROR
}

// lacking says whether a query failed because the site has no such table, or an older one without some column.
func lacking(err error) bool { return isNoTable(err) || isNoColumn(err) }

// isAltered says whether a table has other columns than when the snapshot was taken.
func isAltered(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && refused.Number == gomysql.ER_TABLE_DEF_CHANGED
}

// isDenied says whether a query failed because our user may not read its table, or a column of it.
func isDenied(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (refused.Number == gomysql.ER_DBACCESS_DENIED_ERROR || refused.Number == gomysql.ER_TABLEACCESS_DENIED_ERROR ||
		refused.Number == gomysql.ER_COLUMNACCESS_DENIED_ERROR)
}

// Reason is what of an error of Load is the same for all events that it befalls.
func Reason(err error) string {
	if of, ok := errors.AsType[*tableError](err); ok {
		return of.Error()
	}
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return refused.Error()
	}
	for _, same := range []error{errNotVisible, errTooMuch, errLarge, mysql.ErrPktTooLarge} {
		if errors.Is(err, same) {
			return same.Error()
		}
	}
	return err.Error()
}

// Fix is what to type against an error of Load; empty when nothing can be told.
func Fix(err error) string {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		if errors.Is(err, mysql.ErrPktTooLarge) {
			return "SET GLOBAL max_allowed_packet = 67108864;"
		}
		if of, ok := errors.AsType[*tableError](err); ok && schema.IsOfTable(err) {
			return "SHOW CREATE TABLE " + quoted(of.table) + "; it is not what the plugin made"
		}
		return ""
	}
	table, schema, user := "TABLE", "SCHEMA", "rowhook@..."
	if of, ok := errors.AsType[*tableError](err); ok {
		table, schema, user = quoted(of.table), quote(of.table.Schema), cmp.Or(of.user, user)
	}
	switch {
	case isDenied(err):
		return fmt.Sprintf("GRANT SELECT ON %s.* TO %s;", schema, user)
	case isNoTable(err):
		return "see that sites[].schema and sites[].prefix are right, and restore " + table
	case isNoColumn(err):
		return "SHOW CREATE TABLE " + table + "; a column that the plugin had is missing"
	}
	switch refused.Number {
	case gomysql.ER_NET_PACKET_TOO_LARGE, gomysql.ER_TOO_LONG_STRING, gomysql.ER_WARN_ALLOWED_PACKET_OVERFLOWED:
		return "SET GLOBAL max_allowed_packet = 67108864;"
	case errStatementTimeout, errQueryTimeout, gomysql.ER_TOO_BIG_SELECT:
		return "SHOW CREATE TABLE " + table + "; it is large and lacks an index, or the server's limit for a statement is low"
	case errUserLimit:
		return "ALTER USER rowhook@... WITH MAX_QUERIES_PER_HOUR 0;"
	case gomysql.ER_LOCK_WAIT_TIMEOUT:
		return "SHOW FULL PROCESSLIST; somebody locks " + table
	case gomysql.ER_CRASHED_ON_USAGE, gomysql.ER_CRASHED_ON_REPAIR, gomysql.ER_NOT_KEYFILE:
		return "REPAIR TABLE " + table + ";"
	case gomysql.ER_VIEW_INVALID:
		return "SHOW CREATE VIEW " + table + "; what it reads is missing, or its definer may not"
	}
	return ""
}

// errRender says that what was read makes no payload.
var errRender = errors.New("what was read makes no payload")

// recovered makes a panic an error: the data of one event shall not end the daemon.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v, at %s", errRender, p, debug.Stack())
	}
}
