package mysql

import (
	"context"
	"database/sql/driver"
	"sync/atomic"

	"rowhook/connect"
)

// host is a server that has the outbox, or may have it.
type host struct {
	*connect.Server
	left atomic.Int64 // how often it was left
}

// driverConn is what the driver's connections are.
type driverConn interface {
	driver.Conn
	driver.Pinger
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.NamedValueChecker
	driver.SessionResetter
	driver.Validator
}

// session is a connection to a server for as long as that one can be worked with. One that answers that it cannot, as a node does
// that its cluster has lost, is left by all the connections to it, also by those that somebody uses at that time: a pool would hand
// them out again and again, for each of them is in order. The next ones go to another address if there is one.
type session struct {
	driverConn
	host  *host
	node  bool  // it is one of a cluster
	times int64 // how often the server had been left before
}

// ExecContext implements driver.ExecerContext.
func (s *session) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := s.driverConn.ExecContext(ctx, query, args)
	s.look(err)
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (s *session) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := s.driverConn.QueryContext(ctx, query, args)
	s.look(err)
	return rows, err
}

// BeginTx implements driver.ConnBeginTx.
func (s *session) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := s.driverConn.BeginTx(ctx, opts)
	s.look(err)
	return tx, err
}

// waited is the number with which a server ends a wait for a lock, and a node that for what others have committed.
const waited = 1205

// look leaves the server when an error says so.
func (s *session) look(err error) {
	if isNumber(err, away...) || s.node && isNumber(err, waited) {
		s.leave()
	}
}

func (s *session) leave() { s.host.left.CompareAndSwap(s.times, s.times+1) }

func (s *session) stale() bool { return s.host.left.Load() != s.times }

// IsValid implements driver.Validator: a connection that is given back is used again only then.
func (s *session) IsValid() bool { return !s.stale() && s.driverConn.IsValid() }

// ResetSession implements driver.SessionResetter, which a connection goes through that is used again.
func (s *session) ResetSession(ctx context.Context) error {
	if s.stale() {
		return driver.ErrBadConn
	}
	return s.driverConn.ResetSession(ctx)
}
