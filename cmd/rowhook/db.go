package main

import (
	"crypto/tls"
	"net"

	"rowhook/cdc/connect"
	"rowhook/config"
)

// serverOf is the site's database server.
func serverOf(db config.Database) *connect.Server {
	c := connect.Config{User: db.User, Password: db.ReadPassword}
	c.Network, c.Address = db.Dial()
	switch db.TLS {
	case "true":
		c.TLS = &tls.Config{ServerName: hostOf(c.Address), MinVersion: tls.VersionTLS12}
	case "skip-verify":
		c.TLS = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // the operator asked for it
	}
	return connect.New(c)
}

// hostOf is the host of an address, for the name in a certificate.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}
