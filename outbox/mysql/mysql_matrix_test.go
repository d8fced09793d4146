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
			testStore(t, dbtest.StartServer(t, kind))
		})
	}
}
