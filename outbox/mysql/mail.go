package mysql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
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

	answering sync.WaitGroup

	mu     sync.Mutex
	answer func(ctx context.Context, request []byte) []byte
	open   map[string]context.CancelFunc // those that are being answered
	closed bool
}

func newMail(cfg *Config, log *slog.Logger, db *sql.DB) *mail {
	return &mail{cfg: cfg, log: log, db: db, open: make(map[string]context.CancelFunc)}
}

// close ends answering.
func (m *mail) close() {
	m.mu.Lock()
	m.closed = true
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
	for _, id := range ids {
		if m.open[id] != nil || m.answer == nil || len(m.open) == maxAnswering || m.closed {
			continue
		}
		answer := m.answer
		ctx, cancel := context.WithTimeout(ctx, letterLasts)
		m.open[id] = cancel
		m.answering.Go(func() {
			defer cancel()
			if err := m.reply(ctx, id, answer); err != nil && ctx.Err() == nil {
				m.log.Error("another machine's request could not be answered", slog.Any("error", explain("write", m.cfg, err)))
			}
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.open, id)
		})
	}
}

func (m *mail) reply(ctx context.Context, id string, answer func(ctx context.Context, request []byte) []byte) error {
	var request []byte
	err := m.db.QueryRowContext(ctx, `SELECT request FROM message WHERE id = ? AND answer IS NULL`, id).Scan(&request)
	if errors.Is(err, sql.ErrNoRows) { // who asked has gone away
		return nil
	}
	if err != nil {
		return err
	}
	text := answer(ctx, request)
	if len(text) > maxLetter {
		return fmt.Errorf("%w: an answer of %d bytes", outbox.ErrTooLarge, len(text))
	}
	if text == nil {
		text = []byte{}
	}
	_, err = m.db.ExecContext(ctx, `UPDATE message SET answer = ? WHERE id = ?`, text, id)
	return err
}

// errNobody says that there is no such process.
var errNobody = fmt.Errorf("%w: no process of this name works on the outbox", outbox.ErrNotFound)

// ask asks a process, "": the holder. It returns early when that one goes away.
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
	if there, err := m.there(ctx, to); err != nil || !there {
		return nil, errors.Join(err, errNobody)
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
		var there bool
		err := m.db.QueryRowContext(ctx, `SELECT answer, (SELECT COUNT(*) FROM member WHERE id = ?) FROM message WHERE id = ?`, from, id).Scan(&answer, &there)
		switch {
		case err == nil && answer != nil:
			return answer, nil
		case err == nil && !there, errors.Is(err, sql.ErrNoRows):
			return nil, errNobody
		case err != nil && !passes(err):
			return nil, err
		}
		if err := retry.Pause(ctx, letterAfter); err != nil {
			return nil, fmt.Errorf("waiting for the answer of %s: %w", from, err)
		}
	}
}
