package preflight

import (
	"sync"

	"rowhook/cdc/schema/ddl"
)

// Sound are the tables that were found to be as they must be. They are not looked at again: of hundreds of sites that takes the
// server many seconds, and what befalls a table later the log or the loading of its rows tells. The zero Sound is empty.
type Sound struct {
	mu     sync.Mutex
	tables map[ddl.TableName]bool
}

func (s *Sound) has(t ddl.TableName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tables[t]
}

func (s *Sound) add(t ddl.TableName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables == nil {
		s.tables = map[ddl.TableName]bool{}
	}
	s.tables[t] = true
}
