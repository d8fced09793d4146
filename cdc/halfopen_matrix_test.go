//go:build matrix

package cdc

import (
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
	"rowhook/netfault"
)

// TestHalfOpenLink loses every packet of a link for a while, in both directions: neither end is told. It needs root, for
// a network namespace.
func TestHalfOpenLink(t *testing.T) { cdctest.OnKinds(t, testHalfOpenLink) }

func testHalfOpenLink(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	server := cdctest.StartServer(t, kind)
	conn := cdctest.SchemaConn(t, server, "halfopen", "CREATE TABLE a (id INT PRIMARY KEY)")
	openSource(t, sourceConfig(server, newLog(), "halfopen", "a")) // a MySQL wants the password at a user's first login, and it is not sent that far
	far := netfault.NewFar(t)
	through := serveProxy(t, far.Listen(t), server.Address())
	log := newLog()
	cfg := sourceConfig(server, log, "halfopen", "a")
	cfg.at(through.address())
	f := followNow(t, openSource(t, cfg))
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
	f.expect(t, "insert a(id=1)")
	far.Lose(t)
	cdctest.Exec(t, conn, "INSERT INTO a VALUES (2)", "INSERT INTO a VALUES (3)")
	const found = readTimeout + sideTimeout + patience
	if !log.says("trying again", found) {
		t.Fatalf("the link is dead, and nobody finds out:\n%s", log)
	}
	if len(f.txns) > 0 {
		t.Error("packets came: the test shows nothing")
	}
	far.Find(t)
	if !log.says("is back", found) {
		t.Fatalf("the link is not taken up again:\n%s", log)
	}
	f.expect(t, "insert a(id=2)", "insert a(id=3)")
}
