// Package mysql is the outbox on a server that speaks MySQL's protocol: for installations in which one machine is not
// enough, or must not be the only one.
//
// Any number of processes may open the same schema. One holds the reader's lease and works; the others stand by in Open
// until it is theirs.
package mysql

import (
	"crypto/tls"
	"time"
)

// DefaultLease is how long a lease lasts that is not renewed. It outlives the six seconds for which a Galera cluster stalls
// while it evicts a node, so that leases do not move for that.
const DefaultLease = 15 * time.Second

// Config says where the outbox is.
type Config struct {
	Addresses []string      // "host:port", in order of preference: the first one that answers and takes writes is used; "/path" is a socket
	User      string        // it needs all rights on Schema, and on nothing else
	Password  string        //
	Schema    string        // it is made when it is not there, if User may; nobody else writes to it
	TLS       *tls.Config   // nil: none. Where it has no ServerName, the address's host is taken
	Lease     time.Duration // 0: DefaultLease
}
