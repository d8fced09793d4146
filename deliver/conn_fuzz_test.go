package deliver

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// script is a connection that takes everything and answers with a text.
type script struct {
	net.Conn // nil: nothing else is called
	in       *strings.Reader
	read     int
	closed   bool
}

func (s *script) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	s.read += n
	return n, err
}
func (s *script) Write(p []byte) (int, error)      { return len(p), nil }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) Close() error                     { s.closed = true; return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// FuzzAnswer: whatever a receiver answers, what is read and kept of it is bounded, and the connection is only used again
// when the answer was read to its end.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		"", okAnswer, okAnswer + okAnswer, "HTTP/1.1 100 Continue\r\n\r\n" + okAnswer, "HTTP/1.0 500 No\r\n\r\noh no",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "HTTP/1.1 101 Hm\r\nUpgrade: x\r\n\r\n",
		"HTTP/1.1 503 No\r\nRetry-After: 5\r\nContent-Length: 99999999999\r\n\r\nx", "HTTP/9.9 999\r\n\r\n", "HTTP/1.1 204 No\r\n\r\nbody",
	} {
		f.Add(text, true)
		f.Add(strings.Repeat(text, 500), false)
	}
	f.Fuzz(func(t *testing.T, text string, keep bool) {
		pool := newTransport(Options{}.withDefaults())
		defer pool.closeIdle()
		s := &script{in: strings.NewReader(text)}
		c := &conn{Conn: s, raw: s}
		c.in = bufio.NewReader(receiving{c})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a.test/", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := pool.exchange(c, req, time.Now().Add(time.Minute)) //nolint:bodyclose // read closes it
		if err == nil {
			if kept := read(resp.Body, keep); len(kept) > maxLook {
				t.Errorf("%d bytes are kept", len(kept))
			}
		}
		reused := len(pool.idle) > 0
		if s.read > maxHead+maxBody || reused == s.closed || reused && s.in.Len() > 0 && c.in.Buffered() > 0 {
			t.Errorf("%d bytes are read, closed %t, used again %t, %d bytes are left", s.read, s.closed, reused, c.in.Buffered())
		}
	})
}
