package connect

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// certificate is one for 127.0.0.1 that nobody else signed.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: c}
}

// behindTLS has an impostor greet, and say the rest over TLS.
func behindTLS(c tls.Certificate, greeting []byte, says ...[]byte) func(net.Conn) []byte {
	return func(conn net.Conn) []byte {
		const request = packetHead + 32 // for TLS
		_, _ = conn.Write(greeting)
		if _, err := io.ReadFull(conn, make([]byte, request)); err != nil {
			return nil
		}
		return talk(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{c}}), says)
	}
}

// TestThePasswordIsForTheServer: over TLS the password itself goes to a server only that has proved who it is, whichever
// login asks for it, whether the other end is near or far; over both ways.
func TestThePasswordIsForTheServer(t *testing.T) {
	t.Parallel()
	certificate := certificate(t)
	known := x509.NewCertPool()
	known.AddCert(certificate.Leaf)
	modes := map[string]struct {
		tls   TLS
		shows bool
	}{
		"skip-verify": {TLS{Unverified: true}, false},
		"verify-ca":   {TLS{Roots: known, AnyName: true}, true},
		"true":        {TLS{Roots: known}, true},
		"another":     {TLS{Roots: x509.NewCertPool()}, false},
	}
	secured := func(method string) []byte { return packet(0, helloWith(method, wanted|toWrite|useTLS)) }
	for login, says := range map[string][][]byte{
		"caching_sha2":         {secured(cachingPassword), packet(3, []byte{packetMore, 4})},
		"caching_sha2, later":  {secured(nativePassword), packet(3, switchTo(cachingPassword)), packet(5, []byte{packetMore, 4})},
		"sha256":               {secured(nativePassword), packet(3, switchTo(sha256Password))},
		"clear text":           {secured(nativePassword), packet(3, switchTo(clearPassword))},
		"caching, then sha256": {secured(cachingPassword), packet(3, switchTo(sha256Password))},
	} {
		for mode, c := range modes {
			t.Run(login+"/"+mode, func(t *testing.T) {
				t.Parallel()
				for way, connect := range ways() {
					for _, away := range []bool{false, true} {
						s := newTalker(t, behindTLS(certificate, says[0], says[1:]...))
						cfg := s.server().Config()
						cfg.TLS = func() (*tls.Config, error) { return c.tls.Config("127.0.0.1"), nil }
						server := New(cfg)
						if away {
							far(server)
						}
						err := connect(t.Context(), server)
						if heard := <-s.heard; bytes.Contains(heard, []byte(secret)) != c.shows {
							t.Errorf("%s, far %t: it heard %q: %v", way, away, heard, err)
						}
						if c.shows {
							continue
						}
						if advice := server.Advice(err); CauseOf(err) != Insecure || !strings.Contains(advice, "ca_file") {
							t.Errorf("%s, far %t: %v; %s", way, away, err, advice)
						}
					}
				}
			})
		}
	}
}
