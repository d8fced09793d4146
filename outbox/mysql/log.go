package mysql

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rowhook/outbox"
)

// flush writes what is pending, for those who look at the tables, unless that cannot be done for now: then they see it a little
// later.
func (s *Store) flush(ctx context.Context) error {
	if err := s.writer.usable(ctx); err != nil || s.writer.trouble.lasts() {
		return err
	}
	err := s.writer.try(ctx, &outbox.Batch{}, nil)
	if err != nil && passes(err) {
		s.queue.flusher.Wake(1) // it says so
		return nil
	}
	return explain("write", s.cfg, err)
}

// asked is the answer to a question to the reader, after what is pending was written.
func asked[T any](ctx context.Context, s *Store, question func() (T, error)) (answer T, err error) {
	if err := s.flush(ctx); err != nil {
		return answer, err
	}
	answer, err = question()
	return answer, explain("read", s.cfg, err)
}

// List returns deliveries in order of Seq, or the other way round.
func (s *Store) List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error) {
	return asked(ctx, s, func() ([]*outbox.Stored, error) { return s.reader.list(ctx, f) })
}

// Attempts returns what is on record of a delivery, the oldest attempt first. What was accepted at once has none.
func (s *Store) Attempts(ctx context.Context, seq int64) ([]outbox.Attempt, error) {
	return asked(ctx, s, func() ([]outbox.Attempt, error) { return s.reader.attempts(ctx, seq) })
}

// Counts returns how many deliveries there are, by rule and state.
func (s *Store) Counts(ctx context.Context) ([]outbox.Count, error) {
	return asked(ctx, s, func() ([]outbox.Count, error) { return s.reader.counts(ctx) })
}

// Totals returns what was counted since the store was made.
func (s *Store) Totals(ctx context.Context) (outbox.Totals, error) {
	return asked(ctx, s, func() (outbox.Totals, error) { return s.reader.totals(ctx) })
}

// Hours returns what was counted by the hour.
func (s *Store) Hours(ctx context.Context, endpoint string, since time.Time) ([]outbox.Hour, error) {
	return asked(ctx, s, func() ([]outbox.Hour, error) { return s.reader.hours(ctx, endpoint, since) })
}

// Size tells how many bytes deliveries take on the server, about. Its files also hold what was removed, to be used again.
func (s *Store) Size(ctx context.Context) (int64, error) {
	if err := s.writer.usable(ctx); err != nil {
		return 0, err
	}
	size, err := s.reader.size(ctx)
	return size, explain("read", s.cfg, err)
}

// Get reads a setting; "" when it was never set.
func (s *Store) Get(ctx context.Context, key string) (string, error) {
	if err := s.writer.usable(ctx); err != nil {
		return "", err
	}
	value, err := s.reader.setting(ctx, key)
	return value, explain("read", s.cfg, err)
}

// paused has those begin anew who deliver to what a setting pauses, or not any more: an endpoint, or else a URL, which several may have.
func (c *change) paused(key string) {
	name, is := strings.CutPrefix(key, outbox.PauseSetting)
	if !is {
		return
	}
	if id, one := c.byName[name]; one {
		c.packet.add(`UPDATE share SET turn = turn + 1 WHERE endpoint = ? AND member NOT IN ('', ?)`, id, c.owner)
	} else {
		c.packet.add(`UPDATE share SET turn = turn + 1 WHERE member NOT IN ('', ?)`, c.owner)
	}
}

// CompareAndSet writes a setting, durably, if it is what the caller takes it for.
func (s *Store) CompareAndSet(ctx context.Context, key, old, value string) error {
	return s.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
		switch is, err := s.reader.setting(ctx, key); {
		case err != nil:
			return err
		case is != old:
			return fmt.Errorf("the setting %q: %w", key, outbox.ErrChanged)
		case value == "":
			c.packet.add(`DELETE FROM setting WHERE h = ?`, hash(key))
		default:
			c.packet.add(`INSERT INTO setting(h, k, v) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE v = VALUES(v)`, hash(key), key, value)
		}
		c.paused(key)
		return nil
	})
}
