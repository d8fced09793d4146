package mysql

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSpreadOut: whatever comes and goes, nobody has more than its part, rounded up, and only what must changes hands.
func TestSpreadOut(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		n := random.IntN(60)
		has := make(map[int64]string)
		free := []int64(nil)
		for id := range int64(n) {
			free = append(free, id)
		}
		for range 6 {
			var processes []string
			for p := range 1 + random.IntN(5) {
				if random.IntN(4) > 0 {
					processes = append(processes, fmt.Sprint("p", p))
				}
			}
			before := make(map[string]int)
			for _, owner := range has {
				before[owner]++
			}
			_, take := spread(processes, n, has, nil)
			if len(processes) == 0 {
				continue
			}
			most, must := (n+len(processes)-1)/len(processes), 0
			for owner, k := range before {
				if !slices.Contains(processes, owner) {
					must += k
				} else {
					must += max(0, k-most)
				}
			}
			if len(take) != must {
				t.Fatalf("%d are taken, %d must be", len(take), must)
			}
			for _, id := range take {
				delete(has, id)
				free = append(free, id)
			}
			give, again := spread(processes, n, has, free)
			if len(give) != len(free) || len(again) > 0 {
				t.Fatalf("of %d free ones %d are given, and %d taken", len(free), len(give), len(again))
			}
			load := make(map[string]int)
			maps.Copy(has, give)
			for _, owner := range has {
				load[owner]++
			}
			for owner, k := range load {
				if k > most || !slices.Contains(processes, owner) {
					t.Fatalf("%s has %d of %d, with %v", owner, k, n, processes)
				}
			}
			free = nil
		}
	}
}
