package deliver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rowhook/outbox"
)

// TestKeyQueue plays random items through an order and compares with the rule itself: an item may go when no earlier
// unfinished one shares a key with it.
func TestKeyQueue(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		o := newKeyQueue()
		var unfinished []*item
		free := make(map[*item]bool)
		for i := 0; i < 100 || len(unfinished) > 0; i++ {
			if i < 100 && random.IntN(3) > 0 {
				it := &item{Stored: &outbox.Stored{Delivery: outbox.Delivery{Seq: int64(i)}}}
				for range 1 + random.IntN(4) {
					it.Keys = append(it.Keys, fmt.Sprint(random.IntN(8)))
				}
				o.add(it)
				free[it] = it.waits == 0
				unfinished = append(unfinished, it)
			} else if len(unfinished) > 0 {
				var may []int
				for i, it := range unfinished {
					if free[it] {
						may = append(may, i)
					}
				}
				at := may[random.IntN(len(may))] // the first one is always free
				it := unfinished[at]
				unfinished = slices.Delete(unfinished, at, at+1)
				o.remove(it, func(f *item) { free[f] = true })
			}
			for i, it := range unfinished {
				blocked := slices.ContainsFunc(unfinished[:i], func(before *item) bool {
					return slices.ContainsFunc(before.Keys, func(k string) bool { return slices.Contains(it.Keys, k) })
				})
				if free[it] == blocked {
					t.Fatalf("seed %d: item %d with keys %v: free %t, blocked %t", seed, it.Seq, it.Keys, free[it], blocked)
				}
			}
		}
		if len(o.last) > 0 {
			t.Fatalf("seed %d: keys left: %v", seed, sortedKeys(o.last))
		}
	}
}
