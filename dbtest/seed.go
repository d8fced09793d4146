package dbtest

import (
	"os"
	"strconv"
	"testing"
)

// Seed is what a random test begins with: always the same, so that a failure comes again, or that of the environment's
// ROWHOOK_SEED, to try others.
func Seed(t testing.TB) uint64 {
	t.Helper()
	text := os.Getenv("ROWHOOK_SEED")
	if text == "" {
		return 1
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("ROWHOOK_SEED: %v", err)
	}
	return seed
}
