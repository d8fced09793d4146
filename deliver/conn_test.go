package deliver

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

	"rowhook/outbox"
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
		want   verdict
		error  string
		counts [2]int // connections and requests in the end
	}{
		"kept":                   {always(okAnswer), accepted, "", [2]int{1, 2}},
		"no content":             {always("HTTP/1.1 204 No Content\r\n\r\n"), accepted, "", [2]int{1, 2}},
		"chunked":                {always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"), accepted, "", [2]int{1, 2}},
		"closed without a word":  {once(okAnswer), accepted, "", [2]int{2, 2}},
		"more behind a long one": {always("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + strings.Repeat("x", 10_000) + okAnswer), accepted, "", [2]int{2, 2}},
		"closed at the second": {func(conn net.Conn, read func() bool) {
			read()
			_, _ = io.WriteString(conn, okAnswer)
			read()
		}, accepted, "", [2]int{2, 3}},
		"closed and said so":     {always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), accepted, "", [2]int{2, 2}},
		"ended by its end":       {once("HTTP/1.1 200 OK\r\n\r\nok"), accepted, "", [2]int{2, 2}},
		"HTTP/1.0":               {always("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), accepted, "", [2]int{2, 2}},
		"HTTP/1.0, kept":         {always("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"), accepted, "", [2]int{1, 2}},
		"interim answers":        {always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer), accepted, "", [2]int{1, 2}},
		"interim ones only":      {always(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3000)), trouble, errTooLong.Error(), [2]int{2, 2}},
		"other protocols":        {always("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), rejected, "the receiver answered 101 Switching Protocols", [2]int{2, 2}},
		"more than was asked":    {always(okAnswer + okAnswer), accepted, "", [2]int{2, 2}},
		"a head without end":     {always("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*maxHead)), trouble, errTooLong.Error(), [2]int{2, 2}},
		"many fields":            {always("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", maxHead)), trouble, errTooLong.Error(), [2]int{2, 2}},
		"a long body":            {always("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + long), accepted, "", [2]int{2, 2}},
		"a long chunk":           {always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n" + long), accepted, "", [2]int{2, 2}},
		"a byte a chunk":         {always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 60_000) + "0\r\n\r\n"), accepted, "", [2]int{2, 2}},
		"a chunk of no number":   {once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), accepted, "", [2]int{2, 2}},
		"two lengths":            {once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), trouble, "http: message cannot contain multiple Content-Length headers; got [\"2\" \"3\"]", [2]int{2, 2}},
		"no HTTP":                {once("SSH-2.0-OpenSSH_9.6\r\n"), trouble, `malformed HTTP response "SSH-2.0-OpenSSH_9.6"`, [2]int{2, 2}},
		"HTTP/2":                 {once("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), trouble, "unexpected EOF", [2]int{2, 2}},
		"cut without an answer":  {once(""), trouble, "EOF", [2]int{2, 2}},
		"cut in the status line": {once("HTTP/1.1 2"), trouble, "unexpected EOF", [2]int{2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, c.serve)
			p := newPoster(t, w.url(), Options{Timeout: time.Minute})
			for i := range 2 {
				if res := p.post(""); res.verdict != c.want || res.attempt.Error != c.error {
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
	if first, second := p.post(""), p.post(""); first.verdict != accepted || second.verdict != trouble {
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
	if res := p.post(""); res.verdict != accepted {
		t.Fatalf("%+v", res)
	}
	close(idle)
	until(t, "what is said arrives", func() bool { return !p.pool.idle[originOf(p.target.url)][0].silent() })
	if res := p.post(""); res.verdict != accepted {
		t.Errorf("%+v", res)
	}
	if res := p.post(""); res.verdict != accepted || w.counts() != [2]int{2, 3} {
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
		if res := p.post(""); res.verdict != accepted {
			t.Fatalf("%+v", res)
		}
		if err := p.pool.idle[originOf(p.target.url)][0].SetDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.counts(); got != [2]int{1, 2} {
		t.Errorf("connections and requests: %v", got)
	}
}

// age makes all idle connections older.
func (t *transport) age(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range t.idle {
		for _, c := range list {
			c.since = c.since.Add(-d)
		}
	}
}

// TestSweep: connections that nobody uses are closed, though nobody asks for them.
func TestSweep(t *testing.T) {
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
	p.pool.sweep()
	if len(p.pool.idle) != 1 || !p.pool.sweeps {
		t.Errorf("young: %v, sweeps on: %t", p.pool.idle, p.pool.sweeps)
	}
	p.pool.age(idleTimeout)
	p.pool.sweep()
	if len(p.pool.idle) != 0 || p.pool.sweeps {
		t.Errorf("old: %v, sweeps on: %t", p.pool.idle, p.pool.sweeps)
	}
	<-ended
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
		if res := p.post(payload); res.verdict != rejected || res.attempt.Status != 413 || res.attempt.Latency > 30*time.Second {
			t.Errorf("%s: %+v", name, res)
		}
		if len(p.pool.idle) != 0 {
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
		want  verdict
	}{
		"silence":         {func(_ net.Conn, read func() bool) { read(); read() }, "", trouble},
		"reads nothing":   {func(conn net.Conn, _ func() bool) { pass(2 * time.Second) }, strings.Repeat("x", 16<<20), trouble},
		"a head in drips": {func(conn net.Conn, read func() bool) { read(); drip(conn, strings.Repeat(okAnswer[:30], 10)) }, "", trouble},
		"interim in drips": {func(conn net.Conn, read func() bool) {
			read()
			drip(conn, strings.Repeat("HTTP/1.1 100 C\r\n\r\n", 20))
		}, "", trouble},
		"a body in drips": {func(conn net.Conn, read func() bool) {
			read()
			drip(conn, "HTTP/1.1 200 O\r\n\r\n"+strings.Repeat("x", 300))
		}, "", accepted},
		"no word after TLS": {nil, "", trouble},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme := "http://"
			if c.serve == nil {
				scheme, c.serve = "https://", func(conn net.Conn, _ func() bool) { _, _ = io.Copy(io.Discard, conn) }
			}
			w := newWire(t, c.serve)
			p := newPoster(t, scheme+w.listener.Addr().String(), Options{Timeout: 400 * time.Millisecond, slowest: 1 << 40})
			begin := time.Now()
			res := p.post(c.body)
			if took := time.Since(begin); res.verdict != c.want || took < 300*time.Millisecond || took > 20*time.Second {
				t.Errorf("after %s: %+v", took, res)
			}
			if c.want == trouble && res.attempt.Error != "no answer within 400ms" {
				t.Errorf("it says %q", res.attempt.Error)
			}
			if len(p.pool.idle) != 0 {
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
		if res := p.post(""); res.verdict != trouble || res.attempt.Error != "no answer within 400ms" {
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
	if res := newPoster(t, "http://münchen.test:"+portText, Options{resolver: dns.resolver()}).post(""); res.verdict != accepted {
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
		done := make(chan result)
		go func() {
			done <- p.w.post(ctx, nil, job{it: &item{d: &outbox.Delivery{Rule: "crm"}}, t: p.target, tries: 1})
		}()
		<-came
		cancel()
		if res := <-done; res.verdict != aborted || len(p.pool.idle) != 0 {
			t.Errorf("%s: %+v, idle %v", name, res, p.pool.idle)
		}
	}
}
