//go:build matrix

package main

import (
	"testing"

	"rowhook/dbtest"
)

// TestOutboxCopyGalera: to a cluster and back, whose node is the site's server as well.
func TestOutboxCopyGalera(t *testing.T) {
	t.Parallel()
	testOutboxCopy(t, dbtest.StartCluster(t).Nodes[0])
}
