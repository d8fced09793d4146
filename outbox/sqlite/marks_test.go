package sqlite

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMarks compares the set with a plain one, in random order, and keeps a table of its runs as the writer does.
func TestMarks(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	const n = 300
	var m marks
	plain, table := map[int64]bool{}, map[int64]int64{}
	for _, i := range rnd.Perm(n) {
		seq := int64(i + 1)
		before := m.clone()
		if !m.add(seq) || m.add(seq) {
			t.Fatalf("add(%d) does not tell whether it was new", seq)
		}
		plain[seq] = true
		put, gone := changes(before.runs, m.runs)
		for _, r := range put {
			table[r.first] = r.last
		}
		for _, first := range gone {
			delete(table, first)
		}
		for s := int64(0); s <= n+1; s++ {
			if m.has(s) != (plain[s] || s == 0) {
				t.Fatalf("has(%d) is %v with %+v", s, m.has(s), m)
			}
		}
		rows := map[int64]int64{}
		for _, r := range m.runs {
			rows[r.first] = r.last
		}
		if !maps.Equal(rows, table) {
			t.Fatalf("table is %v, runs are %v", table, m.runs)
		}
	}
	if m.low != n || len(m.runs) != 0 {
		t.Errorf("a full set is %+v", m)
	}
}

func TestMarksCloneIsApart(t *testing.T) {
	t.Parallel()
	m := marks{low: 1, runs: []run{{3, 4}, {6, 6}}}
	c := m.clone()
	c.add(5)
	c.add(2)
	if want := []run{{3, 4}, {6, 6}}; m.low != 1 || !slices.Equal(m.runs, want) {
		t.Errorf("the original became %+v", m)
	}
	if c.low != 6 || len(c.runs) != 0 {
		t.Errorf("the clone is %+v", c)
	}
}

// FuzzKeys: whatever the keys hold, they come back, and one of them is found by the text List searches for.
func FuzzKeys(f *testing.F) {
	f.Add("salon/reservation/12", "b")
	f.Add("line\nbreak", `back\slash`)
	f.Add(`\n`, "\\\n\\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		if a == "" || b == "" {
			return
		}
		for _, keys := range [][]string{{a}, {a, b}} {
			if got := splitKeys(joinKeys(keys)); !slices.Equal(got, keys) {
				t.Errorf("%q came back as %q", keys, got)
			}
		}
	})
}
