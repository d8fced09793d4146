package weburl

import (
	"net/url"
	"strings"
	"testing"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://crm.example.com/hooks/vik":          "https://crm.example.com/hooks/vik",
		"http://127.0.0.1:8080/a?b=c&d[]=e":          "http://127.0.0.1:8080/a?b=c&d[]=e",
		"https://crm.example.com":                    "https://crm.example.com/",
		"HTTPS://CRM.Example.COM:443/A/b":            "https://crm.example.com/A/b",
		"http://x:80":                                "http://x/",
		"https://x:80/":                              "https://x:80/",
		"http://x:0080/":                             "http://x/",
		"http://x:/":                                 "http://x/",
		"http://Österreich.example/":                 "http://xn--sterreich-z7a.example/",
		"http://xn--sterreich-z7a.example/":          "http://xn--sterreich-z7a.example/",
		"http://%C3%96sterreich.example/":            "http://xn--sterreich-z7a.example/",
		"http://faß.example/":                        "http://xn--fa-hia.example/",
		"http://日本語。example/":                        "http://xn--wgv71a119e.example/",
		"http://my_service:9000/":                    "http://my_service:9000/",
		"http://r3---sn-x.example/":                  "http://r3---sn-x.example/",
		"http://crm.example.com./a":                  "http://crm.example.com/a",
		"http://x/?salon=Zoë":                        "http://x/?salon=Zo%C3%AB",
		"http://x?a":                                 "http://x/?a",
		"http://x/a?":                                "http://x/a?",
		"http://x/Zoë/a b|c^d\"e<f>g{h}`i":           "http://x/Zo%C3%AB/a%20b%7Cc%5Ed%22e%3Cf%3Eg%7Bh%7D%60i",
		"http://x/?a b|c^d\"e<f>g{h}`i'":             "http://x/?a%20b%7Cc%5Ed%22e%3Cf%3Eg%7Bh%7D%60i%27",
		"http://x/%c3%ab?%c3%ab&100%":                "http://x/%c3%ab?%c3%ab&100%",
		"http://x/a/./b/../c/%2e%2E/d/.":             "http://x/a/d/",
		"http://x/../..":                             "http://x/",
		"http://x/a//b":                              "http://x/a//b",
		`http://x\a\b?c\d`:                           "http://x/a/b?c%5Cd",
		"http://user:pa:ss@x/":                       "http://user:pa%3Ass@x/",
		"http://us er:p@ss|é@x/":                     "http://us%20er:p%40ss%7C%C3%A9@x/",
		"http://@x/":                                 "http://x/",
		"http://[::1]:8080/":                         "http://[::1]:8080/",
		"http://[2001:DB8:0:0::1]/":                  "http://[2001:db8::1]/",
		"http://127.1/":                              "http://127.0.0.1/",
		"http://0x7f.0.0.1/":                         "http://127.0.0.1/",
		"http://2130706433/":                         "http://127.0.0.1/",
		"http://017700000001/":                       "http://127.0.0.1/",
		"http://１２７.0.0.1/":                          "http://127.0.0.1/",
		" http://x/a ":                               "http://x/a",
		"https://hooks.slack.com/services/T0/B0/abc": "https://hooks.slack.com/services/T0/B0/abc",
	} {
		if got, err := Normalize(text); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                         "has no scheme",
		"crm.example.com":          "has no scheme",
		"ftp://x/":                 "neither http nor https",
		"http://":                  "has no host",
		"http:///a":                "has no host",
		"http://:80/":              "has no host",
		"http://x:0/":              "has no port",
		"http://x:65536/":          "has no port",
		"http://x:a/":              "has no port",
		"http://[fe80::1%25eth0]/": "zone",
		"http://[::1/":             "no IPv6 address",
		"http://[1.2.3.4]/":        "no IPv6 address",
		"http://1.2.3.256/":        "IPv4 address that is none",
		"http://1.2.3.4.5/":        "IPv4 address that is none",
		"http://a b/":              "cannot be one",
		"http://a..b/":             "cannot be one",
		"http://a^b/":              "cannot be one",
		"http://%zz/":              "cannot be one",
		"http://xn--a/":            "cannot be one",
		"http://x/%zz":             "begins no %XX",
		"http://x/a#b?c":           "has a fragment",
		"http://x/a\nb":            "control character",
		"http://" + strings.Repeat("a", 64) + ".example/": "cannot be one",
		"http://x/" + strings.Repeat("a", MaxLength):      "longer than 2048",
	} {
		if got, err := Normalize(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %s, %v, want %q", text, got, err, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://crm.example.com/a": "https://crm.example.com:443", "HTTP://user@X:8080?b": "http://x:8080",
		"http://Österreich.example.": "http://xn--sterreich-z7a.example:80", "https://[::1]/": "https://[::1]:443", "crm": "",
	} {
		if got := Origin(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://hooks.slack.com/services/T0000/B0000/XXXX":   "https://hooks.slack.com/services/…",
		"https://crm.example.com/":                            "https://crm.example.com/",
		"https://crm.example.com/hook":                        "https://crm.example.com/hook",
		"https://crm.example.com/hook/":                       "https://crm.example.com/hook/",
		"https://api.telegram.org/bot123456:ABC-DEF1234/send": "https://api.telegram.org/…",
		"https://x/9f8b2c1d-1111-2222-3333-444455556666":      "https://x/…",
		"https://x/aB3xQ9zLkPw":                               "https://x/…",
		"https://x/qWeRtYuIoP":                                "https://x/…",
		"http://user:secret@x:8080/v2":                        "http://…@x:8080/v2",
		"http://x/?salon=Zo%C3%AB&token=abc&flag":             "http://x/?salon=…&token=…&…",
		"http://x/?s3cr3tt0k3n=1":                             "http://x/?…",
		"http://x/tok3nXYZ/":                                  "http://x/…",
		"http://x/s3cr3t":                                     "http://x/…",
		"http://x/oauth2callback?b2b=1&v2=x&2fa=1&3dsecure=1": "http://x/oauth2callback?b2b=…&v2=…&2fa=…&3dsecure=…",
		"x/hooks/token":                                       "x/hooks/…",
		"http://x/a#token":                                    "http://x/a#…",
	} {
		if got := Short(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// FuzzNormalize: the normal form is stable, is what net/url sends, and has only characters that every receiver takes.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{
		"https://crm.example.com/hooks/vik?a=b", "http://Österreich.example/ë?ë#x", "http://u:p@[::1]:80/../a", "http://0x7f.1/%2e%2e/", `http:\\x`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		normal, err := Normalize(text)
		if err != nil {
			return
		}
		if strings.ContainsFunc(normal, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\^{}|`+"`", r) }) {
			t.Fatalf("%q becomes %q", text, normal)
		}
		if again, err := Normalize(normal); err != nil || again != normal {
			t.Fatalf("%q becomes %q, and that %q, %v", text, normal, again, err)
		}
		u, err := url.Parse(normal)
		if err != nil {
			t.Fatalf("%q becomes %q: %v", text, normal, err)
		}
		if sent := u.Scheme + "://" + u.Host + u.RequestURI(); !strings.HasSuffix(normal, u.Host+u.RequestURI()) {
			t.Errorf("%q is sent as %q", normal, sent)
		}
		if Origin(text) == "" || Short(text) == "" || u.Hostname() == "" {
			t.Errorf("%q has no origin", text)
		}
	})
}

func TestHasToken(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"https://crm.example.com/hooks/vik":                        false,
		"https://crm.example.com":                                  false,
		"http://127.0.0.1:8080/v2/":                                false,
		"http://x/hook?flag&other=":                                false,
		"/hook":                                                    false, // of ${HOST}/hook
		"https://hooks.slack.com/services/T0000/B0000/XXXX":        true,
		"https://hooks.zapier.com/hooks/catch/1234567/abcdef/":     true,
		"https://discord.com/api/webhooks/112233/aB3xQ9zLkPw_-q7R": true,
		"https://user:secret@x/hook":                               true,
		"https://token@x":                                          true,
		"http://x/hook?token=abc":                                  true,
		"http://x?a&token=abc":                                     true,
	} {
		if got := HasToken(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
