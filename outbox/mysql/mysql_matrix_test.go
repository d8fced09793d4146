//go:build matrix

package mysql

import (
	"testing"

	"rowhook/dbtest"
)

func TestStoreMatrix(t *testing.T) {
	t.Parallel()
	for _, kind := range dbtest.Servers(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := dbtest.StartServer(t, kind)
			testStore(t, server, server.Address())
		})
	}
}

// TestStoreGalera is the suite on a cluster, where each store begins with another node.
func TestStoreGalera(t *testing.T) {
	t.Parallel()
	cluster := dbtest.StartCluster(t)
	testStore(t, cluster.Nodes[0], cluster.Addresses()...)
}
