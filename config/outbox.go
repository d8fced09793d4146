package config

import (
	"strconv"
	"strings"
	"time"
)

// Outbox is where deliveries and the position are kept: in a file in StateDir, or on a server that several machines share.
type Outbox struct {
	MySQL OutboxServer `yaml:"mysql"` // on a server that several machines share
}

// OutboxServer is a MariaDB or MySQL that holds the outbox.
type OutboxServer struct {
	Addresses Strings       `yaml:"addresses"` // as Database.Address, the nodes of a cluster in the order in which they are tried; none: the outbox is in StateDir
	User      string        `yaml:"user"`      // of its own, with all rights in schema
	Password  string        `yaml:"password"`  // as of the database
	Schema    string        `yaml:"schema"`    // for rowhook alone
	TLS       TLS           `yaml:"tls"`       // as of the database
	Lease     time.Duration `yaml:"lease"`     // after which another machine goes on when this one is silent

	login login
}

// Used says whether the outbox is on a server.
func (s OutboxServer) Used() bool { return len(s.Addresses) > 0 }

// ReadPassword is the password as it is now: its files may have changed since the configuration was read.
func (s OutboxServer) ReadPassword() (string, error) { return s.login.read(s.Password) }

// SecretFiles are the files that hold what the login needs: the password and the private key.
func (s OutboxServer) SecretFiles() []string { return s.login.secretFiles }

// Dials are where the server or the nodes of the cluster listen, as Database.Dial tells it of one.
func (s OutboxServer) Dials() (all [][2]string) {
	for _, written := range s.Addresses {
		network, address := dial(written)
		all = append(all, [2]string{network, address})
	}
	return all
}

// check records what is wrong, where the file says that a server holds the outbox.
func (s OutboxServer) check(src *Source) {
	const key = "outbox.mysql"
	if !s.Used() {
		if src.Has(key) && !src.Has(key+".addresses") {
			src.Faultf(key, "names no server; write addresses: [host:3306], or remove outbox for the file in state_dir")
		}
		return
	}
	network := "unix"
	for i, written := range s.Addresses {
		at := key + ".addresses"
		if src.Has(at + "[0]") {
			at += "[" + strconv.Itoa(i) + "]"
		}
		checkAddress(src, at, written)
		if n, _ := dial(written); n == "tcp" {
			network = n
		}
	}
	if s.User == "" {
		src.Faultf(key+".user", "is missing; name the user that rowhook connects to the outbox as, one of its own")
	}
	if s.Schema == "" || len(s.Schema) > 64 || strings.ContainsAny(s.Schema, "`\x00/\\.") {
		src.Faultf(key+".schema", "must be the name of a database for rowhook alone")
	}
	src.within(key+".lease", s.Lease, time.Second, time.Hour)
	s.TLS.check(src, key+".tls", network)
}
