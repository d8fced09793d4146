package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"rowhook/connect"
	"rowhook/outbox"
	"rowhook/outbox/transfer"
	"rowhook/printable"
)

// Numbers of errors of the server. What is not here is a refusal: waiting would not help.
var (
	// again are those of a transaction that got in another's way: a deadlock, which is also how a Galera cluster refuses a
	// commit, and a lock that is held for long.
	again = []uint16{1213, 1205}
	// away are those of a server that cannot be written to for now: too many connections, shutting down, out of disk, read-only, a
	// node of a cluster that is not part of it, a connection that was killed.
	away = []uint16{
		1021, 1026, 1037, 1038, 1040, 1041, 1047, 1053, 1077, 1079, 1114, 1152, 1159, 1161, 1180, 1203, 1226, 1290, 1317, 1792,
		1836, 1927, 3100, 3101, 3168, 4031,
	}
	// denied are those that say that the user may not.
	denied = []uint16{1044, 1142, 1143, 1227, 1370}
	// strangers are those that do not let the user in.
	strangers = []uint16{1045, 1130, 1698, 1820, 1862, 3118, 4151, 1251, 1524}
)

// fencedBy is the fence's way of saying that somebody else took over: it makes a column NULL that must not be.
const fencedBy = 1048

// passes tells whether an error goes away by itself: nobody answers, or the server cannot be written to for now.
func passes(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || isOurs(err) {
		return false
	}
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return slices.Contains(away, refused.Number) || slices.Contains(again, refused.Number)
	}
	switch connect.CauseOf(err) {
	case connect.Denied, connect.Insecure, connect.Stranger:
		return false
	default:
		return true
	}
}

// isOurs tells whether an error was made here, or by who called.
func isOurs(err error) bool {
	for _, ours := range []error{
		outbox.ErrClosed, outbox.ErrFenced, outbox.ErrNotExist, outbox.ErrNotFound, outbox.ErrErased, outbox.ErrChanged, outbox.ErrTooLarge,
		outbox.ErrNotHolder, errHandedCount, errLostCommits,
		transfer.ErrHalf, transfer.ErrNotEmpty, errNewer, errForeign, errMarks, errSmallPacket, errColumn, errNoLease,
	} {
		if errors.Is(err, ours) {
			return true
		}
	}
	return false
}

// answered tells whether the server refused a statement: then it is known that it was not done.
func answered(err error) bool {
	_, ok := errors.AsType[*mysql.MySQLError](err)
	return ok
}

// explain says what was being done, where, and what helps.
func explain(doing string, cfg *Config, err error) error {
	if err == nil || errors.Is(err, outbox.ErrClosed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if fix := advice(cfg, err); fix != "" {
		return fmt.Errorf("%s the outbox in schema %s at %s: %w; %s", doing, cfg.Schema, strings.Join(cfg.Addresses, ", "), shown(err), fix)
	}
	return fmt.Errorf("%s the outbox in schema %s at %s: %w", doing, cfg.Schema, strings.Join(cfg.Addresses, ", "), shown(err))
}

// advice is what a person can do about an error of the server.
func advice(cfg *Config, err error) string {
	switch {
	case isNumber(err, denied...):
		return "type, as an administrator of that server: " + grant(cfg)
	case errors.Is(err, transfer.ErrHalf):
		return fmt.Sprintf("type DROP DATABASE %s; on that server, and copy again: what was copied is as it was", quoteName(cfg.Schema))
	case errors.Is(err, transfer.ErrNotEmpty):
		return fmt.Sprintf("if nobody needs what it has, stop rowhook everywhere and type on that server: DROP DATABASE %s;", quoteName(cfg.Schema))
	case isNumber(err, strangers...):
		return fmt.Sprintf("see that user and password of outbox.mysql are right, and that the user exists there: CREATE USER '%s'@'%%' IDENTIFIED BY '...'; %s   a user who REQUIREs SSL needs outbox.mysql.tls", cfg.User, grant(cfg))
	}
	if connect.CauseOf(err) == connect.Unknown {
		return ""
	}
	return cfg.server(cfg.Addresses[0]).Advice(err)
}

func grant(cfg *Config) string {
	return fmt.Sprintf("GRANT ALL ON %s.* TO '%s'@'%%';", quoteName(cfg.Schema), cfg.User)
}

// shownError is an error whose text, which a server wrote, is safe to be shown and not endless.
type shownError struct{ error }

func (e shownError) Error() string {
	const most = 500
	text := strings.ReplaceAll(e.error.Error(), "\n", "; ") // of one line for each address
	return printable.Line(text[:min(len(text), most)])
}

func (e shownError) Unwrap() error { return e.error }

func shown(err error) error { return shownError{err} }
