package freeport

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// TestReserved: a port that was taken once is nobody else's, also when nobody listens there, and can be listened at again.
func TestReserved(t *testing.T) {
	t.Parallel()
	address, err := Address()
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := reserve(tcp.Port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("reserved again: %v", err)
	}
	l, err := net.ListenTCP("tcp", tcp)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
