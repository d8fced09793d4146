package main

import (
	"crypto/tls"
	"net"

	"rowhook/config"
	"rowhook/connect"
)

// serverOf is the site's database server.
func serverOf(db config.Database) *connect.Server {
	c := connect.Config{User: db.User, Password: db.ReadPassword}
	c.Network, c.Address = db.Dial()
	if db.TLS.Mode != config.NoTLS {
		c.TLS = func() (*tls.Config, error) { return tlsOf("database.tls", db.TLS, hostOf(c.Address)) }
	}
	return connect.New(c)
}

// tlsOf is how connections to a host are secured; errors name the key in the configuration.
func tlsOf(key string, t config.TLS, host string) (*tls.Config, error) {
	roots, certificates, err := t.Read(key)
	if err != nil {
		return nil, err
	}
	return connect.TLS{
		Roots: roots, Certificates: certificates, ServerName: t.ServerName,
		AnyName: t.Mode == config.VerifyCA, Unverified: t.Mode == config.SkipVerify,
	}.Config(host), nil
}

// hostOf is the host of an address, for the name in a certificate.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}
