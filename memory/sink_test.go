//go:build memory

package memory

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"sync"
	"testing"
)

// sink takes webhooks over bare TCP, so that it costs little, and remembers which ids told of which rows.
type sink struct {
	listener net.Listener

	mu      sync.Mutex
	ids     map[[16]byte]int64 // the first row of each delivery
	rows    map[int64]int      // deliveries of each row
	bytes   int64
	omitted []string // of each, what X-Rowhook-Omitted says
	again   int      // deliveries that came more than once
	grown   chan struct{}
	reached int // deliveries that grown tells of
	faults  []string
}

func newSink(t *testing.T) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{listener: l}
	s.reset()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn) // ends with the daemon, which closes its connections
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return s
}

func (s *sink) url() string { return "http://" + s.listener.Addr().String() + "/hook" }

// reset forgets everything.
func (s *sink) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids, s.rows, s.again, s.bytes, s.omitted, s.faults = map[[16]byte]int64{}, map[int64]int{}, 0, 0, nil, nil
}

// count is how many deliveries came.
func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ids)
}

// wait waits until n deliveries came; false when ended is closed before.
func (s *sink) wait(ctx context.Context, n int, ended <-chan struct{}) bool {
	s.mu.Lock()
	grown := make(chan struct{})
	s.grown, s.reached = grown, n
	if len(s.ids) >= n {
		s.grown = nil
		close(grown)
	}
	s.mu.Unlock()
	select {
	case <-grown:
		return true
	case <-ended:
	case <-ctx.Done():
	}
	return false
}

// take notes a delivery.
func (s *sink) take(id [16]byte, rows []int64, size int, omitted string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.ids[id]; known {
		s.again++
		return
	}
	s.ids[id] = rows[0]
	s.bytes += int64(size)
	s.omitted = append(s.omitted, omitted)
	for _, r := range rows {
		s.rows[r]++
	}
	if s.grown != nil && len(s.ids) >= s.reached {
		close(s.grown)
		s.grown = nil
	}
}

// check says whether every so many of the rows from 1 to n came, each with exactly one delivery, and no others.
func (s *sink) check(t *testing.T, n, every int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	missing, more := 0, 0
	for row := every; row <= n; row += every {
		switch s.rows[int64(row)] {
		case 0:
			missing++
		case 1:
		default:
			more++
		}
	}
	if missing > 0 || more > 0 || len(s.rows) != n/every || len(s.faults) > 0 {
		t.Errorf("of %d rows %d are missing, %d came under several ids; %d rows in all; %.3q", n/every, missing, more, len(s.rows), s.faults)
	}
}

func (s *sink) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	head := textproto.NewReader(r)
	for {
		if _, err := head.ReadLineBytes(); err != nil {
			return
		}
		header, err := head.ReadMIMEHeader()
		if err != nil {
			return
		}
		size, _ := strconv.Atoi(header.Get("Content-Length"))
		begin, err := r.Peek(min(size, 32<<10))
		if err != nil {
			return
		}
		rows, err := rowsOf(begin)
		var id [16]byte
		if n, bad := hex.Decode(id[:], []byte(header.Get("Webhook-Id"))); n != len(id) || bad != nil || err != nil {
			s.mu.Lock()
			s.faults = append(s.faults, fmt.Sprintf("id %q, body %.100q: %v", header.Get("Webhook-Id"), begin, err))
			s.mu.Unlock()
		} else {
			s.take(id, rows, size, header.Get("X-Rowhook-Omitted"))
		}
		if _, err := r.Discard(size); err != nil {
			return
		}
		if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")); err != nil {
			return
		}
	}
}

// rowsOf reads the id that a payload begins with, or the list of a delete.
func rowsOf(body []byte) (rows []int64, err error) {
	rest, ok := bytes.CutPrefix(body, []byte(`{"id":`))
	if !ok {
		return nil, fmt.Errorf("no id")
	}
	rest = bytes.TrimLeft(rest, `["`)
	for {
		n := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if n < 1 {
			return nil, fmt.Errorf("no number")
		}
		id, err := strconv.ParseInt(string(rest[:n]), 10, 64)
		if err != nil {
			return nil, err
		}
		rows = append(rows, id)
		if len(rest) < n+2 || rest[n] != ',' || rest[n+1] == '"' {
			return rows, nil
		}
		rest = rest[n+1:]
	}
}
