package main

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/textproto"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// sink takes webhooks over bare TCP, so that it costs little: it counts them and answers 200.
type sink struct {
	listener net.Listener
	count    atomic.Int64
	latest   atomic.Int64 // Unix nanoseconds of the last receipt
	want     atomic.Int64
	full     chan struct{} // holds a token when want is reached
	serving  sync.WaitGroup
}

func newSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it lives as long as the process
	if err != nil {
		return nil, err
	}
	s := &sink{listener: l, full: make(chan struct{}, 1)}
	s.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	})
	return s, nil
}

func (s *sink) url() string { return "http://" + s.listener.Addr().String() + "/hook" }

func (s *sink) close() {
	_ = s.listener.Close()
	s.serving.Wait()
}

func (s *sink) reset() {
	s.count.Store(0)
	s.want.Store(-1)
}

func (s *sink) last() time.Time { return time.Unix(0, s.latest.Load()) }

// wait waits for n requests.
func (s *sink) wait(ctx context.Context, n int, ended <-chan struct{}) error {
	s.want.Store(int64(n))
	select {
	case <-s.full:
		return nil
	case <-ended:
		return errors.New("the process ended early")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *sink) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 16<<10)
	head := textproto.NewReader(r)
	for {
		if _, err := head.ReadLineBytes(); err != nil {
			return
		}
		size := 0
		for {
			line, err := head.ReadLineBytes()
			if err != nil {
				return
			}
			if len(line) == 0 {
				break
			}
			const field = "content-length:"
			if len(line) > len(field) && (line[0]|0x20) == 'c' && (line[8]|0x20) == 'l' && line[14] == ':' {
				size, _ = strconv.Atoi(string(line[len(field)+1:]))
			}
		}
		if _, err := r.Discard(size); err != nil {
			return
		}
		if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")); err != nil {
			return
		}
		n := s.count.Add(1)
		s.latest.Store(time.Now().UnixNano())
		if n == s.want.Load() {
			s.full <- struct{}{}
		}
	}
}
