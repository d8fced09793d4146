//go:build matrix

package cdctest

import (
	"slices"
	"testing"

	"rowhook/dbtest"
)

// Kinds are the servers that the tests run against: all.
func Kinds(tb testing.TB) []dbtest.Kind {
	tb.Helper()
	return dbtest.Servers(tb)
}

func variants(tb testing.TB) []variant {
	tb.Helper()
	all := []variant{
		{"log_bin_compress", dbtest.MariaDB118, []string{"--log-bin-compress=ON", "--log-bin-compress-min-len=10"}},
		{"transaction_compression", dbtest.MySQL97, []string{"--binlog-transaction-compression=ON"}},
		{"no_gtids", dbtest.MySQL97, []string{"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}},
	}
	return slices.DeleteFunc(all, func(v variant) bool { return !slices.Contains(Kinds(tb), v.kind) })
}
