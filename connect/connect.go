// Package connect opens every connection to a database server: those of the pool and the one that the binary log comes over,
// to the site's, and those that write to the outbox, where a server holds that.
//
// It logs in by itself, whichever library uses the connection afterwards. So there is one place that decides what is said
// to a server that may be somebody else: the password is read anew for each login, and never leaves in plain text or
// under a stranger's key; what comes back is bounded and checked before a library parses it; and the session is the same
// whatever the server's defaults are (session.go).
package connect

import (
	"cmp"
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Config is where a server is, and how to log in.
type Config struct {
	Network  string // tcp or unix; empty: tcp
	Address  string // host:port, or the path of a socket
	User     string
	Key      string                 // where this stands in the configuration, for advice; empty: database
	Password func() (string, error) // asked for each login, so that one that was changed is taken up; nil: none
	// TLS is asked for each login, so that certificates that were renewed are taken up; nil, or one that is: none.
	TLS func() (*tls.Config, error)
	// Resolver finds the addresses of the server's name; nil: as this machine does.
	Resolver *net.Resolver
	Pace     Pace // at which the name is looked up again
}

// Password is a password that does not change.
func Password(text string) func() (string, error) {
	return func() (string, error) { return text, nil }
}

// Server is a database server. It is safe for concurrent use.
type Server struct {
	mu      sync.Mutex
	cfg     Config
	lacking map[string]bool // variables that this server does not have
	road    Road            // of the last login
	pool    *sql.DB         // made last; nil: none

	generation int // of connections; those of earlier ones are not used again

	open func(ctx context.Context, network, address string) (net.Conn, error)
}

// Road is what lies between us and the server.
type Road struct {
	Away    bool // it is another machine
	Secured bool // by TLS
	Proven  bool // that it is the server, by its certificate
	Offered bool // TLS, by the server
}

// Road is how the last login went.
func (s *Server) Road() Road {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.road
}

// saw keeps how a login went.
func (s *Server) saw(l *login) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.road = Road{Away: !l.near(), Secured: l.tls != nil, Proven: l.tls != nil && verifies(l.tls), Offered: l.greeting.capabilities&useTLS != 0}
}

// New describes a server. Nothing is connected yet.
func New(cfg Config) *Server {
	cfg.Network, cfg.Key = cmp.Or(cfg.Network, "tcp"), cmp.Or(cfg.Key, "database")
	if cfg.Password == nil {
		cfg.Password = Password("")
	}
	dialer := &net.Dialer{Resolver: cfg.Resolver}
	return &Server{cfg: cfg, lacking: map[string]bool{}, open: dialer.DialContext}
}

// Config is how the server is reached now.
func (s *Server) Config() Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg
}

// SetLogin changes the user and the password for logins from now on.
func (s *Server) SetLogin(user string, password func() (string, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.User, s.cfg.Password = user, password
}

const (
	loginTimeout = 10 * time.Second
	readTimeout  = 2 * time.Minute // of a pool's connection; its statements end on the server by then (session.go)
	writeTimeout = 30 * time.Second
)

// Lifetime of a pool's connections. Global privileges are those of the login, and the address may be another server's by now: so
// long it takes until that is noticed.
const Lifetime = time.Minute

// Pool makes a pool of connections to the server. It connects when it is used.
func (s *Server) Pool() *sql.DB {
	db := sql.OpenDB(connector{s})
	db.SetMaxOpenConns(mostPooled)
	db.SetMaxIdleConns(keptIdle)
	db.SetConnMaxLifetime(Lifetime)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pool = db
	return db
}

// connector opens the connections of a pool.
type connector struct{ server *Server }

// Connect is driver.Connector's.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	cfg := mysql.NewConfig()
	cfg.Addr, cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = "server", 2*loginTimeout, readTimeout, writeTimeout
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return c.server.dial(ctx, sideSession) }
	cfg.Logger = silent{} // what it has to say comes back as an error, too
	made, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("preparing a connection: %w", err)
	}
	return made.Connect(ctx)
}

// Driver is driver.Connector's.
func (connector) Driver() driver.Driver { return mysql.MySQLDriver{} }

// silent is the driver's logger, which would write to stderr past ours.
type silent struct{}

func (silent) Print(...any) {}

// DialLog opens a connection for the binary log. Who uses it must log in as any user with an empty password: that is for
// form, and does not reach the server.
func (s *Server) DialLog(ctx context.Context) (*LogConn, error) {
	conn, err := s.dial(ctx, logSession)
	if err != nil {
		return nil, err
	}
	return &LogConn{Conn: conn, watch: s.watchName(context.WithoutCancel(ctx), s.Config(), conn)}, nil
}

// DialToWrite opens a connection for our own schema. Its session is strict, each statement commits by itself unless it is in a
// transaction, READ COMMITTED, and several statements may go in one packet. Texts in them are bytes, in which a backslash is a character
// like others. Who uses it must log in as DialLog says.
func (s *Server) DialToWrite(ctx context.Context) (net.Conn, error) { return s.dial(ctx, writeSession) }

// dialOnce connects, logs in and prepares the session.
func (s *Server) dialOnce(ctx context.Context, kind sessionKind) (net.Conn, error) {
	s.mu.Lock()
	cfg, generation := s.cfg, s.generation
	s.mu.Unlock()
	password, err := cfg.Password()
	if err != nil {
		return nil, &FileError{err}
	}
	var secure *tls.Config
	if cfg.TLS != nil {
		if secure, err = cfg.TLS(); err != nil {
			return nil, &FileError{err}
		}
	}
	raw, err := s.open(ctx, cfg.Network, cfg.Address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	l := &login{cfg: cfg, kind: kind, tls: secure, password: password, raw: raw, packets: packets{conn: raw}}
	if err = l.run(ctx); err == nil {
		s.saw(l)
		err = s.prepare(&l.packets, kind)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = l.conn.Close()
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		return nil, err
	}
	c := newConn(l)
	c.isOld = func() bool { return s.isOld(generation) }
	return c, nil
}
