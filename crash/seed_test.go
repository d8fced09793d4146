//go:build crash

package crash

import (
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"

	"rowhook/dbtest"
)

// random makes the choices of one part of a test: statements, moods, places of faults. They come from one seed, so that
// what failed can be tried again with the same ones; only the timing is the machine's.
func random(t *testing.T, part string) *rand.Rand {
	t.Helper()
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name() + " " + part)) // never fails
	return rand.New(rand.NewPCG(dbtest.Seed(t), name.Sum64()))
}

// upTo is a time below a bound.
func upTo(random *rand.Rand, bound time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(bound)))
}

func (w *world) upTo(bound time.Duration) time.Duration { return upTo(w.random, bound) }
