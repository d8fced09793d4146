package post

import (
	"bufio"
	"bytes"
	"errors"
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
	target, err := NewTarget(Endpoint{URL: "http://a.test/"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, keep bool) {
		sender := NewClient(Options{}).NewSender()
		defer sender.Close()
		s := &script{in: strings.NewReader(text)}
		c := newConn(s, s)
		sender.request = request{keep: keep, deadline: time.Now().Add(time.Minute)}
		err := sender.exchange(t.Context(), target, c)
		if text := sender.last.answer.text; err == nil && len(text) > maxLook {
			t.Errorf("%d bytes are kept", len(text))
		}
		reused := sender.conns[target.origin] != nil
		if s.read > maxHead+maxBody || reused == s.closed || reused && c.in.Buffered() > 0 {
			t.Errorf("%d bytes are read, closed %t, used again %t, %d bytes are left", s.read, s.closed, reused, c.in.Buffered())
		}
	})
}

// waiting is a connection over which nothing comes any more.
type waiting struct {
	in    *strings.Reader
	asked bool // somebody waited
}

var errWaiting = errors.New("nothing comes")

func (w *waiting) Read(p []byte) (int, error) {
	if w.in.Len() == 0 {
		w.asked = true
		return 0, errWaiting
	}
	return w.in.Read(p)
}

// FuzzParse holds parse against net/http: what it understands, net/http understands in the same way, to the same byte, and
// where it waits for more, net/http waits as well.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		okAnswer, okAnswer + "x", "HTTP/1.1 204 No Content\r\nServer: nginx\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n",
		"HTTP/1.1 503 No\r\nRetry-After: 5 \r\nconnection: CLOSE\r\ncontent-length: 007\r\n\r\n1234567", "HTTP/1.1 100 Continue\r\n\r\n" + okAnswer,
		"HTTP/1.1 200\r\ntransfer-encoding: Chunked\r\nX-Y: \xff\t\r\n\r\n2\r\nok\r\n0a\r\n0123456789\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nX: y\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nConnection: close, keep-alive\r\n\r\n", "HTTP/1.1 200 OK\r\nTrailer: Host\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"SSH-2.0-OpenSSH_9.6\r\n", "220 mail ESMTP\r\n", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nok",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got answer
		size, form := parse([]byte(text), &got)
		if form == unusual || len(text) > 4096 { // a connection looks no further ahead
			return
		}
		w := &waiting{in: strings.NewReader(text)}
		in := bufio.NewReader(w)
		resp, err := http.ReadResponse(in, nil) //nolint:bodyclose // as in readAny
		var want answer
		if err == nil {
			want = answerOf(resp, true)
		}
		if form == short {
			if !w.asked {
				t.Errorf("net/http waits for nothing: %+v, %v", want, err)
			}
			return
		}
		if got.retryAfter == "" { // which nobody asks for
			want.retryAfter = ""
		}
		if err != nil || got.status != want.status || got.retryAfter != want.retryAfter || got.reuse != want.reuse || !bytes.Equal(got.text, want.text) {
			t.Errorf("%+v, net/http reads %+v, %v", got, want, err)
		}
		if rest := len(text) - in.Buffered() - w.in.Len(); rest != size {
			t.Errorf("it has %d bytes, net/http reads %d", size, rest)
		}
	})
}
