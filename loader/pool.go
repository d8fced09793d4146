package loader

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// readersAtOnce is how many of the pool's connections the loader holds at most. There are more sites than that: they
	// take turns.
	readersAtOnce = 4
	// fullFor is for how long fewer are held after the server had no connection to spare.
	fullFor = time.Minute
)

// pool hands out the loader's connections. Nobody else in the package asks the database for one, and what works on a
// connection has no way to this pool: whoever holds a connection cannot wait for a second one.
type pool struct {
	db     *sql.DB
	places chan struct{} // one is taken out for each connection that is held

	mu      sync.Mutex
	reduced int // places that are not used for now
}

func newPool(db *sql.DB) *pool {
	p := &pool{db: db, places: make(chan struct{}, readersAtOnce)}
	for range readersAtOnce {
		p.places <- struct{}{}
	}
	return p
}

// lease is a connection while it is held.
type lease struct {
	*sql.Conn
	pool *pool
}

// take waits for a connection. When the server refuses one more, as it does when a user has as many as he may
// (MAX_USER_CONNECTIONS), it makes do with fewer for a while, down to one.
func (p *pool) take(ctx context.Context) (*lease, error) {
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.places:
		}
		conn, err := p.db.Conn(ctx)
		if err == nil {
			return &lease{conn, p}, nil
		}
		if !serverIsFull(err) || !p.reduce() {
			p.places <- struct{}{}
			return nil, fmt.Errorf("connecting: %w", err)
		}
	}
}

// Close gives the connection back.
func (l *lease) Close() {
	_ = l.Conn.Close() // the pool finds a broken connection out
	l.pool.places <- struct{}{}
}

// reduce keeps the place that was just taken out of use for a while; false when it is the last.
func (p *pool) reduce() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reduced == readersAtOnce-1 {
		return false
	}
	p.reduced++
	time.AfterFunc(fullFor, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.reduced--
		p.places <- struct{}{} // has room: the place is missing from it
	})
	return true
}

// do runs something that needs a connection for one question.
func (p *pool) do(ctx context.Context, ask func(*lease) error) error {
	conn, err := p.take(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return ask(conn)
}

// serverIsFull says whether the server has no connection to spare, for anybody or for our user.
func serverIsFull(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return false
	}
	switch refused.Number {
	case errTooManyConnections, errTooManyOfUser:
		return true
	case errUserLimit: // of connections, or of questions in an hour
		return strings.Contains(refused.Message, "connections")
	}
	return false
}
