package sqlite

import (
	"context"
	"path/filepath"
	"time"

	"rowhook/outbox"
)

// ReadOnly is what commands and pages see of an outbox, while a daemon may be at work on it: what the daemon has written,
// which outcomes are within a tenth of a second. What writes returns outbox.ErrReadOnly.
type ReadOnly struct {
	path string
	r    *reader
}

var (
	_ outbox.Log      = (*ReadOnly)(nil)
	_ outbox.Settings = (*ReadOnly)(nil)
)

// OpenLog opens the outbox in dir for reading. The error is outbox.ErrNotExist when no daemon ever ran there.
func OpenLog(ctx context.Context, dir string) (*ReadOnly, error) {
	path, err := filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return nil, err
	}
	if err := Exists(dir); err != nil {
		return nil, explain("open", path, err)
	}
	if err := checkFiles(filepath.Dir(path)); err != nil {
		return nil, explain("open", path, err)
	}
	r, err := openReader(ctx, path)
	if err != nil {
		return nil, explain("open", path, err)
	}
	err = r.snapshot(ctx, checkVersion)
	makePrivate(dir)
	if err != nil {
		_ = r.close()
		return nil, explain("open", path, err)
	}
	return &ReadOnly{path: path, r: r}, nil
}

// Resume reads what the last commit left.
func (o *ReadOnly) Resume(ctx context.Context) (outbox.Resume, error) {
	res, err := o.r.resume(ctx)
	return res, explain("read", o.path, err)
}

// List returns deliveries in order of Seq, or the other way round.
func (o *ReadOnly) List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error) {
	list, err := o.r.list(ctx, f)
	return list, explain("read", o.path, err)
}

// Attempts returns what is on record of a delivery, the oldest attempt first. What was accepted at once has none.
func (o *ReadOnly) Attempts(ctx context.Context, seq int64) ([]outbox.Attempt, error) {
	list, err := o.r.attempts(ctx, seq)
	return list, explain("read", o.path, err)
}

// Counts returns how many deliveries there are, by rule and state.
func (o *ReadOnly) Counts(ctx context.Context) ([]outbox.Count, error) {
	list, err := o.r.counts(ctx)
	return list, explain("read", o.path, err)
}

// Totals returns what was counted since the store was made.
func (o *ReadOnly) Totals(ctx context.Context) (outbox.Totals, error) {
	t, err := o.r.totals(ctx)
	return t, explain("read", o.path, err)
}

// Hours returns what was counted by the hour.
func (o *ReadOnly) Hours(ctx context.Context, endpoint string, since time.Time) ([]outbox.Hour, error) {
	list, err := o.r.hours(ctx, endpoint, since)
	return list, explain("read", o.path, err)
}

// Size tells how many bytes the files take on disk.
func (o *ReadOnly) Size(context.Context) (int64, error) {
	size, err := sizeOnDisk(o.path)
	return size, explain("read", o.path, err)
}

// Due tells by endpoint what lies undelivered, as the daemon has written it; for how long, only the daemon knows.
func (o *ReadOnly) Due(ctx context.Context) (map[string]outbox.Due, error) {
	due, err := o.r.due(ctx)
	return due, explain("read", o.path, err)
}

// Get reads a setting; "" when it was never set.
func (o *ReadOnly) Get(ctx context.Context, key string) (string, error) {
	value, err := o.r.setting(ctx, key)
	return value, explain("read", o.path, err)
}

// Close ends reading.
func (o *ReadOnly) Close() error { return explain("close", o.path, o.r.close()) }

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
