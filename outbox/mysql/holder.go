package mysql

import (
	"context"

	"rowhook/outbox"
)

// Terms are the endpoints that are this process's own, each with its term, and a channel that is closed when that changes. While
// nobody calls it, all of them are. For each that was among them and is not any more the caller is to call Leave.
func (s *Store) Terms() (terms map[string]int64, changed <-chan struct{}) { return s.terms.hand() }

// Leave says that nothing is posted to an endpoint any more and that its outcomes are settled: another process may have it.
func (s *Store) Leave(context.Context, string) error { return nil }

// Wanted returns a channel that is closed when a process that may follow the log has come, and this one, which may not, holds the
// lease for want of a better one: it is to close the Store, and to Join.
func (s *Store) Wanted() <-chan struct{} { return nil }

// Tell tells the others what this process is from now on: its rules have changed.
func (s *Store) Tell(context.Context, Who) error { return nil }

// Ask sends a request to another process, and returns its answer.
func (s *Store) Ask(context.Context, string, []byte) ([]byte, error) { return nil, outbox.ErrNotFound }

// Answer says who answers the requests of other processes.
func (s *Store) Answer(func(ctx context.Context, request []byte) []byte) {}

// Machines tells which processes work on the outbox, and what each has.
func (s *Store) Machines(context.Context) ([]Machine, error) { return nil, nil }

// Machines tells which processes work on the outbox, and what each has.
func (o *ReadOnly) Machines(context.Context) ([]Machine, error) { return nil, nil }
