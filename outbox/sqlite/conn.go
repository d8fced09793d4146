package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ncruces/go-sqlite3"
)

const (
	// maxMemory bounds what SQLite may use for one connection; it is taken only when large values pass through.
	maxMemory = 1 << 30
	// busyTimeout is how long another program may hold the file, a person with sqlite3 for example.
	busyTimeout = 5 * time.Second
)

// connect opens a connection. Mode is SQLite's: rw or ro.
func connect(ctx context.Context, path, mode string) (*sqlite3.Conn, error) {
	name := url.URL{Scheme: "file", Path: path, RawQuery: "mode=" + mode + vfsQuery()}
	c, err := sqlite3.OpenContext(sqlite3.WithMaxMemory(ctx, maxMemory), name.String())
	if err != nil {
		return nil, err
	}
	if err := c.BusyTimeout(busyTimeout); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// formatNew makes a new file one whose pages have checksums, so that a page that went bad is found when it is read: a
// payload that is changed on the disk must not be posted. Who opens the file later sees by its header that it has them;
// the file of an older rowhook stays as it is. A new file can also give room back.
func formatNew(c *sqlite3.Conn) error {
	pages, err := number(c, `PRAGMA page_count`)
	if err != nil || pages > 0 {
		return err
	}
	if _, err = c.FileControl("main", sqlite3.FCNTL_RESERVE_BYTES, reserved); err != nil {
		return err
	}
	return c.Exec(`PRAGMA auto_vacuum = INCREMENTAL`) // it writes the first page
}

// reserved is how many bytes of each page SQLite's checksum extension takes.
const reserved = 8

// seal is the last byte of each batch of payloads, so that none ends with a zero: to the checksums a page of zeros is a
// good one, and as the last page of a long value it would pass.
const seal = 1

// hasChecksums says whether the file is one with checksums, and so with seals.
func hasChecksums(c *sqlite3.Conn) (bool, error) {
	n, err := c.FileControl("main", sqlite3.FCNTL_RESERVE_BYTES)
	return n == reserved, err
}

// checkWAL makes sure that the file is in WAL mode: SQLite keeps silent when the file system cannot do it.
func checkWAL(c *sqlite3.Conn) error {
	return each(c, `PRAGMA journal_mode`, nil, func(s *sqlite3.Stmt) (bool, error) {
		if mode := s.ColumnText(0); mode != "wal" {
			return false, fmt.Errorf("journal mode is %q instead of WAL: the state directory must be on a local file system", mode)
		}
		return false, nil
	})
}

// transact runs do in a write transaction, which is kept whole or not at all.
func transact(c *sqlite3.Conn, do func() error) error {
	if err := c.Exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = c.Exec(`COMMIT`)
	}
	if err != nil && !c.GetAutocommit() { // some errors have rolled back already
		err = errors.Join(err, c.Exec(`ROLLBACK`))
	}
	return err
}

// bind passes the parameters of a statement one after the other and keeps the first error.
type bind struct {
	stmt *sqlite3.Stmt
	n    int
	err  error
}

func (b *bind) int(v int64) *bind {
	b.n++
	if b.err == nil {
		b.err = b.stmt.BindInt64(b.n, v)
	}
	return b
}

func (b *bind) text(v string) *bind {
	b.n++
	if b.err == nil {
		b.err = b.stmt.BindText(b.n, v)
	}
	return b
}

// blob binds bytes; nil is NULL.
func (b *bind) blob(v []byte) *bind {
	b.n++
	if b.err == nil {
		b.err = b.stmt.BindBlob(b.n, v)
	}
	return b
}

// time binds microseconds, 0 for the zero time.
func (b *bind) time(t time.Time) *bind {
	if t.IsZero() {
		return b.int(0)
	}
	return b.int(t.UnixMicro())
}

// duration binds microseconds.
func (b *bind) duration(d time.Duration) *bind { return b.int(d.Microseconds()) }

func (b *bind) run() error {
	if b.err != nil {
		return b.err
	}
	return b.stmt.Exec()
}

// each calls row for every row of the result, until it returns false. Row must not use the statement for anything else.
func (b *bind) each(row func(*sqlite3.Stmt) (more bool, err error)) error {
	if b.err != nil {
		return b.err
	}
	err := step(b.stmt, row)
	return errors.Join(err, b.stmt.Reset())
}

func step(s *sqlite3.Stmt, row func(*sqlite3.Stmt) (more bool, err error)) error {
	for s.Step() {
		if more, err := row(s); err != nil || !more {
			return err
		}
	}
	return s.Err()
}

// durationColumn is the opposite of bind.duration.
func durationColumn(s *sqlite3.Stmt, col int) time.Duration {
	return time.Duration(s.ColumnInt64(col)) * time.Microsecond
}

// timeColumn is the opposite of bind.time.
func timeColumn(s *sqlite3.Stmt, col int) time.Time {
	if v := s.ColumnInt64(col); v != 0 {
		return time.UnixMicro(v).UTC()
	}
	return time.Time{}
}

// each runs a query and calls row for every row of its result, until row returns false.
func each(c *sqlite3.Conn, sql string, args []any, row func(*sqlite3.Stmt) (more bool, err error)) error {
	s, _, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // what it says, the last step said
	b := bind{stmt: s}
	for _, arg := range args {
		switch v := arg.(type) {
		case int64:
			b.int(v)
		case string:
			b.text(v)
		case []byte:
			b.blob(v)
		}
	}
	if b.err != nil {
		return b.err
	}
	return step(s, row)
}

// number is the single number a query yields.
func number(c *sqlite3.Conn, sql string) (n int64, err error) {
	err = each(c, sql, nil, func(s *sqlite3.Stmt) (bool, error) {
		n = s.ColumnInt64(0)
		return false, nil
	})
	return n, err
}

// setting reads a row of meta; "" when there is none.
func setting(c *sqlite3.Conn, key string) (value string, err error) {
	err = each(c, `SELECT value FROM meta WHERE key = ?`, []any{key}, func(s *sqlite3.Stmt) (bool, error) {
		value = s.ColumnText(0)
		return false, nil
	})
	return value, err
}
