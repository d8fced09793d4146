package post

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// wire is a receiver that knows nothing of HTTP: it reads requests and writes what it is told to.
type wire struct {
	listener net.Listener
	serving  sync.WaitGroup
	serve    func(conn net.Conn, read func() bool) // read takes the next request; false: the connection has ended

	mu    sync.Mutex
	conns []net.Conn
	came  int // requests
}

// newWire serves connections, each until serve returns.
func newWire(t *testing.T, serve func(conn net.Conn, read func() bool)) *wire {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, serve: serve}
	w.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			w.conns = append(w.conns, conn)
			w.mu.Unlock()
			w.serving.Go(func() { w.handle(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.mu.Lock()
		for _, c := range w.conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		w.serving.Wait()
	})
	return w
}

func (w *wire) handle(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	w.serve(conn, func() bool {
		q, err := http.ReadRequest(in)
		if err != nil {
			return false
		}
		w.mu.Lock()
		w.came++
		w.mu.Unlock()
		_, err = io.Copy(io.Discard, q.Body)
		return err == nil
	})
}

func (w *wire) url() string { return "http://" + w.listener.Addr().String() + "/hook" }

// counts are how many connections and requests there were.
func (w *wire) counts() [2]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return [2]int{len(w.conns), w.came}
}

// poster makes single attempts with one sender.
type poster struct {
	t      *testing.T
	sender *Sender
	target *Target
}

func newPoster(t *testing.T, url string, o Options) *poster {
	t.Helper()
	target, err := NewTarget(Endpoint{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	s := NewClient(o).NewSender()
	t.Cleanup(s.Close)
	return &poster{t, s, target}
}

func (p *poster) post(body string) Result {
	m := message()
	if body != "" {
		m.Body = []byte(body)
	}
	return p.sender.Post(p.t.Context(), nil, p.target, m, 1)
}

// kept is the connection that is kept, nil when none is.
func (p *poster) kept() *conn { return p.sender.conns[p.target.origin] }

// message is one to post.
func message() *Message {
	return &Message{
		ID: [16]byte{1, 2, 3, 15: 0xff}, Action: "onAfterSaveReservation", Site: "salon", Body: []byte(`{"n":1}`),
	}
}

// attempt makes one attempt at an endpoint.
func attempt(t *testing.T, e Endpoint, m *Message, o Options) Result {
	t.Helper()
	return attempts(t, e, m, o, 3)
}

// attempts makes one attempt of so many tries.
func attempts(t *testing.T, e Endpoint, m *Message, o Options, tries int) Result {
	t.Helper()
	target, err := NewTarget(e)
	if err != nil {
		t.Fatal(err)
	}
	s := NewClient(o).NewSender()
	defer s.Close()
	return s.Post(t.Context(), nil, target, m, tries)
}

// until asks again, at a pace, until cond is true.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// pass waits: a receiver takes its time.
func pass(d time.Duration) { <-time.After(d) }

func inJSON(text string) string {
	b, _ := json.Marshal(text)
	return string(b[1 : len(b)-1])
}
