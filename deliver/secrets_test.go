package deliver

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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
		"cut off":    {head + strings.Repeat("x", maxResponse-len("POST /hush-path?token=hush")), plain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			came := make(chan string, 100)
			w := newEcho(t, echo.before, echo.write, came)
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

// TestHiding: of an endpoint's secrets and of the parts of its URL that may be one nothing is shown, however it is
// repeated; ordinary words are.
func TestHiding(t *testing.T) {
	t.Parallel()
	key := []byte("a signing/key? that has signs~~~")
	bare := base64.StdEncoding.EncodeToString(key)
	target, err := newTarget(Endpoint{
		URL:    "https://deploybot:pass%2Fword%26@example.com/hooks/T0AB12CD/se%2fc-ret.one/plain?format=json&key=a%26b%2Fc+d%22&k=xyz",
		Secret: `plug<in>/"secret"`, SigningSecrets: []string{"whsec_" + bare},
	})
	if err != nil {
		t.Fatal(err)
	}
	hidden := regexp.MustCompile(`^<\*\*\*(=|%3[Dd])*>$`) // what fills base64 up may stay
	for _, secret := range []string{
		"deploybot", "pass/word&", "pass%2Fword%26", "deploybot:pass/word&", "T0AB12CD", "se/c-ret.one", "se%2Fc-ret.one",
		`a&b/c d"`, "a%26b%2fc%20d%22", "k=xyz", "/hooks/T0AB12CD/se%2fc-ret.one/plain", `plug<in>/"secret"`, target.md5, strings.ToUpper(target.md5),
		"whsec_" + bare, bare, strings.TrimRight(bare, "="), string(key), hex.EncodeToString(key), base64.URLEncoding.EncodeToString(key),
		base64.StdEncoding.EncodeToString([]byte("deploybot:pass/word&")),
	} {
		for name, write := range map[string]func(string) string{
			"plain": func(s string) string { return s }, "query": url.QueryEscape, "path": url.PathEscape, "JSON": inJSON, "HTML": html.EscapeString,
			`\/`:        func(s string) string { return strings.ReplaceAll(inJSON(s), "/", `\/`) },
			"HTML JSON": func(s string) string { return html.EscapeString(inJSON(s)) },
			"small %xx": func(s string) string {
				return regexp.MustCompile("%..").ReplaceAllStringFunc(url.QueryEscape(s), strings.ToLower)
			},
		} {
			got := target.shown("<"+write(secret)+">", maxResponse)
			if !hidden.MatchString(got) {
				t.Errorf("%s: %s is seen in %s", name, secret, got)
			}
		}
	}
	for _, text := range []string{
		`{"error":"json is not a format of plain hooks","key":"missing","path":"\/hooks\/&amp;"}`, "invalid format", "the key=", "100%", "xyz",
	} {
		if got := target.shown(text, maxResponse); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func inJSON(text string) string {
	b, _ := json.Marshal(text)
	return string(b[1 : len(b)-1])
}

// newEcho sends back what it gets, written in some way, behind something.
func newEcho(t *testing.T, before string, write func(string) string, came chan<- string) *wire {
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
		_, _ = io.WriteString(conn, before+write(string(text)))
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
