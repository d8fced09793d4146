package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rowhook/connect"
	"rowhook/outbox"
	"rowhook/retry"
)

// Store is the outbox in one schema, for the process that holds the reader's lease. Make it with Open.
type Store struct {
	cfg     Config
	log     *slog.Logger
	trouble trouble
	writes  *sql.DB // one connection, for what is written
	beats   *sql.DB // one for the lease
	lease   *lease
	reader  reader
	limits  outbox.Limits
	stop    context.CancelFunc // ends the goroutines
	ended   sync.WaitGroup

	routing sync.RWMutex // held while deliveries move: what is sent again meanwhile would go to where its rule went
	writing sync.Mutex   // held for each write transaction, and before mu where both are
	c       *content

	mu       sync.Mutex
	view     view
	pending  pending
	recent   recent
	broken   error // why outcomes will never be written
	flusher  flusher
	ages     ages
	closing  chan struct{}
	shutDown func() error // runs once
}

// view is what the queue knows of the content.
type view struct {
	words  words
	byName map[string]int64
	ends   map[int64]*end
	oldest map[int64]time.Duration // by endpoint: when the age of its first delivery began, where memory does not tell
	last   int64
	wakes  map[string]chan struct{}
}

var _ outbox.Store = (*Store)(nil)

// Open connects to the server, makes or upgrades the schema, and stands by until the reader's lease is this process's. It
// waits while no server answers or takes writes, and says so in the log; what waiting does not help, a wrong password or a
// missing right, is an error that says what to type. It returns early with ctx's error.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, log: log, trouble: trouble{log: log}, pending: newPending(), recent: newRecent(), flusher: newFlusher(), ages: newAges(), closing: make(chan struct{}),
	}
	connector := newConnector(cfg, false)
	s.writes, s.beats, s.reader = pool(connector, 1), pool(connector, 1), reader{pool(connector, 8)}
	w := &watch{cfg: &s.cfg, log: log}
	var waiting retry.Trouble
	for {
		err := s.open(ctx, connector, w)
		if err == nil {
			break
		}
		if cfg.NoWait || !passes(err) || ctx.Err() != nil {
			_ = s.release()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, explain("open", &cfg, err)
		}
		if waiting.Worth(shown(err)) {
			log.Error("the outbox cannot be opened for now; rowhook waits, and goes on by itself", slog.Any("error", explain("open", &cfg, err)))
		}
		if err := retry.Pause(ctx, min(waiting.Wait(), cfg.lease()/5)); err != nil {
			_ = s.release()
			return nil, err
		}
	}
	if lasted, was := waiting.Over(); was {
		log.Info("the outbox is open", slog.Duration("after", lasted.Round(time.Second)))
	}
	s.shutDown = sync.OnceValue(s.shut)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.ended.Go(func() { s.lease.renew(running, s.Uptime, log) })
	s.ended.Go(func() { s.flusher.run(running, s) })
	s.ended.Go(func() { s.ages.run(running, s) })
	return s, nil
}

func pool(c *connector, most int) *sql.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxLifetime(connect.Lifetime)
	return db
}

// errSmallPacket is for a server that takes too little at once.
var errSmallPacket = errors.New("max_allowed_packet is too small")

// open is one try of Open.
func (s *Store) open(ctx context.Context, connector *connector, w *watch) error {
	if err := prepare(ctx, connector); err != nil {
		return err
	}
	var packet int64
	if err := s.writes.QueryRowContext(ctx, `SELECT @@max_allowed_packet`).Scan(&packet); err != nil {
		return err
	}
	if packet < minPacket {
		return fmt.Errorf("%w: %d bytes; set max_allowed_packet = 64M in the server's my.cnf, and type: SET GLOBAL max_allowed_packet = 67108864;", errSmallPacket, packet)
	}
	s.limits = limitsOf(packet)
	f, seen, err := s.take(ctx, w)
	if err != nil {
		return err
	}
	s.c, err = readContent(ctx, s.writes, f)
	if err != nil {
		return err
	}
	s.c.uptime, s.c.takenAt = seen.uptime, time.Now()
	s.view = view{wakes: make(map[string]chan struct{}), oldest: make(map[int64]time.Duration)}
	for id, e := range s.c.ends {
		if e.count() <= 0 {
			continue
		}
		if s.view.oldest[id], err = s.reader.oldest(ctx, id, e.marks.low); err != nil {
			return err
		}
	}
	s.look()
	return s.lease.held()
}

// take stands by until the lease is free, and takes it.
func (s *Store) take(ctx context.Context, w *watch) (fence, holder, error) {
	for {
		seen, err := w.free(ctx, s.beats)
		if err != nil {
			return fence{}, seen, err
		}
		s.lease = newLease(&s.cfg, s.beats)
		f, err := s.lease.take(ctx, seen)
		if !errors.Is(err, errQuicker) {
			return f, seen, err
		}
	}
}

// limitsOf is what a commit can be when it is one packet: each byte of a payload may take two in SQL, and there are the rows.
func limitsOf(packet int64) outbox.Limits {
	const rows = 1 << 20
	most := packet/2 - rows
	return outbox.Limits{Deliveries: 1024, Records: 4096, Bytes: min(most, 128<<20), Payload: min(most, 64<<20)}
}

// look lets the queue see what the content is now. The caller holds mu, but for the beginning.
func (s *Store) look() {
	s.view.words, s.view.byName, s.view.ends, s.view.last = s.c.words, s.c.byName, s.c.ends, s.c.last
}

// Lost returns a channel that is closed when the lease is lost: another process may go on at once, so this one must stop
// delivering. From then on the store's methods return outbox.ErrFenced; all that is left to do is Close, and Open again.
func (s *Store) Lost() <-chan struct{} { return s.lease.lost }

