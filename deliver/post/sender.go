package post

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// Sender makes one request at a time. It keeps a connection to each origin that it posts to, for the next request there,
// and closes one that it did not need for 90 seconds. It may be used by one goroutine at a time. Whoever has several does
// best to take the one that was used last: its connection is the least likely to have been closed by the receiver.
//
// It is made for hundreds of them that all wait for an answer. What a try needs is in here rather than on the stack, which would be of
// eight kilobytes where four are enough, and be copied and looked through again and again.
type Sender struct {
	client *Client
	conns  map[string]*conn // by origin; nil: none is kept
	cutter cutter

	request     request
	last        tried  // what the last try came to
	out, signed []byte // what a try writes, and what it signs; kept for their room
}

// NewSender makes a Sender. It must be closed.
func (c *Client) NewSender() *Sender {
	return &Sender{client: c, conns: make(map[string]*conn)}
}

// Close closes its connections.
func (s *Sender) Close() {
	s.cutter.close()
	for _, c := range s.conns {
		if c != nil {
			c.close()
		}
	}
	clear(s.conns)
}

// try makes one request; last is what it comes to. A connection that was kept may be closed by the receiver at any time: when no byte
// of an answer came over it, the request is made once more, over a new one.
func (s *Sender) try(ctx context.Context, t *Target, m *Message) {
	s.last = tried{began: time.Now()}
	s.compose(t, m, s.last.began)
	s.request.deadline = s.last.began.Add(s.client.allowed(len(m.Body)))
	s.last.err = s.send(ctx, t)
}

// send makes the request that is composed.
func (s *Sender) send(ctx context.Context, t *Target) error {
	if s.client.opts.Transport != nil {
		return s.roundTrip(ctx, t)
	}
	if c := s.take(t.origin); c != nil {
		err := s.exchange(ctx, t, c)
		if err == nil || c.answered || timedOut(err) || ctx.Err() != nil {
			return err
		}
	}
	c, err := s.client.dial(ctx, t, s.request.deadline)
	if err != nil {
		return err
	}
	return s.exchange(ctx, t, c)
}

// take is the connection that is kept to an origin, nil when there is none that is worth a request.
func (s *Sender) take(origin string) *conn {
	c := s.conns[origin]
	if c == nil {
		return nil
	}
	s.conns[origin] = nil // not deleted: it comes back at once
	if !c.wake() {
		return nil
	}
	if !c.silent() {
		c.close()
		return nil
	}
	return c
}

// exchange makes a request over a connection and reads the answer. It keeps the connection when another request may follow.
func (s *Sender) exchange(ctx context.Context, t *Target, c *conn) error {
	if err := c.begin(s.request.deadline); err != nil {
		c.close()
		return err
	}
	s.cutter.watch(ctx, c)
	err := c.request(&s.request, &s.last.answer)
	s.cutter.leave()
	if err == nil && s.last.answer.reuse && c.in.Buffered() == 0 {
		c.rest()
		s.conns[t.origin] = c
	} else {
		c.close()
	}
	return err
}

// roundTrip makes a request over a transport that is not ours: net/http's form of the same bytes.
func (s *Sender) roundTrip(ctx context.Context, t *Target) error {
	r := &s.request
	req, err := http.ReadRequest(bufio.NewReader(io.MultiReader(bytes.NewReader(r.begin), bytes.NewReader(r.rest))))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	req = req.WithContext(ctx)
	req.URL, req.RequestURI = t.url, ""
	resp, err := s.client.opts.Transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	s.last.answer = answerOf(resp, r.keep)
	return nil
}
