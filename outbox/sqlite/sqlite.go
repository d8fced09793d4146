// Package sqlite is the embedded outbox: one SQLite file in WAL mode.
//
// What an outbox costs is decided by how many bytes and pages it writes for a delivery (schema.go), and by how often it
// waits for the disk. So a commit is one transaction with one sync for many deliveries, and outcomes are gathered in
// memory and ride on the next commit, or are written by themselves a little later. What was just committed is handed to
// the sender from memory.
//
// One connection writes and another reads. A lock file keeps a second daemon out; commands read beside the daemon
// through OpenReadOnly. A person can open the file with sqlite3 at any time: SELECT * FROM deliveries.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"rowhook/outbox"
)

const (
	fileName = "outbox.db"
	// flushAfter is how long an outcome may wait for a commit to ride on, flushCount how many may.
	flushAfter = 100 * time.Millisecond
	flushCount = 128
	// retryAfter is when writing outcomes is tried again after it failed.
	retryAfter = time.Second
	// maxPending bounds the outcomes kept in memory while they cannot be written.
	maxPending = 10_000
	// maxRecent bounds the deliveries kept in memory, and those read back at once, in bytes.
	maxRecent = 8 << 20
)

// Store is the outbox in one directory. Make it with Open.
type Store struct {
	path string
	log  *slog.Logger
	lock *os.File
	r    *reader

	writing sync.Mutex // held for each write transaction, and before mu where both are
	w       *writer

	mu       sync.Mutex
	pending  []outbox.Outcome // not written yet, in order
	writeErr error            // why the last attempt to write failed
	settled  marks            // deliveries with an outcome, written or not
	recent   recent
	wake     chan struct{} // closed, and made anew, when there are new deliveries

	due     chan struct{} // holds a token when outcomes are pending
	full    chan struct{} // holds a token when there are many
	closing chan struct{}
	flushed chan struct{} // closed when the flusher has ended
	close   func() error  // runs once
}

var _ outbox.Store = (*Store)(nil)

// Open opens the outbox in dir, and makes both when they do not exist. It returns outbox.ErrLocked when another process
// has it open. Errors name the file and what to do.
func Open(ctx context.Context, dir string, log *slog.Logger) (*Store, error) {
	path, err := filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return nil, fmt.Errorf("open the outbox: %w", err)
	}
	dir = filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, explain("open", path, err)
	}
	s := &Store{
		path: path, log: log,
		wake: make(chan struct{}), due: make(chan struct{}, 1), full: make(chan struct{}, 1),
		closing: make(chan struct{}), flushed: make(chan struct{}),
	}
	if err := s.open(ctx, dir); err != nil {
		return nil, explain("open", path, errors.Join(err, s.release()))
	}
	makePrivate(dir)
	s.settled = s.w.done.clone()
	s.recent = recent{last: s.w.last, max: maxRecent}
	s.close = sync.OnceValue(s.shut)
	go s.flusher()
	return s, nil
}

func (s *Store) open(ctx context.Context, dir string) (err error) {
	if err := checkFiles(dir); err != nil {
		return err
	}
	if s.lock, err = acquire(ctx, dir); err != nil {
		return err
	}
	if s.w, err = openWriter(ctx, s.path); err != nil {
		return err
	}
	s.r, err = openReader(ctx, s.path)
	return err
}

