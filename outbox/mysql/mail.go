package mysql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

const (
	// maxLetter bounds a request and an answer, in bytes.
	maxLetter = 1 << 20
	// maxAnswering is how many requests are answered at once.
	maxAnswering = 4
	// letterAfter is how often it is looked whether there is an answer, and letterLasts how long one is waited for.
	letterAfter = 20 * time.Millisecond
	letterLasts = time.Minute
)

// readMail tells what was asked of a process.
const readMail = `SELECT id FROM message WHERE recipient = ? AND answer IS NULL ORDER BY made LIMIT 16`

// mail carries requests from one process to another, and answers back, through the table message.
type mail struct {
	cfg *Config
	log *slog.Logger
	db  *sql.DB
	as  *right // this process's, without which it asks nobody

	answering sync.WaitGroup
	ended     chan struct{} // closed when nobody asks or answers any more

	mu     sync.Mutex
	answer func(ctx context.Context, request []byte) []byte
	open   map[string]context.CancelFunc // those that are being answered
	done   map[string]time.Time          // those that were lately: a node that lags behind shows them still
	closed bool
}

func newMail(cfg *Config, log *slog.Logger, db *sql.DB, as *right) *mail {
	return &mail{cfg: cfg, log: log, db: db, as: as, open: make(map[string]context.CancelFunc), done: make(map[string]time.Time), ended: make(chan struct{})}
}

// close ends answering.
func (m *mail) close() {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.ended)
	}
	for _, cancel := range m.open {
		cancel()
	}
	m.mu.Unlock()
	m.answering.Wait()
}

// by says who answers.
func (m *mail) by(answer func(ctx context.Context, request []byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = answer
}

// deliver has requests answered, those that are not being answered already.
func (m *mail) deliver(ctx context.Context, ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.done, func(_ string, at time.Time) bool { return time.Since(at) > 2*letterLasts })
	for _, id := range ids {
		if _, done := m.done[id]; done || m.open[id] != nil || m.answer == nil || len(m.open) == maxAnswering || m.closed {
			continue
		}
		answer := m.answer
		ctx, cancel := context.WithTimeout(ctx, letterLasts)
		m.open[id] = cancel
		m.answering.Go(func() {
			defer cancel()
			done, err := m.reply(ctx, id, answer)
			if err != nil && ctx.Err() == nil {
				m.log.Error("another machine's request could not be answered", slog.Any("error", explain("write", m.cfg, err)))
			}
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.open, id)
			if done {
				m.done[id] = time.Now()
			}
		})
	}
}

// reply answers a request, once. Done is false when it was not read, so nothing was done.
func (m *mail) reply(ctx context.Context, id string, answer func(ctx context.Context, request []byte) []byte) (done bool, err error) {
	var request []byte
	err = m.db.QueryRowContext(ctx, `SELECT request FROM message WHERE id = ? AND answer IS NULL AND LENGTH(request) <= ?`, id, maxLetter).Scan(&request)
	if errors.Is(err, sql.ErrNoRows) { // who asked has gone away
		return false, nil
	}
	if err != nil {
		return false, err
	}
	text := answer(ctx, request)
	if text == nil {
		text = []byte{}
	}
	for {
		if len(text) > maxLetter { // who asks finds that nobody will answer
			_, err = m.db.ExecContext(ctx, `UPDATE message SET recipient = '' WHERE id = ?`, id)
		} else {
			_, err = m.db.ExecContext(ctx, `UPDATE message SET answer = ? WHERE id = ?`, text, id)
		}
		if err == nil || !passes(err) || retry.Pause(ctx, retryDoubt) != nil {
			return true, err
		}
	}
}

// errNobody says that there is no such process.
var errNobody = fmt.Errorf("%w: no process of this name works on the outbox", outbox.ErrNotFound)

// ask asks a process, "": the holder. It returns early when that one goes away, or this one's right is lost.
func (m *mail) ask(ctx context.Context, to string, request []byte) ([]byte, error) {
	if len(request) > maxLetter {
		return nil, fmt.Errorf("%w: a request of %d bytes", outbox.ErrTooLarge, len(request))
	}
	ctx, cancel := context.WithTimeout(ctx, letterLasts)
	defer cancel()
	if to == "" {
		h, err := readHolder(ctx, m.db)
		if err != nil {
			return nil, err
		}
		to = h.owner
	}
	if there, err := m.there(ctx, to); err != nil {
		return nil, err
	} else if !there {
		return nil, errNobody
	}
	if request == nil {
		request = []byte{}
	}
	id := rand.Text()
	// What nobody waits for any more goes with the next one.
	_, err := m.db.ExecContext(ctx, `DELETE FROM message WHERE made < UTC_TIMESTAMP(6) - INTERVAL ? SECOND;
		INSERT INTO message(id, recipient, request, made) VALUES (?, ?, ?, UTC_TIMESTAMP(6))`, int64(2*letterLasts/time.Second), id, to, request)
	if err != nil {
		return nil, err
	}
	answer, err := m.await(ctx, id, to)
	ctx, forget := context.WithTimeout(context.WithoutCancel(ctx), m.cfg.deadline())
	defer forget()
	_, gone := m.db.ExecContext(ctx, `DELETE FROM message WHERE id = ?`, id)
	if err == nil && gone != nil && passes(gone) {
		gone = nil // it goes with another one
	}
	return answer, errors.Join(err, gone)
}

func (m *mail) there(ctx context.Context, name string) (there bool, err error) {
	err = m.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM member WHERE id = ?`, name).Scan(&there)
	return there, err
}

// await waits for an answer.
func (m *mail) await(ctx context.Context, id, from string) ([]byte, error) {
	for {
		var answer []byte
		var large, there bool
		err := m.db.QueryRowContext(ctx, `SELECT IF(LENGTH(answer) <= ?, answer, NULL), recipient = '' OR COALESCE(LENGTH(answer), 0) > ?,
			(SELECT COUNT(*) FROM member WHERE id = ?) FROM message WHERE id = ?`, maxLetter, maxLetter, from, id).Scan(&answer, &large, &there)
		switch {
		case err == nil && large:
			return nil, fmt.Errorf("%w: the answer of %s; what was asked of it was done", outbox.ErrTooLarge, from)
		case err == nil && answer != nil:
			return answer, nil
		case err == nil && !there, errors.Is(err, sql.ErrNoRows):
			return nil, fmt.Errorf("%w: %s ended before it answered; what was asked of it may have been done", outbox.ErrNotFound, from)
		case err != nil && !passes(err):
			return nil, err
		}
		select {
		case <-m.ended:
			return nil, outbox.ErrClosed
		case <-m.as.lost:
			return nil, m.as.held()
		default:
		}
		if err := retry.Pause(ctx, letterAfter); err != nil {
			return nil, fmt.Errorf("waiting for the answer of %s: %w", from, err)
		}
	}
}
