package deliver

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
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
	secrets := []string{"hush", key, base64.StdEncoding.EncodeToString([]byte("user:hush-password"))}
	for name, before := range map[string]string{
		"as a body": "HTTP/1.1 422 No\r\nConnection: close\r\n\r\n", "as it is": "", "as a field": "HTTP/1.1 422 No\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			came := make(chan string, 100)
			w := newEcho(t, before, came)
			e := endpoint
			e.URL = "http://user:hush-password@" + w.listener.Addr().String() + "/hush-path?token=hush-token"
			dir := t.TempDir()
			s := openStore(t, dir)
			var log buffer
			o := quick()
			o.Log = textLog(&log)
			o.Schedule = []time.Duration{time.Millisecond}
			worker, stop := running(t, s, map[string]Endpoint{"crm": e}, o)
			commit(t, s, making("crm", 1, "k"))
			said := <-came
			target, err := newTarget(e)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range append(secrets[:1:1], secrets[2], target.md5) { // those that are sent
				if !strings.Contains(said, secret) {
					t.Fatalf("the receiver does not see %s in %s", secret, said)
				}
			}
			until(t, "an attempt on record", func() bool { return last(t, s) != nil })
			a := last(t, s)
			seen := a.Error + a.Response + worker.Status().Endpoints[0].LastError + worker.Status().Endpoints[0].Name
			stop()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			seen += log.String() + files(t, dir)
			for _, secret := range append(secrets, target.md5) {
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

// newEcho sends back what it gets, behind something.
func newEcho(t *testing.T, before string, came chan<- string) *wire {
	t.Helper()
	return newWire(t, func(conn net.Conn, _ func() bool) {
		q, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		text, err := httputil.DumpRequest(q, true)
		if err != nil {
			return
		}
		came <- string(text)
		_, _ = io.WriteString(conn, before+string(text))
	})
}

// last is the last attempt of the first delivery that is on record.
func last(t *testing.T, s outbox.Store) *outbox.Attempt {
	t.Helper()
	list, err := s.List(t.Context(), outbox.Filter{Limit: 1})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d deliveries, %v", len(list), err)
	}
	return list[0].Last
}

// files is all that is in a directory.
func files(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
