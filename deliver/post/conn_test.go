package post

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestConnections: what becomes of a connection, and what a delivery comes to, for two deliveries after each other.
func TestConnections(t *testing.T) {
	t.Parallel()
	always := func(answer string) func(net.Conn, func() bool) {
		return func(conn net.Conn, read func() bool) {
			for read() {
				_, _ = io.WriteString(conn, answer)
			}
		}
	}
	once := func(answer string) func(net.Conn, func() bool) {
		return func(conn net.Conn, read func() bool) {
			read()
			_, _ = io.WriteString(conn, answer)
		}
	}
	long := strings.Repeat("x", maxBody+1)
	for name, c := range map[string]struct {
		serve  func(net.Conn, func() bool)
		want   Verdict
		error  string
		counts [2]int // connections and requests in the end
	}{
		"kept":                   {always(okAnswer), Accepted, "", [2]int{1, 2}},
		"no content":             {always("HTTP/1.1 204 No Content\r\n\r\n"), Accepted, "", [2]int{1, 2}},
		"chunked":                {always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"), Accepted, "", [2]int{1, 2}},
		"closed without a word":  {once(okAnswer), Accepted, "", [2]int{2, 2}},
		"more behind a long one": {always("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + strings.Repeat("x", 10_000) + okAnswer), Accepted, "", [2]int{2, 2}},
		"closed at the second": {func(conn net.Conn, read func() bool) {
			read()
			_, _ = io.WriteString(conn, okAnswer)
			read()
		}, Accepted, "", [2]int{2, 3}},
		"closed and said so":     {always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), Accepted, "", [2]int{2, 2}},
		"ended by its end":       {once("HTTP/1.1 200 OK\r\n\r\nok"), Accepted, "", [2]int{2, 2}},
		"HTTP/1.0":               {always("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), Accepted, "", [2]int{2, 2}},
		"HTTP/1.0, kept":         {always("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"), Accepted, "", [2]int{1, 2}},
		"interim answers":        {always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer), Accepted, "", [2]int{1, 2}},
		"interim ones only":      {always(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3000)), Trouble, errTooLong.Error(), [2]int{2, 2}},
		"other protocols":        {always("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), Rejected, "the receiver answered 101 Switching Protocols", [2]int{2, 2}},
		"more than was asked":    {always(okAnswer + okAnswer), Accepted, "", [2]int{2, 2}},
		"a head without end":     {always("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*maxHead)), Trouble, errTooLong.Error(), [2]int{2, 2}},
		"many fields":            {always("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", maxHead)), Trouble, errTooLong.Error(), [2]int{2, 2}},
		"a long body":            {always("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + long), Accepted, "", [2]int{2, 2}},
		"a long chunk":           {always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n" + long), Accepted, "", [2]int{2, 2}},
		"a byte a chunk":         {always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 60_000) + "0\r\n\r\n"), Accepted, "", [2]int{2, 2}},
		"a chunk of no number":   {once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Accepted, "", [2]int{2, 2}},
		"two lengths":            {once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), Trouble, "http: message cannot contain multiple Content-Length headers; got [\"2\" \"3\"]", [2]int{2, 2}},
		"no HTTP":                {once("SSH-2.0-OpenSSH_9.6\r\n"), Trouble, `malformed HTTP response "SSH-2.0-OpenSSH_9.6"`, [2]int{2, 2}},
		"HTTP/2":                 {once("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), Trouble, "unexpected EOF", [2]int{2, 2}},
		"cut without an answer":  {once(""), Trouble, "EOF", [2]int{2, 2}},
		"cut in the status line": {once("HTTP/1.1 2"), Trouble, "unexpected EOF", [2]int{2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, c.serve)
			p := newPoster(t, w.url(), Options{Timeout: time.Minute})
			for i := range 2 {
				if res := p.post(""); res.Verdict != c.want || res.Error != c.error {
					t.Errorf("delivery %d: %+v, want %d, %s", i+1, res, c.want, c.error)
				}
			}
			if got := w.counts(); got != c.counts {
				t.Errorf("connections and requests: %v, want %v", got, c.counts)
			}
		})
	}
}

// TestNoSecondRequest: what may have been taken in is not sent again behind the schedule's back, once any of an answer came.
func TestNoSecondRequest(t *testing.T) {
	t.Parallel()
	w := newWire(t, func(conn net.Conn, read func() bool) {
		read()
		_, _ = io.WriteString(conn, okAnswer)
		read()
		_, _ = io.WriteString(conn, "HTTP/1.1 200")
	})
	p := newPoster(t, w.url(), Options{})
	if first, second := p.post(""), p.post(""); first.Verdict != Accepted || second.Verdict != Trouble {
		t.Errorf("%+v, then %+v", first, second)
	}
	if got := w.counts(); got != [2]int{1, 2} {
		t.Errorf("connections and requests: %v", got)
	}
}

// TestUnaskedAnswer: what a server says when a connection was idle for too long is no answer to the next request.
func TestUnaskedAnswer(t *testing.T) {
	t.Parallel()
	idle := make(chan struct{})
	var first sync.Once
	w := newWire(t, func(conn net.Conn, read func() bool) {
		for read() {
			_, _ = io.WriteString(conn, okAnswer)
			first.Do(func() {
				<-idle
				_, _ = io.WriteString(conn, "HTTP/1.1 408 Request Timeout\r\n\r\n")
			})
		}
	})
	p := newPoster(t, w.url(), Options{})
	if res := p.post(""); res.Verdict != Accepted {
		t.Fatalf("%+v", res)
	}
	close(idle)
	until(t, "what is said arrives", func() bool { return !p.kept().silent() })
	if res := p.post(""); res.Verdict != Accepted {
		t.Errorf("%+v", res)
	}
	if res := p.post(""); res.Verdict != Accepted || w.counts() != [2]int{2, 3} {
		t.Errorf("%+v, %v", res, w.counts())
	}
}

// TestIdleBeyondTheTimeout: a connection outlives the deadline of the request that it was made for.
func TestIdleBeyondTheTimeout(t *testing.T) {
	t.Parallel()
	w := newWire(t, func(conn net.Conn, read func() bool) {
		for read() {
			_, _ = io.WriteString(conn, okAnswer)
		}
	})
	p := newPoster(t, w.url(), Options{})
	for range 2 {
		if res := p.post(""); res.Verdict != Accepted {
			t.Fatalf("%+v", res)
		}
		if err := p.kept().SetDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.counts(); got != [2]int{1, 2} {
		t.Errorf("connections and requests: %v", got)
	}
}

// TestIdle: a connection that nobody uses is closed, though nobody asks for it.
func TestIdle(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	w := newWire(t, func(conn net.Conn, read func() bool) {
		defer close(ended)
		for read() {
			_, _ = io.WriteString(conn, okAnswer)
		}
	})
	p := newPoster(t, w.url(), Options{})
	p.post("")
	p.kept().idle.Reset(0)
	<-ended
	if c := p.sender.take(p.target.origin); c != nil {
		t.Errorf("it is used again: %+v", c)
	}
}

// TestEarlyAnswer: a receiver that refuses a long payload at once, and reads no more of it, is understood at once.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	const refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
	payload := strings.Repeat("x", 16<<20) // more than sockets hold
	done := make(chan struct{})
	defer close(done)
	for name, serve := range map[string]func(net.Conn){
		"keeps it open": func(conn net.Conn) { _, _ = io.WriteString(conn, refusal); <-done },
		"closes it": func(conn net.Conn) {
			_, _ = io.WriteString(conn, refusal)
			_, _ = io.CopyN(io.Discard, conn, 1<<20) // else the refusal may be lost with the connection
		},
	} {
		w := newWire(t, func(conn net.Conn, _ func() bool) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				serve(conn)
			}
		})
		p := newPoster(t, w.url(), Options{Timeout: time.Minute})
		if res := p.post(payload); res.Verdict != Rejected || res.Status != 413 || res.Latency > 30*time.Second {
			t.Errorf("%s: %+v", name, res)
		}
		if p.kept() != nil {
			t.Errorf("%s: the connection is kept, with half a request on it", name)
		}
	}
}

// TestTimeouts: the timeout is for everything together, however the receiver dawdles.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	drip := func(conn net.Conn, text string) {
		for i := range text {
			if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
				return
			}
			pass(10 * time.Millisecond)
		}
	}
	for name, c := range map[string]struct {
		serve func(conn net.Conn, read func() bool)
		body  string
		want  Verdict
	}{
		"silence":       {func(_ net.Conn, read func() bool) { read(); read() }, "", Trouble},
		"reads nothing": {func(conn net.Conn, _ func() bool) { pass(6 * time.Second) }, strings.Repeat("x", 16<<20), Trouble},
		"a head in drips": {func(conn net.Conn, read func() bool) {
			read()
			drip(conn, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 600))
		}, "", Trouble},
		"interim in drips": {func(conn net.Conn, read func() bool) {
			read()
			drip(conn, strings.Repeat("HTTP/1.1 100 C\r\n\r\n", 40))
		}, "", Trouble},
		"a body in drips": {func(conn net.Conn, read func() bool) {
			read()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 O\r\n\r\n")
			drip(conn, strings.Repeat("x", 600))
		}, "", Accepted},
		"no word after TLS": {nil, "", Trouble},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme := "http://"
			if c.serve == nil {
				scheme, c.serve = "https://", func(conn net.Conn, _ func() bool) { _, _ = io.Copy(io.Discard, conn) }
			}
			w := newWire(t, c.serve)
			p := newPoster(t, scheme+w.listener.Addr().String(), Options{Timeout: 3 * time.Second, slowest: 1 << 40})
			begin := time.Now()
			res := p.post(c.body)
			if took := time.Since(begin); res.Verdict != c.want || took < 300*time.Millisecond || took > time.Minute {
				t.Errorf("after %s: %+v", took, res)
			}
			if c.want == Trouble && res.Error != "no answer within 3s" {
				t.Errorf("it says %q", res.Error)
			}
			if p.kept() != nil {
				t.Error("the connection is kept")
			}
		})
	}
	t.Run("a name that nobody resolves", func(t *testing.T) {
		t.Parallel()
		deaf := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		p := newPoster(t, "http://nowhere.test/", Options{Timeout: 400 * time.Millisecond, resolver: deaf})
		if res := p.post(""); res.Verdict != Trouble || res.Error != "no answer within 400ms" {
			t.Errorf("%+v", res)
		}
	})
}

