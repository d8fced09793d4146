package deliver

import (
	"context"
	"errors"
	"log/slog"

	"rowhook/outbox"
)

// Leases say which endpoints are this process's, where several share an outbox.
type Leases interface {
	// Terms are this process's endpoints with their terms, and a channel that is closed when that changes. Another epoch of an
	// endpoint means that it was another process's meanwhile: what was claimed of it counts no more. It waits for nothing.
	Terms() (terms map[string]outbox.Term, changed <-chan struct{})
	// Leave says that nothing is posted to an endpoint any more and that its outcomes are settled: another process may have it.
	// From then on Terms does not have it, until it is this process's once more.
	Leave(ctx context.Context, endpoint string) error
}

// share is which endpoints are a worker's; its mu guards it.
type share struct {
	leases Leases // nil: all are
	terms  map[string]outbox.Term
	spent  map[string]outbox.Term // terms that another process has ended, which Terms may not know yet
	owed   map[string]bool        // endpoints that are to be given away
	giving map[string]bool        // those of them that are
}

func newShare(leases Leases) share {
	return share{leases: leases, spent: make(map[string]outbox.Term), owed: make(map[string]bool), giving: make(map[string]bool)}
}

// look asks which they are. Whoever was told of one has to give it away, so nobody asks elsewhere.
func (s *share) look() (changed <-chan struct{}) {
	if s.leases == nil {
		return nil
	}
	before := s.terms
	s.terms, changed = s.leases.Terms()
	for name := range before {
		s.owed[name] = true
	}
	for name := range s.terms {
		delete(s.owed, name)
	}
	for name, term := range s.spent {
		if s.terms[name] != term {
			delete(s.spent, name)
		}
	}
	return changed
}

// ours tells whether an endpoint is.
func (s *share) ours(name string) bool {
	_, ours := s.terms[name]
	return s.leases == nil || ours
}

// mayBegin tells whether one may be started, and its term.
func (s *share) mayBegin(name string) (term outbox.Term, may bool) {
	term = s.terms[name]
	spent, was := s.spent[name]
	return term, s.ours(name) && !s.giving[name] && (!was || spent != term)
}

// handOver lets another process have an endpoint to which nothing is posted any more. Where that fails, the other one waits until
// this process's lease is over.
func (w *Worker) handOver(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
	defer cancel()
	err := w.share.leases.Leave(ctx, name)
	if err != nil && !errors.Is(err, outbox.ErrFenced) && !errors.Is(err, outbox.ErrClosed) { // who has lost all says so once
		w.log.Warn("an endpoint could not be given to another process", slog.String("endpoint", name), slog.Any("error", err))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.share.owed, name)
	delete(w.share.giving, name)
	signal(w.reload)
}
