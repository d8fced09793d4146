package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// authority signs certificates for a test, in a folder.
type authority struct {
	dir, file string // file is its own certificate
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir, name string) *authority {
	t.Helper()
	a := &authority{dir: dir, file: filepath.Join(dir, name+".pem")}
	a.cert = &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.sign(t, name, a.cert)
	return a
}

// sign makes a certificate, NAME.pem, and its key, NAME-key.pem. The first that is signed is the authority's own.
func (a *authority) sign(t *testing.T, name string, c *x509.Certificate) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if a.key == nil {
		a.key = private
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, private.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+"-key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// cloudName is what Cloud SQL's certificates are made out to: no address.
const cloudName = "project:instance"

// TestTLS: a server whose certificate names no address, and who wants to see a certificate of ours.
func TestTLS(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			testTLS(t, kind)
		})
	}
}

func testTLS(t *testing.T, kind dbtest.Kind) {
	t.Helper()
	dir := t.TempDir()
	ca := newAuthority(t, dir, "ca")
	newAuthority(t, dir, "other")
	cert, key := ca.sign(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: cloudName}})
	ca.sign(t, "client", &x509.Certificate{Subject: pkix.Name{CommonName: "rowhook"}})
	server := dbtest.StartServer(t, kind, "--ssl-ca="+ca.file, "--ssl-cert="+cert, "--ssl-key="+key)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	server.Exec(t, "ALTER USER rowhook@'%' REQUIRE X509")
	receiver := delivertest.NewReceiver(t)
	files := func(tls string) string {
		file := daemonFiles(t, server, fmt.Sprintf("rules: [{name: r, action: customer.save, load: full, url: %q}]", receiver.URL()), "coalesce: 0s\n")
		edit(t, file, "password: secret", "password: secret, tls: "+strings.ReplaceAll(tls, "DIR", dir))
		return file
	}
	const ours = ", cert_file: DIR/client.pem, key_file: DIR/client-key.pem}"
	for tls, want := range map[string][]string{
		"false":                       {"FAIL  server: ", "Access denied"},
		"true":                        {"certificate", "under database:", "ca_file: /etc/rowhook/ca.pem"},
		"{ca_file: DIR/ca.pem" + ours: {"certificate", `server_name: "project:instance"}`, "verify-ca"},
		"{ca_file: DIR/ca.pem, server_name: db.example" + ours:          {"certificate", `server_name: "project:instance"}`},
		"{ca_file: DIR/other.pem, server_name: '" + cloudName + "'}":    {"certificate signed by unknown authority"},
		"{mode: verify-ca, ca_file: DIR/other.pem" + ours:               {"certificate signed by unknown authority"},
		"{mode: verify-ca, ca_file: DIR/ca.pem}":                        {"FAIL  server: ", "Access denied", "cert_file"},
		"{ca_file: DIR/ca.pem, server_name: '" + cloudName + "'" + ours: {"ok    encryption: TLS, with a certificate that was verified"},
		"{mode: verify-ca, ca_file: DIR/ca.pem" + ours:                  {"ok    encryption: TLS, with a certificate that was verified"},
		"{mode: skip-verify" + ours:                                     {"ok    encryption: TLS, with whatever certificate"},
	} {
		var out bytes.Buffer
		err := command(t.Context(), []string{"check", "--config", files(tls)}, &out, io.Discard)
		if good := strings.HasPrefix(want[0], "ok"); good != (err == nil) {
			t.Errorf("%s: check ends with %v", tls, err)
		}
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s: check does not say %q:\n%s", tls, text, &out)
			}
		}
	}

	t.Run("certificates are renewed", func(t *testing.T) {
		startDaemon(t, files("{mode: verify-ca, ca_file: DIR/ca.pem"+ours))
		book := func(n int) {
			t.Helper()
			if _, err := site.Insert(t.Context(), "users", "billing_name", fmt.Sprint(n)); err != nil {
				t.Fatal(err)
			}
			ctx := patience(t)
			receiver.WaitAccepted(ctx, n)
		}
		book(1)
		next := newAuthority(t, dir, "ca") // in the same files
		next.sign(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: cloudName}})
		next.sign(t, "client", &x509.Certificate{Subject: pkix.Name{CommonName: "rowhook"}})
		reload := "FLUSH SSL"
		if kind.MySQL() {
			reload = "ALTER INSTANCE RELOAD TLS"
		}
		server.Exec(t, reload)
		server.KillConnections(t, "rowhook")
		book(2)
	})
}

// edit replaces a text in a file.
func edit(t *testing.T, file, old, with string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(old)) {
		t.Fatalf("%s has no %q", file, old)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(old), []byte(with)), 0o600); err != nil {
		t.Fatal(err)
	}
}
