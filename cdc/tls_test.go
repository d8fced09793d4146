package cdc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/sqlmap"
	"rowhook/dbtest"
)

// TestTLS follows as a user who must use TLS, with a server whose certificate is checked.
func TestTLS(t *testing.T) {
	cdctest.OnKinds(t, func(t *testing.T, kind dbtest.Kind) {
		cert, key, roots := certificate(t)
		server := cdctest.StartServer(t, kind, "--ssl-ca="+cert, "--ssl-cert="+cert, "--ssl-key="+key)
		conn := cdctest.SchemaConn(t, server, "secret", "CREATE TABLE a (id INT PRIMARY KEY, s LONGTEXT)")
		cdctest.Exec(t, conn, "CREATE USER sealed IDENTIFIED BY 'secret' REQUIRE SSL", "GRANT "+cdctest.Grants+" TO sealed", "GRANT SELECT ON secret.* TO sealed")
		cfg := sourceConfig(server, newLog(), "secret", "a")
		cfg.as("sealed")
		cfg.secure(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
		f := followNow(t, openSource(t, cfg))
		cdctest.Exec(t, conn, "INSERT INTO a VALUES (1, 'small')", "INSERT INTO a VALUES (2, "+repeat(0, 3<<20)+"), (3, 'small')")
		f.expect(t, "insert a(id=1 s=small)")
		f.wantRows(t, insertOf(2, 0, 3<<20), "insert a(id=3 s=small)")
		row, err := sqlmap.Row(t.Context(), server.DB(t, ""), "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'sealed' AND command LIKE 'Binlog Dump%'")
		if err != nil || row["n"] != "1" {
			t.Errorf("links of the user: %v, %v", row, err)
		}

		t.Run("without TLS", func(t *testing.T) {
			plain := cfg
			plain.secure(nil)
			var refused *mysql.MySQLError
			if _, err := Open(t.Context(), pool(t, plain), plain); !errors.As(err, &refused) {
				t.Errorf("it opens: %v", err)
			}
		})
		t.Run("another certificate", func(t *testing.T) {
			wrong := cfg
			wrong.secure(&tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1"})
			var unknown x509.UnknownAuthorityError
			if _, err := Open(t.Context(), pool(t, wrong), wrong); !errors.As(err, &unknown) {
				t.Errorf("it opens: %v", err)
			}
		})
	})
}

// certificate makes a certificate for 127.0.0.1 and gives the files of it and of its key.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	roots = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(signed)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", signed), write("key.pem", "PRIVATE KEY", secret), roots
}
