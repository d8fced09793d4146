package mysql

import (
	"context"
	"errors"
	"log/slog"

	"rowhook/outbox"
)

var errNotBuilt = errors.New("the outbox on MySQL is not built yet")

// Store is the outbox in one schema, for the process that holds the reader's lease. Make it with Open.
type Store struct{ outbox.Store }

// Open connects to the server, makes or upgrades the schema, and stands by until the reader's lease is this process's. It
// waits while no server answers or takes writes, and says so in the log; what waiting does not help, a wrong password or a
// missing right, is an error that says what to type. It returns early with ctx's error.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	return nil, errNotBuilt
}

// Lost returns a channel that is closed when the lease is lost: another process may go on at once, so this one must stop
// delivering. From then on the store's methods return outbox.ErrFenced; all that is left to do is Close, and Open again.
func (s *Store) Lost() <-chan struct{} { return nil }
