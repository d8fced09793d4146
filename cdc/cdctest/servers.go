// Package cdctest has what the tests of cdc and of the packages below it share: servers of every kind, connections to them,
// what they logged, and tables of all types.
package cdctest

import (
	"testing"

	"rowhook/dbtest"
)

// Grants are what a user needs to follow the log, by the names that every server knows.
const Grants = "REPLICATION SLAVE, REPLICATION CLIENT ON *.*"

// variant is a kind of server with settings that change how its log is written.
type variant struct {
	name string
	kind dbtest.Kind
	args []string
}

// OnServers runs a test on a server of each kind and of each variant, with a user as rowhook's should be.
func OnServers(t *testing.T, f func(t *testing.T, server *dbtest.Server)) {
	t.Helper()
	OnKinds(t, func(t *testing.T, kind dbtest.Kind) { f(t, StartServer(t, kind)) })
	for _, v := range variants(t) {
		t.Run(string(v.kind)+"_"+v.name, func(t *testing.T) {
			t.Parallel()
			f(t, StartServer(t, v.kind, v.args...))
		})
	}
}

// OnKinds runs a test for each kind of server.
func OnKinds(t *testing.T, f func(t *testing.T, kind dbtest.Kind)) {
	t.Helper()
	t.Parallel()
	for _, kind := range Kinds(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f(t, kind)
		})
	}
}

// StartServer runs a server with a user as rowhook's should be.
func StartServer(t *testing.T, kind dbtest.Kind, args ...string) *dbtest.Server {
	t.Helper()
	server := dbtest.StartServer(t, kind, args...)
	server.CreateUser(t, "rowhook", "secret", Grants, "SELECT ON *.*")
	return server
}
