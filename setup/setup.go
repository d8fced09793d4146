// Package setup is what `rowhook init` does: it finds the plugin's sites in the databases of WordPress installs, and makes what
// rowhook needs to follow them: the user's grants, the lines for the server, a configuration. It never writes to a site.
package setup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"rowhook/cdc"
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
}

// Look asks the server of the installs, as their own user, what it is and which sites have the plugin. All installs must have
// the same server. It only reads.
func Look(ctx context.Context, installs []*wpconfig.Config) (*Server, error) {
	found := &Server{}
	taken := map[string]bool{}
	for _, c := range installs {
		address := wpconfig.Address(c.Host, wpconfig.Sockets())
		if found.Address == "" {
			found.Address = address
		} else if found.Address != address {
			return nil, fmt.Errorf("%s is at the database server %s, and the installs before it are at %s; one rowhook follows one server: "+
				"run init for each with another --config", c.File, address, found.Address)
		}
		if err := found.install(ctx, c, taken); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// install looks at one install.
func (s *Server) install(ctx context.Context, c *wpconfig.Config, taken map[string]bool) error {
	server := dial(s.Address, c.User, c.Password)
	db := server.Pool()
	defer db.Close()
	if s.Host == "" {
		if err := s.survey(ctx, server, db); err != nil {
			return fmt.Errorf("asking the database server at %s, as user %s of %s: %w; %s", s.Address, c.User, c.File, err, server.Advice(err))
		}
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

// dial describes a server as somebody's.
func dial(address, user, password string) *connect.Server {
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	return connect.New(connect.Config{Network: network, Address: address, User: user, Password: connect.Password(password)})
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
