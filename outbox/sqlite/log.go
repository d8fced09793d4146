package sqlite

import (
	"context"
	"fmt"
	"time"

	"rowhook/outbox"
)

// flush writes what is pending, for those who look at the file, unless that cannot be written for now: then they see it a
// little later.
func (s *Store) flush(ctx context.Context) error {
	if s.isClosed() {
		return outbox.ErrClosed
	}
	if err := ctx.Err(); err != nil || s.trouble.lasts() {
		return err
	}
	err := s.write(&outbox.Batch{}, false, nil)
	if err != nil && passes(s.path, err) {
		s.flusher.Wake(1) // it says so
		return nil
	}
	return err
}

// List returns deliveries in order of Seq, or the other way round.
func (s *Store) List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	list, err := s.pages.list(ctx, f)
	return list, explain("read", s.path, err)
}

// Attempts returns what is on record of a delivery, the oldest attempt first. What was accepted at once has none.
func (s *Store) Attempts(ctx context.Context, seq int64) ([]outbox.Attempt, error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	list, err := s.pages.attempts(ctx, seq)
	return list, explain("read", s.path, err)
}

// Counts returns how many deliveries there are, by rule and state.
func (s *Store) Counts(ctx context.Context) ([]outbox.Count, error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	list, err := s.pages.counts(ctx)
	return list, explain("read", s.path, err)
}

// Totals returns what was counted since the store was made.
func (s *Store) Totals(ctx context.Context) (outbox.Totals, error) {
	if err := s.flush(ctx); err != nil {
		return outbox.Totals{}, err
	}
	t, err := s.pages.totals(ctx)
	return t, explain("read", s.path, err)
}

// Hours returns what was counted by the hour.
func (s *Store) Hours(ctx context.Context, endpoint string, since time.Time) ([]outbox.Hour, error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	list, err := s.pages.hours(ctx, endpoint, since)
	return list, explain("read", s.path, err)
}

// Size tells how many bytes the files take on disk.
func (s *Store) Size(context.Context) (int64, error) {
	size, err := sizeOnDisk(s.path)
	return size, explain("read", s.path, err)
}

// Get reads a setting; "" when it was never set.
func (s *Store) Get(ctx context.Context, key string) (string, error) {
	value, err := s.pages.setting(ctx, key)
	return value, explain("read", s.path, err)
}

// CompareAndSet writes a setting, durably, if it is what the caller takes it for. The key "schema" is the store's own.
func (s *Store) CompareAndSet(ctx context.Context, key, old, value string) error {
	if key == schemaKey {
		return fmt.Errorf("the setting %q belongs to the outbox", key)
	}
	return s.persist(ctx, func() error {
		return s.write(&outbox.Batch{}, false, func(c *change) error {
			switch is, err := setting(c.conn, key); {
			case err != nil:
				return err
			case is != old:
				return fmt.Errorf("the setting %q: %w", key, outbox.ErrChanged)
			case value == "":
				return c.stmt(`DELETE FROM meta WHERE key = ?`).text(key).run()
			}
			return c.stmt(`INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value`).
				text(key).text(value).run()
		})
	})
}
