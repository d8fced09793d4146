package cdc

import (
	"context"
	"net"
	"time"
)

// timedConn is a connection whose reads end after readTimeout. It sets the deadline when it asks the system for bytes;
// go-mysql's own ReadTimeout does so for every event, which costs more than reading them.
type timedConn struct{ net.Conn }

func (c timedConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// dialTimed connects for go-mysql.
func dialTimed(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return timedConn{conn}, nil
}
