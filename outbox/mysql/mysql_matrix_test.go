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

// TestMembersMatrix: members work on every server.
func TestMembersMatrix(t *testing.T) {
	t.Parallel()
	for _, kind := range dbtest.Servers(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := dbtest.StartServer(t, kind)
			testPair(t, server, server.Address())
			t.Run("Upgrade", func(t *testing.T) { testUpgrade(t, server) })
			t.Run("Leaving", func(t *testing.T) { testLeaving(t, server) })
		})
	}
}

// TestMembersGalera is the suite on a cluster, where the member is at another node than the holder.
func TestMembersGalera(t *testing.T) {
	t.Parallel()
	cluster := dbtest.StartCluster(t)
	testPair(t, cluster.Nodes[0], cluster.Addresses()...)
}

// TestStoreGalera is the suite on a cluster, where each store begins with another node.
func TestStoreGalera(t *testing.T) {
	t.Parallel()
	cluster := dbtest.StartCluster(t)
	testStore(t, cluster.Nodes[0], cluster.Addresses()...)
}
