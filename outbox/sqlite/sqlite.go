// Package sqlite is the embedded outbox: one SQLite file in WAL mode.
//
// What an outbox costs is decided by how many bytes and pages it writes for a delivery (schema.go), and by how often it
// waits for the disk. So a commit is one transaction with one sync for many deliveries, and outcomes are gathered in
// memory and ride on the next commit, or are written by themselves a little later. What was just committed is handed to
// its endpoint from memory.
//
// One connection writes, one reads for the queue, and one for lists and pages. A lock file keeps a second daemon out;
// commands read beside the daemon through OpenLog. A person can open the file with sqlite3 at any time: SELECT * FROM
// deliveries.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/pending"
)

const fileName = "outbox.db"

// Store is the outbox in one directory. Make it with Open.
type Store struct {
	path    string
	log     *slog.Logger
	trouble trouble
	lock    *os.File
	claims  *reader // for the queue
	pages   *reader // for lists: what they take time for holds up no delivery
	opened  time.Time

	writing sync.Mutex // held for each write transaction, and before mu where both are
	w       *writer

	mu       sync.Mutex
	pending  *pending.Outcomes[entry]
	recent   recent
	last     int64 // the last sequence number given
	queues   map[string]*endpoint
	ids      map[int64]*endpoint
	flusher  pending.Flusher
	flushing sync.WaitGroup // the goroutine of flusher
	closing  chan struct{}
	shutDown func() error // runs once
}

// endpoint is what the queue knows of an endpoint.
type endpoint struct {
	id int64 // 0: no rule goes there
	queue
	oldest time.Duration // when the age of the first in its backlog began, an uptime
	wake   chan struct{}
}

var _ outbox.Store = (*Store)(nil)

// Exists tells whether there is an outbox in dir: the error is outbox.ErrNotExist when no daemon ever ran there.
func Exists(dir string) error {
	_, err := os.Lstat(filepath.Join(dir, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", outbox.ErrNotExist, dir)
	}
	return err
}

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
		path: path, log: log, trouble: trouble{log: log}, pending: pending.New[entry](), recent: newRecent(),
		queues: make(map[string]*endpoint), ids: make(map[int64]*endpoint), flusher: pending.NewFlusher(), closing: make(chan struct{}),
	}
	if err := s.open(ctx, dir); err != nil {
		return nil, explain("open", path, errors.Join(err, s.release()))
	}
	makePrivate(dir)
	s.shutDown = sync.OnceValue(s.shut)
	s.flushing.Go(func() { s.flushOutcomes(context.WithoutCancel(ctx)) })
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
	if s.claims, err = openReader(ctx, s.path); err != nil {
		return err
	}
	if s.pages, err = openReader(ctx, s.path); err != nil {
		return err
	}
	s.opened = time.Now()
	s.last = s.w.last
	for id, q := range s.w.queues {
		s.know(id, q)
	}
	list, err := s.w.undelivered(ctx, s.claims)
	for _, e := range list {
		s.recent.add(e)
	}
	return errors.Join(err, s.w.ages(func(id int64, since time.Duration) { s.ids[id].oldest = since }))
}

// know takes over what a transaction knows of an endpoint. The caller holds mu, but for the beginning.
func (s *Store) know(id int64, q *queue) *endpoint {
	e := s.endpoint(q.name)
	e.id, e.queue = id, *q
	s.ids[id] = e
	return e
}

// endpoint is the one of a name, known to the file or not. The caller holds mu.
func (s *Store) endpoint(name string) *endpoint {
	e := s.queues[name]
	if e == nil {
		e = &endpoint{wake: make(chan struct{}, 1)}
		s.queues[name] = e
	}
	return e
}

