package mysql

import (
	"encoding/binary"
	"errors"
	"slices"
	"sort"
)

// marks is a set of an endpoint's numbers that fills up from below: everything up to low, and the runs beyond it. Deliveries
// settle nearly in order, so it stays a few numbers long however many there are.
type marks struct {
	low  int64
	runs []run // ascending, with a gap before each
}

type run struct{ first, last int64 }

// find is the index of the first run that ends at n or later.
func (m *marks) find(n int64) int {
	return sort.Search(len(m.runs), func(i int) bool { return m.runs[i].last >= n })
}

func (m *marks) has(n int64) bool {
	if n <= m.low {
		return true
	}
	i := m.find(n)
	return i < len(m.runs) && m.runs[i].first <= n
}

// add puts n into the set.
func (m *marks) add(n int64) {
	if m.has(n) {
		return
	}
	i := m.find(n)
	left := i > 0 && m.runs[i-1].last == n-1
	right := i < len(m.runs) && m.runs[i].first == n+1
	switch {
	case left && right:
		m.runs[i-1].last = m.runs[i].last
		m.runs = slices.Delete(m.runs, i, i+1)
	case left:
		m.runs[i-1].last = n
	case right:
		m.runs[i].first = n
	default:
		m.runs = slices.Insert(m.runs, i, run{n, n})
	}
	if m.runs[0].first == m.low+1 {
		m.low = m.runs[0].last
		m.runs = slices.Delete(m.runs, 0, 1)
	}
}

func (m *marks) clone() marks { return marks{low: m.low, runs: slices.Clone(m.runs)} }

// encode is what is stored of the runs: how far each begins behind the one before, and how much further it goes.
func (m *marks) encode() []byte {
	var data []byte
	at := m.low
	for _, r := range m.runs {
		data = binary.AppendUvarint(data, uint64(r.first-at))
		data = binary.AppendUvarint(data, uint64(r.last-r.first))
		at = r.last
	}
	return data
}

var errMarks = errors.New("the marks of an endpoint cannot be read: the table mark is damaged")

// decodeMarks is the opposite of encode.
func decodeMarks(low int64, data []byte) (marks, error) {
	m := marks{low: low}
	for at := low; len(data) > 0; {
		gap, n := binary.Uvarint(data)
		if n <= 0 {
			return m, errMarks
		}
		more, k := binary.Uvarint(data[n:])
		const most = 1 << 62
		if k <= 0 || gap < 2 || gap > most || more > most || at > most || uint64(at)+gap+more > most {
			return m, errMarks
		}
		first := at + int64(gap)
		at = first + int64(more)
		m.runs = append(m.runs, run{first, at})
		data = data[n+k:]
	}
	return m, nil
}
