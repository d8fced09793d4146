package dbtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// nodes is how many a cluster has: of three one may be lost.
const nodes = 3

// Cluster is a Galera cluster of three nodes of the machine's own MariaDB. Their timeouts are Galera's own: a node that is lost is
// thrown out after five seconds, for which all the others stand still. It has one owner.
type Cluster struct {
	Nodes    []*Server
	unpacked string // what tools/get-server.sh galera has brought
}

// StartCluster runs a cluster until the test ends. The arguments are for each node, as those of Start.
func StartCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	for _, name := range leftOut() {
		if name == galera {
			tb.Skip("ROWHOOK_SKIP_SERVERS names " + galera)
		}
	}
	c, err := newCluster()
	if err != nil {
		tb.Fatal(err)
	}
	tools, err := c.tools(tempDir(tb))
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range c.Nodes {
		s.env = []string{"PATH=" + tools + ":" + os.Getenv("PATH")}
		s.dir = tempDir(tb)
		s.args = append(s.args, args...)
		s.endWith(tb)
	}
	if err := c.start(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return c
}

// galera is the name of what makes a cluster of the machine's own server.
const galera = "galera"

// newCluster knows where its nodes will be.
func newCluster() (*Cluster, error) {
	dir, err := serversDir()
	if err != nil {
		return nil, err
	}
	c := &Cluster{unpacked: filepath.Join(dir, galera, "unpacked", "usr")}
	library := filepath.Join(c.unpacked, "lib", "galera", "libgalera_smm.so")
	if _, err := os.Stat(library); err != nil {
		return nil, fmt.Errorf("there is no Galera in %s: run tools/need.sh galera", dir)
	}
	var members []string
	for range nodes {
		var ports [4]int // of the server, of the cluster, and of two ways to get data
		for i := range ports {
			if ports[i], err = freePort(); err != nil {
				return nil, fmt.Errorf("launching a cluster: %w", err)
			}
		}
		member := loopback(ports[1])
		members = append(members, member)
		c.Nodes = append(c.Nodes, &Server{
			kind: MariaDB1011, port: ports[0],
			args: []string{
				"--wsrep-on=ON", "--wsrep-provider=" + library, "--wsrep-node-address=" + member, "--wsrep-node-name=" + member,
				"--wsrep-sst-method=" + copies, "--wsrep-sst-receive-address=" + loopback(ports[3]), "--innodb-autoinc-lock-mode=2", "--log-slave-updates=ON",
				"--wsrep-provider-options=gmcast.listen_addr=tcp://" + member + ";ist.recv_addr=" + loopback(ports[2]) + ";gcache.size=64M",
			},
		})
	}
	for _, s := range c.Nodes {
		s.args = append(s.args, "--wsrep-cluster-name="+members[0], "--wsrep-cluster-address=gcomm://"+strings.Join(members, ","))
	}
	return c, nil
}

// tools makes a folder of the scripts that copy data from node to node. That with rsync is ours under a name of its own, as the server
// prefers what the machine has; and an rsync that root starts must not become nobody, who may not enter a server's directory.
func (c *Cluster) tools(dir string) (string, error) {
	if _, err := find("rsync"); err != nil {
		return "", fmt.Errorf("%w, nor rsync: run tools/need.sh galera", err)
	}
	bin := filepath.Join(c.unpacked, "bin")
	text, err := os.ReadFile(filepath.Join(bin, "wsrep_sst_rsync"))
	if err != nil {
		return "", err
	}
	if os.Geteuid() == 0 {
		text = bytes.Replace(text, []byte("\nuse chroot = no\n"), []byte("\nuse chroot = no\nuid = root\ngid = root\n"), 1)
	}
	return dir, errors.Join(
		os.WriteFile(filepath.Join(dir, "wsrep_sst_"+copies), text, 0o700), //nolint:gosec // it is a program
		os.Symlink(filepath.Join(bin, "wsrep_sst_common"), filepath.Join(dir, "wsrep_sst_common")))
}

