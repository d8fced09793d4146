package post

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rowhook/deliver/delivertest"
)

// TestOrigins: a sender keeps a connection to each origin that it posts to.
func TestOrigins(t *testing.T) {
	t.Parallel()
	s := NewClient(Options{}).NewSender()
	defer s.Close()
	var wires []*wire
	for range 3 {
		wires = append(wires, newWire(t, func(conn net.Conn, read func() bool) {
			for read() {
				_, _ = io.WriteString(conn, okAnswer)
			}
		}))
	}
	for range 2 {
		for _, w := range wires {
			target, err := NewTarget(Endpoint{URL: w.url()})
			if err != nil {
				t.Fatal(err)
			}
			if res := s.Post(t.Context(), nil, target, message(), 1); res.Verdict != Accepted {
				t.Errorf("%+v", res)
			}
		}
	}
	for i, w := range wires {
		if n := w.counts(); n != [2]int{1, 2} {
			t.Errorf("receiver %d: connections and requests: %v", i, n)
		}
	}
}

// TestOneWrite: an ordinary request leaves in one piece.
func TestOneWrite(t *testing.T) {
	t.Parallel()
	target, err := NewTarget(Endpoint{URL: "http://a.test/", Secret: "x", SigningSecrets: []string{"whsec_YWFhYQ=="}})
	if err != nil {
		t.Fatal(err)
	}
	s := NewClient(Options{}).NewSender()
	defer s.Close()
	for range 3 {
		wire := &counted{script: script{in: strings.NewReader(okAnswer)}}
		s.conns[target.origin] = newConn(wire, wire)
		s.conns[target.origin].rest()
		if res := s.Post(t.Context(), nil, target, message(), 1); res.Verdict != Accepted || wire.writes != 1 {
			t.Errorf("%+v, in %d writes", res, wire.writes)
		}
	}
}

type counted struct {
	script
	writes int
}

func (c *counted) Write(p []byte) (int, error) { c.writes++; return len(p), nil }

// TestNoAllocations: what posts ordinary messages for hours makes no work for the collector.
func TestNoAllocations(t *testing.T) {
	target, err := NewTarget(Endpoint{URL: "http://a.test/", Secret: "x"})
	if err != nil {
		t.Fatal(err)
	}
	s := NewClient(Options{}).NewSender()
	defer s.Close()
	wire := &script{in: strings.NewReader(okAnswer)}
	s.conns[target.origin] = newConn(wire, wire)
	s.conns[target.origin].rest()
	m := message()
	if n := testing.AllocsPerRun(100, func() {
		wire.in.Reset(okAnswer)
		if res := s.Post(t.Context(), nil, target, m, 3); res.Verdict != Accepted {
			t.Errorf("%+v", res)
		}
	}); n > 0 {
		t.Errorf("%g allocations a message", n)
	}
}

// TestAnswersInPieces: however an answer comes, and however long it is, it means the same.
func TestAnswersInPieces(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"a length":       "HTTP/1.1 422 No\r\nContent-Length: 4\r\n\r\ntext",
		"chunks":         "HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nt\r\n3\r\next\r\n0\r\n\r\n",
		"a trailer":      "HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntext\r\n0\r\nX: y\r\n\r\n",
		"bare LF":        "HTTP/1.1 422 No\nContent-Length: 4\n\ntext",
		"a long head":    "HTTP/1.1 422 No\r\nX: " + strings.Repeat("x", 10_000) + "\r\nContent-Length: 4\r\n\r\ntext",
		"interim before": "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 422 No\r\nContent-Length: 4\r\n\r\ntext",
	} {
		for _, size := range []int{1, 7, len(answer)} {
			w := newWire(t, func(conn net.Conn, read func() bool) {
				for read() {
					for rest := answer; rest != ""; {
						n := min(size, len(rest))
						if _, err := io.WriteString(conn, rest[:n]); err != nil {
							return
						}
						rest = rest[n:]
					}
				}
			})
			p := newPoster(t, w.url(), Options{Timeout: time.Minute})
			for range 2 {
				if res := p.post(""); res.Verdict != Rejected || res.Status != 422 || res.Response != "text" {
					t.Errorf("%s, %d bytes at a time: %+v", name, size, res)
				}
			}
			if n := w.counts(); n != [2]int{1, 2} {
				t.Errorf("%s, %d bytes at a time: connections and requests: %v", name, size, n)
			}
		}
	}
}

