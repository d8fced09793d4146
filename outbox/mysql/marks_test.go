package mysql

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestMarks: whatever order numbers are added in, those are in the set, and it comes back as it was stored.
func TestMarks(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var m marks
	in := make(map[int64]bool)
	for range 2000 {
		n := random.Int64N(1500) + 1
		m.add(n)
		in[n] = true
		if back, err := decodeMarks(m.low, m.encode()); err != nil || back.low != m.low || len(back.runs) != len(m.runs) ||
			len(m.runs) > 0 && !reflect.DeepEqual(back.runs, m.runs) {
			t.Fatalf("%+v came back as %+v, %v", m, back, err)
		}
	}
	for n := int64(1); n <= 1600; n++ {
		if m.has(n) != in[n] {
			t.Errorf("%d is in the set: %v", n, m.has(n))
		}
	}
}

// FuzzDecodeMarks: what the table holds is marks that hold together, or an error.
func FuzzDecodeMarks(f *testing.F) {
	f.Add(int64(0), []byte{2, 0, 3, 7})
	f.Add(int64(7), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1})
	f.Add(int64(1)<<62, []byte{2, 2})
	f.Fuzz(func(t *testing.T, low int64, data []byte) {
		m, err := decodeMarks(low, data)
		if err != nil || low < 0 {
			return
		}
		at := m.low
		for _, r := range m.runs {
			if r.first < at+2 || r.last < r.first {
				t.Fatalf("%d is followed by %+v", at, r)
			}
			at = r.last
		}
		if back, err := decodeMarks(m.low, m.encode()); err != nil || !reflect.DeepEqual(back, m) {
			t.Fatalf("%+v came back as %+v, %v", m, back, err)
		}
	})
}
