package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/sys/unix"

	"rowhook/outbox"
)

const (
	// retryAfter is when writing is tried again after it failed.
	retryAfter = time.Second
	// remindAfter is how often it is said again that nothing can be written.
	remindAfter = time.Hour
)

// trouble says that the file cannot be written for now: once, and each hour; and once that it can be again. Everything
// that writes shares it. It lasts until nobody waits any more: on a full disk what is small may still find room.
type trouble struct {
	log     *slog.Logger
	mu      sync.Mutex
	waiting int // how many wait for it to end
	since   time.Time
	said    time.Time
}

// met is for who begins to wait, or waits on.
func (t *trouble) met(err error, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if first {
		t.waiting++
	}
	switch {
	case first && t.waiting == 1:
		t.since, t.said = now, now
		t.log.Error("the outbox cannot be written; rowhook waits, and goes on by itself", slog.Any("error", err))
	case now.Sub(t.said) >= remindAfter:
		t.said = now
		t.log.Error("the outbox still cannot be written; rowhook waits, and goes on by itself",
			slog.Duration("for", now.Sub(t.since).Round(time.Second)), slog.Any("error", err))
	}
}

// over is for who need not wait any more: he could write, or has gone away.
func (t *trouble) over(written bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting--; t.waiting == 0 && written {
		t.log.Info("the outbox can be written again", slog.Duration("after", time.Since(t.since).Round(time.Second)))
	}
}

// lasts tells whether somebody waits.
func (t *trouble) lasts() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting > 0
}

// persist writes, and while the file cannot be written for now, waits and tries again. It returns early with ctx's error,
// and with ErrClosed when the store is closed meanwhile.
func (s *Store) persist(ctx context.Context, write func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := write()
	if err == nil || !passes(s.path, err) {
		return err
	}
	s.trouble.met(err, true)
	defer func() { s.trouble.over(err == nil) }()
	again := time.NewTicker(retryAfter)
	defer again.Stop()
	for {
		select {
		case <-again.C:
		case <-s.closing:
			err = outbox.ErrClosed
			return err
		case <-ctx.Done():
			err = ctx.Err()
			return err
		}
		if err = write(); err == nil || !passes(s.path, err) {
			return err
		}
		s.trouble.met(err, false)
	}
}

// passes tells whether an error is one that goes away without anything being done to the file: another program has it
// locked, the disk is full, or may only be read.
func passes(path string, err error) bool {
	switch {
	case errors.Is(err, sqlite3.BUSY), errors.Is(err, sqlite3.LOCKED), errors.Is(err, sqlite3.FULL),
		errors.Is(err, sqlite3.READONLY), errors.Is(err, sqlite3.PERM),
		errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EROFS):
		return true
	case errors.Is(err, sqlite3.IOERR_DATA), errors.Is(err, sqlite3.CORRUPT):
		return false
	case errors.Is(err, sqlite3.IOERR), errors.Is(err, sqlite3.CANTOPEN): // the driver does not tell these apart
		room, ok := freeSpace(path)
		return ok && room < lowSpace || readOnlyDisk(path)
	}
	return false
}

// readOnlyDisk tells whether the file system of path may only be read.
func readOnlyDisk(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Flags&unix.ST_RDONLY != 0
}
