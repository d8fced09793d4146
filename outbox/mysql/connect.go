package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
)

// connector connects to the first address that answers and takes writes, beginning with the one that was used last.
type connector struct {
	cfg     Config
	schema  string
	anyNode bool          // one that takes no writes will do if there is no other: for reading
	good    *atomic.Int64 // the address that was used last
}

func newConnector(cfg Config, anyNode bool) *connector {
	return &connector{cfg: cfg, schema: cfg.Schema, anyNode: anyNode, good: new(atomic.Int64)}
}

// without is the same one, for connections that have no schema.
func (c *connector) without() *connector {
	return &connector{cfg: c.cfg, anyNode: c.anyNode, good: c.good}
}

// silent is for what the driver would log by itself: all of it comes back as errors, too.
type silent struct{}

func (silent) Print(...any) {}

const (
	dialTimeout = 3 * time.Second
	// minPacket is the least max_allowed_packet with which a commit can hold what rules may make of a row, in bytes.
	minPacket = 8 << 20
)

// Errors of a server that lets us in but cannot be written to.
var (
	errReadOnly = errors.New("the server is read-only")
	errNotReady = errors.New("the cluster's node is not ready (wsrep_ready)")
)

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	var errs []error
	for _, reading := range []bool{false, true} {
		if reading && !c.anyNode {
			break
		}
		first := int(c.good.Load())
		for i := range c.cfg.Addresses {
			at := (first + i) % len(c.cfg.Addresses)
			conn, err := c.dial(ctx, c.cfg.Addresses[at], reading)
			if err == nil {
				c.good.Store(int64(at))
				return conn, nil
			}
			errs = append(errs, fmt.Errorf("%s: %w", c.cfg.Addresses[at], err))
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	return nil, errors.Join(errs...)
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return mysql.MySQLDriver{} }

func (c *connector) dial(ctx context.Context, address string, reading bool) (driver.Conn, error) {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName, cfg.Net, cfg.Addr = c.cfg.User, c.cfg.Password, c.schema, "tcp", address
	if strings.HasPrefix(address, "/") {
		cfg.Net = "unix"
	} else if c.cfg.TLS != nil {
		cfg.TLS = c.cfg.TLS.Clone()
	}
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = dialTimeout, c.cfg.deadline(), c.cfg.deadline()
	cfg.MultiStatements, cfg.InterpolateParams = true, true
	cfg.ClientFoundRows = true // else an UPDATE that changes nothing looks as if we were fenced
	cfg.RejectReadOnly = true  // a server that became read-only is left
	cfg.MaxAllowedPacket = 0   // what the server says
	cfg.Logger = silent{}
	inner, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := greet(ctx, conn, reading); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// sessionOfAll is what every session sets. Strict mode is what makes the fence work: without it a NULL becomes 0. Nothing here
// needs more than READ COMMITTED, and more would lock gaps.
const (
	sessionOfAll = `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
		SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 5`
	// sessionOfMariaDB: nobody holds a lock who sends nothing.
	sessionOfMariaDB = `; SET SESSION idle_write_transaction_timeout = 5`
	// withoutSQL is for those who have the right, BINLOG ADMIN: Annotate_rows would write each payload to the log twice.
	withoutSQL = `SET SESSION binlog_annotate_row_events = 0`
)

// greet sets up a session, and refuses a server that takes no writes.
func greet(ctx context.Context, conn driver.Conn, reading bool) error {
	found, err := query(ctx, conn, `SELECT VERSION(), @@GLOBAL.read_only`)
	if err != nil {
		return err
	}
	if len(found) != 2 {
		return errors.New("the server does not tell its version")
	}
	if !reading && isOn(found[1]) {
		return errReadOnly
	}
	session := sessionOfAll
	maria := strings.Contains(found[0], "MariaDB")
	if maria {
		session += sessionOfMariaDB
		cluster, err := query(ctx, conn, `SHOW GLOBAL VARIABLES LIKE 'wsrep_on'`)
		if err != nil {
			return err
		}
		if len(cluster) == 2 && isOn(cluster[1]) {
			ready, err := query(ctx, conn, `SHOW GLOBAL STATUS LIKE 'wsrep_ready'`)
			if err != nil {
				return err
			}
			if len(ready) != 2 || !isOn(ready[1]) {
				return errNotReady
			}
		}
	}
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return errors.New("the driver runs no statements")
	}
	if _, err = execer.ExecContext(ctx, session, nil); err != nil || !maria {
		return err
	}
	if _, err = execer.ExecContext(ctx, withoutSQL, nil); isNumber(err, denied...) {
		err = nil
	}
	return err
}

func isOn(text string) bool { return text != "0" && !strings.EqualFold(text, "OFF") }

// query returns the first row of a result, as texts.
func query(ctx context.Context, conn driver.Conn, sql string) ([]string, error) {
	queryer, ok := conn.(driver.QueryerContext)
	if !ok {
		return nil, errors.New("the driver runs no queries")
	}
	rows, err := queryer.QueryContext(ctx, sql, nil)
	if err != nil {
		return nil, err
	}
	values := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(values); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return nil, errors.Join(err, rows.Close())
	}
	texts := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case []byte:
			texts[i] = string(v)
		default:
			texts[i] = fmt.Sprint(v)
		}
	}
	return texts, rows.Close()
}

// lease is for how long a lease lasts that is not renewed.
func (c *Config) lease() time.Duration {
	if c.Lease <= 0 {
		return DefaultLease
	}
	return c.Lease
}

// deadline is how long after it began to be renewed a lease is used: its holder stops well before another may go on.
func (c *Config) deadline() time.Duration { return c.lease() * 2 / 3 }

// check refuses what names no server.
func (c *Config) check() error {
	if len(c.Addresses) == 0 || c.Schema == "" {
		return errors.New("the outbox on MySQL needs an address and a schema")
	}
	for _, address := range c.Addresses {
		if _, _, err := net.SplitHostPort(address); err != nil && !strings.HasPrefix(address, "/") {
			return fmt.Errorf("%q is no address: write host:port", address)
		}
	}
	return nil
}
