package connect

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"strings"
	"testing"
)

// farConn is a connection to another machine, by what it says.
type farConn struct{ net.Conn }

func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 3306} }

// far makes a server one on another machine.
func far(s *Server) *Server {
	dial := s.open
	s.open = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return farConn{c}, nil
	}
	return s
}

// TestAStrangersKeyIsRefused: over plain TCP to another machine nobody vouches for the key that the other side offers for
// the password, whoever asks for it and however; over both ways.
func TestAStrangersKeyIsRefused(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	offer := append([]byte{packetMore}, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	for name, says := range map[string][][]byte{
		"caching_sha2, asked for":    {packet(0, hello(cachingPassword)), packet(2, []byte{packetMore, 4}), packet(4, offer)},
		"caching_sha2, unasked":      {packet(0, hello(cachingPassword)), packet(2, offer)},
		"sha256, asked for":          {packet(0, hello(nativePassword)), packet(2, switchTo(sha256Password)), packet(4, offer)},
		"sha256, from the greeting":  {packet(0, hello(sha256Password)), packet(2, offer)},
		"caching_sha2, then sha256":  {packet(0, hello(cachingPassword)), packet(2, switchTo(sha256Password)), packet(4, offer)},
		"a key, then the clear text": {packet(0, hello(cachingPassword)), packet(2, []byte{packetMore, 4}), packet(4, switchTo(clearPassword))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, connect := range ways() {
				s := newImpostor(t, says...)
				err := connect(t.Context(), far(s.server()))
				if cause := CauseOf(err); cause != Insecure && cause != Stranger { // a key for a login that takes none is no server's
					t.Errorf("%s: %v", way, err)
				}
				heard := <-s.heard
				if len(heard) >= key.Size() || bytes.Contains(heard, []byte(secret)) {
					t.Errorf("%s: it heard %d bytes, which may hold the password under its key: %q", way, len(heard), heard)
				}
			}
		})
	}
	t.Run("advice", func(t *testing.T) {
		t.Parallel()
		s := newImpostor(t, packet(0, hello(cachingPassword)), packet(2, []byte{packetMore, 4}))
		server := far(s.server())
		err := ways()["pool"](t.Context(), server)
		var method *MethodError
		if !errors.As(err, &method) || !method.Plain {
			t.Fatal(err)
		}
		if advice := server.Advice(err); !strings.Contains(advice, "database.tls") {
			t.Error(advice)
		}
	})
}

// TestRoad: a login says whether the server is on another machine.
func TestRoad(t *testing.T) {
	t.Parallel()
	says := [][]byte{packet(0, hello(nativePassword)), packet(2, []byte{packetOK, 0, 0, 2, 0, 0, 0})}
	for _, away := range []bool{false, true} {
		server := newImpostor(t, says...).server()
		if away {
			far(server)
		}
		_, _ = server.DialLog(t.Context()) // it ends after the login
		if got := server.Road(); got != (Road{Away: away}) {
			t.Errorf("away %t: %+v", away, got)
		}
	}
}
