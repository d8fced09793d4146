//go:build crash

package crash

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/netfault"
	"rowhook/outbox/mysql"
)

// Where machines keep the outbox that they share, and how each of them gets there.

// shared is a server, or several of which one is used.
type shared struct {
	servers  []*dbtest.Server // the first one takes what is to be on all
	lease    time.Duration
	machines int               // of them
	workers  int               // of these: the last ones, which deliver only
	lines    []*netfault.Far   // a machine's own to the server; none: it is near
	proxies  []*netfault.Proxy // through which each machine goes; none: it goes straight
}

// The leases, as docs/machines.md advises: on a cluster they outlive the six seconds in which it throws a node out.
const (
	singleLease  = 5 * time.Second
	clusterLease = 15 * time.Second
)

// on is a single server.
func on(server *dbtest.Server, machines int) *shared {
	return &shared{servers: []*dbtest.Server{server}, lease: singleLease, machines: machines}
}

// onSite is the site's own server, onOther another one.
func onSite(machines int) func(*world) *shared {
	return func(w *world) *shared { return on(w.server, machines) }
}

func onOther(machines int) func(*world) *shared {
	return func(w *world) *shared { return on(dbtest.Start(w.t, "--log-warnings=0"), machines) }
}

// farAway has each machine reach another server over a line of its own, which may be cut.
func farAway(machines int) func(*world) *shared {
	return func(w *world) *shared {
		if os.Geteuid() != 0 {
			w.t.Skip("cutting a network takes root, for network namespaces")
		}
		s := onOther(machines)(w)
		for range machines {
			far := netfault.NewFar(w.t)
			s.lines = append(s.lines, far)
			s.proxies = append(s.proxies, netfault.NewProxy(w.t, far.Listen(w.t), s.servers[0].Address()))
		}
		return s
	}
}

// proxied has each machine reach another server through a proxy that cuts connections.
func proxied(machines int) func(*world) *shared {
	return func(w *world) *shared {
		s := onOther(machines)(w)
		for range machines {
			s.proxies = append(s.proxies, netfault.NewProxy(w.t, nil, s.servers[0].Address()))
		}
		return s
	}
}

// withWorkers has the last ones of the machines deliver only.
func withWorkers(workers int, do func(*world) *shared) func(*world) *shared {
	return func(w *world) *shared {
		s := do(w)
		s.workers = workers
		return s
	}
}

// onCluster is a cluster; each machine begins with another node.
func onCluster(c *dbtest.Cluster, machines int) func(*world) *shared {
	return func(*world) *shared { return &shared{servers: c.Nodes, lease: clusterLease, machines: machines} }
}

// replicated is a primary and replicas of it, which follow it some time later.
func replicated(replicas, machines int) func(*world) *shared {
	return func(w *world) *shared {
		s := onOther(machines)(w)
		s.servers[0].CreateUser(w.t, "replica", "secret", "REPLICATION SLAVE ON *.*")
		for n := range replicas {
			r := dbtest.Start(w.t, "--log-warnings=0", "--log-slave-updates=ON", "--read-only=ON", fmt.Sprint("--server-id=", n+2))
			replicate(w.t, r, s.servers[0])
			s.servers = append(s.servers, r)
		}
		return s
	}
}

// replicate makes a server a replica of another one, from where it is.
func replicate(t *testing.T, replica, primary *dbtest.Server) {
	t.Helper()
	host, port, err := net.SplitHostPort(primary.Address())
	if err != nil {
		t.Fatal(err)
	}
	replica.Exec(t, fmt.Sprintf("CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=%s, MASTER_USER='replica', MASTER_PASSWORD='secret', "+
		"MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE", host, port))
}

// addresses are those of the servers.
func (s *shared) addresses() (list []string) {
	for _, server := range s.servers {
		list = append(list, server.Address())
	}
	return list
}

// reach is what a machine's configuration says of where the outbox is.
func (s *shared) reach(machine int) []string {
	if len(s.proxies) > 0 {
		return []string{s.proxies[machine].Address()}
	}
	list := s.addresses()
	if s.lease == clusterLease {
		first := machine % len(list)
		return append(list[first:len(list):len(list)], list[:first]...)
	}
	return list
}

// outbox is how to look at it.
func (s *shared) outbox() mysql.Config {
	return mysql.Config{Addresses: s.addresses(), User: userOf(0), Password: connect.Password("secret"), Schema: "rowhook"}
}

// userOf is as whom a machine works with the outbox: its connections can be told from others'.
func userOf(machine int) string { return fmt.Sprint("rowhook_outbox_", machine) }

// share makes the schema of the outbox, and the machines' configurations.
func (w *world) share(s settings) {
	w.t.Helper()
	w.shared = s.shared(w)
	first := w.shared.servers[0]
	first.Exec(w.t, "CREATE OR REPLACE DATABASE rowhook")
	for n := range w.shared.machines {
		user := userOf(n)
		first.Exec(w.t, "DROP USER IF EXISTS "+user)
		first.CreateUser(w.t, user, "secret", "ALL PRIVILEGES ON rowhook.*")
		own := s
		own.only = n >= w.shared.machines-w.shared.workers
		own.more += fmt.Sprintf("outbox: {mysql: {addresses: [%s], user: %s, password: secret, lease: %v}}\n", quoted(w.shared.reach(n)), user, w.shared.lease)
		config, state := w.configure(own)
		if n == 0 {
			w.config, w.state = config, state
		} else {
			w.others = append(w.others, config)
		}
	}
}

// nodeOf is the server that a machine works with.
func (w *world) nodeOf(machine int) int {
	w.t.Helper()
	most, at := 0, -1
	for n, server := range w.shared.servers {
		var count int
		err := server.DB(w.t, "").QueryRowContext(w.ctx, "SELECT count(*) FROM information_schema.processlist WHERE user = ?", userOf(machine)).Scan(&count)
		if err != nil {
			w.t.Fatal(err)
		}
		if count > most {
			most, at = count, n
		}
	}
	if at < 0 {
		w.t.Fatalf("machine %d is connected nowhere", machine)
	}
	return at
}

// quoted is a list as YAML has it.
func quoted(list []string) string {
	texts := make([]string, len(list))
	for i, text := range list {
		texts[i] = strconv.Quote(text)
	}
	return strings.Join(texts, ", ")
}
