package mysql

import (
	"context"

	"rowhook/outbox"
)

// Terms are the endpoints that are this process's own, each with its term, and a channel that is closed when that changes. Until it
// is called, members are given none. For each that was among them and is not any more the caller is to call Leave.
func (s *Store) Terms() (terms map[string]outbox.Term, changed <-chan struct{}) {
	if !s.terms.used() {
		s.steward.kick()
	}
	return s.terms.hand()
}

// Leave says that nothing is posted to an endpoint any more and that its outcomes are settled: another process may have it.
func (s *Store) Leave(ctx context.Context, endpoint string) error {
	if err := s.writer.usable(ctx); err != nil {
		return err
	}
	s.terms.leave(endpoint)
	s.steward.kick()
	return nil
}

// Wanted returns a channel that is closed when a process that may follow the log has come, and this one, which may not, holds the
// lease for want of a better one: it is to close the Store, and to Join.
func (s *Store) Wanted() <-chan struct{} { return s.steward.wanted }

// Tell tells the others what this process is from now on: its rules have changed. Members with other rules are given nothing. With
// an empty digest it is about to end: what it has goes to the members, as many of them as have its rules.
func (s *Store) Tell(ctx context.Context, who Who) error {
	if err := s.writer.usable(ctx); err != nil {
		return err
	}
	if err := tell(ctx, s.pools.beats, s.lease.owner, who); err != nil {
		return explain("write", s.cfg, err)
	}
	s.steward.become(who)
	return nil
}

func (st *steward) become(who Who) {
	st.mu.Lock()
	if st.who = who; who.Rules != "" {
		st.rules = who.Rules
	}
	st.mu.Unlock()
	st.kick()
}

// Ask sends a request to another process, and returns its answer. The error is outbox.ErrNotFound when there is no such process.
func (s *Store) Ask(ctx context.Context, machine string, request []byte) ([]byte, error) {
	if err := s.writer.usable(ctx); err != nil {
		return nil, err
	}
	answer, err := s.mail.ask(ctx, machine, request)
	return answer, explain("ask by way of", s.cfg, err)
}

// Answer says who answers the requests of other processes: a function that several goroutines call.
func (s *Store) Answer(answer func(ctx context.Context, request []byte) []byte) { s.mail.by(answer) }

// Machines tells which processes work on the outbox, and what each has.
func (s *Store) Machines(ctx context.Context) ([]Machine, error) {
	if err := s.writer.usable(ctx); err != nil {
		return nil, err
	}
	list, err := s.reader.machines(ctx)
	return list, explain("read", s.cfg, err)
}