// release closes what is open: the readers first, so that the writer, the last one, can tidy the log away.
func (s *Store) release() error {
	var errs []error
	for _, r := range []*reader{s.claims, s.pages} {
		if r != nil {
			errs = append(errs, r.close())
		}
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
func (s *Store) Close() error { return s.shutDown() }

func (s *Store) shut() error {
	s.mu.Lock()
	close(s.closing)
	s.mu.Unlock()
	s.flushing.Wait()
	s.writing.Lock()
	defer s.writing.Unlock()
	// Also when nothing is pending: for how long it was open is to be recorded.
	var also func(*change) error
	if s.Uptime()-s.w.written > time.Second {
		also = func(*change) error { return nil }
	}
	err := s.transact(&outbox.Batch{}, false, also)
	return errors.Join(err, explain("close", s.path, s.release()))
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// Uptime is for how long the store has been open for writing, in all its lives.
func (s *Store) Uptime() time.Duration { return s.w.uptime + time.Since(s.opened) }

// limits: SQLite itself takes up to 1 GB in a value. More than a few hundred deliveries in a commit only stall the others.
var limits = outbox.Limits{Deliveries: 4096, Records: 1 << 16, Bytes: 128 << 20, Payload: 64 << 20}

// Limits tells what Commit takes.
func (s *Store) Limits() outbox.Limits { return limits }

// Resume reads what the last commit left.
func (s *Store) Resume(ctx context.Context) (outbox.Resume, error) {
	res, err := s.claims.resume(ctx)
	return res, explain("read", s.path, err)
}

// Commit makes a batch durable, together with the outcomes that wait to be written.
func (s *Store) Commit(ctx context.Context, b *outbox.Batch) error {
	if err := limits.Check(b); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return s.persist(ctx, func() error { return s.write(b, false, nil) })
}

// write runs one write transaction: what is pending, the batch, and then do, if there is one. With all, everything
// undelivered is in the backlog for do.
func (s *Store) write(b *outbox.Batch, all bool, do func(c *change) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.isClosed() {
		return outbox.ErrClosed
	}
	return s.transact(b, all, do)
}

// transact is write for those who hold writing.
func (s *Store) transact(b *outbox.Batch, all bool, do func(c *change) error) error {
	s.mu.Lock()
	outcomes := s.pending.All()
	var old []*entry
	lagging := 0
	if all {
		old = s.recent.all()
	} else {
		old, lagging = s.recent.overflow(b.Deliveries, s.last+int64(len(b.Deliveries)), len(s.w.done.Runs))
	}
	s.mu.Unlock()
	if b.Checkpoint == nil && do == nil && len(b.Open)+len(b.Deliveries)+len(b.Events)+len(outcomes) == 0 {
		return nil
	}
	var entries []*entry
	c, err := s.w.change(s.Uptime(), func(c *change) (err error) {
		for _, o := range outcomes {
			if err := c.settle(o); err != nil {
				return err
			}
		}
		for _, e := range old {
			if err := c.spill(e); err != nil {
				return err
			}
		}
		if err := c.commit(b); err != nil {
			return err
		}
		if entries, err = c.deliveries(b.Deliveries, lagging); err != nil || do == nil {
			return err
		}
		return do(c)
	})
	if err != nil {
		return explain("write", s.path, err)
	}
	s.wrote(c, b, entries, len(outcomes))
	s.w.checkpoint()
	return nil
}

// wrote lets the queue see what a transaction has changed.
func (s *Store) wrote(c *change, b *outbox.Batch, entries []*entry, outcomes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending.Written(outcomes)
	s.flusher.Wake(s.pending.Len())
	for _, seq := range c.gone {
		s.recent.remove(seq)
	}
	for i, e := range entries {
		d := b.Deliveries[i]
		d.Seq, d.Endpoint, d.Number, d.Created, d.AsOf = e.Seq, e.Endpoint, e.Number, e.Created, e.AsOf
		if !s.w.done.Has(e.Seq) {
			s.recent.add(e)
		}
	}
	s.last = c.last
	for id := range c.queues {
		e := s.know(id, s.w.queues[id])
		e.oldest = c.oldest[id]
	}
	for id := range c.woken {
		pending.Signal(s.ids[id].wake)
	}
}
