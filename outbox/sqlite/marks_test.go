package sqlite

import (
	"maps"
	"math/rand/v2"
	"testing"

	"rowhook/outbox/marks"
)

// TestChanges keeps a table of a set's runs as the writer does, while numbers are added in random order.
func TestChanges(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	const n = 300
	var set marks.Set
	table := map[int64]int64{}
	for _, i := range random.Perm(n) {
		before := set.Clone()
		set.Add(int64(i + 1))
		put, gone := changes(before.Runs, set.Runs)
		for _, r := range put {
			table[r.First] = r.Last
		}
		for _, first := range gone {
			delete(table, first)
		}
		rows := map[int64]int64{}
		for _, r := range set.Runs {
			rows[r.First] = r.Last
		}
		if !maps.Equal(rows, table) {
			t.Fatalf("table is %v, runs are %v", table, set.Runs)
		}
	}
	if len(table) != 0 {
		t.Errorf("the table of a full set is %v", table)
	}
}
