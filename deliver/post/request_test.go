package post

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/deliver/delivertest"
)

// TestOwnHeaders: the headers of a rule are sent, and not shown when a receiver repeats them; a CloudEvent is told in headers alone.
func TestOwnHeaders(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	r.Answer(delivertest.Answer{Status: http.StatusBadRequest, Body: "no such token: abcdef.123456, nor ApiKeyOfOurs"})
	m := message()
	m.Site, m.Kind, m.Key = "größe 1", "appointment.save", "12"
	m.Created = time.Date(2026, 3, 1, 12, 30, 15, 120_000_000, time.FixedZone("", 3600))
	e := Endpoint{
		URL: r.URL(), CloudEvents: true,
		Headers: []Header{{"X-Api-Key", "ApiKeyOfOurs"}, {"Authorization", "Bearer abcdef.123456"}},
	}
	res := attempt(t, e, m, Options{})
	if res.Verdict != Rejected || strings.Contains(res.Response, "abcdef") || strings.Contains(res.Response, "OfOurs") || !strings.Contains(res.Response, "no such token") {
		t.Errorf("got %+v", res)
	}
	got := r.Requests()[0]
	for name, want := range map[string]string{
		"X-Api-Key": "ApiKeyOfOurs", "Authorization": "Bearer abcdef.123456", "Content-Type": "application/json",
		"Ce-Specversion": "1.0", "Ce-Id": hex.EncodeToString(m.ID[:]), "Ce-Source": "rowhook/gr%C3%B6%C3%9Fe%201",
		"Ce-Type": "vikappointments.appointment.save", "Ce-Time": "2026-03-01T11:30:15.12Z", "Ce-Subject": "12",
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	if string(got.Body) != string(m.Body) {
		t.Errorf("the body %q is not %q", got.Body, m.Body)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	keys := [][]byte{[]byte("the newest key, of 24 bytes"), []byte("an older key that goes soon")}
	r := delivertest.NewReceiver(t)
	m := message()
	m.Object, m.Sequence, m.Omitted = "gone", 12345, "notes"
	m.AsOf = time.Date(2026, 3, 1, 12, 30, 15, 987_654_321, time.FixedZone("", 3600))
	e := Endpoint{URL: r.URL(), WebhookID: 12, Secret: "plugin secret"}
	for _, k := range keys {
		e.SigningSecrets = append(e.SigningSecrets, "whsec_"+base64.StdEncoding.EncodeToString(k))
	}
	before := time.Now().Unix()
	if res := attempt(t, e, m, Options{UserAgent: "rowhook/1.2.3"}); res.Verdict != Accepted || res.Status != 200 {
		t.Fatalf("got %+v", res)
	}
	got := r.Requests()[0]
	if string(got.Body) != string(m.Body) {
		t.Errorf("body %q, want %q", got.Body, m.Body)
	}
	stamp := got.Header.Get("webhook-timestamp")
	if n, err := strconv.ParseInt(stamp, 10, 64); err != nil || n < before || n > time.Now().Unix() {
		t.Errorf("webhook-timestamp %q", stamp)
	}
	var signatures []string
	for _, k := range keys {
		mac := hmac.New(sha256.New, k)
		mac.Write([]byte(hex.EncodeToString(m.ID[:]) + "." + stamp + "." + string(m.Body)))
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	sum := md5.Sum([]byte("plugin secret"))
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "rowhook/1.2.3", "X-Vap-Webhook-Id": "12",
		"X-Vap-Webhook-Action": "onAfterSaveReservation", "X-Vap-Webhook-Secure": hex.EncodeToString(sum[:]),
		"X-Rowhook-Site": "salon", "X-Rowhook-Object": "gone", "X-Rowhook-As-Of": "2026-03-01T11:30:15.987Z",
		"X-Rowhook-Sequence": "12345", "X-Rowhook-Omitted": "notes",
		"Webhook-Id": hex.EncodeToString(m.ID[:]), "Webhook-Signature": strings.Join(signatures, " "),
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
}

func TestHeadersOfLittle(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	attempt(t, Endpoint{URL: r.URL()}, message(), Options{})
	got := r.Requests()[0]
	for _, name := range []string{"X-VAP-WEBHOOK-ID", "X-VAP-WEBHOOK-SECURE", "webhook-signature", "X-Rowhook-Object", "X-Rowhook-As-Of",
		"X-Rowhook-Sequence", "X-Rowhook-Omitted", "Authorization",
	} {
		if v := got.Header.Values(name); len(v) > 0 {
			t.Errorf("%s: %q, want none", name, v)
		}
	}
}

// TestHostileNames: what people call their sites and actions ends no field and begins none.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	m := message()
	m.Site, m.Action, m.Omitted = "salon\r\nX-Extra: 1\r\n\r\nbody", "\tan\x00 action\x7f", "größe\n"
	if res := attempt(t, Endpoint{URL: r.URL()}, m, Options{UserAgent: "rowhook\r\nX-Extra: 1"}); res.Verdict != Accepted {
		t.Fatalf("got %+v", res)
	}
	got := r.Requests()[0].Header
	for name, want := range map[string]string{
		"X-Rowhook-Site": "salon  X-Extra: 1    body", "X-Vap-Webhook-Action": "an  action", "X-Rowhook-Omitted": "größe", "X-Extra": "",
		"User-Agent": "rowhook  X-Extra: 1",
	} {
		if v := got.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
}

// TestAsNetHTTP: a request to any URL begins as net/http's would.
func TestAsNetHTTP(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"http://a.test", "https://a.test/", "http://a.test:8080/a/b?c=d&e", "http://a.test/Zoë?x=ü y&z=%20+", "http://[::1]:81/x?",
		"http://user:pass%2Fword@a.test/%2f%20", "https://user@a.test:8443/", "http://a.test/a//b;c?d=/?", "http://Österreich.test:80/",
	} {
		target, err := NewTarget(Endpoint{URL: address})
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target.url.String(), strings.NewReader(`{"n":1}`))
		if err != nil {
			t.Fatal(err)
		}
		theirs.Header.Set("User-Agent", "rowhook")
		if u := theirs.URL.User; u != nil { // which http.Client does
			password, _ := u.Password()
			theirs.SetBasicAuth(u.Username(), password)
		}
		var b bytes.Buffer
		if err := theirs.Write(&b); err != nil {
			t.Fatal(err)
		}
		want, err := http.ReadRequest(bufio.NewReader(&b))
		if err != nil {
			t.Fatal(err)
		}
		s := NewClient(Options{}).NewSender()
		s.compose(target, message(), time.Now())
		got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(s.out)))
		if err != nil {
			t.Fatalf("%s: %v in %q", address, err, s.out)
		}
		if got.Host != want.Host || got.RequestURI != want.RequestURI || got.ContentLength != want.ContentLength || got.Method != want.Method ||
			got.Header.Get("Authorization") != want.Header.Get("Authorization") || got.UserAgent() != want.UserAgent() {
			t.Errorf("%s: %+v, want %+v", address, got, want)
		}
	}
}

