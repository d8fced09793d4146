package post

import (
	"cmp"
	"errors"
	"io"
	"net/http"
)

// An answer that came whole and is in no way unusual, which is what nearly all are, is read by parse. Everything else is
// net/http's, which reads the same bytes, as parse takes nothing before it has all. FuzzParse holds the two against each
// other: what parse understands, net/http understands in the same way.

const (
	// maxLook is how much of an answer's body is searched for secrets before it is cut to maxText, and maxDrain how much is
	// read so that the connection can be used again.
	maxLook  = 24 << 10
	maxDrain = 64 << 10
)

// answer is what a receiver said.
type answer struct {
	status     int
	retryAfter string // the field of that name
	text       []byte // the body or its beginning; in the connection's buffer, so only until its next request
	reuse      bool   // the connection may be used again
}

// readAnswer reads an answer. Without keep its text is of no interest, and may be missing.
func (c *conn) readAnswer(keep bool, a *answer) error {
	for {
		seen, _ := c.in.Peek(c.in.Buffered())
		size, form := parse(seen, a)
		switch {
		case form == usual:
			_, err := c.in.Discard(size)
			return err
		case form == unusual || len(seen) == c.in.Size():
			return c.readAny(keep, a)
		}
		if _, err := c.in.Peek(len(seen) + 1); err != nil {
			return c.readAny(keep, a) // which has a word for it
		}
	}
}

// readAny reads an answer as net/http does. Interim ones are passed over.
func (c *conn) readAny(keep bool, a *answer) error {
	*a = answer{}
	for {
		resp, err := http.ReadResponse(c.in, nil) //nolint:bodyclose // closing it would read on without bounds
		switch {
		case err != nil && errors.Is(c.failed, io.EOF) && c.answered:
			return io.ErrUnexpectedEOF
		case err != nil:
			return cmp.Or(c.failed, err) // the parser takes what it has for all there is
		case resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols:
			c.left = maxBody
			*a = answerOf(resp, keep)
			return nil
		}
	}
}

// answerOf reads what net/http understood. The body's end is what counts for the connection; for all else its status does.
func answerOf(resp *http.Response, keep bool) answer {
	body := &ending{Reader: resp.Body}
	var text []byte
	if keep || resp.StatusCode/100 != 2 {
		text, _ = io.ReadAll(io.LimitReader(body, maxLook))
	}
	_, _ = io.CopyN(io.Discard, body, maxDrain-int64(len(text)))
	return answer{
		status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After"), text: text,
		reuse: body.ended && !resp.Close && resp.StatusCode >= http.StatusOK,
	}
}

// ending notes whether something was read to its end.
type ending struct {
	io.Reader
	ended bool
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	e.ended = e.ended || errors.Is(err, io.EOF)
	return n, err
}
