// Package mysql is the outbox on a server that speaks MySQL's protocol: for installations in which one machine is not
// enough, or must not be the only one.
//
// Any number of processes may work on the same schema. One holds the reader's lease, as Store: it alone writes the tables. The
// others deliver, as Member, to the endpoints that the holder gives them, and hand over what became of deliveries. Nobody compares
// clocks: a contender watches the lease's beat with its own, and the holder that of each member; who is silent for four fifths of a
// lease is taken for dead. It has stopped by then by itself, after two thirds of that without a renewal.
//
// What makes that safe whatever stops, hangs or comes back late is the fence: the one row of the table state, which says the
// epoch of the lease and counts the transactions. Each transaction begins with a write of that row that fails unless both are
// as the writer knows them. So the tables can be looked at first and written afterwards, and:
//
//   - the fence is a write, not a lock: a Galera cluster certifies what was written, and knows nothing of another node's locks;
//   - a transaction is one packet: a process that was frozen in the middle of one would hold its locks, and nobody could take over;
//   - a commit whose answer was lost is decided by taking the lease once more, which writes the same row: afterwards seq tells
//     whether it was stored, for good;
//   - members need no right to write what the holder knows: they append to a table of their own, in a packet that begins with a write
//     of each endpoint's share. The share's epoch refuses those that another process has taken over, and its counter tells whether
//     what was lost on the way had arrived. The holder records what they appended and removes it in one transaction (steward);
//   - a payload has a row of its own: InnoDB reads a large value whole, so neither a commit's payloads in one nor a payload
//     beside what lists look at would do;
//   - a takeover from one that did not release the lease leaves a gap in all numbers: another server may be in the place of the one
//     that was written to, and lack its last commits, of which receivers and processes still know the numbers;
//   - to a session texts are bytes, and a backslash is a character like others (package connect): half of what a commit takes the server
//     is reading its statements, and it looks for characters and escapes in each payload otherwise;
//   - Annotate_rows is off where the user may turn it off: it would write each payload to the binary log twice.
package mysql

import (
	"crypto/tls"
	"time"
)

// DefaultLease is how long a lease lasts that is not renewed. A Galera cluster stalls for six seconds while it evicts a node, so it
// needs a longer one if leases are not to move for that.
const DefaultLease = 5 * time.Second

// Config says where the outbox is.
type Config struct {
	Addresses []string // "host:port", in order of preference: the first one that answers and takes writes is used; "/path" is a socket
	User      string   // it needs all rights on Schema, and on nothing else
	// Password and TLS are asked for each login, so that what was changed or renewed is taken up; nil: none. Where the TLS has no
	// ServerName, the host of the address that it is asked for is to be in it.
	Password func() (string, error)
	TLS      func(host string) (*tls.Config, error)
	Schema   string        // it is made when it is not there, if User may; nobody else writes to it
	Lease    time.Duration // 0: DefaultLease
	Who      Who           // what Open tells the other processes of this one
	Beside   *Member       // has watched the lease: Open takes it when it has stood still for that one for long enough, and Join goes on watching
	Former   string        // the Name of a Store of this process that is closed: it may have lost the lease, and left it under that name
	NoWait   bool          // Open waits for nothing: the error is outbox.ErrLocked when another process is seen to hold the lease
}
