package mysql

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

// Member is a process that delivers to endpoints of an outbox that another one, the holder of the reader's lease, works on.
// The holder gives it endpoints; it claims what they have from the tables, and hands its outcomes over. Make it with Join.
type Member struct {
	*ReadOnly // what was written, and is asked

	log      *slog.Logger
	pools    pools
	presence *presence
	terms    *terms
	parts    *parts
	appender *appender
	vacancy  *vacancy
	mail     *mail
	census   *census
	older    older
	lag      lag

	closing  chan struct{}
	shutDown func() error       // runs once
	handing  sync.WaitGroup     // the goroutine that hands outcomes over
	running  sync.WaitGroup     // the others
	stop     context.CancelFunc // ends those
}

// pollAfter is how often a member looks at what there is for it.
const pollAfter = 15 * time.Millisecond

// Join makes this process one of those that the holder gives endpoints to. It waits for nothing: the error is outbox.ErrNotExist
// while there is no schema yet, which Open makes.
func Join(ctx context.Context, cfg Config, who Who, log *slog.Logger) (*Member, error) {
	cfg.Who = who
	if err := cfg.check(); err != nil {
		return nil, err
	}
	m := newMember(cfg, log)
	if err := m.begin(ctx); err != nil {
		return nil, errors.Join(explain("join", &m.cfg, err), m.pools.close())
	}
	m.start(ctx)
	return m, nil
}

func newMember(cfg Config, log *slog.Logger) *Member {
	to, terms := newConnector(cfg, false), newTerms()
	pools := openPools(to)
	m := &Member{
		ReadOnly: &ReadOnly{cfg, reader{pools.reads}}, log: log, pools: pools, terms: terms, parts: newParts(terms), closing: make(chan struct{}),
	}
	m.presence = newPresence(&m.cfg, pools.beats)
	to.other = func() { _ = m.presence.lose(errOtherServer) }
	m.appender = &appender{cfg: &m.cfg, pools: pools, presence: m.presence, parts: m.parts, trouble: trouble{log: log}, log: log}
	m.vacancy = newVacancy(&m.cfg, m.presence.name)
	m.mail = newMail(&m.cfg, log, pools.reads, &m.presence.right)
	m.census = newCensus(&m.cfg)
	if cfg.Beside != nil {
		m.vacancy.inherit(cfg.Beside.vacancy)
		m.census.inherit(cfg.Beside.census)
		m.cfg.Beside = nil
	}
	return m
}

// begin makes this process a member.
func (m *Member) begin(ctx context.Context) error {
	found, err := readVersion(ctx, m.pools.reads)
	if isNumber(err, noSchema) {
		err = outbox.ErrNotExist
	}
	if err != nil {
		return err
	}
	if found < version {
		if err := prepare(ctx, newConnector(m.cfg, false)); err != nil {
			return err
		}
	}
	if err := m.presence.begin(ctx); err != nil {
		return err
	}
	return m.poll(ctx, true)
}

// start begins what goes on until the member is closed.
func (m *Member) start(ctx context.Context) {
	m.shutDown = sync.OnceValue(m.shut)
	ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	m.running.Go(func() { m.presence.keep(ctx, &m.cfg, m.log, m.presence.renew) })
	m.running.Go(func() { m.pools.to.probe(ctx) })
	m.running.Go(func() { m.watch(ctx) })
	m.running.Go(func() { m.watchAges(ctx) })
	m.handing.Go(func() { m.appender.run(ctx, m.closing) })
}

// watch polls until ctx ends, or this process is a member no more.
func (m *Member) watch(ctx context.Context) {
	var trouble retry.Trouble
	everyone := time.Now()
	for {
		began := time.Now()
		all := began.Sub(everyone) >= min(m.cfg.lease()/20, idleAfter)
		if all {
			everyone = began
		}
		err := m.poll(ctx, all)
		switch {
		case ctx.Err() != nil:
			return
		case m.presence.held() != nil:
			m.parts.fail(m.presence.held())
			return
		case err != nil:
			if trouble.Worth(shown(err)) {
				m.log.Error("the outbox cannot be looked at for now; rowhook waits, and goes on by itself", slog.Any("error", explain("read", &m.cfg, err)))
			}
		default:
			if lasted, was := trouble.Over(); was {
				m.log.Info("the outbox can be looked at again", slog.Duration("after", lasted.Round(time.Millisecond)))
			}
		}
		if retry.Pause(ctx, pollAfter-time.Since(began)) != nil {
			return
		}
	}
}

// poll looks at what there is, now and then also at everyone.
func (m *Member) poll(ctx context.Context, all bool) error {
	before := time.Now() // who was silent until then is dead: what is seen may be late
	v, err := look(ctx, m.pools.polls, m.presence.name, all)
	if err != nil {
		return err
	}
	if m.parts.unknown(&v) {
		if err := m.learn(ctx); err != nil {
			return err
		}
	}
	now := time.Now()
	if all {
		m.census.look(v.citizens, now)
		if m.older.look(&v, now) >= m.cfg.silence() && len(m.parts.all()) > 0 {
			return m.presence.lose(errOlder)
		}
	}
	m.vacancy.look(v.holder, m.census.living(before), now)
	m.mail.deliver(ctx, v.mail)
	leave, behind := m.parts.see(&v, &m.cfg, now)
	if m.lag.lasts(behind, now) >= m.cfg.hang() {
		return m.presence.lose(errLostCommits)
	}
	if len(leave) > 0 {
		m.running.Go(func() { m.letGo(ctx, leave) })
	}
	return nil
}