// copies is the name of our way to copy data.
const copies = "rowhook"

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// start makes the cluster of one node, whose data the others begin with: so they get no more from it than what it did since.
func (c *Cluster) start(ctx context.Context) error {
	first := c.Nodes[0]
	p, err := first.kind.program()
	if err != nil {
		return err
	}
	if err := p.copyTemplate(ctx, first.data()); err != nil {
		return fmt.Errorf("preparing a node: %w", err)
	}
	const found = "--wsrep-new-cluster"
	if err := errors.Join(first.Restart(ctx, found), first.Stop(), os.Remove(filepath.Join(first.data(), "galera.cache"))); err != nil {
		return err
	}
	for _, s := range c.Nodes[1:] {
		if err := copyTree(s.data(), first.data()); err != nil {
			return fmt.Errorf("preparing a node: %w", err)
		}
	}
	if err := first.Restart(ctx, found); err != nil {
		return err
	}
	var group errgroup.Group
	for _, s := range c.Nodes[1:] {
		group.Go(func() error { return s.Restart(ctx) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return c.Synced(ctx, nodes, 0, 1, 2)
}

// savedState is where a node keeps which transaction was its last one.
func (s *Server) savedState() string { return filepath.Join(s.data(), "grastate.dat") }

// Addresses are those of the nodes.
func (c *Cluster) Addresses() (list []string) {
	for _, s := range c.Nodes {
		list = append(list, s.Address())
	}
	return list
}

// Synced waits until these nodes, which run, are in a cluster of that size and have all that it has.
func (c *Cluster) Synced(ctx context.Context, size int, which ...int) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, n := range which {
		if err := c.Nodes[n].synced(ctx, size); err != nil {
			return fmt.Errorf("waiting for node %d: %w; its log:\n%s", n, err, c.Nodes[n].logTail())
		}
	}
	return nil
}

func (s *Server) synced(ctx context.Context, size int) error {
	db, err := s.Open("")
	if err != nil {
		return err
	}
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		state, err := wsrepState(ctx, db)
		if err == nil && state == fmt.Sprintf("ON Primary Synced %d", size) {
			return nil
		}
		select {
		case <-s.exited:
			return errors.New("it has ended")
		case <-ctx.Done():
			return fmt.Errorf("it is %s, and not in a cluster of %d: %w", state, size, errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// wsrepState is how a node sees itself.
func wsrepState(ctx context.Context, db *sql.DB) (state string, err error) {
	rows, err := db.QueryContext(ctx, "SHOW STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_cluster_status', 'wsrep_local_state_comment', 'wsrep_cluster_size')")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return "", err
		}
		found[name] = value
	}
	return strings.Join([]string{found["wsrep_ready"], found["wsrep_cluster_status"], found["wsrep_local_state_comment"], found["wsrep_cluster_size"]}, " "), rows.Err()
}

// Restart runs a node again that was killed or stopped. It gets what it has missed from another one, transaction by transaction.
func (c *Cluster) Restart(ctx context.Context, n int) error {
	s := c.Nodes[n]
	position, err := s.recover(ctx)
	if err != nil {
		return fmt.Errorf("finding out what node %d has: %w", n, err)
	}
	return s.Restart(ctx, "--wsrep-start-position="+position)
}

// Replace runs a node that has ended as a new machine would: it gets everything from another one.
func (c *Cluster) Replace(ctx context.Context, n int) error {
	s := c.Nodes[n]
	if err := s.Stop(); err != nil {
		return err
	}
	if err := os.Remove(s.savedState()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.Restart(ctx)
}

// Isolate cuts a node off from the others, or connects it with them again. Who asks it still gets through.
func (c *Cluster) Isolate(ctx context.Context, n int, cut bool) error {
	db, err := c.Nodes[n].Open("")
	if err != nil {
		return err
	}
	defer db.Close()
	value := "0"
	if cut {
		value = "1"
	}
	if _, err := db.ExecContext(ctx, "SET GLOBAL wsrep_provider_options = 'gmcast.isolate="+value+"'"); err != nil {
		return fmt.Errorf("cutting node %d off: %w", n, err)
	}
	return nil
}

var recovered = regexp.MustCompile(`WSREP: Recovered position: (\S+)`)

// recover finds the last transaction of a node that was killed.
func (s *Server) recover(ctx context.Context) (position string, err error) {
	if err := s.Stop(); err != nil {
		return "", err
	}
	cmd, err := s.command(ctx, "--wsrep-recover", "--log-error="+filepath.Join(s.dir, "recover.log"))
	if err != nil {
		return "", err
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	log, err := os.ReadFile(filepath.Join(s.dir, "recover.log"))
	if err != nil {
		return "", err
	}
	found := recovered.FindSubmatch(log)
	if found == nil {
		return "", fmt.Errorf("it does not say: %s", log)
	}
	return string(found[1]), os.Remove(filepath.Join(s.dir, "recover.log"))
}

// Freeze stops a server without a word to anybody, as a machine does that hangs.
func (s *Server) Freeze() error { return s.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets it go on.
func (s *Server) Thaw() error { return s.cmd.Process.Signal(syscall.SIGCONT) }
