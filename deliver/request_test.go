package deliver

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/deliver/delivertest"
	"rowhook/outbox"
)

// attempt makes one attempt against a receiver.
func attempt(t *testing.T, e Endpoint, d *outbox.Delivery, o Options) result {
	t.Helper()
	w, err := New(newMemory(), map[string]Endpoint{d.Rule: e}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.closeIdle()
	return w.post(t.Context(), nil, job{it: &item{d: d, loaded: true}, t: w.wanted[d.Rule], tries: w.opts.Burst})
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	keys := [][]byte{[]byte("the newest key, of 24 bytes"), []byte("an older key that goes soon")}
	r := delivertest.NewReceiver(t)
	d := making("crm", 1, "salon/reservation/12")
	d.Object, d.AsOf = "gone", time.Date(2026, 3, 1, 12, 30, 15, 987_654_321, time.FixedZone("", 3600))
	e := Endpoint{URL: r.URL(), WebhookID: 12, Secret: "plugin secret"}
	for _, k := range keys {
		e.SigningSecrets = append(e.SigningSecrets, "whsec_"+base64.StdEncoding.EncodeToString(k))
	}
	before := time.Now().Unix()
	if res := attempt(t, e, d, Options{UserAgent: "rowhook/1.2.3"}); res.verdict != accepted || res.attempt.Status != 200 {
		t.Fatalf("got %+v", res)
	}
	got := r.Requests()[0]
	if string(got.Body) != string(d.Body) {
		t.Errorf("body %q, want %q", got.Body, d.Body)
	}
	stamp := got.Header.Get("webhook-timestamp")
	if n, err := strconv.ParseInt(stamp, 10, 64); err != nil || n < before || n > time.Now().Unix() {
		t.Errorf("webhook-timestamp %q", stamp)
	}
	var signatures []string
	for _, k := range keys {
		mac := hmac.New(sha256.New, k)
		mac.Write([]byte(hex.EncodeToString(d.ID[:]) + "." + stamp + "." + string(d.Body)))
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	sum := md5.Sum([]byte("plugin secret"))
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "rowhook/1.2.3", "X-Vap-Webhook-Id": "12",
		"X-Vap-Webhook-Action": "onAfterSaveReservation", "X-Vap-Webhook-Secure": hex.EncodeToString(sum[:]),
		"X-Rowhook-Site": "salon", "X-Rowhook-Object": "gone", "X-Rowhook-As-Of": "2026-03-01T11:30:15.987Z",
		"Webhook-Id": hex.EncodeToString(d.ID[:]), "Webhook-Signature": strings.Join(signatures, " "),
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
}

func TestHeadersOfLittle(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	attempt(t, Endpoint{URL: r.URL()}, making("crm", 1, "k"), Options{})
	got := r.Requests()[0]
	for _, name := range []string{"X-VAP-WEBHOOK-ID", "X-VAP-WEBHOOK-SECURE", "webhook-signature", "X-Rowhook-Object", "X-Rowhook-As-Of"} {
		if v := got.Header.Values(name); len(v) > 0 {
			t.Errorf("%s: %q, want none", name, v)
		}
	}
}

func TestBurst(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	r.Script(delivertest.Answer{Status: 503, Header: http.Header{"Retry-After": {"1"}}}, delivertest.Answer{Cut: true}, delivertest.Answer{Status: 204})
	key := []byte("a key of more than 24 bytes")
	e := Endpoint{URL: r.URL(), SigningSecrets: []string{"whsec_" + base64.StdEncoding.EncodeToString(key)}}
	d := making("crm", 1, "k")
	if res := attempt(t, e, d, Options{}); res.verdict != accepted || res.attempt.Status != 204 {
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
		mac.Write([]byte(d.ID.String() + "." + stamp + "." + string(q.Body)))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); q.Header.Get("webhook-signature") != want {
			t.Errorf("try %d is signed %q, want %q", i+1, q.Header.Get("webhook-signature"), want)
		}
		if q.ID() != d.ID.String() || string(q.Body) != string(d.Body) {
			t.Errorf("try %d has id %s and body %s", i+1, q.ID(), q.Body)
		}
	}
	if len(stamps) < 2 {
		t.Errorf("over more than a second, all tries have the timestamps %v", sortedKeys(stamps))
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	elsewhere := delivertest.NewReceiver(t)
	long := strings.Repeat("x", 100<<10)
	tests := map[string]struct {
		answer   delivertest.Answer
		verdict  verdict
		tries    int
		error    string
		response string
		wait     time.Duration
	}{
		"accepted":        {delivertest.Answer{Status: 299}, accepted, 1, "", "", 0},
		"cut after 200":   {delivertest.Answer{Status: 200, Body: "par", CutIn: true}, accepted, 1, "", "", 0},
		"500":             {delivertest.Answer{Status: 500, Body: "oh no"}, trouble, 2, "the receiver answered 500 Internal Server Error", "oh no", 0},
		"501":             {delivertest.Answer{Status: 501}, trouble, 2, "the receiver answered 501 Not Implemented", "", 0},
		"999":             {delivertest.Answer{Status: 999}, trouble, 2, "the receiver answered 999", "", 0},
		"400":             {delivertest.Answer{Status: 400, Body: long}, rejected, 1, "the receiver answered 400 Bad Request", long[:maxResponse], 0},
		"no UTF-8":        {delivertest.Answer{Status: 400, Body: "\xff"}, rejected, 1, "the receiver answered 400 Bad Request", "\uFFFD", 0},
		"410":             {delivertest.Answer{Status: 410}, gone, 1, "the receiver answered 410 Gone", "", 0},
		"302":             {delivertest.Answer{Status: 302, Header: http.Header{"Location": {elsewhere.URL()}}}, rejected, 1, "the receiver redirects, which is not followed: 302 Found", "", 0},
		"307":             {delivertest.Answer{Status: 307, Header: http.Header{"Location": {elsewhere.URL()}}}, rejected, 1, "the receiver redirects, which is not followed: 307 Temporary Redirect", "", 0},
		"429 for a while": {delivertest.Answer{Status: 429, Header: http.Header{"Retry-After": {"120"}}}, trouble, 1, "the receiver answered 429 Too Many Requests", "", 2 * time.Minute},
		"503 for ever":    {delivertest.Answer{Status: 503, Header: http.Header{"Retry-After": {"99999999999"}}}, trouble, 1, "the receiver answered 503 Service Unavailable", "", time.Hour},
		"never":           {delivertest.Answer{Never: true}, trouble, 1, "no answer within 100ms", "", 0},
		"cut":             {delivertest.Answer{Cut: true}, trouble, 2, "EOF", "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := delivertest.NewReceiver(t)
			r.Answer(tt.answer)
			timeout := time.Minute
			if tt.answer.Never {
				timeout = 100 * time.Millisecond
			}
			res := attempt(t, Endpoint{URL: r.URL()}, making("crm", 1, "k"), Options{Burst: 2, Timeout: timeout})
			if res.verdict != tt.verdict || res.attempt.Error != tt.error || res.attempt.Response != tt.response || res.retryAfter != tt.wait {
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
	res := attempt(t, Endpoint{URL: r.URL()}, making("crm", 1, "k"), Options{Burst: 2})
	if res.verdict != trouble || !strings.Contains(res.attempt.Error, "connection refused") {
		t.Errorf("got %+v", res)
	}
	r.Open()
	if res := attempt(t, Endpoint{URL: r.URL()}, making("crm", 1, "k"), Options{}); res.verdict != accepted {
		t.Errorf("got %+v", res)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	r.Answer(delivertest.Answer{Never: true})
	w, err := New(newMemory(), map[string]Endpoint{"crm": {URL: r.URL()}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.closeIdle()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan result)
	go func() {
		done <- w.post(ctx, nil, job{it: &item{d: making("crm", 1, "k")}, t: w.wanted["crm"], tries: 3})
	}()
	r.WaitRequests(patience(t), 1)
	cancel()
	if res := <-done; res.verdict != aborted {
		t.Errorf("got %+v", res)
	}
}

// TestSecrets looks for secrets in everything that a person or the outbox gets to see.
func TestSecrets(t *testing.T) {
	t.Parallel()
	signing := "whsec_" + base64.StdEncoding.EncodeToString([]byte("signing-hush"))
	for _, address := range []string{
		"http://user:hush@127.0.0.1:1/hush?token=hush", "http://user:hush@[::1/hush", "http://user:hush", "ftp://hush.example/hush", "http://:hush@", "hush",
	} {
		var log buffer
		m := newMemory()
		w, err := New(m, map[string]Endpoint{"crm": {URL: address, Secret: "hush", SigningSecrets: []string{signing}}},
			Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Burst: 1})
		var seen string
		if err != nil {
			seen = err.Error()
		} else {
			commit(t, m, making("crm", 1, "k"))
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- w.Run(ctx) }()
			until(t, "an attempt", func() bool { return m.get(1).Last != nil })
			seen = m.get(1).Last.Error + w.Status().Endpoints[0].Name + w.Status().Endpoints[0].LastError
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if seen += log.String(); strings.Contains(seen, "hush") || strings.Contains(seen, signing[6:]) || seen == "" {
			t.Errorf("%s: seen: %s", address, seen)
		}
	}
	if _, err := New(newMemory(), map[string]Endpoint{"crm": {URL: "http://x", SigningSecrets: []string{"whsec_hush!"}}}, Options{}); err == nil ||
		strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "crm") {
		t.Errorf("a bad signing secret: %v", err)
	}
}

func TestLanesOfTargets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		e    Endpoint
		want string
	}{
		{Endpoint{URL: "https://Example.com/a?b=c"}, "https://example.com:443"},
		{Endpoint{URL: "HTTPS://u:p@example.com:443/"}, "https://example.com:443"},
		{Endpoint{URL: "http://example.com"}, "http://example.com:80"},
		{Endpoint{URL: "http://[::1]:8080/x"}, "http://[::1]:8080"},
		{Endpoint{URL: "http://a/", OrderGroup: "erp"}, "erp"},
	} {
		if target, err := newTarget(tt.e); err != nil || target.lane != tt.want {
			t.Errorf("%s: got %+v, %v, want %s", tt.e.URL, target, err, tt.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, s := range []string{"", "0", "-1", "120", "18446744073709551615", "1e9", "Sun, 01 Mar 2026 12:00:30 GMT", "Mon, 01 Jan 1900 00:00:00 GMT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := retryAfter(&http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {s}}}, now)
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
			got := retryAfter(&http.Response{StatusCode: status, Header: http.Header{"Retry-After": {text}}}, now)
			if got != want {
				t.Errorf("%d, %q: %s, want %s", status, text, got, want)
			}
		}
	}
}