// lag is how long the server has had less than it showed before. A node of a cluster may, for a moment.
type lag struct{ since time.Time }

func (l *lag) lasts(behind bool, now time.Time) time.Duration {
	if !behind || l.since.IsZero() {
		l.since = now
	}
	return now.Sub(l.since)
}

// letGo leaves parts that nobody delivers to.
func (m *Member) letGo(ctx context.Context, list []*part) {
	if err := m.appender.leave(ctx, ends{m.presence.lost, m.closing}, list); err != nil {
		if m.usable(ctx) == nil {
			m.log.Error("an endpoint that another process is to have cannot be let go of", slog.Any("error", explain("write", &m.cfg, err)))
		}
		_ = retry.Pause(ctx, retryAfter)
		m.parts.stay(list) // the next look has it tried again
	}
}

// learn reads the names of endpoints and labels, of which there are new ones.
func (m *Member) learn(ctx context.Context) error {
	words, err := readWords(ctx, m.pools.reads)
	if err == nil {
		m.parts.know(words)
	}
	return err
}

// usable says why the member cannot be worked with.
func (m *Member) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-m.closing:
		return outbox.ErrClosed
	default:
		return m.presence.held()
	}
}

// Terms are the endpoints that are this process's, each with its term, and a channel that is closed when that changes. For each
// that was among them and is not any more the caller is to call Leave, once nothing is posted to it.
func (m *Member) Terms() (terms map[string]outbox.Term, changed <-chan struct{}) {
	return m.terms.hand()
}

// Leave says that nothing is posted to an endpoint any more and that its outcomes are settled: another process may have it. It
// returns when that is so.
func (m *Member) Leave(ctx context.Context, endpoint string) error {
	if err := m.usable(ctx); err != nil {
		return err
	}
	if err := m.appender.leave(ctx, ends{m.presence.lost, m.closing}, m.parts.named(endpoint)); err != nil {
		return explain("leave an endpoint of", &m.cfg, err)
	}
	m.terms.leave(endpoint)
	return nil
}

// Lost returns a channel that is closed when the holder takes this process for dead, or may do so, or when the server lost commits: it
// must stop delivering. All that is left to do is Close, and Join again.
func (m *Member) Lost() <-chan struct{} { return m.presence.lost }

// Why says why Lost is closed; nil while it is not.
func (m *Member) Why() error { return m.presence.held() }

// Held says whether this process is still one that may deliver, by its own clock.
func (m *Member) Held() bool { return m.presence.held() == nil }

// Vacant returns a channel that is closed when the reader's lease looks free and it is this process's turn to take it: call Open,
// with NoWait, beside the Member, and close the Member once the Store is open. Where another was quicker the Member goes on; Vacant
// then returns another channel.
func (m *Member) Vacant() <-chan struct{} { return m.vacancy.channel() }

// Tell tells the others what this process is from now on: its rules have changed. With an empty digest it is about to end: it is
// given nothing, and what it has goes to others.
func (m *Member) Tell(ctx context.Context, who Who) error {
	if err := m.usable(ctx); err != nil {
		return err
	}
	m.vacancy.become(who)
	return explain("write", &m.cfg, tell(ctx, m.pools.beats, m.presence.name, who))
}

// Ask sends a request to another process, "": the holder, and returns its answer. The error is outbox.ErrNotFound when there is no
// such process.
func (m *Member) Ask(ctx context.Context, machine string, request []byte) ([]byte, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	answer, err := m.mail.ask(ctx, machine, request)
	return answer, explain("ask by way of", &m.cfg, err)
}

// Answer says who answers the requests of other processes: a function that several goroutines call.
func (m *Member) Answer(answer func(ctx context.Context, request []byte) []byte) { m.mail.by(answer) }

// Close hands over what waits, lets go of all endpoints, and is a member no more. Calls that wait, and later ones, return
// outbox.ErrClosed.
func (m *Member) Close() error { return m.shutDown() }

func (m *Member) shut() error {
	close(m.closing)
	m.parts.fail(outbox.ErrClosed)
	m.mail.close()
	m.handing.Wait()
	m.stop()
	m.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), m.cfg.deadline())
	defer cancel()
	return explain("close", &m.cfg, errors.Join(m.finish(ctx), m.pools.close()))
}

// finish lets go of all there is, once the holder gives this process nothing more: else it might be given back what it has let go of.
// It does so, too, when this process is taken for dead, or may be so: what the holder has not taken back is ours still, and outcomes of
// it count.
func (m *Member) finish(ctx context.Context) error {
	_ = tell(ctx, m.pools.beats, m.presence.name, Who{}) // where that fails, so will the next
	err := m.appender.leave(ctx, ends{}, m.parts.all())
	// Also where that was refused, as by a server that lost the last commits: nobody is to wait for one who has ended.
	_, gone := m.pools.beats.ExecContext(ctx, `DELETE FROM member WHERE id = ?`, m.presence.name)
	if !m.Held() {
		return nil // which is known
	}
	return errors.Join(err, gone)
}