// release closes what is open: the reader first, so that the writer, the last one, can tidy the log away.
func (s *Store) release() error {
	var errs []error
	if s.r != nil {
		errs = append(errs, s.r.close())
	}
	if s.w != nil {
		errs = append(errs, s.w.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Close writes what is buffered and releases the store. Calls that wait, and later ones, return outbox.ErrClosed.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	s.mu.Lock()
	close(s.closing)
	s.mu.Unlock()
	<-s.flushed
	s.writing.Lock()
	defer s.writing.Unlock()
	return errors.Join(s.write(&outbox.Batch{}), explain("close", s.path, s.release()))
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// Resume reads what the last commit left.
func (s *Store) Resume(ctx context.Context) (outbox.Resume, error) {
	res, err := s.r.resume(ctx)
	return res, explain("read", s.path, err)
}

// Commit makes a batch durable, together with the outcomes that wait to be written.
func (s *Store) Commit(ctx context.Context, b *outbox.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.isClosed() {
		return outbox.ErrClosed
	}
	return s.write(b)
}

// flush writes the outcomes that wait.
func (s *Store) flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.isClosed() {
		return outbox.ErrClosed
	}
	return s.write(&outbox.Batch{})
}

// write stores a batch and all pending outcomes, and then lets Next see the deliveries. The caller holds writing.
func (s *Store) write(b *outbox.Batch) error {
	s.mu.Lock()
	outcomes := s.pending
	s.pending = nil
	s.mu.Unlock()
	if b.Checkpoint == nil && len(b.Open)+len(b.Deliveries)+len(outcomes) == 0 {
		return nil
	}
	err := explain("write", s.path, s.w.store(b, outcomes))
	s.wrote(b, outcomes, err)
	if err == nil {
		s.w.checkpoint()
	}
	return err
}

// wrote lets Next see what was written, or keeps the outcomes for another time.
func (s *Store) wrote(b *outbox.Batch, outcomes []outbox.Outcome, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeErr = err
	if err != nil {
		s.pending = append(outcomes, s.pending...)
		return
	}
	for _, d := range b.Deliveries {
		if large := largeBody(d); large != nil {
			d.Body, d.Large = nil, &pieces{s.r, d.Seq, large.Size()}
		}
		s.recent.add(d)
	}
	if len(b.Deliveries) > 0 {
		close(s.wake)
		s.wake = make(chan struct{})
	}
}

// Next returns fresh deliveries: from memory where it can, from the file where the caller lags behind.
func (s *Store) Next(ctx context.Context, after int64, limit int) ([]*outbox.Delivery, error) {
	if limit < 1 {
		return nil, fmt.Errorf("next deliveries: a limit of %d", limit)
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		if s.isClosed() {
			s.mu.Unlock()
			return nil, outbox.ErrClosed
		}
		after = max(after, s.settled.low)
		if first := s.recent.first(); after < first-1 {
			settled := s.settled.clone()
			s.mu.Unlock()
			list, err := s.r.fresh(ctx, after, first, limit, maxRecent, &settled)
			if err != nil || len(list) > 0 {
				return list, explain("read", s.path, err)
			}
			after = first - 1 // all of those have an outcome
			continue
		}
		list, wake := s.recent.after(after, limit, &s.settled), s.wake
		s.mu.Unlock()
		if len(list) > 0 {
			return list, nil
		}
		select {
		case <-wake:
		case <-s.closing:
		case <-ctx.Done():
		}
	}
}

// Settle records outcomes in memory; they are written with the next commit, or by the flusher.
func (s *Store) Settle(outcomes []outbox.Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return outbox.ErrClosed
	}
	if s.writeErr != nil && len(s.pending) >= maxPending {
		return fmt.Errorf("record outcomes: %d wait to be written: %w", len(s.pending), s.writeErr)
	}
	for _, o := range outcomes {
		if o.Seq < 1 || o.Seq > s.recent.last {
			return fmt.Errorf("record outcomes: delivery %d: %w", o.Seq, outbox.ErrNotFound)
		}
		if o.State < outbox.Waiting || o.State > outbox.Held {
			return fmt.Errorf("record outcomes: delivery %d: state %d is no outcome", o.Seq, o.State)
		}
	}
	for _, o := range outcomes {
		if o.Attempt != nil {
			a := *o.Attempt
			o.Attempt = &a
		}
		s.pending = append(s.pending, o)
		s.settled.add(o.Seq)
	}
	s.recent.settled(s.settled.low)
	if len(s.pending) > 0 {
		signal(s.due)
	}
	if len(s.pending) >= flushCount {
		signal(s.full)
	}
	return nil
}

// signal leaves a token in a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// flusher writes outcomes that found no commit to ride on. It ends when the store is closed.
func (s *Store) flusher() {
	defer close(s.flushed)
	failing := ""
	for {
		select {
		case <-s.closing:
			return
		case <-s.due:
		}
		wait, full := flushAfter, s.full
		if failing != "" {
			wait, full = retryAfter, nil
		}
		select {
		case <-s.closing:
			return
		case <-full:
		case <-time.After(wait):
		}
		err := s.flush()
		switch {
		case errors.Is(err, outbox.ErrClosed):
			return
		case err == nil && failing != "":
			s.log.Info("outcomes are written again")
			failing = ""
		case err != nil:
			if err.Error() != failing {
				s.log.Error("outcomes cannot be written; trying again", slog.Any("error", err))
			}
			failing = err.Error()
			signal(s.due)
		}
	}
}

// List returns deliveries in order of Seq, or the other way round. Outcomes that are still in memory are written first, so that it sees them.
func (s *Store) List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	list, err := s.r.list(ctx, f)
	return list, explain("read", s.path, err)
}

// Meta reads a setting; "" when it was never set.
func (s *Store) Meta(ctx context.Context, key string) (string, error) {
	value, err := s.r.meta(ctx, key)
	return value, explain("read", s.path, err)
}

// SetMeta writes a setting, durably. The key "schema" is the store's own.
func (s *Store) SetMeta(ctx context.Context, key, value string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if key == schemaKey {
		return fmt.Errorf("the setting %q belongs to the outbox", key)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.isClosed() {
		return outbox.ErrClosed
	}
	return explain("write", s.path, s.w.setMeta(key, value))
}
