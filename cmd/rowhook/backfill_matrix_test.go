//go:build crash && matrix

package main

import (
	"testing"

	"rowhook/dbtest"
)

// TestBackfillMatrix: the order of a backfill on the other servers. Where a snapshot stands in the log is found out in
// another way on each.
func TestBackfillMatrix(t *testing.T) {
	for _, kind := range dbtest.Servers(t)[1:] {
		t.Run(string(kind), func(t *testing.T) { backfillCrash(t, kind) })
	}
}