func TestBurst(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	r.Script(delivertest.Answer{Status: 503, Header: http.Header{"Retry-After": {"1"}}}, delivertest.Answer{Cut: true}, delivertest.Answer{Status: 204})
	key := []byte("a key of more than 24 bytes")
	e := Endpoint{URL: r.URL(), SigningSecrets: []string{"whsec_" + base64.StdEncoding.EncodeToString(key)}}
	m := message()
	if res := attempt(t, e, m, Options{}); res.Verdict != Accepted || res.Status != 204 {
		t.Fatalf("got %+v", res)
	}
	got := r.Requests()
	if len(got) != 3 {
		t.Fatalf("%d tries, want 3", len(got))
	}
	stamps := make(map[string]bool)
	for i, q := range got {
		stamp := q.Header.Get("webhook-timestamp")
		stamps[stamp] = true
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(hex.EncodeToString(m.ID[:]) + "." + stamp + "." + string(q.Body)))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); q.Header.Get("webhook-signature") != want {
			t.Errorf("try %d is signed %q, want %q", i+1, q.Header.Get("webhook-signature"), want)
		}
		if q.ID() != hex.EncodeToString(m.ID[:]) || string(q.Body) != string(m.Body) {
			t.Errorf("try %d has id %s and body %s", i+1, q.ID(), q.Body)
		}
	}
	if len(stamps) < 2 {
		t.Errorf("over more than a second, all tries have the timestamps %v", stamps)
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	elsewhere := delivertest.NewReceiver(t)
	long := strings.Repeat("x", 100<<10)
	tests := map[string]struct {
		answer   delivertest.Answer
		verdict  Verdict
		tries    int
		error    string
		response string
		wait     time.Duration
	}{
		"accepted":        {delivertest.Answer{Status: 299}, Accepted, 1, "", "", 0},
		"cut after 200":   {delivertest.Answer{Status: 200, Body: "par", CutIn: true}, Accepted, 1, "", "", 0},
		"500":             {delivertest.Answer{Status: 500, Body: "oh no"}, Trouble, 2, "the receiver answered 500 Internal Server Error", "oh no", 0},
		"501":             {delivertest.Answer{Status: 501}, Trouble, 2, "the receiver answered 501 Not Implemented", "", 0},
		"999":             {delivertest.Answer{Status: 999}, Trouble, 2, "the receiver answered 999", "", 0},
		"400":             {delivertest.Answer{Status: 400, Body: long}, Rejected, 1, "the receiver answered 400 Bad Request", long[:maxText], 0},
		"no UTF-8":        {delivertest.Answer{Status: 400, Body: "\xff"}, Rejected, 1, "the receiver answered 400 Bad Request", "\uFFFD", 0},
		"410":             {delivertest.Answer{Status: 410}, Gone, 1, "the receiver answered 410 Gone", "", 0},
		"302":             {delivertest.Answer{Status: 302, Header: http.Header{"Location": {elsewhere.URL()}}}, Rejected, 1, "the receiver redirects, which is not followed: 302 Found", "", 0},
		"307":             {delivertest.Answer{Status: 307, Header: http.Header{"Location": {elsewhere.URL()}}}, Rejected, 1, "the receiver redirects, which is not followed: 307 Temporary Redirect", "", 0},
		"429 for a while": {delivertest.Answer{Status: 429, Header: http.Header{"Retry-After": {"120"}}}, Trouble, 1, "the receiver answered 429 Too Many Requests", "", 2 * time.Minute},
		"503 for ever":    {delivertest.Answer{Status: 503, Header: http.Header{"Retry-After": {"99999999999"}}}, Trouble, 1, "the receiver answered 503 Service Unavailable", "", time.Hour},
		"never":           {delivertest.Answer{Never: true}, Trouble, 1, "no answer within 2s", "", 0},
		"cut":             {delivertest.Answer{Cut: true}, Trouble, 2, "EOF", "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := delivertest.NewReceiver(t)
			r.Answer(tt.answer)
			timeout := time.Minute
			if tt.answer.Never {
				timeout = 2 * time.Second // in which it comes at all
			}
			res := attempts(t, Endpoint{URL: r.URL()}, message(), Options{Timeout: timeout}, 2)
			if res.Verdict != tt.verdict || res.Error != tt.error || res.Response != tt.response || res.RetryAfter != tt.wait {
				t.Errorf("got %+v", res)
			}
			if n := len(r.Requests()); n != tt.tries {
				t.Errorf("%d tries, want %d", n, tt.tries)
			}
		})
	}
	t.Run("not followed", func(t *testing.T) {
		if got := elsewhere.Requests(); len(got) > 0 {
			t.Errorf("a redirect was followed: %v", got)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	r.Close()
	res := attempts(t, Endpoint{URL: r.URL()}, message(), Options{}, 2)
	if res.Verdict != Trouble || !strings.Contains(res.Error, "connection refused") {
		t.Errorf("got %+v", res)
	}
	r.Open()
	if res := attempt(t, Endpoint{URL: r.URL()}, message(), Options{}); res.Verdict != Accepted {
		t.Errorf("got %+v", res)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	r.Answer(delivertest.Answer{Never: true})
	p := newPoster(t, r.URL(), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan Result)
	go func() { done <- p.sender.Post(ctx, nil, p.target, message(), 3) }()
	r.WaitRequests(t.Context(), 1)
	cancel()
	if res := <-done; res.Verdict != Aborted {
		t.Errorf("got %+v", res)
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, s := range []string{"", "0", "-1", "120", "18446744073709551615", "1e9", "Sun, 01 Mar 2026 12:00:30 GMT", "Mon, 01 Jan 1900 00:00:00 GMT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := (&tried{answer: answer{status: http.StatusServiceUnavailable, retryAfter: s}}).retryAfter(now)
		if got != 0 && (got < minRetryAfter || got > maxRetryAfter) {
			t.Errorf("%q: %s", s, got)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "0": time.Second, "30": 30 * time.Second, "7200": time.Hour, "18446744073709551616": 0,
		"Sun, 01 Mar 2026 12:00:30 GMT": 30 * time.Second, "Sun, 01 Mar 2026 11:00:00 GMT": time.Second,
	} {
		for status, want := range map[int]time.Duration{429: want, 503: want, 500: 0, 400: 0} {
			got := (&tried{answer: answer{status: status, retryAfter: text}}).retryAfter(now)
			if got != want {
				t.Errorf("%d, %q: %s, want %s", status, text, got, want)
			}
		}
	}
}

// TestAllowed gives a large payload more time.
func TestAllowed(t *testing.T) {
	t.Parallel()
	c := NewClient(Options{})
	for size, want := range map[int]time.Duration{0: 0, 1 << 19: 0, 1 << 20: time.Second, 64 << 20: 64 * time.Second} {
		if got := c.allowed(size); got != 10*time.Second+want {
			t.Errorf("%d bytes: %s", size, got)
		}
	}
}

// TestDocumentedHeaders: docs/openapi.json has each header that a request may have, and no other.
func TestDocumentedHeaders(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Parameters map[string]struct{ Required bool }
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	r := delivertest.NewReceiver(t)
	all := message()
	all.Site, all.Kind, all.Key, all.Object, all.Sequence, all.Omitted, all.Test = "salon", "appointment.save", "12", "gone", 1, "notes", true
	all.AsOf, all.Created = time.Now(), time.Now()
	attempt(t, Endpoint{URL: r.URL(), CloudEvents: true, WebhookID: 12, Secret: "x", SigningSecrets: []string{"whsec_" + base64.StdEncoding.EncodeToString([]byte("a key of 24 bytes or so"))}}, all, Options{})
	least := message()
	least.Site = "salon"
	attempt(t, Endpoint{URL: r.URL()}, least, Options{})
	sent := r.Requests()
	documented := map[string]bool{}
	for name, is := range document.Components.Parameters {
		name = http.CanonicalHeaderKey(name)
		documented[name] = true
		if sent[0].Header.Get(name) == "" {
			t.Errorf("%s is documented, and was not sent", name)
		}
		if _, always := sent[1].Header[name]; always != is.Required {
			t.Errorf("%s is required: %t, and always sent: %t", name, is.Required, always)
		}
	}
	for name := range sent[0].Header {
		if !documented[name] && !slices.Contains([]string{"Content-Length", "Content-Type", "User-Agent", "Accept-Encoding", "Connection"}, name) {
			t.Errorf("%s is sent, and not documented", name)
		}
	}
}
