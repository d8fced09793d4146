//go:build matrix

package charset

import (
	"testing"

	"rowhook/dbtest"
)

func kinds(tb testing.TB) []dbtest.Kind {
	tb.Helper()
	return dbtest.Servers(tb)
}
