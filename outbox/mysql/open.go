package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/outbox/transfer"
	"rowhook/retry"
)

// Open connects to the server, makes or upgrades the schema, and stands by until the reader's lease is this process's. It
// waits while no server answers or takes writes, and says so in the log; what waiting does not help, a wrong password or a
// missing right, is an error that says what to type. It returns early with ctx's error.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	connector := newConnector(cfg, false)
	o := &opening{cfg: &cfg, log: log, connector: connector, pools: openPools(connector), watch: &watch{cfg: &cfg, log: log}, clock: running}
	if cfg.Beside != nil {
		o.watch.last, o.watch.since = cfg.Beside.vacancy.seen()
		cfg.Former = cfg.Beside.cfg.Former
	}
	return o.open(ctx)
}

// opening is a Store in the making.
type opening struct {
	cfg       *Config
	log       *slog.Logger
	connector *connector
	pools     pools
	watch     *watch
	clock     func(before time.Duration) clock
}

// open waits until the store is open, and begins what goes on until it is closed.
func (o *opening) open(ctx context.Context) (*Store, error) {
	var probing sync.WaitGroup
	until, stop := context.WithCancel(ctx)
	probing.Go(func() { o.connector.probe(until) })
	s, err := o.wait(ctx)
	stop()
	probing.Wait()
	if err != nil {
		_ = o.pools.close()
		return nil, err
	}
	s.start(ctx)
	return s, nil
}

// wait tries until the store is open, or waiting does not help.
func (o *opening) wait(ctx context.Context) (*Store, error) {
	var waiting retry.Trouble
	for {
		s, err := o.try(ctx)
		switch {
		case err == nil:
			if lasted, was := waiting.Over(); was {
				o.log.Info("the outbox is open", slog.Duration("after", lasted.Round(time.Second)))
			}
			return s, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case o.cfg.NoWait || !passes(err):
			return nil, explain("open", o.cfg, err)
		}
		if waiting.Worth(shown(err)) {
			o.log.Error("the outbox cannot be opened for now; rowhook waits, and goes on by itself", slog.Any("error", explain("open", o.cfg, err)))
		}
		if err := retry.Pause(ctx, min(waiting.Wait(), o.cfg.lease()/5)); err != nil {
			return nil, err
		}
	}
}

// errSmallPacket is for a server that takes too little at once.
var errSmallPacket = errors.New("max_allowed_packet is too small")

// try prepares the schema, takes the lease, and reads what is to be known.
func (o *opening) try(ctx context.Context) (*Store, error) {
	if err := prepare(ctx, o.connector); err != nil {
		return nil, err
	}
	var packet int64
	if err := o.pools.writes.QueryRowContext(ctx, `SELECT @@max_allowed_packet`).Scan(&packet); err != nil {
		return nil, err
	}
	if packet < minPacket {
		return nil, fmt.Errorf("%w: %d bytes; set max_allowed_packet = 64M in the server's my.cnf, and type: SET GLOBAL max_allowed_packet = 67108864;", errSmallPacket, packet)
	}
	lease, f, before, err := o.takeLease(ctx)
	if err != nil {
		return nil, err
	}
	s, err := o.renewing(ctx, lease, before, func() (*Store, error) { return o.read(ctx, lease, f, before, packet) })
	if err != nil && (before.owner == "" || errors.Is(err, transfer.ErrHalf)) { // else the next one is to see that it did not end in order
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.cfg.deadline())
		defer cancel()
		err = errors.Join(err, lease.release(ctx, before.uptime))
	}
	return s, err
}

// renewing renews the lease while something is done that may take long.
func (o *opening) renewing(ctx context.Context, lease *lease, before holder, do func() (*Store, error)) (*Store, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var renewals sync.WaitGroup
	defer renewals.Wait()
	defer cancel()
	renewals.Go(func() {
		lease.keep(ctx, o.cfg, o.log, func(ctx context.Context) error { return lease.renew(ctx, before.uptime) })
	})
	return do()
}

// read reads what is to be known, for who has the lease.
func (o *opening) read(ctx context.Context, lease *lease, f fence, before holder, packet int64) (*Store, error) {
	if err := checkWhole(ctx, o.pools.writes); err != nil { // who had the lease may have left it so
		return nil, err
	}
	content, err := readContent(ctx, o.pools.writes, f, lease.owner)
	if err != nil {
		return nil, err
	}
	reader := reader{o.pools.reads}
	queue := newQueue(o.clock(before.uptime), content)
	if err := queue.findOldest(ctx, reader.oldest); err != nil {
		return nil, err
	}
	s, err := o.assemble(ctx, lease, queue, content, packet)
	if err == nil && before.owner != "" { // it did not end in order
		err = s.writer.try(ctx, &outbox.Batch{}, (*change).skip)
	}
	return s, err
}

// assemble puts the parts together.
func (o *opening) assemble(ctx context.Context, lease *lease, queue *queue, content *content, packet int64) (*Store, error) {
	s := &Store{
		cfg: o.cfg, log: o.log, pools: o.pools, limits: limitsOf(packet), lease: lease, reader: reader{o.pools.reads}, queue: queue, terms: newTerms(),
		mail: newMail(o.cfg, o.log, o.pools.reads, &lease.right), closing: make(chan struct{}),
	}
	s.writer = &writer{cfg: o.cfg, pools: o.pools, lease: lease, queue: queue, closing: s.closing, room: int(packet) - spare, trouble: trouble{log: o.log}, content: content}
	s.steward = newSteward(o.cfg, o.log, o.pools, s.writer, s.terms, s.mail, content)
	s.writer.steward = s.steward
	if err := s.steward.open(ctx, o.pools.writes); err != nil {
		return nil, err
	}
	return s, lease.held()
}

// takeLease stands by until the lease is free, and takes it. It also tells who held it before.
func (o *opening) takeLease(ctx context.Context) (*lease, fence, holder, error) {
	for {
		before, err := o.watch.free(ctx, o.pools.beats)
		if err != nil {
			return nil, fence{}, before, err
		}
		l := newLease(o.cfg, o.pools.beats)
		f, err := l.take(ctx, before)
		if !errors.Is(err, errQuicker) {
			return l, f, before, err
		}
	}
}

// spare is what is left free of the server's max_allowed_packet, in bytes.
const spare = 4 << 10

// limitsOf is what a commit can be. It goes in several packets where it must, but a payload is in one: each of its bytes may take two in
// SQL, and there are the rows of the statement before it.
func limitsOf(packet int64) outbox.Limits {
	return outbox.Limits{Deliveries: 1024, Records: 1 << 16, Bytes: 128 << 20, Payload: min(packet/2-maxStatement, 64<<20)}
}
