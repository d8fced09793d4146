package pipeline

import (
	"context"
	"sync"
	"time"

	"rowhook/cdc"
)

// script is a server whose log is written by the test. The log has no GTIDs: offsets count transactions.
type script struct {
	mu    sync.Mutex
	log   []txn
	more  chan struct{} // closed, and made anew, when the log grows
	since []uint64      // where each Follow began
	begun chan struct{} // holds a token for each Follow that began

	schema map[int][]cdc.SchemaRecord // what comes with a transaction
	later  map[int][]cdc.SchemaRecord // what comes behind it, alone
	handed [][]cdc.SchemaRecord       // what each Follow was handed

	tables  []cdc.SchemaRecord         // what they are where the log ends
	opened  bool                       // a first reading begins at the beginning of the log
	trouble map[uint64]*cdc.TableError // of transactions that cannot be read for a table
	silent  error                      // why the server does not say where its log ends
	stands  cdc.Standing               // how every position stands to the log
	purged  error                      // or why none does
	stood   chan struct{}              // holds a token when somebody asked
}

// txn is one transaction.
type txn []cdc.Change

func newScript() *script {
	return &script{more: make(chan struct{}), begun: make(chan struct{}, 8), stood: make(chan struct{}, 8)}
}

func (s *script) write(t txn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, t)
	close(s.more)
	s.more = make(chan struct{})
}

func (s *script) Current(context.Context) (cdc.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened {
		return cdc.Position{Flavor: "mariadb", Start: coord(0)}, nil
	}
	return cdc.Position{Flavor: "mariadb", Start: coord(uint64(len(s.log)))}, nil
}

func (s *script) Tables(context.Context, cdc.Position) []cdc.SchemaRecord { return s.tables }

func (s *script) End(context.Context) (cdc.End, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cdc.End{Coord: coord(uint64(len(s.log)))}, s.silent
}

func (s *script) Follow(ctx context.Context, p cdc.Position, schema []cdc.SchemaRecord, sink cdc.Sink) error {
	next := p.Start.Offset
	if p.Last != nil {
		next = p.Last.Start.Offset + 1 // Last was read before
	}
	s.mu.Lock()
	s.since = append(s.since, next)
	s.handed = append(s.handed, schema)
	s.mu.Unlock()
	signal(s.begun)
	cursor, err := cdc.NewCursor(p)
	if err != nil {
		return err
	}
	if p.Last != nil { // a reader says so when it has compared it
		if err := sink.Commit(&cdc.Commit{At: cursor, End: coord(next)}); err != nil {
			return err
		}
	}
	for {
		s.mu.Lock()
		log, more := s.log, s.more
		s.mu.Unlock()
		for ; next < uint64(len(log)); next++ {
			if err := s.read(next, sink); err != nil {
				return err
			}
			for _, c := range log[next] {
				if sink.(cdc.Isolator).Skips(c.Table.TableName) {
					continue
				}
				if err := sink.Change(&c); err != nil {
					return err
				}
			}
			if cursor, err = cursor.Advance(cdc.Txn{Start: coord(next)}); err != nil {
				return err
			}
			at := cdc.Commit{Txn: cdc.Txn{Start: coord(next)}, At: cursor, End: coord(next + 1), Time: time.Now(), Rows: len(log[next]), Schema: s.schema[int(next)]}
			if err := sink.Commit(&at); err != nil {
				return err
			}
			if err := sink.Commit(&cdc.Commit{At: cursor, End: at.End, Schema: s.later[int(next)]}); err != nil {
				return err
			}
		}
		select {
		case <-more:
		case <-time.After(5 * time.Millisecond): // a heartbeat
			if err := sink.Commit(&cdc.Commit{At: cursor, End: coord(next), Idle: true}); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *script) Standing(context.Context, cdc.Position) (cdc.Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	signal(s.stood)
	return s.stands, s.purged
}

// read meets the trouble of a transaction.
func (s *script) read(n uint64, sink cdc.Sink) error {
	s.mu.Lock()
	trouble := s.trouble[n]
	s.mu.Unlock()
	isolator := sink.(cdc.Isolator)
	if trouble == nil || isolator.Skips(trouble.Table) || isolator.SetAside(trouble) {
		return nil
	}
	return trouble
}

func coord(n uint64) cdc.Coord { return cdc.Coord{File: "log.1", Offset: n} }
