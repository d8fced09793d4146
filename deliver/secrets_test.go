package deliver

import (
	"bufio"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"rowhook/outbox"
)

// TestSecretsOfEchoes: receivers that send back what they got, as a body or in place of an answer, put no secret into the
// log, the outbox, the delivery log or the status.
func TestSecretsOfEchoes(t *testing.T) {
	t.Parallel()
	key := base64.StdEncoding.EncodeToString([]byte("a signing key for hushing"))
	endpoint := Endpoint{Secret: "hush-plugin", SigningSecrets: []string{"whsec_" + key}}
	sum := md5.Sum([]byte(endpoint.Secret))
	secure := hex.EncodeToString(sum[:])
	secrets := []string{"hush", key, base64.StdEncoding.EncodeToString([]byte("user:hush-password"))}
	const head = "HTTP/1.1 422 No\r\nConnection: close\r\n\r\n"
	plain := func(text string) string { return text }
	for name, echo := range map[string]struct {
		before string
		write  func(string) string
	}{
		"as a body":  {head, plain},
		"as it is":   {"", plain},
		"as a field": {"HTTP/1.1 422 No\r\n", plain},
		"as JSON":    {head, inJSON},
		"as HTML":    {head, html.EscapeString},
		"as a query": {head, url.QueryEscape},
		"cut off":    {head + strings.Repeat("x", 16<<10-len("POST /hush-path?token=hush")), plain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			came := make(chan string, 100)
			address := newEcho(t, echo.before, echo.write, came)
			e := endpoint
			e.URL = "http://user:hush-password@" + address + "/hush-path?token=hush-token"
			s := newStore()
			var log buffer
			o := quick()
			o.Log = textLog(&log)
			o.Schedule = []time.Duration{time.Millisecond}
			worker, stop := running(t, s, map[string]Endpoint{"crm": e}, o)
			commit(t, s, making("crm", 1, "k"))
			said := <-came
			for _, secret := range append(secrets[:1:1], secrets[2], secure) { // those that are sent
				if !strings.Contains(said, secret) {
					t.Fatalf("the receiver does not see %s in %s", secret, said)
				}
			}
			until(t, "an attempt on record", func() bool { return last(t, s) != nil })
			a := last(t, s)
			seen := a.Error + a.Response + worker.Status(t.Context()).Endpoints[0].LastError + worker.Status(t.Context()).Endpoints[0].Name
			stop()
			seen += log.String() + stored(t, s)
			for _, secret := range append(secrets, secure) {
				if at := strings.Index(seen, secret); at >= 0 {
					t.Errorf("%q is seen: %q", secret, seen[max(0, at-100):min(len(seen), at+100)])
				}
			}
			if !strings.Contains(seen, "***") {
				t.Errorf("nothing is hidden, so nothing was shown: %+v", a)
			}
		})
	}
}

func inJSON(text string) string {
	b, _ := json.Marshal(text)
	return string(b[1 : len(b)-1])
}

// newEcho starts a receiver that sends back what it gets, written in some way, behind something. It returns its address.
func newEcho(t *testing.T, before string, write func(string) string, came chan<- string) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(serving.Wait)
	t.Cleanup(func() { _ = l.Close() })
	echo := func(conn net.Conn) {
		defer conn.Close()
		if q, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			text, _ := httputil.DumpRequest(q, true)
			came <- string(text)
			_, _ = io.WriteString(conn, before+write(string(text)))
		}
	}
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { echo(conn) })
		}
	})
	return l.Addr().String()
}

// last is the last attempt of the first delivery that is on record.
func last(t *testing.T, s outbox.Log) *outbox.Attempt {
	t.Helper()
	list, err := s.List(t.Context(), outbox.Filter{Limit: 1})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d deliveries, %v", len(list), err)
	}
	return list[0].Last
}

// stored is all that an outbox tells of its deliveries.
func stored(t *testing.T, s outbox.Log) string {
	t.Helper()
	list, err := s.List(t.Context(), outbox.Filter{Bodies: true})
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, d := range list {
		attempts, err := s.Attempts(t.Context(), d.Seq)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%+v %+v\n", d, attempts)
	}
	return all.String()
}
