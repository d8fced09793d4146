package mysql

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// cutter stands between a store and its server, and cuts a connection at a commit.
type cutter struct {
	net.Listener
	target string
	mu     sync.Mutex
	mark   []byte // the next packet with this in it is the last one of its connection; nil: none
	after  bool   // it arrives, and its answer does not
}

func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, target: target}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(client)
		}
	}()
	return c
}

// cut arms it for one packet with a mark in it.
func (c *cutter) cut(mark string, after bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark, c.after = []byte(mark), after
}

// meets tells whether data is where to cut, and how; once.
func (c *cutter) meets(data []byte) (cut, after bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mark == nil || !bytes.Contains(data, c.mark) {
		return false, false
	}
	c.mark = nil
	return true, c.after
}

func (c *cutter) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	defer server.Close()
	var gate sync.Mutex
	silent := false
	go func() {
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			gate.Lock()
			quiet := silent
			gate.Unlock()
			if quiet { // it answered: so it was done
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<20)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		cut, after := c.meets(buf[:n])
		if cut && !after {
			return
		}
		if cut {
			gate.Lock()
			silent = true
			gate.Unlock()
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
		if cut {
			_, _ = io.Copy(io.Discard, client) // until the other half has ended
			return
		}
	}
}
