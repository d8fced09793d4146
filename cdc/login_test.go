package cdc

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestLogins follows as users who log in by each of the server's methods, over TCP with and without TLS and over the
// socket. Without TLS a MySQL wants the password encrypted with its key when it sees the user for the first time.
func TestLogins(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		cert, key, roots := certificate(t)
		server := cdctest.StartServer(t, kind, "--ssl-ca="+cert, "--ssl-cert="+cert, "--ssl-key="+key)
		conn := cdctest.SchemaConn(t, server, "logins", "CREATE TABLE a (id INT PRIMARY KEY)")
		methods := map[string]string{"mysql_native_password": "VIA mysql_native_password USING PASSWORD('secret')"}
		switch kind {
		case dbtest.MySQL97:
			methods = map[string]string{"caching_sha2_password": "WITH caching_sha2_password BY 'secret'", "sha256_password": "WITH sha256_password BY 'secret'"}
		case dbtest.MariaDB118:
			cdctest.Exec(t, conn, "INSTALL SONAME 'auth_ed25519'")
			methods["ed25519"] = "VIA ed25519 USING PASSWORD('secret')"
		}
		id := 0
		for name, method := range methods {
			for way, change := range map[string]func(*Config){
				"tcp":    func(*Config) {},
				"tls":    func(c *Config) { c.secure(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}) },
				"socket": func(c *Config) { c.at(server.Socket()) },
			} {
				t.Run(name+" "+way, func(t *testing.T) {
					id++
					user := fmt.Sprintf("user%d", id)
					cdctest.Exec(t, conn, "CREATE USER "+user+" IDENTIFIED "+method, "GRANT "+cdctest.Grants+" TO "+user, "GRANT SELECT ON logins.* TO "+user)
					log := newLog()
					cfg := sourceConfig(server, log, "logins", "a")
					cfg.as(user)
					change(&cfg)
					f := followNow(t, openSource(t, cfg))
					cdctest.Exec(t, conn, fmt.Sprintf("INSERT INTO a VALUES (%d)", id))
					f.expect(t, fmt.Sprintf("insert a(id=%d)", id))
				})
			}
		}

		t.Run("the link's certificate", func(t *testing.T) {
			log := newLog()
			cfg := sourceConfig(server, log, "logins", "a")
			cfg.secure(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
			db := pool(t, cfg)
			cfg.secure(&tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1"})
			s, err := Open(t.Context(), db, cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			followNow(t, s)
			log.wait(t, "certificate signed by unknown authority")
		})
	})
}
