// Package setup is what `rowhook init` does: it finds the plugin's sites in the databases of WordPress installs, and makes what
// rowhook needs to follow them: the user's grants, the lines for the server, a configuration. It never writes to a site.
package setup

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/connect"
	"rowhook/wordpress/wpconfig"
)

// Site is an install of WordPress, or one site of a network, that has the plugin.
type Site struct {
	Name    string // in the configuration
	Schema  string
	Prefix  string
	Root    string
	Charset string // DB_CHARSET, empty where it is UTF-8

	server *connect.Server // as WordPress' own user
}

// Pool is a pool of connections to the site's server, as WordPress' own user. It is for reading.
func (s Site) Pool() *sql.DB { return s.server.Pool() }

// Server is the database server of the installs, and what was found on it.
type Server struct {
	Address string
	Host    string // that its users come from when they are here
	Survey  cdc.Survey
	Sites   []Site
	TLS     config.TLS // that logging in takes; the zero TLS is none

	self   string // what the server says of itself, which no other one does
	socket string // where it listens on its own machine, by what it says
}

// Look asks the server of the installs, as their own user, what it is and which sites have the plugin. All installs must have
// the same server. It only reads. The authority's file is for a server that wants TLS, empty for authorities that this machine knows.
func Look(ctx context.Context, installs []*wpconfig.Config, authority string) (*Server, error) {
	found := &Server{TLS: config.TLS{CAFile: authority}}
	taken := map[string]bool{}
	for _, c := range installs {
		if err := found.install(ctx, c, taken); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// install looks at one install.
func (s *Server) install(ctx context.Context, c *wpconfig.Config, taken map[string]bool) error {
	address := wpconfig.Address(c.Host, wpconfig.Sockets())
	server, err := s.enter(ctx, address, Account{User: c.User, Password: c.Password}, c.TLS)
	if err != nil {
		return fmt.Errorf("asking the database server at %s, as user %s of %s: %w; %s", address, c.User, c.File, err, adviceFor(c, server, err))
	}
	db := server.Pool()
	defer db.Close()
	self, socket, err := selfOf(ctx, db)
	switch {
	case err != nil:
	case s.self == "":
		s.Address, s.self, s.socket = address, self, socket
		err = s.survey(ctx, server, db)
	case s.self != self: // one server may have several addresses: localhost, which is a socket, and 127.0.0.1
		return fmt.Errorf("%s is at the database server %s, and the installs before it are at another one, %s; one rowhook follows one server: "+
			"run init for each with another --config", c.File, address, s.Address)
	}
	if err != nil {
		return fmt.Errorf("asking the database server at %s, as user %s of %s: %w; %s", address, c.User, c.File, err, server.Advice(err))
	}
	sites, err := sitesOf(ctx, db, c)
	if err != nil {
		return fmt.Errorf("looking for the plugin's tables in schema %s, as user %s of %s: %w; %s", c.Name, c.User, c.File, err, server.Advice(err))
	}
	for _, site := range sites {
		if slices.ContainsFunc(s.Sites, func(o Site) bool { return o.Schema == site.Schema && o.Prefix == site.Prefix }) {
			continue // named twice
		}
		base := site.Name
		for n := 2; taken[site.Name]; n++ {
			site.Name = base[:min(len(base), longestName-4)] + "-" + strconv.Itoa(n)
		}
		taken[site.Name], site.server = true, server
		s.Sites = append(s.Sites, site)
	}
	return nil
}

// adviceFor is what to do about an error of WordPress' own login.
func adviceFor(c *wpconfig.Config, server *connect.Server, err error) string {
	switch connect.CauseOf(err) {
	case connect.Denied:
		return "see that DB_USER and DB_PASSWORD of " + c.File + " are right, and that the server lets that user in from this machine; or give others with --value; a user who REQUIREs SSL needs --ca-file"
	case connect.Insecure:
		if c.TLS {
			return "WordPress asks for TLS (MYSQL_CLIENT_FLAGS of " + c.File + "): name the file of the authority that signed the server's certificate (the server's ssl_ca, ca.pem, or the provider's bundle) with --ca-file"
		}
		return "the server wants TLS: name the file of the authority that signed its certificate (the server's ssl_ca, ca.pem, or the provider's bundle) with --ca-file"
	case connect.Unreachable:
		return "see that the server runs, and that DB_HOST of " + c.File + " is where it listens from here; or give another with --value"
	}
	return server.Advice(err)
}

// enter logs in to the server at an address: as it stands, and where that is not safe enough by TLS, which then is how all log in.
// With an authority's file, or where WordPress itself asks for it, it is TLS at once.
func (s *Server) enter(ctx context.Context, address string, a Account, byTLS bool) (*connect.Server, error) {
	ways := []config.TLS{s.TLS}
	if file := s.TLS.CAFile; s.TLS.Mode == "" {
		ways = []config.TLS{{}, {Mode: config.VerifyFull}}
		switch {
		case file != "":
			ways = []config.TLS{{Mode: config.VerifyFull, CAFile: file}, {Mode: config.VerifyCA, CAFile: file}}
		case byTLS:
			ways = ways[1:]
		}
	}
	var first error
	for _, way := range ways {
		server := dial(address, a.User, a.Password, way)
		err := reach(ctx, server)
		if err == nil {
			if !isSocket(address) {
				s.TLS = config.TLS{Mode: way.Mode, CAFile: s.TLS.CAFile}
			}
			return server, nil
		}
		cause := connect.CauseOf(err)
		if first == nil || cause == connect.Denied {
			first = err
		}
		switch cause {
		case connect.Insecure, connect.Denied: // also a user who REQUIREs SSL
		default:
			return server, first
		}
	}
	return dial(address, a.User, a.Password, ways[0]), first
}

// reach logs in once.
func reach(ctx context.Context, server *connect.Server) error {
	db := server.Pool()
	defer db.Close()
	return db.PingContext(ctx)
}

// dial describes a server as somebody's.
func dial(address, user, password string, way config.TLS) *connect.Server {
	c := connect.Config{Network: "tcp", Address: address, User: user, Password: connect.Password(password)}
	switch {
	case isSocket(address):
		c.Network = "unix"
	case way.Mode != "" && way.Mode != config.NoTLS:
		c.TLS = func() (*tls.Config, error) {
			roots, _, err := way.Read("--ca-file")
			host, _, _ := net.SplitHostPort(address)
			return connect.TLS{Roots: roots, AnyName: way.Mode == config.VerifyCA}.Config(host), err
		}
	}
	return connect.New(c)
}

func isSocket(address string) bool { return strings.HasPrefix(address, "/") }

// selfOf is what a server says of itself, which no other server does, and the socket that it says it listens at.
func selfOf(ctx context.Context, db *sql.DB) (self, socket string, err error) {
	const says = "SELECT CONCAT_WS(' ', @@hostname, @@port, @@datadir, @@server_id), COALESCE(@@socket, '')"
	if err := db.QueryRowContext(ctx, says).Scan(&self, &socket); err != nil {
		return "", "", err
	}
	var unique string // of MySQL; two of a hosting may be the same in all else
	const unknownVariable = 1193
	err = db.QueryRowContext(ctx, "SELECT @@server_uuid").Scan(&unique)
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == unknownVariable {
		err = nil
	}
	return self + " " + unique, socket, err
}

// survey finds out what the server is.
func (s *Server) survey(ctx context.Context, server *connect.Server, db *sql.DB) error {
	source, err := cdc.Open(ctx, db, cdc.Config{Server: server, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	s.Survey, err = source.Preflight().Survey(ctx)
	if err = errors.Join(err, source.Close()); err != nil {
		return err
	}
	var user string // with the host as the server sees it, not as the account names it
	if err := db.QueryRowContext(ctx, "SELECT USER()").Scan(&user); err != nil {
		return err
	}
	s.Host = user[strings.LastIndexByte(user, '@')+1:]
	return nil
}
