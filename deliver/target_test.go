package deliver

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"
)

// TestSecrets looks for secrets in everything that a person or the outbox gets to see.
func TestSecrets(t *testing.T) {
	t.Parallel()
	signing := "whsec_" + base64.StdEncoding.EncodeToString([]byte("signing-hush"))
	for _, address := range []string{
		"http://user:hush@127.0.0.1:1/hush?token=hush", "http://user:hush@[::1/hush", "http://user:hush", "ftp://hush.example/hush", "http://:hush@", "hush",
	} {
		var log buffer
		m := newStore()
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
			seen = m.get(1).Last.Error + w.Status(t.Context()).Endpoints[0].Name + w.Status(t.Context()).Endpoints[0].LastError
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if seen += log.String(); strings.Contains(seen, "hush") || strings.Contains(seen, signing[6:]) || seen == "" {
			t.Errorf("%s: seen: %s", address, seen)
		}
	}
	if _, err := New(newStore(), map[string]Endpoint{"crm": {URL: "http://x", SigningSecrets: []string{"whsec_hush!"}}}, Options{}); err == nil ||
		strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "crm") {
		t.Errorf("a bad signing secret: %v", err)
	}
}

func TestEndpointsOfTargets(t *testing.T) {
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
		if target, err := newTarget(tt.e); err != nil || target.endpoint != tt.want {
			t.Errorf("%s: got %+v, %v, want %s", tt.e.URL, target, err, tt.want)
		}
	}
}

func TestOneNameForAnEndpoint(t *testing.T) {
	t.Parallel()
	if a, b := EndpointName("HTTP://Österreich.test.:81/Zoë?salon=Zoë"), EndpointName("http://xn--sterreich-z7a.test:81"); a != b {
		t.Errorf("two endpoints: %s and %s", a, b)
	}
}
