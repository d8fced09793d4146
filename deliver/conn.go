package deliver

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	// maxHead bounds the head of an answer, with all interim ones before it; maxBody what is read of its body, in bytes
	// as they come over the wire.
	maxHead = 64 << 10
	maxBody = 4 * maxDrain
	// writeAhead is how much is written before the answer is looked for; a receiver that refuses a longer request may say
	// so before it has read all, and read no more.
	writeAhead = 64 << 10
)

var errTooLong = errors.New("the head of the receiver's answer is too long")

// conn is a connection of a transport. Whoever took it, or dialed it, owns it.
type conn struct {
	net.Conn          // what is sent and received; over TLS where that is
	raw      net.Conn // below it
	to       origin
	in       *bufio.Reader
	since    time.Time // when it was last used

	left     int64       // bytes that may still be received
	answered bool        // something came over it since the request began
	failed   error       // why nothing more could be received
	broken   bool        // the request did not go out whole
	release  func() bool // ends the watch over the request's context; false when it has ended itself
}

// receiving is what a conn receives, within bounds.
type receiving struct{ *conn }

func (c receiving) Read(p []byte) (int, error) {
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
func (c *conn) close() { _ = c.raw.Close() }

// usable tells whether an idle connection is worth a request.
func (c *conn) usable(now time.Time) bool { return now.Sub(c.since) < idleTimeout && c.silent() }

// silent tells whether nothing was received: neither the end of the connection, nor an answer to a request that was never
// made. The next request would take that for its own, and it may be another rule's. Some servers send one when a
// connection was idle for long; a hostile one may send it behind every answer.
func (c *conn) silent() bool {
	sys, ok := c.raw.(syscall.Conn)
	if !ok {
		return true
	}
	control, err := sys.SyscallConn()
	if err != nil {
		return false
	}
	var got error
	err = control.Control(func(fd uintptr) { // Read would mind the deadline of the last request
		var b [1]byte
		_, _, got = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err == nil && errors.Is(got, syscall.EAGAIN) && (c.Conn == c.raw || c.decrypted())
}

// decrypted tells whether all that TLS received was read: with a deadline in the past a read gets no more than that.
func (c *conn) decrypted() bool {
	if c.raw.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	c.left = 1
	_, err := c.in.Peek(1)
	return timedOut(err)
}

// exchange makes a request over a connection and reads the head of the answer. Its body, once closed, decides what
// becomes of the connection; after an error it is closed.
func (t *transport) exchange(c *conn, req *http.Request, deadline time.Time) (*http.Response, error) {
	c.answered, c.failed, c.broken, c.left = false, nil, false, maxHead
	if err := c.SetDeadline(deadline); err != nil {
		c.close()
		return nil, err
	}
	c.release = context.AfterFunc(req.Context(), c.close)
	resp, err := t.writeAndRead(c, req)
	if err != nil {
		c.release()
		c.close()
		return nil, err
	}
	c.left = maxBody
	body := &body{ReadCloser: resp.Body, t: t, c: c, reuse: !resp.Close && !c.broken && resp.StatusCode >= 200}
	resp.Body = body
	return resp, nil
}

// writeAndRead writes a request and reads the head of its answer. A receiver may answer before it has read all of the
// request; what it says counts, also when it closed the connection and the rest could not be written.
func (t *transport) writeAndRead(c *conn, req *http.Request) (resp *http.Response, err error) {
	var unwritten error
	if req.ContentLength <= writeAhead {
		unwritten = t.write(c, req)
		resp, err = c.readHead(req)
	} else {
		written := make(chan error, 1)
		go func() { written <- t.writeLarge(c, req) }()
		resp, err = c.readHead(req)
		_ = c.raw.SetWriteDeadline(time.Unix(1, 0)) // it has its answer: what is not written by now is not needed
		unwritten = <-written
	}
	c.broken = unwritten != nil
	if unwritten != nil && !c.answered && !timedOut(err) {
		return nil, unwritten
	}
	return resp, err
}

// write writes a request, in one piece when it is not long.
func (t *transport) write(c *conn, req *http.Request) error {
	w, _ := t.writers.Get().(*bufio.Writer)
	defer t.writers.Put(w)
	w.Reset(c.Conn)
	if err := req.Write(w); err != nil {
		return err
	}
	return w.Flush()
}

// writeLarge is write for a body that is read piece by piece. When that fails it closes the connection: the receiver would
// wait for the rest.
func (t *transport) writeLarge(c *conn, req *http.Request) error {
	body := &watched{ReadCloser: req.Body}
	whole := *req
	whole.Body = body
	err := t.write(c, &whole)
	if body.failed != nil {
		c.close()
		return body.failed
	}
	return err
}

// readHead reads the head of the answer. Interim answers are passed over.
func (c *conn) readHead(req *http.Request) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(c.in, req)
		switch {
		case err != nil && errors.Is(c.failed, io.EOF) && c.answered:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, cmp.Or(c.failed, err) // the parser takes what it has for all there is
		case resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols:
			return resp, nil
		}
	}
}

// body is the body of an answer. When it was read to its end the connection is kept.
type body struct {
	io.ReadCloser
	t     *transport
	c     *conn // nil once it is closed
	reuse bool  // the receiver keeps the connection open
	whole bool  // read to its end
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.whole = b.whole || errors.Is(err, io.EOF)
	return n, err
}

// Close does not read on: what is left unread costs the connection.
func (b *body) Close() error {
	c := b.c
	if c == nil {
		return nil
	}
	b.c = nil
	if c.release() && b.whole && b.reuse && c.in.Buffered() == 0 {
		b.t.give(c)
	} else {
		c.close()
	}
	return nil
}
