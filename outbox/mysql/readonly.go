package mysql

import (
	"context"
	"time"

	"rowhook/outbox"
)

// ReadOnly is what commands and pages see of an outbox, whoever works on it: what was written, which outcomes are within a
// tenth of a second. What writes returns outbox.ErrReadOnly.
type ReadOnly struct {
	cfg Config
	r   reader
}

var (
	_ outbox.Log      = (*ReadOnly)(nil)
	_ outbox.Settings = (*ReadOnly)(nil)
)

// OpenLog connects for reading. It takes no lease and waits for nothing. The error is outbox.ErrNotExist when no daemon ever
// ran there.
func OpenLog(ctx context.Context, cfg Config) (*ReadOnly, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	o := &ReadOnly{cfg, reader{pool(newConnector(cfg, true), 2)}}
	err := checkVersion(ctx, o.r.db)
	if isNumber(err, noSchema) {
		err = outbox.ErrNotExist
	}
	if err != nil {
		_ = o.r.db.Close()
		return nil, explain("open", &cfg, err)
	}
	return o, nil
}

// Holder tells which process works on the outbox, as "host-pid-term"; "" when none does.
func (o *ReadOnly) Holder(ctx context.Context) (string, error) {
	h, err := readHolder(ctx, o.r.db)
	return h.owner, explain("read", &o.cfg, err)
}

// Resume reads what the last commit left.
func (o *ReadOnly) Resume(ctx context.Context) (outbox.Resume, error) {
	res, err := o.r.resume(ctx)
	return res, explain("read", &o.cfg, err)
}

// List returns deliveries in order of Seq, or the other way round.
func (o *ReadOnly) List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error) {
	list, err := o.r.list(ctx, f)
	return list, explain("read", &o.cfg, err)
}

// Attempts returns what is on record of a delivery, the oldest attempt first. What was accepted at once has none.
func (o *ReadOnly) Attempts(ctx context.Context, seq int64) ([]outbox.Attempt, error) {
	list, err := o.r.attempts(ctx, seq)
	return list, explain("read", &o.cfg, err)
}

// Counts returns how many deliveries there are, by rule and state.
func (o *ReadOnly) Counts(ctx context.Context) ([]outbox.Count, error) {
	list, err := o.r.counts(ctx)
	return list, explain("read", &o.cfg, err)
}

// Totals returns what was counted since the store was made.
func (o *ReadOnly) Totals(ctx context.Context) (outbox.Totals, error) {
	t, err := o.r.totals(ctx)
	return t, explain("read", &o.cfg, err)
}

// Hours returns what was counted by the hour.
func (o *ReadOnly) Hours(ctx context.Context, endpoint string, since time.Time) ([]outbox.Hour, error) {
	list, err := o.r.hours(ctx, endpoint, since)
	return list, explain("read", &o.cfg, err)
}

// Size tells how many bytes deliveries take on the server, about.
func (o *ReadOnly) Size(ctx context.Context) (int64, error) {
	size, err := o.r.size(ctx)
	return size, explain("read", &o.cfg, err)
}

// Due tells by endpoint what lies undelivered, as it was written; for how long, only the daemon knows.
func (o *ReadOnly) Due(ctx context.Context) (map[string]outbox.Due, error) {
	due, err := o.r.due(ctx)
	return due, explain("read", &o.cfg, err)
}

// Get reads a setting; "" when it was never set.
func (o *ReadOnly) Get(ctx context.Context, key string) (string, error) {
	value, err := o.r.setting(ctx, key)
	return value, explain("read", &o.cfg, err)
}

// Close ends reading.
func (o *ReadOnly) Close() error { return o.r.db.Close() }

// Drop returns outbox.ErrReadOnly.
func (o *ReadOnly) Drop(context.Context, outbox.Filter) (int, error) { return 0, outbox.ErrReadOnly }

// Erase returns outbox.ErrReadOnly.
func (o *ReadOnly) Erase(context.Context, outbox.Filter) (int, error) { return 0, outbox.ErrReadOnly }

// Prune returns outbox.ErrReadOnly.
func (o *ReadOnly) Prune(context.Context, outbox.Keep) (outbox.Pruned, error) {
	return outbox.Pruned{}, outbox.ErrReadOnly
}

// CompareAndSet returns outbox.ErrReadOnly.
func (o *ReadOnly) CompareAndSet(context.Context, string, string, string) error {
	return outbox.ErrReadOnly
}
