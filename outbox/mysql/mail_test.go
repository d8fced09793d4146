package mysql

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"rowhook/outbox"
)

// TestMailOnce: a request is carried out once, also where a node that lags behind shows it as not answered; and who asks is told when
// its own process ends.
func TestMailOnce(t *testing.T) {
	t.Parallel()
	server := serve(t)
	cfg := config(server, "outbox")
	cfg.Lease = patient
	s := open(t, cfg)
	m := join(t, cfg, cfg.Who)
	var done atomic.Int64
	s.Answer(func(context.Context, []byte) []byte { done.Add(1); return nil })
	server.Exec(t, "INSERT INTO outbox.message(id, recipient, request, made) VALUES ('x', '"+s.lease.owner+"', '', UTC_TIMESTAMP())")
	for range 3 {
		until(t, "it is answered", func() bool {
			s.mail.mu.Lock()
			defer s.mail.mu.Unlock()
			return !s.mail.done["x"].IsZero() && len(s.mail.open) == 0
		})
		server.Exec(t, "UPDATE outbox.message SET answer = NULL")
		s.steward.mu.Lock()
		next := s.steward.begun + 2
		s.steward.mu.Unlock()
		until(t, "it is looked at", func() bool {
			s.steward.kick()
			s.steward.mu.Lock()
			defer s.steward.mu.Unlock()
			return s.steward.ended >= next
		})
	}
	s.mail.answering.Wait()
	if n := done.Load(); n != 1 {
		t.Errorf("it was done %d times", n)
	}
	s.Answer(func(ctx context.Context, _ []byte) []byte { <-ctx.Done(); return nil })
	asked := make(chan error, 1)
	go func() {
		_, err := m.Ask(t.Context(), "", nil)
		asked <- err
	}()
	until(t, "it is asked", func() bool { s.mail.mu.Lock(); defer s.mail.mu.Unlock(); return len(s.mail.open) == 1 })
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := <-asked; !errors.Is(err, outbox.ErrClosed) {
		t.Errorf("asking by way of one that is closed: %v", err)
	}
}
