// Package marks is a set of numbers that fills up from below: of what is settled, in whatever order.
package marks

import (
	"slices"
	"sort"
)

// Set holds everything up to Low, and the runs beyond it. Deliveries settle nearly in order, so it stays a few numbers long
// however many there are. The zero Set holds 0 and below.
type Set struct {
	Low  int64
	Runs []Run // ascending, with a gap before each
}

// Run is the numbers from First to Last, both included.
type Run struct{ First, Last int64 }

// find is the index of the first run that ends at n or later.
func (s *Set) find(n int64) int {
	return sort.Search(len(s.Runs), func(i int) bool { return s.Runs[i].Last >= n })
}

// Has tells whether n is in the set.
func (s *Set) Has(n int64) bool {
	if n <= s.Low {
		return true
	}
	i := s.find(n)
	return i < len(s.Runs) && s.Runs[i].First <= n
}

// Add puts n into the set and reports whether it was new.
func (s *Set) Add(n int64) bool {
	if s.Has(n) {
		return false
	}
	i := s.find(n)
	left := i > 0 && s.Runs[i-1].Last == n-1
	right := i < len(s.Runs) && s.Runs[i].First == n+1
	switch {
	case left && right:
		s.Runs[i-1].Last = s.Runs[i].Last
		s.Runs = slices.Delete(s.Runs, i, i+1)
	case left:
		s.Runs[i-1].Last = n
	case right:
		s.Runs[i].First = n
	default:
		s.Runs = slices.Insert(s.Runs, i, Run{n, n})
	}
	if s.Runs[0].First == s.Low+1 {
		s.Low = s.Runs[0].Last
		s.Runs = slices.Delete(s.Runs, 0, 1)
	}
	return true
}

// AddRun puts a run into the set, which has none of it nor anything beyond.
func (s *Set) AddRun(r Run) {
	last := len(s.Runs) - 1
	switch {
	case r.First == s.Low+1:
		s.Low = r.Last
	case last >= 0 && s.Runs[last].Last == r.First-1:
		s.Runs[last].Last = r.Last
	default:
		s.Runs = append(s.Runs, r)
	}
}

// Clone is a copy that shares nothing with the set.
func (s *Set) Clone() Set { return Set{Low: s.Low, Runs: slices.Clone(s.Runs)} }
