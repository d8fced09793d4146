//go:build !matrix

package charset

import (
	"testing"

	"rowhook/dbtest"
)

// kinds are the servers that the tests run against: here the machine's own, with the build tag matrix all.
func kinds(testing.TB) []dbtest.Kind { return []dbtest.Kind{dbtest.MariaDB1011} }