// TestContexts: a sender serves one context after the other. The end of one cuts off no request of the next.
func TestContexts(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	p := newPoster(t, r.URL(), Options{})
	first, end := context.WithCancel(t.Context())
	if res := p.sender.Post(first, nil, p.target, message(), 1); res.Verdict != Accepted {
		t.Fatalf("%+v", res)
	}
	ended := make(chan struct{})
	r.Decide(func(delivertest.Request) delivertest.Answer { end(); <-ended; return delivertest.Answer{} })
	context.AfterFunc(first, func() { close(ended) })
	if res := p.sender.Post(t.Context(), nil, p.target, message(), 1); res.Verdict != Accepted {
		t.Errorf("cut off by a context that is not its own: %+v", res)
	}
	if res := p.sender.Post(first, nil, p.target, message(), 3); res.Verdict != Aborted {
		t.Errorf("under a context that has ended: %+v", res)
	}
	r.Answer(delivertest.Answer{})
	if res := p.sender.Post(t.Context(), nil, p.target, message(), 1); res.Verdict != Accepted {
		t.Errorf("%+v", res)
	}
}

// TestStoppedWait: a burst that waits for its next try when it is stopped ends at once, with the last answer, and makes no other.
func TestStoppedWait(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	stop := make(chan struct{})
	var came atomic.Int64
	r.Decide(func(delivertest.Request) delivertest.Answer {
		if came.Add(1) == 1 {
			time.AfterFunc(100*time.Millisecond, func() { close(stop) }) // it waits by then
		}
		return delivertest.Answer{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"2"}}}
	})
	p := newPoster(t, r.URL(), Options{})
	began := time.Now()
	if res := p.sender.Post(t.Context(), stop, p.target, message(), 3); res.Verdict != Trouble || res.Status != 503 {
		t.Errorf("%+v", res)
	}
	if took := time.Since(began); took > 1500*time.Millisecond || came.Load() != 1 {
		t.Errorf("%d tries, after %v", came.Load(), took)
	}
}

// TestKeepsNothing: a sender that has posted holds nothing of the message, nor of its answer.
func TestKeepsNothing(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	p := newPoster(t, r.URL(), Options{})
	m := message()
	m.Body = make([]byte, 10*oneWrite)
	if res := p.sender.Post(t.Context(), nil, p.target, m, 3); res.Verdict != Accepted {
		t.Fatalf("%+v", res)
	}
	if s := p.sender; s.request.rest != nil || s.request.begin != nil || s.last.answer.text != nil || len(s.out) > 2*oneWrite {
		t.Errorf("it holds %d and %d bytes of the request, %d of the answer", len(s.request.rest), len(s.request.begin), len(s.last.answer.text))
	}
}

// TestBurstEnds: neither the end of the context nor a stop waits for the next try.
func TestBurstEnds(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	stop := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var came atomic.Int64
	busy := delivertest.Answer{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"2"}}}
	r.Decide(func(delivertest.Request) delivertest.Answer {
		if came.Add(1) == 1 {
			close(stop)
		} else {
			time.AfterFunc(100*time.Millisecond, cancel)
		}
		return busy
	})
	p := newPoster(t, r.URL(), Options{})
	if res := p.sender.Post(ctx, stop, p.target, message(), 3); res.Verdict != Trouble || res.Status != 503 || res.RetryAfter != 2*time.Second {
		t.Errorf("stopped: %+v", res)
	}
	if res := p.sender.Post(ctx, nil, p.target, message(), 3); res.Verdict != Aborted && res.Verdict != Trouble { // by when the end is seen
		t.Errorf("cancelled: %+v", res)
	}
	if n := came.Load(); n != 2 {
		t.Errorf("%d tries", n)
	}
}
