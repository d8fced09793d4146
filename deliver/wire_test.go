package deliver

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
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

// poster makes single attempts over one transport.
type poster struct {
	t      *testing.T
	w      *Worker
	target *target
	pool   *transport
}

func newPoster(t *testing.T, url string, o Options) *poster {
	t.Helper()
	w, err := New(newMemory(), map[string]Endpoint{"crm": {URL: url}}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.closeIdle)
	pool, ok := w.client.Transport.(*transport)
	if !ok {
		t.Fatalf("requests are made by a %T", w.client.Transport)
	}
	return &poster{t, w, w.wanted["crm"], pool}
}

func (p *poster) post(body string) result {
	d := making("crm", 1, "k")
	if body != "" {
		d.Body = []byte(body)
	}
	return p.w.post(p.t.Context(), nil, job{it: &item{d: d, loaded: true}, t: p.target, tries: 1})
}
