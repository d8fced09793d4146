package post

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"rowhook/deliver/delivertest"
)

// TestReferenceLibrary: receivers that use the library of Standard Webhooks accept what we send, with the old key and with
// the new one while keys are changed, and nobody with another.
func TestReferenceLibrary(t *testing.T) {
	t.Parallel()
	secret := func(b byte) string {
		return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
	}
	older, newer, other := secret(1), secret(2), secret(3)
	for name, c := range map[string]struct {
		signed, verify, refuse []string
	}{
		"one key":  {[]string{older}, []string{older}, []string{newer, other}},
		"rotation": {[]string{newer, older}, []string{newer, older}, []string{other}},
		"after":    {[]string{newer}, []string{newer}, []string{older}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := delivertest.NewReceiver(t)
			r.Script(delivertest.Answer{Status: 500}, delivertest.Answer{}) // a second try is signed anew
			d := message()
			if res := attempt(t, Endpoint{URL: r.URL(), SigningSecrets: c.signed}, d, Options{}); res.Verdict != Accepted {
				t.Fatalf("got %+v", res)
			}
			for i, q := range r.Requests() {
				for _, s := range c.verify {
					if err := verify(t, s, q.Body, q); err != nil {
						t.Errorf("try %d: %v", i+1, err)
					}
					if err := verify(t, s, append([]byte(" "), q.Body...), q); !errors.Is(err, standardwebhooks.ErrNoMatchingSignature) {
						t.Errorf("try %d, another body: %v", i+1, err)
					}
				}
				for _, s := range c.refuse {
					if err := verify(t, s, q.Body, q); !errors.Is(err, standardwebhooks.ErrNoMatchingSignature) {
						t.Errorf("try %d, another key: %v", i+1, err)
					}
				}
			}
		})
	}
}

func verify(t *testing.T, secret string, body []byte, q delivertest.Request) error {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return hook.Verify(body, q.Header)
}

// TestSecureHeader: the md5 of the secret goes out only where there is one, or where the plugin is imitated.
func TestSecureHeader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    Endpoint
		want []string
	}{
		{Endpoint{}, nil},
		{Endpoint{SigningSecrets: []string{"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 24))}}, nil},
		{Endpoint{Secret: "hunter2"}, []string{"2ab96390c7dbe3439de74d0c9b0b1767"}},
		{Endpoint{Secret: "hunter2", AlwaysSecure: true}, []string{"2ab96390c7dbe3439de74d0c9b0b1767"}},
		{Endpoint{AlwaysSecure: true}, []string{"d41d8cd98f00b204e9800998ecf8427e"}},
	} {
		r := delivertest.NewReceiver(t)
		c.e.URL = r.URL()
		attempt(t, c.e, message(), Options{})
		if got := r.Requests()[0].Header.Values("X-VAP-WEBHOOK-SECURE"); len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%+v: %q, want %q", c.e, got, c.want)
		}
	}
}
