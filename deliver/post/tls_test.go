package post

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// newTLS starts a server, and makes a poster that trusts it.
func newTLS(t *testing.T, config *tls.Config, serve http.HandlerFunc) *poster {
	t.Helper()
	s := httptest.NewUnstartedServer(serve)
	s.TLS = config
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // it is told of our refusals
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return newPoster(t, s.URL, Options{roots: roots})
}

// TestNoHTTP1: a server that speaks only something newer. (Go's, which is so kind as to answer when it is set to HTTP/2
// only, will not do; it knows no exception for HTTP/3.)
func TestNoHTTP1(t *testing.T) {
	t.Parallel()
	p := newTLS(t, &tls.Config{NextProtos: []string{"h3"}, MinVersion: tls.VersionTLS12}, func(http.ResponseWriter, *http.Request) {
		t.Error("a request came")
	})
	res := p.post("")
	if res.Verdict != Trouble || res.Error != "TLS handshake: remote error: tls: no application protocol" {
		t.Errorf("%+v", res)
	}
}

// TestUnaskedAnswerInTLS: what comes behind an answer, in the same record, is no answer to the next request. The socket
// is empty then; TLS holds it.
func TestUnaskedAnswerInTLS(t *testing.T) {
	t.Parallel()
	const behind = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
	for name, extra := range map[string]string{"nothing": "", "an answer": behind, "a byte": "H"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var conns atomic.Int64
			var serving sync.WaitGroup
			p := newTLS(t, &tls.Config{DynamicRecordSizingDisabled: true, MinVersion: tls.VersionTLS12}, func(rw http.ResponseWriter, q *http.Request) {
				conns.Add(1)
				_, _ = io.Copy(io.Discard, q.Body)
				conn, in, err := http.NewResponseController(rw).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				serving.Go(func() {
					defer conn.Close()
					for err == nil { // a body that is read past the client's buffer, so that the rest stays in TLS
						_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"+strings.Repeat("x", 10_000)+extra)
						var next *http.Request
						if next, err = http.ReadRequest(in.Reader); err == nil {
							_, err = io.Copy(io.Discard, next.Body)
						}
					}
				})
			})
			for i := range 3 {
				if res := p.post(""); res.Verdict != Accepted {
					t.Errorf("delivery %d: %+v", i+1, res)
				}
				want := int64(i + 1)
				if extra == "" {
					want = 1
				}
				if conns.Load() != want {
					t.Errorf("delivery %d: %d connections", i+1, conns.Load())
				}
			}
			p.sender.Close()
			serving.Wait()
		})
	}
}

// TestTLS: HTTP/1.1 over TLS, with the certificate checked against the name, and connections kept.
func TestTLS(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	peers := map[string]int{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if q.Proto != "HTTP/1.1" || q.TLS.NegotiatedProtocol != "http/1.1" || q.TLS.ServerName != "example.com" {
			t.Errorf("%s, agreed on %q, asked for %q", q.Proto, q.TLS.NegotiatedProtocol, q.TLS.ServerName)
		}
		peers[q.RemoteAddr]++
	}))
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // it is told of our refusals
	s.StartTLS()
	defer s.Close()
	_, portText, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	dns := &names{answers: map[string][]string{"example.com.": {"127.0.0.1"}, "other.test.": {"127.0.0.1"}}}
	for _, c := range []struct {
		host  string
		roots *x509.CertPool
		want  Verdict
		error string
	}{
		{"example.com", roots, Accepted, ""},
		{"other.test", roots, Trouble, "TLS handshake: tls: failed to verify certificate: x509: certificate is valid for example.com, *.example.com, not other.test"},
		{"example.com", x509.NewCertPool(), Trouble, "TLS handshake: tls: failed to verify certificate: x509: certificate signed by unknown authority"},
	} {
		p := newPoster(t, "https://"+c.host+":"+portText, Options{resolver: dns.resolver(), roots: c.roots})
		for range 3 {
			if res := p.post(""); res.Verdict != c.want || res.Error != c.error {
				t.Errorf("%s: %+v", c.host, res)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(peers) != 1 {
		t.Errorf("3 deliveries came over %d connections", len(peers))
	}
}