// Held says whether the lease is still this process's, by its own clock: Lost may not have been told yet.
func (s *Store) Held() bool { return s.lease.held() == nil }

// Uptime is for how long the store has been open for writing, in all its lives.
func (s *Store) Uptime() time.Duration { return s.c.uptime + time.Since(s.c.takenAt) }

// Limits tells what Commit takes.
func (s *Store) Limits() outbox.Limits { return s.limits }

// Close writes what is buffered and releases the store. Calls that wait, and later ones, return outbox.ErrClosed.
func (s *Store) Close() error { return s.shutDown() }

func (s *Store) shut() error {
	s.mu.Lock()
	close(s.closing)
	s.mu.Unlock()
	<-s.flusher.ended
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.deadline())
	defer cancel()
	var err error
	if s.lease.held() == nil {
		err = s.transact(ctx, &outbox.Batch{}, nil)
		if err == nil {
			err = s.lease.release(ctx, s.Uptime())
		}
	}
	s.stop()
	s.ended.Wait()
	return explain("close", &s.cfg, errors.Join(err, s.release()))
}

func (s *Store) release() error {
	return errors.Join(s.writes.Close(), s.beats.Close(), s.reader.db.Close())
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// usable says why the store cannot be worked with: the caller is gone, it is closed, or another process may work with it.
func (s *Store) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.isClosed() {
		return outbox.ErrClosed
	}
	return s.lease.held()
}

// Resume reads what the last commit left.
func (s *Store) Resume(ctx context.Context) (outbox.Resume, error) {
	if err := s.usable(ctx); err != nil {
		return outbox.Resume{}, err
	}
	res, err := s.reader.resume(ctx)
	return res, explain("read", &s.cfg, err)
}

// Commit makes a batch durable, together with the outcomes that wait to be written.
func (s *Store) Commit(ctx context.Context, b *outbox.Batch) error {
	if err := s.limits.Check(b); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return s.persist(ctx, func() error { return s.write(ctx, b, nil) })
}

// write runs one write transaction: what is pending, the batch, and then do, if there is one.
func (s *Store) write(ctx context.Context, b *outbox.Batch, do func(c *change) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	return s.transact(ctx, b, do)
}

// transact is write for those who hold writing.
func (s *Store) transact(ctx context.Context, b *outbox.Batch, do func(c *change) error) error {
	s.mu.Lock()
	outcomes := slices.Clip(s.pending.list)
	s.mu.Unlock()
	c := newChange(s.c, s.writes, s.Uptime())
	if err := c.settle(ctx, outcomes); err != nil {
		return err
	}
	entries := c.batch(b)
	if do != nil {
		if err := do(c); err != nil {
			return err
		}
	}
	if !c.empty() {
		if err := s.send(ctx, c); err != nil {
			return err
		}
	}
	s.wrote(c, b, entries, len(outcomes))
	return nil
}

// send commits a change. It is known afterwards whether that was done: when the connection is lost on the way, the lease is
// taken once more, which is decided after the commit, and seq tells. The end of ctx breaks nothing off that was sent.
func (s *Store) send(ctx context.Context, c *change) error {
	ctx = context.WithoutCancel(ctx)
	err := c.whole().send(ctx, s.writes)
	for range maxDeadlocks {
		if !isNumber(err, again...) {
			break
		}
		err = c.whole().send(ctx, s.writes)
	}
	switch {
	case err == nil:
		return nil
	case isNumber(err, fencedBy):
		return s.lease.lose(errTaken)
	case answered(err), isOurs(err), errors.Is(err, errUnsent):
		return err
	}
	s.trouble.met(err, true)
	f, lost := s.decide(ctx)
	s.trouble.over(lost == nil)
	switch {
	case lost != nil:
		return lost
	case f.seq == c.seq+1 && f.last == c.last:
		s.c.epoch = f.epoch
		return nil
	case f.seq != c.seq:
		return s.lease.lose(errTaken)
	}
	s.c.epoch = f.epoch
	return err
}

// maxDeadlocks is how often a transaction is sent again at once that got in another's way.
const maxDeadlocks = 3

// decide takes the lease again, until it is known what has become of a commit, or the lease is lost.
func (s *Store) decide(ctx context.Context) (fence, error) {
	for {
		if err := s.lease.held(); err != nil {
			return fence{}, err
		}
		f, err := s.lease.again(ctx)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, errQuicker):
			return f, s.lease.lose(errTaken)
		case !passes(err):
			return f, s.lease.lose(err)
		}
		if err := retry.Pause(ctx, retryDoubt); err != nil {
			return f, err
		}
	}
}

// retryDoubt is when it is tried again to find out what has become of a commit.
const retryDoubt = 200 * time.Millisecond

// wrote takes over what a transaction has changed, and lets the queue see it.
func (s *Store) wrote(c *change, b *outbox.Batch, entries []*entry, outcomes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending.written(outcomes)
	if !c.empty() {
		s.c.take(c)
		s.look()
	}
	for id := range c.disarranged {
		s.recent.forget(id)
	}
	for i, e := range entries {
		d := b.Deliveries[i]
		d.Seq, d.Endpoint, d.Number, d.Created, d.AsOf = e.Seq, e.Endpoint, e.Number, e.Created, e.AsOf
		if e.endpoint != 0 && !c.disarranged[e.endpoint] {
			s.recent.add(e)
		}
	}
	for id := range c.changed {
		s.ages.change(id)
	}
	for id := range c.woken {
		signal(s.channel(s.c.endpoints[id]))
	}
}
