package post

import (
	"cmp"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the plugin's receivers expect it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"rowhook/deliver/post/redact"
	"rowhook/weburl"
)

// Endpoint is where messages go, and what is sent with each of them.
type Endpoint struct {
	URL            string   // http or https; what stands before its @ is sent as basic authentication
	WebhookID      int64    // X-VAP-WEBHOOK-ID; 0: none
	Secret         string   // sends its md5 as X-VAP-WEBHOOK-SECURE, as the plugin does; empty: none
	AlwaysSecure   bool     // sends that md5 for an empty secret too, as the plugin does
	SigningSecrets []string // Standard Webhooks keys, whsec_ and base64; one signature for each
	Headers        []Header // sent with each request; their values are taken for secrets
	CloudEvents    bool     // sends the ce- headers of a CloudEvent in binary mode
	ContentType    string   // of the messages; empty: application/json
	Posted         []string // texts in the messages' bodies that may be secrets
}

// Header is a field of a request's head.
type Header struct{ Name, Value string }

// Target is an Endpoint made ready for posting. It never changes, and senders may share it. It holds secrets: it is never
// logged.
type Target struct {
	url    *url.URL
	origin string           // its scheme, host and port: what a connection is made to
	head   []byte           // how each request begins: its first line and the fields that are the same in all
	keys   []*sync.Pool     // for each key of the signatures, its signers: to make one costs more than to sign
	events bool             // CloudEvents
	hide   *redact.Redactor // takes secrets out of what a receiver says: some repeat what they were sent
}

// NewTarget checks an endpoint. Its errors hold nothing of the URL, which may have a password or a token in it.
func NewTarget(e Endpoint) (*Target, error) {
	address, err := weburl.Normalize(e.URL)
	if err != nil {
		return nil, fmt.Errorf("its url %w", err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("its url is not a valid http or https address")
	}
	t := &Target{url: u, origin: u.Scheme + "://" + addressOf(u), events: e.CloudEvents}
	for _, s := range e.SigningSecrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "whsec_"))
		if err != nil || len(key) == 0 {
			return nil, errors.New("a signing secret is not whsec_ and base64")
		}
		t.keys = append(t.keys, &sync.Pool{New: func() any { return &signer{mac: hmac.New(sha256.New, key)} }})
	}
	var secure string
	if e.Secret != "" || e.AlwaysSecure {
		sum := md5.Sum([]byte(e.Secret)) //nolint:gosec // as above
		secure = hex.EncodeToString(sum[:])
	}
	t.head = headOf(u, cmp.Or(e.ContentType, "application/json"), e.WebhookID, secure)
	for _, h := range e.Headers {
		t.head = appendField(t.head, h.Name, h.Value)
	}
	t.hide = hiding(e, u, secure)
	return t, nil
}

// headOf is how each request to a URL begins.
func headOf(u *url.URL, contentType string, webhookID int64, secure string) []byte {
	b := []byte("POST " + u.RequestURI() + " HTTP/1.1\r\n")
	b = appendField(b, "Host", u.Host)
	b = appendField(b, "Content-Type", contentType)
	if u.User != nil {
		password, _ := u.User.Password()
		b = appendField(b, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	if webhookID != 0 {
		b = appendField(b, "X-Vap-Webhook-Id", strconv.FormatInt(webhookID, 10))
	}
	if secure != "" {
		b = appendField(b, "X-Vap-Webhook-Secure", secure)
	}
	return b
}

// signer signs with one key.
type signer struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

// sign appends a signature of a text and a body for each key, as Standard Webhooks has them.
func (t *Target) sign(b, text, body []byte) []byte {
	for i, signers := range t.keys {
		s, _ := signers.Get().(*signer)
		s.mac.Reset()
		_, _ = s.mac.Write(text) // never fails
		_, _ = s.mac.Write(body)
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, "v1,"...)
		b = base64.StdEncoding.AppendEncode(b, s.mac.Sum(s.sum[:0]))
		signers.Put(s)
	}
	return b
}

// addressOf is what is dialed for a URL.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}
