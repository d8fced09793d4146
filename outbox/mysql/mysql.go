package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rowhook/outbox"
)

// Store is the outbox in one schema, for the process that holds the reader's lease. Make it with Open.
type Store struct {
	cfg     *Config
	log     *slog.Logger
	pools   pools
	limits  outbox.Limits
	lease   *lease
	reader  reader
	queue   *queue
	writer  *writer
	terms   *terms
	mail    *mail
	steward *steward

	routing  sync.RWMutex // held while deliveries move: what is sent again meanwhile would go to where its rule went
	closing  chan struct{}
	shutDown func() error       // runs once
	flushing sync.WaitGroup     // the goroutines that write, which end before the last transaction
	running  sync.WaitGroup     // the others
	stop     context.CancelFunc // ends those
}

var _ outbox.Store = (*Store)(nil)

// start begins what goes on until the store is closed.
func (s *Store) start(ctx context.Context) {
	s.shutDown = sync.OnceValue(s.shut)
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.running.Go(func() {
		s.lease.keep(ctx, s.cfg, s.log, func(ctx context.Context) error { return s.lease.renew(ctx, s.Uptime()) })
	})
	s.running.Go(func() { s.pools.to.probe(ctx) })
	s.running.Go(func() { s.queue.watchAges(ctx, s.reader.oldest) })
	s.flushing.Go(func() { s.flushOutcomes(ctx) })
	s.flushing.Go(func() { s.steward.run(ctx) })
}

// flushOutcomes writes outcomes that found no commit to ride on. It ends when the store is closed, or when they can never be
// written: another process may work on it.
func (s *Store) flushOutcomes(ctx context.Context) {
	err := s.queue.flusher.Run(ctx, s.closing, func() error { return s.writer.commit(ctx, &outbox.Batch{}, nil) })
	if err == nil {
		return
	}
	if !errors.Is(err, outbox.ErrFenced) {
		s.log.Error("outcomes cannot be written", slog.Any("error", err))
	}
	s.queue.fail(err)
}

// Lost returns a channel that is closed when the lease is lost: another process may go on at once, so this one must stop
// delivering. From then on the store's methods return outbox.ErrFenced; all that is left to do is Close, and Open again.
func (s *Store) Lost() <-chan struct{} { return s.lease.lost }

// Held says whether the lease is still this process's, by its own clock: Lost may not have been told yet.
func (s *Store) Held() bool { return s.lease.held() == nil }

// Uptime is for how long the store has been open for writing, in all its lives.
func (s *Store) Uptime() time.Duration { return s.queue.clock.now() }

// Limits tells what Commit takes.
func (s *Store) Limits() outbox.Limits { return s.limits }

// Resume reads what the last commit left.
func (s *Store) Resume(ctx context.Context) (outbox.Resume, error) {
	if err := s.writer.usable(ctx); err != nil {
		return outbox.Resume{}, err
	}
	res, err := s.reader.resume(ctx)
	return res, explain("read", s.cfg, err)
}

// Commit makes a batch durable, together with the outcomes that wait to be written.
func (s *Store) Commit(ctx context.Context, b *outbox.Batch) error {
	if err := s.limits.Check(b); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return s.writer.commit(ctx, b, nil)
}

// Close writes what is buffered and releases the store. Calls that wait, and later ones, return outbox.ErrClosed.
func (s *Store) Close() error { return s.shutDown() }

func (s *Store) shut() error {
	close(s.closing)
	s.queue.fail(outbox.ErrClosed)
	s.mail.close()
	s.flushing.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.deadline())
	defer cancel()
	err := s.writer.finish(ctx)
	s.stop()
	s.running.Wait()
	return explain("close", s.cfg, errors.Join(err, s.pools.close()))
}
