package post

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestHiding: of an endpoint's secrets and of the parts of its URL that may be one nothing is shown, however it is
// repeated; ordinary words are.
func TestHiding(t *testing.T) {
	t.Parallel()
	key := []byte("a signing/key? that has signs~~~")
	bare := base64.StdEncoding.EncodeToString(key)
	target, err := NewTarget(Endpoint{
		URL:    "https://deploybot:pass%2Fword%26@example.com/hooks/T0AB12CD/se%2fc-ret.one/plain?format=json&key=a%26b%2Fc+d%22&k=xyz",
		Secret: `plug<in>/"secret"`, SigningSecrets: []string{"whsec_" + bare},
		Posted: []string{"Bot 123:AAbb\"cc", "hook"},
	})
	if err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum([]byte(`plug<in>/"secret"`))
	secure := hex.EncodeToString(sum[:])
	hidden := regexp.MustCompile(`^<\*\*\*(=|%3[Dd])*>$`) // what fills base64 up may stay
	for _, secret := range []string{
		"deploybot", "pass/word&", "pass%2Fword%26", "deploybot:pass/word&", "T0AB12CD", "se/c-ret.one", "se%2Fc-ret.one",
		`a&b/c d"`, "a%26b%2fc%20d%22", "k=xyz", "/hooks/T0AB12CD/se%2fc-ret.one/plain", `plug<in>/"secret"`, secure, strings.ToUpper(secure),
		"Bot 123:AAbb\"cc", "123:AAbb\"cc", "whsec_" + bare, bare, strings.TrimRight(bare, "="), string(key), hex.EncodeToString(key), base64.URLEncoding.EncodeToString(key),
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
			got := target.shown("<"+write(secret)+">", maxText)
			if !hidden.MatchString(got) {
				t.Errorf("%s: %s is seen in %s", name, secret, got)
			}
		}
	}
	for _, text := range []string{
		`{"error":"json is not a format of plain hooks","key":"missing","path":"\/hooks\/&amp;"}`, "invalid format", "the key=", "100%", "xyz",
	} {
		if got := target.shown(text, maxText); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}
