package marks

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSet compares the set with a plain one, in random order: a number is in it once it was added, and Add tells when it was
// new; its runs ascend with gaps between them, and once all numbers are in it none is left.
func TestSet(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	const n = 300
	var s Set
	plain := map[int64]bool{0: true}
	for _, i := range random.Perm(n) {
		number := int64(i + 1)
		if !s.Add(number) || s.Add(number) {
			t.Fatalf("Add(%d) does not tell whether it was new", number)
		}
		plain[number] = true
		for k := int64(0); k <= n+1; k++ {
			if s.Has(k) != plain[k] {
				t.Fatalf("Has(%d) is %v with %+v", k, s.Has(k), s)
			}
		}
		at := s.Low
		for _, r := range s.Runs {
			if r.First < at+2 || r.Last < r.First {
				t.Fatalf("%d is followed by %+v", at, r)
			}
			at = r.Last
		}
	}
	if s.Low != n || len(s.Runs) != 0 {
		t.Errorf("a full set is %+v", s)
	}
}

func TestAddRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, want Set }{
		"behind all":       {Set{Low: 4}, Set{Low: 9}},
		"behind a run":     {Set{Low: 1, Runs: []Run{{3, 4}}}, Set{Low: 1, Runs: []Run{{3, 9}}}},
		"behind a gap":     {Set{Low: 3}, Set{Low: 3, Runs: []Run{{5, 9}}}},
		"behind two gaps":  {Set{Low: 1, Runs: []Run{{3, 3}}}, Set{Low: 1, Runs: []Run{{3, 3}, {5, 9}}}},
		"nothing is there": {Set{Low: 4, Runs: []Run{}}, Set{Low: 9}},
	} {
		c.before.AddRun(Run{5, 9})
		if c.before.Low != c.want.Low || !slices.Equal(c.before.Runs, c.want.Runs) {
			t.Errorf("%s: it is %+v, want %+v", name, c.before, c.want)
		}
	}
}

func TestCloneIsApart(t *testing.T) {
	t.Parallel()
	s := Set{Low: 1, Runs: []Run{{3, 4}, {6, 6}}}
	c := s.Clone()
	c.Add(5)
	c.Add(2)
	if want := []Run{{3, 4}, {6, 6}}; s.Low != 1 || !slices.Equal(s.Runs, want) {
		t.Errorf("the original became %+v", s)
	}
	if c.Low != 6 || len(c.Runs) != 0 {
		t.Errorf("the clone is %+v", c)
	}
}
