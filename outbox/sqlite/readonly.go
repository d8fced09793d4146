package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rowhook/outbox"
)

// ReadOnly is a store opened for reading, while a daemon may be at work on it. It sees what the daemon has written, which
// outcomes are within a tenth of a second. What writes returns outbox.ErrReadOnly, and so does Next.
type ReadOnly struct {
	path string
	r    *reader
}

var _ outbox.Store = (*ReadOnly)(nil)

// OpenReadOnly opens the outbox in dir, which must exist. The error is fs.ErrNotExist when no daemon ever ran there.
func OpenReadOnly(ctx context.Context, dir string) (*ReadOnly, error) {
	path, err := filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); err != nil {
		return nil, fmt.Errorf("open the outbox: %w", err)
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

// Count is how many deliveries of a rule are in a state.
type Count struct {
	Rule   string
	State  outbox.State
	N      int
	Oldest time.Time // when the first of them was created
}

// Counts counts all deliveries that are not delivered, by rule and state.
func (o *ReadOnly) Counts(ctx context.Context) ([]Count, error) {
	list, err := o.r.counts(ctx)
	return list, explain("read", o.path, err)
}

// Meta reads a setting; "" when it was never set.
func (o *ReadOnly) Meta(ctx context.Context, key string) (string, error) {
	value, err := o.r.meta(ctx, key)
	return value, explain("read", o.path, err)
}

// Close ends reading.
func (o *ReadOnly) Close() error { return explain("close", o.path, o.r.close()) }

// Commit returns outbox.ErrReadOnly.
func (o *ReadOnly) Commit(context.Context, *outbox.Batch) error { return outbox.ErrReadOnly }

// Next returns outbox.ErrReadOnly: only the daemon knows what is being sent.
func (o *ReadOnly) Next(context.Context, int64, int) ([]*outbox.Delivery, error) {
	return nil, outbox.ErrReadOnly
}

// Settle returns outbox.ErrReadOnly.
func (o *ReadOnly) Settle([]outbox.Outcome) error { return outbox.ErrReadOnly }

// SetMeta returns outbox.ErrReadOnly.
func (o *ReadOnly) SetMeta(context.Context, string, string) error { return outbox.ErrReadOnly }
