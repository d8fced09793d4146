// Package freeport is for tests: it takes ports that are not among those which the system gives to connections. A server that
// is stopped and started again finds such a port free; another could have become the near end of somebody's connection
// meanwhile, for as long as that lasts.
package freeport

import (
	"errors"
	"math/rand/v2"
	"net"
)

const (
	lowest = 1 << 14
	number = 1 << 14 // Linux gives away those from 32768 on
	tries  = 100
)

// Listen listens at such a port of this machine.
func Listen() (net.Listener, error) {
	var errs []error
	for range tries {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: lowest + rand.IntN(number)})
		if err == nil {
			return l, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
