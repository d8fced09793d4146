package mysql

import (
	"context"
	"log/slog"
	"time"

	"rowhook/outbox"
)

// Member is a process that delivers to endpoints of an outbox that another one, the holder of the reader's lease, works on.
// Make it with Join.
type Member struct {
	*ReadOnly
	wakes map[string]chan struct{}
	never chan struct{}
}

// Join makes this process one of those that the holder gives endpoints to. The error is outbox.ErrNotExist while there is no
// schema yet: Open makes it.
func Join(ctx context.Context, cfg Config, who Who, _ *slog.Logger) (*Member, error) {
	cfg.Who = who
	log, err := OpenLog(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &Member{ReadOnly: log, wakes: make(map[string]chan struct{}), never: make(chan struct{})}, nil
}

// Terms are the endpoints that are this process's, each with its term, and a channel that is closed when that changes. For each
// that was among them and is not any more the caller is to call Leave, once nothing is posted to it.
func (m *Member) Terms() (terms map[string]int64, changed <-chan struct{}) { return nil, m.never }

// Leave says that nothing is posted to an endpoint any more and that its outcomes are settled: another process may have it.
func (m *Member) Leave(context.Context, string) error { return nil }

// Lost returns a channel that is closed when the holder takes this process for dead, or may do so: it must stop delivering.
func (m *Member) Lost() <-chan struct{} { return m.never }

// Held says whether this process is still one that may deliver, by its own clock.
func (m *Member) Held() bool { return true }

// Vacant returns a channel that is closed when the reader's lease looks free and it is this process's turn to take it: call Open,
// with NoWait, beside the Member, and close the Member once the Store is open. Where another was quicker the Member goes on; Vacant
// then returns another channel.
func (m *Member) Vacant() <-chan struct{} { return m.never }

// Tell tells the others what this process is from now on: its rules have changed.
func (m *Member) Tell(context.Context, Who) error { return nil }

// Ask sends a request to another process, "": the holder, and returns its answer.
func (m *Member) Ask(context.Context, string, []byte) ([]byte, error) { return nil, outbox.ErrNotFound }

// Answer says who answers the requests of other processes. It is called once, and answer by several goroutines.
func (m *Member) Answer(func(ctx context.Context, request []byte) []byte) {}

// Route does nothing: the holder says where deliveries go.
func (m *Member) Route(context.Context, map[string]string) (outbox.Moved, error) {
	return outbox.Moved{}, nil
}

// Claim returns undelivered deliveries of an endpoint that is this process's.
func (m *Member) Claim(context.Context, string, int64, int) ([]*outbox.Stored, error) {
	return nil, nil
}

// Read returns those of an endpoint's deliveries with these numbers that are undelivered.
func (m *Member) Read(context.Context, string, []int64) ([]*outbox.Stored, error) { return nil, nil }

// Wake returns the endpoint's channel.
func (m *Member) Wake(endpoint string) <-chan struct{} {
	if m.wakes[endpoint] == nil {
		m.wakes[endpoint] = make(chan struct{}, 1)
	}
	return m.wakes[endpoint]
}

// Settle records outcomes, for the holder. Those that are Retried are refused with outbox.ErrNotHolder.
func (m *Member) Settle(context.Context, []outbox.Outcome) error { return nil }

// Uptime is how long the outbox has been held by a process, in all their lives.
func (m *Member) Uptime() time.Duration { return 0 }

// Drop returns outbox.ErrNotHolder, as Erase, Prune and CompareAndSet do.
func (m *Member) Drop(context.Context, outbox.Filter) (int, error) { return 0, outbox.ErrNotHolder }

// Erase returns outbox.ErrNotHolder.
func (m *Member) Erase(context.Context, outbox.Filter) (int, error) { return 0, outbox.ErrNotHolder }

// Prune returns outbox.ErrNotHolder.
func (m *Member) Prune(context.Context, outbox.Keep) (outbox.Pruned, error) {
	return outbox.Pruned{}, outbox.ErrNotHolder
}

// CompareAndSet returns outbox.ErrNotHolder.
func (m *Member) CompareAndSet(context.Context, string, string, string) error {
	return outbox.ErrNotHolder
}
