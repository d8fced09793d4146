package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// connected is a running program, its site and its receiver.
type connected struct {
	server   *dbtest.Server
	site     *dbtest.Site
	receiver *delivertest.Receiver
	config   string
	heard    int
}

// newConnected prepares a daemon with a rule for extended payloads, whose password is written as given.
func newConnected(t *testing.T, server *dbtest.Server, password string) *connected {
	t.Helper()
	c := &connected{server: server, site: dbtest.Salon(t, server, "wordpress", "wp_"), receiver: delivertest.NewReceiver(t)}
	rowhookUser(t, server)
	c.config = daemonFiles(t, server, fmt.Sprintf("rules: [{name: r, action: appointment.save, load: extended, url: %q}]", c.receiver.URL()), "coalesce: 0s\n")
	edit(t, c.config, "password: secret", "password: "+password)
	return c
}

// delivers books, and waits for the webhook.
func (c *connected) delivers(t *testing.T) {
	t.Helper()
	if _, err := c.site.Book(t.Context(), dbtest.Booking{Options: []int64{1}}); err != nil {
		t.Fatal(err)
	}
	ctx := patience(t)
	c.heard++
	if got := len(c.receiver.WaitAccepted(ctx, c.heard)); got < c.heard {
		t.Fatalf("%d of %d webhooks came", got, c.heard)
	}
}

// TestFewConnections: a user who may have three connections gets everything, extended payloads too.
func TestFewConnections(t *testing.T) {
	onServers(t, func(t *testing.T, server *dbtest.Server) {
		c := newConnected(t, server, "secret")
		server.Exec(t, "ALTER USER rowhook@'%' WITH MAX_USER_CONNECTIONS 3")
		p := start(t, build(t), "run", "--config", c.config)
		p.until(t, following)
		var out []error
		for range 20 {
			_, err := c.site.Book(t.Context(), dbtest.Booking{Options: []int64{1}})
			out = append(out, err)
			c.heard++
		}
		if err := errors.Join(out...); err != nil {
			t.Fatal(err)
		}
		c.delivers(t)
		server.KillConnections(t, "rowhook")
		c.delivers(t)
		p.signal(t, syscall.SIGTERM)
		p.ends(t)
	})
}

// TestFullServer: a daemon that is started while the server has no connection free waits, says so, and goes on.
func TestFullServer(t *testing.T) {
	onServers(t, func(t *testing.T, server *dbtest.Server) {
		c := newConnected(t, server, "secret")
		server.CreateUser(t, "filler", "secret")
		cfg := mysql.NewConfig()
		cfg.User, cfg.Passwd, cfg.Net, cfg.Addr = "filler", "secret", "unix", server.Socket()
		connector, err := mysql.NewConnector(cfg)
		if err != nil {
			t.Fatal(err)
		}
		filler := sql.OpenDB(connector)
		t.Cleanup(func() { filler.Close() })
		const most = 10
		held := make([]*sql.Conn, most)
		for i := range held {
			if held[i], err = filler.Conn(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		server.Exec(t, fmt.Sprintf("SET GLOBAL max_connections = %d", most)) // now: a server counts those that leave for a while
		p := start(t, build(t), "run", "--config", c.config)
		p.until(t, "the server has no connection free")
		for _, conn := range held {
			conn.Close()
		}
		filler.Close()
		p.until(t, following)
		c.delivers(t)
		p.signal(t, syscall.SIGTERM)
		p.ends(t)
	})
}

// TestRotatedPassword: a password that was changed is taken up at the next login where it is in a file, else at SIGHUP.
func TestRotatedPassword(t *testing.T) {
	t.Parallel()
	for name, rotate := range map[string]struct {
		password string
		change   func(t *testing.T, c *connected, p *process)
	}{
		"in a file": {"'${file:password}'", func(t *testing.T, c *connected, _ *process) {
			t.Helper()
			writePassword(t, c, "another")
		}},
		"in a file, late": {"'${file:password}'", func(t *testing.T, c *connected, p *process) {
			t.Helper()
			c.server.KillConnections(t, "rowhook")
			p.until(t, "Access denied")
			writePassword(t, c, "another")
		}},
		"in the configuration": {"secret", func(t *testing.T, c *connected, p *process) {
			t.Helper()
			c.server.KillConnections(t, "rowhook")
			p.until(t, "Access denied")
			edit(t, c.config, "password: secret", "password: another")
			p.signal(t, syscall.SIGHUP)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConnected(t, dbtest.Start(t), rotate.password)
			writePassword(t, c, "secret")
			p := start(t, build(t), "run", "--config", c.config)
			p.until(t, following)
			c.delivers(t)
			c.server.Exec(t, "SET PASSWORD FOR rowhook@'%' = PASSWORD('another')")
			rotate.change(t, c, p)
			c.server.KillConnections(t, "rowhook")
			c.delivers(t)
			p.signal(t, syscall.SIGTERM)
			p.ends(t)
		})
	}
}

func writePassword(t *testing.T, c *connected, password string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(c.config), "password"), []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestPrivilegesComeAndGo: global privileges that are taken away, and given back, are noticed without a restart. A
// connection keeps those of its login, so what was pooled meanwhile must not be used any more.
func TestPrivilegesComeAndGo(t *testing.T) {
	onServers(t, func(t *testing.T, server *dbtest.Server) {
		monitor := "BINLOG MONITOR"
		if server.Kind().MySQL() {
			monitor = "REPLICATION CLIENT"
		}
		c := newConnected(t, server, "secret")
		p := start(t, build(t), "run", "--config", c.config)
		p.until(t, following)
		c.delivers(t)
		for _, privilege := range []string{monitor, "REPLICATION SLAVE"} {
			server.Exec(t, "REVOKE "+privilege+" ON *.* FROM rowhook@'%'")
			server.KillConnections(t, "rowhook")
			p.until(t, "fix=\"GRANT REPLICATION SLAVE, "+monitor+" ON *.* TO 'rowhook'@'%';")
			server.Exec(t, "GRANT "+privilege+" ON *.* TO rowhook@'%'")
			c.delivers(t)
		}
		p.signal(t, syscall.SIGTERM)
		p.ends(t)
	})
}
