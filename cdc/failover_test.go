package cdc

import (
	"database/sql"
	"fmt"
	"net"
	"testing"
	"time"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// pair is a server and a replica of it, and readers' address, which leads to the first until it is turned.
type pair struct {
	primary, replica *dbtest.Server
	through          *proxy
	cfg              Config
	log              *logText
}

// newPair starts both, each with an empty log, and waits until the replica has a table. The replica writes its log otherwise:
// events of rows are cut elsewhere.
func newPair(t *testing.T, kind dbtest.Kind, args ...string) *pair {
	t.Helper()
	p := &pair{
		primary: cdctest.StartServer(t, kind), log: newLog(),
		replica: cdctest.StartServer(t, kind, append([]string{"--server-id=2", "--binlog-row-event-max-size=256", "--log-slave-updates=ON"}, args...)...),
	}
	for _, server := range []*dbtest.Server{p.primary, p.replica} {
		server.Exec(t, resetLog(server))
	}
	host, port, err := net.SplitHostPort(p.primary.Address())
	if err != nil {
		t.Fatal(err)
	}
	replicate := "CHANGE MASTER TO master_host = '%s', master_port = %s, master_user = 'rowhook', master_password = 'secret', master_use_gtid = slave_pos; START SLAVE"
	if kind.MySQL() {
		replicate = "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '%s', SOURCE_PORT = %s, SOURCE_USER = 'rowhook', SOURCE_PASSWORD = 'secret', " +
			"SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1; START REPLICA"
	}
	p.replica.Exec(t, fmt.Sprintf(replicate, host, port))
	p.primary.Exec(t, "CREATE DATABASE pair; CREATE TABLE pair.a (id INT PRIMARY KEY, s VARCHAR(200))")
	p.through = newProxy(t, p.primary.Address())
	p.cfg = sourceConfig(p.primary, p.log, "pair", "a")
	p.cfg.at(p.through.address())
	return p
}

// insert writes a transaction of several rows at a server.
func (p *pair) insert(t *testing.T, server *dbtest.Server, id int) string {
	t.Helper()
	server.Exec(t, fmt.Sprintf("INSERT INTO pair.a VALUES (%d, REPEAT('x', 200)), (%d, REPEAT('y', 200)), (%d, 'z')", id, id+1, id+2))
	x, y := make([]byte, 200), make([]byte, 200)
	for i := range x {
		x[i], y[i] = 'x', 'y'
	}
	return fmt.Sprintf("insert a(id=%d s=%s); insert a(id=%d s=%s); insert a(id=%d s=z)", id, x, id+1, y, id+2)
}

// arrived waits until a row is at the replica.
func (p *pair) arrived(t *testing.T, id int) {
	t.Helper()
	db := p.replica.DB(t, "")
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		var found sql.NullInt64
		err := db.QueryRowContext(t.Context(), "SELECT MAX(id) FROM pair.a").Scan(&found)
		if err == nil && found.Int64 >= int64(id) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("row %d does not come to the replica, which has %v: %v", id, found, err)
		}
	}
}

// promote ends the primary, makes a server of its own of the replica, and leads readers there.
func (p *pair) promote(t *testing.T) {
	t.Helper()
	if err := p.primary.Kill(); err != nil {
		t.Fatal(err)
	}
	p.part(t)
	p.through.turn(p.replica.Address())
}

// part ends the replication.
func (p *pair) part(t *testing.T) {
	t.Helper()
	if p.replica.Kind().MySQL() {
		p.replica.Exec(t, "STOP REPLICA; RESET REPLICA ALL")
	} else {
		p.replica.Exec(t, "STOP SLAVE; RESET SLAVE ALL")
	}
}

// TestFailover promotes a replica while its primary is followed.
func TestFailover(t *testing.T) { cdctest.OnKinds(t, testFailover) }

func testFailover(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	t.Run("whole", func(t *testing.T) {
		t.Parallel()
		p := newPair(t, kind)
		f := followNow(t, openSource(t, p.cfg))
		for i := range 3 {
			f.expect(t, p.insert(t, p.primary, 10*i))
		}
		p.arrived(t, 22)
		p.promote(t)
		f.expect(t, p.insert(t, p.replica, 30)) // and nothing again
		stored := f.stored(t)
		f.stop()
		f = follow(t, f.source, stored)
		f.expect(t, p.insert(t, p.replica, 40))
	})
	t.Run("behind", func(t *testing.T) { // the reader knows what the replica never got
		t.Parallel()
		p := newPair(t, kind)
		f := followNow(t, openSource(t, p.cfg))
		f.expect(t, p.insert(t, p.primary, 0))
		p.arrived(t, 2)
		p.part(t)
		f.expect(t, p.insert(t, p.primary, 10))
		p.promote(t)
		p.insert(t, p.replica, 20)
		p.insert(t, p.replica, 30)
		wantStop(t, f.stopError(t), "not the one", "rowhook position set")
		if len(f.txns) > 0 {
			t.Error("transactions were handed out before it stopped")
		}
	})
	t.Run("without the others' changes", func(t *testing.T) { testSilentReplica(t, kind) })
}

// testSilentReplica has a replica that does not log what comes from its primary.
func testSilentReplica(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	t.Parallel()
	option := "--log-slave-updates=OFF"
	if kind.MySQL() {
		option = "--log-replica-updates=OFF"
	}
	p := newPair(t, kind, option)
	f := followNow(t, openSource(t, p.cfg))
	f.expect(t, p.insert(t, p.primary, 0))
	p.arrived(t, 2)

	direct := p.cfg
	direct.at(p.replica.Address())
	refused := false
	for _, finding := range faults(t, direct) {
		refused = refused || finding.Check == "replica" && finding.Fix != ""
	}
	if !refused {
		t.Errorf("check is content with a replica that is silent: %+v", findings(t, direct))
	}

	p.promote(t)
	if !kind.MySQL() {
		wantStop(t, f.stopError(t), "not the one")
		return
	}
	// MySQL knows that it has what it does not log, and all of that was read.
	p.log.wait(t, "cannot be verified")
	f.expect(t, p.insert(t, p.replica, 10))
}

// TestAnotherServer has another server, with a longer log, behind the address.
func TestAnotherServer(t *testing.T) {
	cdctest.OnServers(t, func(t *testing.T, server *dbtest.Server) {
		t.Helper()
		kind := server.Kind()
		conn := cdctest.SchemaConn(t, server, "pair", "CREATE TABLE a (id INT PRIMARY KEY)")
		other := cdctest.StartServer(t, kind)
		strange := cdctest.SchemaConn(t, other, "pair", "CREATE TABLE a (id INT PRIMARY KEY)")
		for i := range 60 {
			cdctest.Exec(t, strange, fmt.Sprintf("INSERT INTO a VALUES (%d)", i))
		}
		through := newProxy(t, server.Address())
		cfg := sourceConfig(server, newLog(), "pair", "a")
		cfg.at(through.address())
		f := followNow(t, openSource(t, cfg))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1)")
		f.expect(t, "insert a(id=1)")
		through.turn(other.Address())
		wantStop(t, f.stopError(t), "not the one", "database.address")
		if len(f.txns) > 0 {
			t.Error("transactions were handed out before it stopped")
		}
	})
}
