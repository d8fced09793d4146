package cdc

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// twinLock is a lock on the server (GET_LOCK) that keeps a second reader with our server id out: two would disturb each other, and
// MySQL lets them.
type twinLock struct {
	*server
	none  bool // it takes no lock: nobody else has its id
	lease lease
	conn  *sql.Conn // holds the lock; nil: none does
	held  bool      // it was ours once
}

// sideTimeout bounds what is asked on a side connection, the wait for the lock included. A link that lost its other end
// would keep us for ever.
const sideTimeout = 20 * time.Second

// lease is for how long the lock's connection may be silent, until the server ends it, and how often we speak. So a
// server that lost us, and was not told, holds the lock of our old connection no longer than that: TCP alone would have
// it for hours.
type lease struct{ idle, beat time.Duration }

const (
	lockIdle = 90 * time.Second
	lockBeat = 20 * time.Second
)

// take takes the lock, unless it is ours. It waits ten seconds for a reader that is just going away.
//
// A twin is a StopError only before we held the lock ourselves. Later the holder is our own old connection, of which
// the server does not know yet that it is dead, and the error is one to try again after.
func (w *twinLock) take(ctx context.Context) error {
	if w.none {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	if w.conn != nil {
		if w.conn.PingContext(ctx) == nil {
			return nil
		}
		_ = w.release() // it is broken, and the lock gone with it
	}
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connecting for the lock: %w", err)
	}
	if err := w.acquire(ctx, conn); err != nil {
		return errors.Join(err, discard(conn))
	}
	w.conn, w.held = conn, true
	return nil
}

// acquire takes it on a connection.
func (w *twinLock) acquire(ctx context.Context, conn *sql.Conn) error {
	name := fmt.Sprintf("rowhook:%d", w.id)
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("SET SESSION wait_timeout = %d", int(w.lease.idle.Seconds()))); err != nil {
		return fmt.Errorf("preparing the connection for the lock: %w", err)
	}
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, 10)", name).Scan(&got)
	switch {
	case err != nil:
		return fmt.Errorf("taking the lock %s: %w", name, err)
	case got.Int64 == 1:
		return nil
	case w.held:
		return fmt.Errorf("another connection, perhaps our old one, holds the lock %s", name)
	}
	return &StopError{
		Reason: fmt.Sprintf("another rowhook with this state follows this server (lock %s is taken)", name),
		Hint:   "stop the other one; for a second rowhook use a state_dir of its own, not a copy",
	}
}

// keep shows the server that we are there until ctx ends, or the lock is lost.
func (w *twinLock) keep(ctx context.Context) error {
	if w.none {
		<-ctx.Done()
		return nil
	}
	beat := time.NewTicker(w.lease.beat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
		if err := w.beat(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("the lock that keeps a second reader out is lost: %w", err)
		}
	}
}

func (w *twinLock) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	return w.conn.PingContext(ctx)
}

// release gives it back.
func (w *twinLock) release() error {
	if w.conn == nil {
		return nil
	}
	err := discard(w.conn)
	w.conn = nil
	return err
}

// discard ends a connection, and what it holds on the server; Close alone would give it back to the pool.
func discard(conn *sql.Conn) error {
	err := conn.Raw(func(any) error { return driver.ErrBadConn })
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}
