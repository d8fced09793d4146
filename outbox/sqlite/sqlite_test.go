package sqlite

import (
	"log/slog"
	"testing"

	"rowhook/outbox"
	"rowhook/outbox/outboxtest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	outboxtest.Run(t, func(t testing.TB) func() outbox.Store {
		dir := t.TempDir()
		return func() outbox.Store { return open(t, dir) }
	})
}

// open opens a store that logs to the test. It is closed with the test at the latest.
func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
