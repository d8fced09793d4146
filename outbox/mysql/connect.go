package mysql

import (
	"cmp"
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"rowhook/connect"
)

// connector connects to the first address that answers and takes writes, beginning with the one that was used last, unless that
// hangs. Logging in and the session are package connect's: one policy for every connection of rowhook.
type connector struct {
	servers []*host
	schema  string
	timeout time.Duration // of a statement
	hang    time.Duration // without an answer to a ping, after which a server is taken for one that hangs; 0: it is not asked
	anyNode bool          // one that takes no writes will do if there is no other: for reading
	roads   *roads
	other   func() // is told that another server than before answers, before anything else is done there; nil: nobody is
}

func newConnector(cfg Config, anyNode bool) *connector {
	c := &connector{schema: cfg.Schema, timeout: cfg.deadline(), anyNode: anyNode, roads: newRoads(len(cfg.Addresses))}
	if len(cfg.Addresses) > 1 { // or there is nothing better than to wait
		c.hang = cfg.hang()
	}
	for _, address := range cfg.Addresses {
		c.servers = append(c.servers, &host{Server: cfg.server(address)})
	}
	return c
}

// server is the one at an address.
func (c *Config) server(address string) *connect.Server {
	s := connect.Config{Key: "outbox.mysql", Address: address, User: c.User, Password: c.Password}
	if strings.HasPrefix(address, "/") {
		s.Network = "unix"
	} else if c.TLS != nil {
		name, _, _ := net.SplitHostPort(address) // check has split it
		s.TLS = func() (*tls.Config, error) { return c.TLS(name) }
	}
	return connect.New(s)
}

// without is the same one, for connections that have no schema.
func (c *connector) without() *connector {
	one := *c
	one.schema = ""
	return &one
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
	errUnwritable = errors.New("it takes no writes")
	errReadOnly   = fmt.Errorf("%w: the server is read-only", errUnwritable)
	errSession    = errors.New("what is between here and the server, a proxy perhaps, has changed the session: texts would be read in another way than they are written")
	errNotReady   = fmt.Errorf("%w: the cluster's node is not ready (wsrep_ready)", errUnwritable)
)

// Connect implements driver.Connector. An address that hangs does not keep the others waiting: only when none lets us in soon are they
// given more time.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.connect(ctx, cmp.Or(c.hang, dialTimeout))
	if err != nil && c.hang > 0 && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		conn, err = c.connect(ctx, dialTimeout)
	}
	return conn, err
}

