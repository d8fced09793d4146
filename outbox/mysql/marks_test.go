package mysql

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"rowhook/outbox/marks"
)

// TestMarks: whatever order numbers are added in, those are in the set, and it comes back as it was stored.
func TestMarks(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var m marks.Set
	in := make(map[int64]bool)
	for range 2000 {
		n := random.Int64N(1500) + 1
		m.Add(n)
		in[n] = true
		if back, err := decodeMarks(m.Low, encodeMarks(&m)); err != nil || back.Low != m.Low || len(back.Runs) != len(m.Runs) ||
			len(m.Runs) > 0 && !reflect.DeepEqual(back.Runs, m.Runs) {
			t.Fatalf("%+v came back as %+v, %v", m, back, err)
		}
	}
	for n := int64(1); n <= 1600; n++ {
		if m.Has(n) != in[n] {
			t.Errorf("%d is in the set: %v", n, m.Has(n))
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
		at := m.Low
		for _, r := range m.Runs {
			if r.First < at+2 || r.Last < r.First {
				t.Fatalf("%d is followed by %+v", at, r)
			}
			at = r.Last
		}
		if back, err := decodeMarks(m.Low, encodeMarks(&m)); err != nil || !reflect.DeepEqual(back, m) {
			t.Fatalf("%+v came back as %+v, %v", m, back, err)
		}
	})
}
