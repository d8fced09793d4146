package memory_test

import (
	"testing"

	"rowhook/outbox"
	"rowhook/outbox/memory"
	"rowhook/outbox/outboxtest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	outboxtest.Run(t, func(testing.TB) func() outbox.Store {
		var s *memory.Store
		return func() outbox.Store {
			if s == nil {
				s = memory.New()
			} else {
				s = s.Reopen()
			}
			return s
		}
	})
}
