package connect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// conn is a connection that is logged in, for a library that wants to log in itself: it hears a greeting and is let in,
// whatever it says, with what was agreed with the server. Then it talks to the server, whose answers are looked at first.
type conn struct {
	net.Conn
	raw   syscall.Conn // the socket; nil: it has none
	isOld func() bool  // it is not to be used again

	script []byte // what the library hears before it is let in
	said   []byte // by the library until then; nil: it is in

	mu     sync.Mutex // one reads while another writes
	check  answerCheck
	stream bool // the log comes, which cdc looks at itself
	stale  bool // something was denied that may have been granted since the login
}

// newConn hands a login over to a library.
func newConn(l *login) *conn {
	c := &conn{Conn: l.conn, script: l.welcome(), said: []byte{}}
	c.raw, _ = l.raw.(syscall.Conn)
	return c
}

// welcome is a greeting of what was agreed. Its login is one that every library knows.
func (l *login) welcome() []byte {
	const challenge = "no challenge at all!" // the empty password needs none
	capabilities := l.agreed &^ useTLS
	b := append([]byte{10}, cut(l.greeting.version)...)
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint32(b, l.greeting.connection)
	b = append(append(b, challenge[:8]...), 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(capabilities))
	b = append(b, utf8mb4)
	b = binary.LittleEndian.AppendUint16(b, l.greeting.status)
	b = binary.LittleEndian.AppendUint16(b, uint16(capabilities>>16))
	b = append(b, challengeSize+1)
	b = append(b, make([]byte, 10)...)
	b = append(append(b, challenge[8:]...), 0)
	return packet(0, append(append(b, nativePassword...), 0))
}

// Read is net.Conn's.
func (c *conn) Read(b []byte) (int, error) {
	if len(c.script) > 0 {
		n := copy(b, c.script)
		c.script = c.script[n:]
		return n, nil
	}
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream || n == 0 {
		return n, err
	}
	if bad := c.check.see(b[:n]); bad != nil {
		_ = c.Close()
		return 0, bad
	}
	c.stale = c.stale || c.check.denied
	return n, err
}

// Write is net.Conn's.
func (c *conn) Write(b []byte) (int, error) {
	if c.said != nil {
		return len(b), c.letIn(b)
	}
	const dump, dumpGTID = 18, 30
	c.mu.Lock()
	if len(b) > packetHead && b[packetHead-1] == 0 { // the libraries write a command whole
		c.check = answerCheck{first: true}
		c.stream = b[packetHead] == dump || b[packetHead] == dumpGTID
	}
	c.mu.Unlock()
	return c.Conn.Write(b)
}

// letIn takes what a library says to log in, until that is all.
func (c *conn) letIn(b []byte) error {
	c.said = append(c.said, b...)
	if len(c.said) > mostLogin {
		return errors.New("the introduction is too long")
	}
	if len(c.said) < packetHead || len(c.said)-packetHead < packetSize([packetHead]byte(c.said)) {
		return nil
	}
	const autocommit = 2
	c.script = packet(c.said[packetHead-1]+1, []byte{packetOK, 0, 0, autocommit, 0, 0, 0})
	c.said = nil
	return nil
}

// errStale says that a connection is not for use any more: a session keeps the global privileges of its login, and a
// connection the address to which the server's name led then.
var errStale = errors.New("this connection is of another time: a new one may have more privileges, or lead to another machine")

// SyscallConn is the socket, for a library that looks whether the server ended the connection before it uses it again.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stale || c.isOld() {
		return nil, errStale
	}
	if c.raw == nil {
		return nil, errors.ErrUnsupported
	}
	return c.raw.SyscallConn()
}

// answerCheck looks at the packets of an answer, for what a library would stumble over: packets that are empty, and
// a number of columns that no table has, for which it would take memory.
type answerCheck struct {
	first bool // the next packet is the answer's first
	head  [packetHead]byte
	heads int // bytes of head
	left  int // of the packet's payload
	more  bool
	begin []byte // of the first packet

	denied bool // by the first packet
}

// mostColumns is more than a table can have.
const mostColumns = 4096

// see looks at what comes next.
func (a *answerCheck) see(b []byte) error {
	for len(b) > 0 {
		if a.heads < packetHead {
			n := copy(a.head[a.heads:], b)
			a.heads, b = a.heads+n, b[n:]
			if a.heads < packetHead {
				return nil
			}
			a.left = packetSize(a.head)
			if a.left == 0 && !a.more {
				return fmt.Errorf("%w: an empty packet", errMalformed)
			}
			a.more = a.left == 1<<24-1
		}
		n := min(a.left, len(b))
		if a.first {
			a.begin = append(a.begin, b[:min(n, 9-len(a.begin))]...)
		}
		a.left, b = a.left-n, b[n:]
		if a.left > 0 {
			return nil
		}
		a.heads = 0
		if a.first {
			a.first = false
			a.denied = isDenial(a.begin)
			if err := checkFirst(a.begin); err != nil {
				return err
			}
		}
	}
	return nil
}

// isDenial says whether the first packet of an answer is an error for want of a privilege.
func isDenial(b []byte) bool {
	const ofSchema, ofTable, ofColumn, global = 1044, 1142, 1143, 1227
	if len(b) < 3 || b[0] != packetERR {
		return false
	}
	switch binary.LittleEndian.Uint16(b[1:]) {
	case ofSchema, ofTable, ofColumn, global:
		return true
	}
	return false
}

// checkFirst looks at the first packet of an answer: done, an error, or how many columns the rows have.
func checkFirst(b []byte) error {
	switch b[0] {
	case packetOK, packetEOF, packetERR:
		return nil
	case packetFile:
		return fmt.Errorf("%w: it asks for a file of this machine", errMalformed)
	case 0xfc:
		if len(b) == 3 && binary.LittleEndian.Uint16(b[1:]) <= mostColumns {
			return nil
		}
	default:
		if len(b) == 1 && b[0] < packetFile {
			return nil
		}
	}
	return fmt.Errorf("%w: rows of too many columns", errMalformed)
}
