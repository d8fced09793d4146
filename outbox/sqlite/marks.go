package sqlite

import (
	"slices"
	"sort"
)

// marks is a set of sequence numbers that fills up from below: everything up to low, and the runs beyond it. Deliveries
// settle nearly in order, so it stays a few numbers long however many there are.
type marks struct {
	low  int64
	runs []run // ascending, with a gap before each
}

type run struct{ first, last int64 }

// find is the index of the first run that ends at seq or later.
func (m *marks) find(seq int64) int {
	return sort.Search(len(m.runs), func(i int) bool { return m.runs[i].last >= seq })
}

func (m *marks) has(seq int64) bool {
	if seq <= m.low {
		return true
	}
	i := m.find(seq)
	return i < len(m.runs) && m.runs[i].first <= seq
}

// add puts seq into the set and reports whether it was new.
func (m *marks) add(seq int64) bool {
	if m.has(seq) {
		return false
	}
	i := m.find(seq)
	left := i > 0 && m.runs[i-1].last == seq-1
	right := i < len(m.runs) && m.runs[i].first == seq+1
	switch {
	case left && right:
		m.runs[i-1].last = m.runs[i].last
		m.runs = slices.Delete(m.runs, i, i+1)
	case left:
		m.runs[i-1].last = seq
	case right:
		m.runs[i].first = seq
	default:
		m.runs = slices.Insert(m.runs, i, run{seq, seq})
	}
	if m.runs[0].first == m.low+1 {
		m.low = m.runs[0].last
		m.runs = slices.Delete(m.runs, 0, 1)
	}
	return true
}

func (m *marks) clone() marks {
	return marks{low: m.low, runs: slices.Clone(m.runs)}
}

// changes lists what turns the rows of before into those of after: the runs to write, and the first numbers of those
// that are no more.
func changes(before, after []run) (put []run, gone []int64) {
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].first < after[0].first:
			gone = append(gone, before[0].first)
			before = before[1:]
		case len(before) == 0 || after[0].first < before[0].first:
			put = append(put, after[0])
			after = after[1:]
		default:
			if before[0] != after[0] {
				put = append(put, after[0])
			}
			before, after = before[1:], after[1:]
		}
	}
	return put, gone
}
