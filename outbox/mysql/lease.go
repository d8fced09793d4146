package mysql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

// holder is what the lease's row says.
type holder struct {
	owner       string // "": nobody
	epoch, beat int64
	uptime      time.Duration
}

// beyond tells whether the lease was renewed, taken or released since it was seen as another one. One that is behind that was not: a server
// that lacks the last commits has taken another one's place.
func (h holder) beyond(last holder) bool {
	return h.epoch > last.epoch || h.epoch == last.epoch && h.beat > last.beat
}

var errNoLease = errors.New("the table lease has no row: the schema is damaged")

func readHolder(ctx context.Context, db *sql.DB) (h holder, err error) {
	var uptime int64
	err = db.QueryRowContext(ctx, `SELECT owner, epoch, beat, uptime FROM lease WHERE name = 'reader'`).Scan(&h.owner, &h.epoch, &h.beat, &uptime)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoLease
	}
	h.uptime = time.Duration(uptime) * time.Microsecond
	return h, err
}

// newOwner is a name for one term of one process: who comes back under an old name would take an old lease for his.
func newOwner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%.100s-%d-%s", host, os.Getpid(), strings.ToLower(rand.Text()[:8]))
}

// watch is a contender's: it looks at the lease until it is free. It compares no clocks, only how long it has itself seen the
// beat stand still.
type watch struct {
	cfg    *Config
	log    *slog.Logger
	last   holder
	since  time.Time // when last was seen for the first time
	said   time.Time
	saidOf string
}

// free waits until nobody holds the lease, and tells who did. One whose beat moves holds it.
func (w *watch) free(ctx context.Context, db *sql.DB) (holder, error) {
	var began time.Time
	for {
		h, err := readHolder(ctx, db)
		if err != nil {
			return h, err
		}
		now := time.Now()
		if w.since.IsZero() || h.beyond(w.last) {
			w.since = now
		}
		w.last = h
		if began.IsZero() {
			began = w.since
		}
		if w.cfg.ended(h.owner) || now.Sub(w.since) >= w.cfg.silence() {
			return h, nil
		}
		if w.cfg.NoWait && w.since != began {
			return h, fmt.Errorf("%w: %s works on it", outbox.ErrLocked, h.owner)
		}
		w.say(h, now)
		if err := retry.Pause(ctx, min(w.cfg.lease()/20, time.Second/2)); err != nil {
			return h, err
		}
	}
}

func (w *watch) say(h holder, now time.Time) {
	if h.owner == w.saidOf && now.Sub(w.said) < time.Hour {
		return
	}
	w.said, w.saidOf = now, h.owner
	w.log.Info("another process works on this outbox; this one stands by, and goes on when that one ends or fails", slog.String("holder", h.owner))
}

// lease is the right to work on the outbox, for this process.
type lease struct {
	right
	cfg   *Config
	db    *sql.DB // of its own: a renewal waits for no commit
	owner string
}

func newLease(cfg *Config, db *sql.DB) *lease {
	return &lease{right: newRight(), cfg: cfg, db: db, owner: newOwner()}
}

// takeFrom is the packet with which a lease changes hands. The condition makes epoch NULL, an error, when another was quicker. The
// fence row is written, not only locked: Galera refuses a commit for what was written elsewhere, never for a lock.
func (l *lease) takeFrom(condition string, args ...any) *packet {
	var p packet
	p.add(`UPDATE lease SET epoch = IF(`+condition+`, epoch + 1, NULL), beat = beat + 1, owner = ?,
		until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE name = 'reader'`, append(args, l.owner, l.cfg.lease().Microseconds())...)
	p.add(`UPDATE state SET epoch = (SELECT epoch FROM lease WHERE name = 'reader') WHERE id = 1`)
	present(&p, l.cfg, l.owner)
	return &p
}

// take makes the lease ours, if it is still as it was seen. The error is errQuicker when it is not.
func (l *lease) take(ctx context.Context, seen holder) (fence, error) {
	began := time.Now()
	p := l.takeFrom(`epoch = ? AND beat = ?`, seen.epoch, seen.beat)
	p.add(`DELETE FROM member WHERE id = ?`, seen.owner) // the lease was its beat
	err := p.send(ctx, l.db)
	if isNumber(err, fencedBy) || isNumber(err, again...) {
		return fence{}, errQuicker
	}
	if err != nil {
		return fence{}, err
	}
	return l.confirm(ctx, began)
}

var errQuicker = errors.New("another process was quicker")

// fence is what a transaction finds in the fenced row, or is refused.
type fence struct {
	epoch   int64 // how often the lease was taken
	commits int64 // how many transactions were committed, the column seq
	lastSeq int64 // of the last delivery, the column last
}

// confirm reads what the takeover has left. It comes after the takeover's commit: on Galera everything that was certified
// before is visible then.
func (l *lease) confirm(ctx context.Context, began time.Time) (f fence, err error) {
	var owner string
	err = l.db.QueryRowContext(ctx, `SELECT s.epoch, s.seq, s.last, l.owner FROM state s, lease l
		WHERE s.id = 1 AND l.name = 'reader' AND l.epoch = s.epoch`).Scan(&f.epoch, &f.commits, &f.lastSeq, &owner)
	if err == nil && owner != l.owner || errors.Is(err, sql.ErrNoRows) {
		return f, errQuicker
	}
	if err == nil {
		l.extend(began.Add(l.cfg.deadline()))
	}
	return f, err
}

// again makes a new epoch of a lease that is ours. A commit in doubt writes the row that this writes, so it is decided by
// then: stored, or never.
func (l *lease) again(ctx context.Context) (fence, error) {
	began := time.Now()
	err := l.takeFrom(`owner = ?`, l.owner).send(ctx, l.db)
	switch {
	case isNumber(err, fencedBy):
		return fence{}, errQuicker
	case err != nil:
		return fence{}, err
	}
	return l.confirm(ctx, began)
}

// renew moves the deadline on: it is counted from before the renewal was sent.
func (l *lease) renew(ctx context.Context, uptime time.Duration) error {
	began := time.Now()
	result, err := l.db.ExecContext(ctx, renewMember+`; UPDATE lease SET until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, beat = beat + 1, uptime = ?
		WHERE name = 'reader' AND owner = ?`, l.cfg.lease().Microseconds(), l.owner, l.cfg.lease().Microseconds(), uptime.Microseconds(), l.owner)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected() // of the last statement
	if err == nil && n == 0 {
		return l.lose(errTaken)
	}
	if err == nil {
		l.extend(began.Add(l.cfg.deadline()))
	}
	return err
}

// release lets another take over at once.
func (l *lease) release(ctx context.Context, uptime time.Duration) error {
	_, err := l.db.ExecContext(ctx, `DELETE FROM member WHERE id = ?; UPDATE lease SET owner = '', until = NULL, beat = beat + 1, uptime = ?
		WHERE name = 'reader' AND owner = ?`, l.owner, uptime.Microseconds(), l.owner)
	return err
}
