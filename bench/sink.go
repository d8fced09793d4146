package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// endpoints is how many addresses the sink listens on.
const endpoints = 50

// sink takes webhooks over bare TCP, so that it costs little: it counts them and answers 200.
type sink struct {
	urls      []string // the addresses it listens on
	listeners []net.Listener
	count     atomic.Int64
	latest    atomic.Int64 // Unix nanoseconds of the last receipt
	want      atomic.Int64
	full      chan struct{} // holds a token when want is reached
	dead      atomic.Bool   // the first address takes in requests and answers none
	slow      atomic.Int64  // nanoseconds until each answer
	look      atomic.Pointer[func(body []byte)]
	serving   sync.WaitGroup
}

func newSink() (*sink, error) {
	s := &sink{full: make(chan struct{}, 1)}
	for first := true; len(s.listeners) < endpoints; first = false {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it lives as long as the process
		if err != nil {
			s.close()
			return nil, err
		}
		s.listeners = append(s.listeners, l)
		s.urls = append(s.urls, "http://"+l.Addr().String()+"/hook")
		s.serving.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go s.serve(conn, first)
			}
		})
	}
	return s, nil
}

// observe lets a function see the body of each request; nil: nobody does.
func (s *sink) observe(look func(body []byte)) {
	if look == nil {
		s.look.Store(nil)
		return
	}
	s.look.Store(&look)
}

func (s *sink) close() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.serving.Wait()
}

func (s *sink) reset() {
	s.count.Store(0)
	s.want.Store(math.MaxInt64)
}

func (s *sink) last() time.Time { return time.Unix(0, s.latest.Load()) }

// wait waits for n requests since reset.
func (s *sink) wait(ctx context.Context, n int, ended <-chan struct{}) error {
	s.want.Store(int64(n))
	if s.count.Load() >= int64(n) {
		s.reached()
	}
	select {
	case <-s.full:
		return nil
	case <-ended:
		return errors.New("the process ended early")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reached tells wait, once.
func (s *sink) reached() {
	if s.want.Swap(math.MaxInt64) != math.MaxInt64 {
		s.full <- struct{}{}
	}
}

func (s *sink) serve(conn net.Conn, first bool) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 16<<10)
	head := textproto.NewReader(r)
	var body []byte
	for {
		size, err := readHead(head)
		if err != nil {
			return
		}
		if look := s.look.Load(); look != nil {
			body = slices.Grow(body[:0], size)[:size]
			if _, err := io.ReadFull(r, body); err != nil {
				return
			}
			(*look)(body)
		} else if _, err := r.Discard(size); err != nil {
			return
		}
		if first && s.dead.Load() {
			_, _ = r.ReadByte() // until the client gives up
			return
		}
		if slow := time.Duration(s.slow.Load()); slow > 0 {
			<-time.After(slow)
		}
		if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")); err != nil {
			return
		}
		n := s.count.Add(1)
		s.latest.Store(time.Now().UnixNano())
		if n >= s.want.Load() {
			s.reached()
		}
	}
}

// readHead reads a request up to its body, whose length it returns.
func readHead(head *textproto.Reader) (size int, err error) {
	if _, err := head.ReadLineBytes(); err != nil {
		return 0, err
	}
	for {
		line, err := head.ReadLineBytes()
		if err != nil || len(line) == 0 {
			return size, err
		}
		const field = "content-length:"
		if len(line) > len(field) && (line[0]|0x20) == 'c' && (line[8]|0x20) == 'l' && line[14] == ':' {
			size, _ = strconv.Atoi(string(line[len(field)+1:]))
		}
	}
}
