// Package freeport is for tests: it takes ports that nobody else gets, also while nobody listens there. Two things would take
// them else. The system gives ports to connections: these are not among them. And another test takes what it finds free: a
// receiver that is down would be replaced by a stranger who answers for it. So a port belongs to the process that took it until
// that ends.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
)

const (
	lowest = 1 << 14
	number = 1 << 14 // Linux gives away those from 32768 on
	tries  = 100
)

// Listen listens at such a port of this machine. Who closes that and listens there again, with net.Listen, finds it free.
func Listen() (net.Listener, error) {
	var errs []error
	for range tries {
		port := lowest + rand.IntN(number)
		if err := reserve(port); err != nil {
			errs = append(errs, err)
			continue
		}
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err == nil {
			return l, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// Address is one at which nobody listens.
func Address() (string, error) {
	l, err := Listen()
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// reserve keeps a port from others who ask here, by a name that only one socket of the machine can have. It has no file, and the
// system takes the name back when the process ends, however it does.
func reserve(port int) error {
	s, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("reserving a port: %w", err)
	}
	if err := syscall.Bind(s, &syscall.SockaddrUnix{Name: fmt.Sprintf("@rowhook-test-port-%d", port)}); err != nil {
		return errors.Join(fmt.Errorf("reserving port %d: %w", port, err), syscall.Close(s))
	}
	return nil
}