func (c *connector) connect(ctx context.Context, patience time.Duration) (driver.Conn, error) {
	var errs []error
	for _, reading := range []bool{false, true} {
		if reading && (!c.anyNode || !errors.Is(errors.Join(errs...), errUnwritable)) {
			break
		}
		first := c.roads.first()
		for i := range c.servers {
			at := (first + i) % len(c.servers)
			conn, err := c.dial(ctx, at, patience, reading)
			if err == nil {
				c.roads.use(at)
				return conn, nil
			}
			errs = append(errs, fmt.Errorf("%s: %w", c.servers[at].Config().Address, err))
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	return nil, errors.Join(errs...)
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return mysql.MySQLDriver{} }

// dial opens a connection that can be worked with.
func (c *connector) dial(ctx context.Context, at int, patience time.Duration, reading bool) (driver.Conn, error) {
	if c.hang > 0 { // for all that is asked until then
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	host := c.servers[at]
	times := host.left.Load()
	conn, err := c.login(ctx, at, patience, func(conn net.Conn) net.Conn { return c.roads.open(conn, at) })
	if err != nil {
		return nil, err
	}
	s := &session{driverConn: conn, host: host, times: times}
	if err := c.greet(ctx, s, reading); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

// login opens a connection.
func (c *connector) login(ctx context.Context, at int, patience time.Duration, with func(net.Conn) net.Conn) (driverConn, error) {
	cfg := mysql.NewConfig()
	cfg.Addr, cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = "server", patience, c.timeout, c.timeout
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := c.servers[at].DialToWrite(ctx)
		if err != nil {
			return nil, err
		}
		return with(conn), nil
	}
	cfg.MultiStatements, cfg.InterpolateParams = true, true
	cfg.ClientFoundRows = true // else an UPDATE that changes nothing looks as if we were fenced
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
	inside, ok := conn.(driverConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's connections are other ones: %T", conn), conn.Close())
	}
	return inside, nil
}

// withoutSQL is for those who have the right, BINLOG ADMIN: Annotate_rows would write each payload to the log twice. Who has not is
// not told so: a connection on which something was denied is not used again.
const withoutSQL = `BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; SET SESSION binlog_annotate_row_events = 0; END`

// patience has the server end the session of a process that was frozen within a transaction, which holds locks that others wait for.
// MySQL has no such limit for a transaction alone, only one for a session.
func (c *connector) patience(maria bool) string {
	seconds := max(1, int(c.timeout/time.Second))
	if maria {
		return fmt.Sprint("SET SESSION idle_write_transaction_timeout = ", seconds)
	}
	return fmt.Sprint("SET SESSION wait_timeout = ", max(30, 2*seconds))
}

// causal makes a node of a cluster have all that was committed anywhere before it does what it is told, be it outside of a transaction
// or its beginning: connections of one process may lead to different nodes. On three nodes of one machine that costs a look nothing that
// could be told from noise, of half a millisecond.
const causal = `SET SESSION wsrep_sync_wait = 7`

// itself is what tells a server from others, whatever address leads to it. MariaDB has no @@server_uuid.
const itself = `CONCAT_WS(' ', @@hostname, @@port, @@server_id, @@datadir)`

// greet enters the schema, and refuses a server that takes no writes.
func (c *connector) greet(ctx context.Context, conn *session, reading bool) error {
	found, err := query(ctx, conn, `SELECT VERSION(), @@GLOBAL.read_only, CONCAT(@@SESSION.character_set_client, LENGTH('\\')), `+itself)
	if err != nil {
		return err
	}
	if len(found) != 4 {
		return errors.New("the server does not tell its version")
	}
	if found[2] != "binary2" {
		return errSession
	}
	if !reading && isOn(found[1]) {
		return errReadOnly
	}
	maria := strings.Contains(found[0], "MariaDB")
	if maria {
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
				conn.leave()
				return errNotReady
			}
			if err := execute(ctx, conn, causal); err != nil {
				return err
			}
			conn.node = true
		}
	}
	if !reading && !conn.node && c.roads.meet(found[3]) && c.other != nil {
		c.other()
	}
	if c.schema != "" {
		if err := execute(ctx, conn, "USE "+quoteName(c.schema)); err != nil {
			return err
		}
	}
	if err := execute(ctx, conn, c.patience(maria)); err != nil || !maria {
		return err
	}
	return execute(ctx, conn, withoutSQL)
}

// execute runs a statement.
func execute(ctx context.Context, conn *session, stmt string) error {
	_, err := conn.ExecContext(ctx, stmt, nil)
	return err
}

func isOn(text string) bool { return text != "0" && !strings.EqualFold(text, "OFF") }

// query returns the first row of a result, as texts.
func query(ctx context.Context, conn *session, sql string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, sql, nil)
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

// pools are a store's connections.
type pools struct {
	writes *sql.DB // one, for what is written
	beats  *sql.DB // one for the lease: a renewal waits for no commit
	polls  *sql.DB // one for what is looked at all the time
	reads  *sql.DB
	to     *connector
}

func openPools(c *connector) pools { return pools{pool(c, 1), pool(c, 1), pool(c, 1), pool(c, 8), c} }

func pool(c *connector, most int) *sql.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxLifetime(connect.Lifetime)
	return db
}

func (p pools) close() error {
	return errors.Join(p.writes.Close(), p.beats.Close(), p.polls.Close(), p.reads.Close())
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

// hang is how long a server may take to answer a ping where there are other addresses: so short that two that hang can be passed over
// before the deadline.
func (c *Config) hang() time.Duration { return c.lease() / 5 }

// silence is after how long of it a lease is taken for free, and a member for dead: later than those stop by themselves, and so much
// before a lease is over that what is to be done by another one is done by then.
func (c *Config) silence() time.Duration { return c.lease() * 4 / 5 }

// ended tells whether nobody works under the name of who has the lease.
func (c *Config) ended(owner string) bool { return owner == "" || owner == c.Former }

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
