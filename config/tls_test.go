package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pemFiles writes a certificate with its key, and files that are neither.
func pemFiles(t *testing.T) (dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, b := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "broken.pem": {Type: "CERTIFICATE", Bytes: cert[:40]},
		"key.pem": {Type: "PRIVATE KEY", Bytes: private}, "sealed.pem": {Type: "ENCRYPTED PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "empty.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := pemFiles(t)
	for text, want := range map[string]TLS{
		"":                                {Mode: NoTLS},
		"tls:":                            {Mode: NoTLS},
		"tls: true":                       {Mode: VerifyFull},
		"tls: skip-verify":                {Mode: SkipVerify},
		"tls: {}":                         {Mode: VerifyFull},
		"tls: {ca_file: DIR/cert.pem}":    {Mode: VerifyFull, CAFile: dir + "/cert.pem"},
		"tls: {server_name: db.example}":  {Mode: VerifyFull, ServerName: "db.example"},
		"tls: {mode: false, ca_file: ''}": {Mode: NoTLS},
		"tls: {mode: verify-ca, ca_file: DIR/cert.pem, cert_file: DIR/cert.pem, key_file: DIR/key.pem}": {
			Mode: VerifyCA, CAFile: dir + "/cert.pem", CertFile: dir + "/cert.pem", KeyFile: dir + "/key.pem",
		},
	} {
		c, _, err := load(t, "sites: [{name: a, schema: s}]\ndatabase:\n  "+strings.ReplaceAll(text, "DIR", dir))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c.Database.TLS != want {
			t.Errorf("%s: %+v", text, c.Database.TLS)
		}
		roots, certs, err := c.Database.TLS.Read("database.tls")
		if err != nil || (roots != nil) != (want.CAFile != "") || (len(certs) == 1) != (want.CertFile != "") {
			t.Errorf("%s: it reads %v, %d certificates, %v", text, roots, len(certs), err)
		}
	}
}

func TestTLSFaults(t *testing.T) {
	t.Parallel()
	dir := pemFiles(t)
	for text, want := range map[string]string{
		"tls: [true]":                                              "config.yaml:3: database.tls: must be a mapping",
		"tls: {ca: x}":                                             "config.yaml:3: database.tls.ca: unknown key; known keys: mode, ca_file, server_name, cert_file, key_file",
		"tls: verify":                                              `config.yaml:3: database.tls: "verify" is not known; write false, true, verify-ca or skip-verify`,
		"tls:\n    mode: on":                                       `config.yaml:4: database.tls.mode: "on" is not known; write false, true, verify-ca or skip-verify`,
		"tls:\n    ca_file: DIR/none.pem":                          `config.yaml:4: database.tls.ca_file: the file "DIR/none.pem" cannot be read: no such file`,
		"tls:\n    ca_file: none.pem":                              `config.yaml:4: database.tls.ca_file: the file "none.pem" cannot be read: no such file`,
		"tls:\n    ca_file: DIR":                                   `config.yaml:4: database.tls.ca_file: the file "DIR" is not a regular file`,
		"tls:\n    ca_file: DIR/empty.pem":                         `config.yaml:4: database.tls.ca_file: the file "DIR/empty.pem" holds no certificate; name a PEM file`,
		"tls:\n    ca_file: DIR/key.pem":                           `config.yaml:4: database.tls.ca_file: the file "DIR/key.pem" holds no certificate; name a PEM file`,
		"tls:\n    ca_file: DIR/broken.pem":                        `config.yaml:4: database.tls.ca_file: the file "DIR/broken.pem" holds a certificate that cannot be read`,
		"tls: {mode: false, ca_file: DIR/cert.pem}":                "config.yaml:3: database.tls.ca_file: is of no use without TLS; remove it, or mode: false",
		"tls: {mode: false, server_name: a}":                       "config.yaml:3: database.tls.server_name: is of no use without TLS",
		"tls: {mode: skip-verify, ca_file: DIR/cert.pem}":          "config.yaml:3: database.tls.ca_file: is not looked at with mode: skip-verify",
		"tls: {mode: verify-ca, server_name: a}":                   "config.yaml:3: database.tls.server_name: is not looked at with mode: verify-ca",
		"tls: {cert_file: DIR/cert.pem}":                           "config.yaml:3: database.tls.cert_file: needs a key_file",
		"tls: {key_file: DIR/key.pem}":                             "config.yaml:3: database.tls.key_file: needs a cert_file",
		"tls: {cert_file: DIR/x.pem, key_file: DIR/key.pem}":       `config.yaml:3: database.tls.cert_file: the file "DIR/x.pem" cannot be read`,
		"tls: {cert_file: DIR/cert.pem, key_file: DIR/x.pem}":      `config.yaml:3: database.tls.key_file: the file "DIR/x.pem" cannot be read`,
		"tls: {cert_file: DIR/cert.pem, key_file: DIR/sealed.pem}": `config.yaml:3: database.tls.key_file: the file "DIR/sealed.pem" is encrypted`,
		"tls: {cert_file: DIR/key.pem, key_file: DIR/cert.pem}":    "are not a certificate and its key in PEM",
		"{address: /run/s.sock, tls: true}":                        "config.yaml:3: database.tls: has no name to compare the certificate with",
	} {
		_, at, err := load(t, "sites: [{name: a, schema: s}]\ndatabase:\n  "+strings.ReplaceAll(text, "DIR", dir))
		if err == nil {
			t.Errorf("%s: no error", text)
			continue
		}
		if got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), at+"/", ""), dir, "DIR"); !strings.Contains(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}
