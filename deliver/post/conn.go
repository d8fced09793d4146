package post

import (
	"bufio"
	"errors"
	"net"
	"syscall"
	"time"
)

const (
	// idleTimeout is how long a connection is kept that nobody uses.
	idleTimeout = 90 * time.Second
	// maxHead bounds the head of an answer, with all interim ones before it; maxBody what is read of its body, in bytes
	// as they come over the wire.
	maxHead = 64 << 10
	maxBody = 4 * maxDrain
	// writeAhead is how much of a payload is written before the answer is looked for; a receiver that refuses a longer one
	// may say so before it has read all, and read no more.
	writeAhead = 64 << 10
)

var errTooLong = errors.New("the head of the receiver's answer is too long")

// conn is a connection to a receiver. The sender that dialed it owns it, and while it rests its timer.
type conn struct {
	net.Conn                 // what is sent and received; over TLS where that is
	raw      net.Conn        // below it
	socket   syscall.RawConn // below that; nil: none
	in       *bufio.Reader
	cut      func()      // closes it, from any goroutine
	idle     *time.Timer // cuts it
	peeking  func(fd uintptr)
	peeked   error // what peeking came to

	left     int64 // bytes that may still be received
	answered bool  // something came over it since the request began
	failed   error // why nothing more can be received
}

func newConn(secured, raw net.Conn) *conn {
	c := &conn{Conn: secured, raw: raw, cut: func() { _ = raw.Close() }}
	c.in = bufio.NewReader(receiving{c})
	c.peeking = c.peek
	if s, ok := raw.(syscall.Conn); ok {
		c.socket, _ = s.SyscallConn() // which fails for a closed one only, as all else will
	}
	return c
}

// receiving is what a conn receives, within bounds.
type receiving struct{ *conn }

func (c receiving) Read(p []byte) (int, error) {
	if c.failed != nil {
		return 0, c.failed // a socket tells of a reset once only
	}
	if c.left <= 0 {
		c.failed = errTooLong
		return 0, errTooLong
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.answered = c.answered || n > 0
	c.failed = err
	return n, err
}

// close closes it without ceremony: TLS would wait to say goodbye.
func (c *conn) close() {
	if c.idle != nil {
		c.idle.Stop()
	}
	c.cut()
}

// rest lets it wait for the next request, for so long.
func (c *conn) rest() {
	if c.idle == nil {
		c.idle = time.AfterFunc(idleTimeout, c.cut)
		return
	}
	c.idle.Reset(idleTimeout)
}

// wake ends its rest. It is false when it rested for too long, and is closed.
func (c *conn) wake() bool { return c.idle.Stop() }

// silent tells whether nothing was received: neither the end of the connection, nor an answer to a request that was never
// made. The next request would take that for its own, and it may be another rule's. Some servers send one when a
// connection was idle for long; a hostile one may send it behind every answer.
func (c *conn) silent() bool {
	if c.socket == nil {
		return true
	}
	err := c.socket.Control(c.peeking) // Read would mind the deadline of the last request
	return err == nil && errors.Is(c.peeked, syscall.EAGAIN) && (c.Conn == c.raw || c.decrypted())
}

// peek looks at what is received next.
func (c *conn) peek(fd uintptr) {
	var b [1]byte
	_, _, c.peeked = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
}

// decrypted tells whether all that TLS received was read: with a deadline in the past a read gets no more than that.
func (c *conn) decrypted() bool {
	if c.raw.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	c.left, c.failed = 1, nil
	_, err := c.in.Peek(1)
	return timedOut(err)
}

// begin readies it for a request.
func (c *conn) begin(deadline time.Time) error {
	c.left, c.answered, c.failed = maxHead, false, nil
	return c.SetDeadline(deadline)
}

// request writes a request and reads its answer. A receiver may answer before it has read all of the request; what it says
// counts, also when it closed the connection and the rest could not be written.
func (c *conn) request(r *request, a *answer) error {
	if len(r.rest) > writeAhead {
		return c.requestLong(r, a)
	}
	unwritten := c.write(r)
	return c.after(unwritten, a, c.readAnswer(r.keep, a))
}

// requestLong reads while it writes.
func (c *conn) requestLong(r *request, a *answer) error {
	written := make(chan error, 1)
	go func() { written <- c.write(r) }()
	err := c.readAnswer(r.keep, a)
	_ = c.raw.SetWriteDeadline(time.Unix(1, 0)) // it has its answer: what is not written by now is not needed
	return c.after(<-written, a, err)
}

// after is what a request comes to that was written like that and answered like this.
func (c *conn) after(unwritten error, a *answer, err error) error {
	if unwritten == nil {
		return err
	}
	a.reuse = false
	if !c.answered && !timedOut(err) {
		return unwritten
	}
	return err
}

func (c *conn) write(r *request) (err error) {
	if len(r.rest) == 0 {
		_, err = c.Write(r.begin)
		return err
	}
	_, err = (&net.Buffers{r.begin, r.rest}).WriteTo(c.Conn) // one call where that is TCP
	return err
}
