//go:build !matrix

package cdctest

import (
	"testing"

	"rowhook/dbtest"
)

// Kinds are the servers that the tests run against: here the machine's own, with the build tag matrix all.
func Kinds(testing.TB) []dbtest.Kind { return []dbtest.Kind{dbtest.MariaDB1011} }

// variants are further settings of servers that change how the log is written: none without the tag.
func variants(testing.TB) []variant { return nil }
