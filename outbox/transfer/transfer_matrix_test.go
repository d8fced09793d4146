//go:build matrix

package transfer_test

import (
	"testing"

	"rowhook/dbtest"
)

func TestTransferMatrix(t *testing.T) {
	t.Parallel()
	for _, kind := range dbtest.Servers(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := serve(t, dbtest.StartServer(t, kind))
			testRoundTrip(t, server)
			testGoesOn(t, server)
		})
	}
}