// TestInternationalName: a name in other letters is asked for as DNS knows it.
func TestInternationalName(t *testing.T) {
	t.Parallel()
	w := newWire(t, func(conn net.Conn, read func() bool) {
		read()
		_, _ = io.WriteString(conn, okAnswer)
	})
	_, portText, err := net.SplitHostPort(w.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dns := &names{answers: map[string][]string{"xn--mnchen-3ya.test.": {"127.0.0.1"}}}
	if res := newPoster(t, "http://münchen.test:"+portText, Options{resolver: dns.resolver()}).post(""); res.Verdict != Accepted {
		t.Errorf("%+v", res)
	}
}

// TestCutOff: the end of the context ends a request wherever it is, and nothing of it stays.
func TestCutOff(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"before the answer": "", "in the head": "HTTP/1.1 2"} {
		came := make(chan struct{})
		w := newWire(t, func(conn net.Conn, read func() bool) {
			read()
			_, _ = io.WriteString(conn, answer)
			close(came)
			read()
		})
		p := newPoster(t, w.url(), Options{Timeout: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan Result)
		go func() { done <- p.sender.Post(ctx, nil, p.target, message(), 1) }()
		<-came
		cancel()
		if res := <-done; res.Verdict != Aborted || p.kept() != nil {
			t.Errorf("%s: %+v, kept %v", name, res, p.kept())
		}
	}
}
