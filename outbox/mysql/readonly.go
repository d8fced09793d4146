package mysql

import (
	"context"

	"rowhook/outbox"
)

// ReadOnly is what commands and pages see of an outbox, whoever works on it: what was written, which outcomes are within a
// tenth of a second. What writes returns outbox.ErrReadOnly.
type ReadOnly struct {
	outbox.Log
	outbox.Settings
}

// OpenLog connects for reading. It takes no lease and waits for nothing. The error is outbox.ErrNotExist when no daemon ever
// ran there.
func OpenLog(ctx context.Context, cfg Config) (*ReadOnly, error) { return nil, errNotBuilt }

// Resume reads what the last commit left.
func (o *ReadOnly) Resume(ctx context.Context) (outbox.Resume, error) {
	return outbox.Resume{}, errNotBuilt
}

// Due tells by endpoint what lies undelivered, as it was written.
func (o *ReadOnly) Due(ctx context.Context) (map[string]outbox.Due, error) { return nil, errNotBuilt }

// Close ends reading.
func (o *ReadOnly) Close() error { return errNotBuilt }
