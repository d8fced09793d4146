package main

import (
	"testing"

	"rowhook/dbtest"
)

// onServers runs a test on each kind of server.
func onServers(t *testing.T, f func(t *testing.T, server *dbtest.Server)) {
	t.Helper()
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f(t, dbtest.StartServer(t, kind))
		})
	}
}

// resetLog begins the log of a server anew.
func resetLog(server *dbtest.Server) string {
	if server.Kind().MySQL() {
		return "RESET BINARY LOGS AND GTIDS"
	}
	return "RESET MASTER"
}

// farGTID is of a transaction that the server does not have.
func farGTID(server *dbtest.Server) string {
	if server.Kind().MySQL() {
		return "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-99999"
	}
	return "0-1-99999"
}
