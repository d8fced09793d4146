package deliver

import (
	"cmp"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the plugin's receivers expect it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"rowhook/deliver/redact"
	"rowhook/weburl"
)

// target is an endpoint made ready for posting. It holds secrets: it is never logged.
type target struct {
	url  *url.URL
	lane string           // deliveries to targets of one lane keep their order
	id   string           // X-VAP-WEBHOOK-ID, empty: none
	md5  string           // X-VAP-WEBHOOK-SECURE, empty: none
	keys []*sync.Pool     // for each key of the signatures, its HMACs: to make one costs more than to sign
	hide *redact.Redactor // takes secrets out of what a receiver says: some repeat what they were sent
}

// newTarget checks an endpoint. Its errors hold nothing of the URL, which may have a password or a token in it.
func newTarget(e Endpoint) (*target, error) {
	address, err := weburl.Normalize(e.URL)
	if err != nil {
		return nil, fmt.Errorf("its url %w", err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("its url is not a valid http or https address")
	}
	t := &target{url: u, lane: cmp.Or(e.OrderGroup, nameOf(u))}
	if e.WebhookID != 0 {
		t.id = strconv.FormatInt(e.WebhookID, 10)
	}
	if e.Secret != "" || e.AlwaysSecure {
		sum := md5.Sum([]byte(e.Secret)) //nolint:gosec // as above
		t.md5 = hex.EncodeToString(sum[:])
	}
	for _, s := range e.SigningSecrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "whsec_"))
		if err != nil || len(key) == 0 {
			return nil, errors.New("a signing secret is not whsec_ and base64")
		}
		t.keys = append(t.keys, &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }})
	}
	t.hide = hiding(e, u, t.md5)
	return t, nil
}

// EndpointName is what the endpoint of a URL is called: its scheme, host and port. Anything else is the name of an order
// group, and stays as it is.
func EndpointName(text string) string {
	return cmp.Or(weburl.Origin(text), text)
}

func nameOf(u *url.URL) string {
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port(u))
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}
