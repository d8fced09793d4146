// Package weburl brings the addresses of receivers into the one form in which they are sent, compared and shown.
package weburl

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxLength is how many bytes a URL may have.
const MaxLength = 2048

// Normalize is a URL as browsers would send it (the WHATWG's URL standard): scheme and host in lower case, an international
// host in ASCII, an address written in one way, no default port, a path without dot segments; everything in path
// and query that may not stand there is percent-encoded, and what is encoded already stays as it is. Stricter than browsers,
// it encodes what only RFC 3986 forbids as well, and drops the dot behind a host. Two spellings of one URL become one.
//
// The errors say what is wrong and, behind a semicolon, what to do. They hold nothing of the URL.
func Normalize(text string) (string, error) {
	text = strings.Trim(text, " ")
	if len(text) > MaxLength {
		return "", errors.New("is longer than 2048 characters; shorten it")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", errors.New("is no URL, it holds a control character; write it as a browser shows it, for example https://crm.example.com/hooks/vik")
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return "", errors.New("has no scheme; write https:// or http:// before it")
	}
	if scheme = strings.ToLower(scheme); scheme != "http" && scheme != "https" {
		return "", errors.New("is neither http nor https; write one of these")
	}
	if strings.Contains(rest, "#") {
		return "", errors.New("has a fragment, which is never sent; remove the # and what follows")
	}
	before, query, hasQuery := strings.Cut(rest, "?")
	before = strings.ReplaceAll(before, `\`, "/") // which browsers take for one
	authority, path, _ := strings.Cut(before, "/")
	authority, err := normalAuthority(scheme, authority)
	if err != nil {
		return "", err
	}
	if _, err := url.PathUnescape(path); err != nil {
		return "", errors.New("has a % in its path that begins no %XX; write %25 for a percent sign")
	}
	normal := scheme + "://" + authority + "/" + withoutDots(encode(path, inPath))
	if hasQuery {
		normal += "?" + encode(query, inQuery)
	}
	if _, err := url.Parse(normal); err != nil {
		return "", errors.New("is no URL; write it as a browser shows it, for example https://crm.example.com/hooks/vik")
	}
	return normal, nil
}

// normalAuthority is user, password, host and port.
func normalAuthority(scheme, text string) (string, error) {
	var user string
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		name, password, hasPassword := strings.Cut(text[:at], ":")
		text = text[at+1:]
		if user = encode(name, inUser); hasPassword {
			user += ":" + encode(password, inUser)
		}
		if _, err := url.PathUnescape(user); err != nil {
			return "", errors.New("has a % in its user or password that begins no %XX; write %25 for a percent sign")
		}
		if user != "" {
			user += "@"
		}
	}
	host, port := text, ""
	if colon := strings.LastIndexByte(text, ':'); colon > strings.LastIndexByte(text, ']') {
		host, port = text[:colon], text[colon+1:]
	}
	host, err := normalHost(host)
	if err != nil {
		return "", err
	}
	if port == "" {
		return user + host, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", errors.New("has no port from 1 to 65535; correct or remove it")
	}
	if port = strconv.FormatUint(n, 10); port == defaultPort(scheme) {
		return user + host, nil
	}
	return user + host + ":" + port, nil
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

var errNoHost = errors.New("has no host; write for example https://crm.example.com/hooks/vik")

// domains makes a host ASCII as browsers do. Names that only a network of one's own knows may have underscores.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true), idna.Transitional(false),
	idna.CheckHyphens(false), idna.StrictDomainName(false), idna.VerifyDNSLength(false))

func normalHost(text string) (string, error) {
	if text == "" {
		return "", errNoHost
	}
	if strings.HasPrefix(text, "[") {
		a, err := netip.ParseAddr(strings.TrimSuffix(text[1:], "]"))
		switch {
		case strings.Contains(text, "%"):
			return "", errors.New("has an address with a zone, which is this machine's own; write it without the % and what follows")
		case err != nil || !a.Is6() || !strings.HasSuffix(text, "]"):
			return "", errors.New("has no IPv6 address between [ and ]; correct it")
		}
		return "[" + a.String() + "]", nil
	}
	errBad := errors.New("has a host that cannot be one; write a name such as crm.example.com, or an address")
	plain, err := url.PathUnescape(text)
	if err != nil {
		return "", errBad
	}
	host, err := domains.ToASCII(plain)
	if err != nil || !utf8.ValidString(plain) {
		return "", errBad
	}
	if again, err := domains.ToASCII(host); err != nil || again != host {
		return "", errBad
	}
	host = strings.TrimSuffix(host, ".")
	if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`#/:<>?@[\]^|%"{}`+"`", r) }) {
		return "", errBad
	}
	if last := host[strings.LastIndexByte(host, '.')+1:]; isNumber(last) {
		a, ok := parseIPv4(host)
		if !ok {
			return "", errors.New("has an IPv4 address that is none; write four numbers from 0 to 255 with dots between them")
		}
		return a.String(), nil
	}
	const longestName, longestLabel = 253, 63
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > longestLabel || len(host) > longestName {
			return "", errBad
		}
	}
	return host, nil
}

// isNumber says whether the last part of a host makes it an IPv4 address.
func isNumber(part string) bool {
	if part == "" {
		return false
	}
	if strings.Trim(part, "0123456789") == "" {
		return true
	}
	_, err := strconv.ParseUint(part, 0, 64)
	return err == nil && strings.HasPrefix(part, "0x")
}

// parseIPv4 reads an address as browsers and the C library do: parts may be hexadecimal or octal, and the last one may stand
// for several.
func parseIPv4(text string) (netip.Addr, bool) {
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		base := 10
		switch {
		case strings.HasPrefix(part, "0x"):
			base, part = 16, part[2:]
		case len(part) > 1 && part[0] == '0':
			base, part = 8, part[1:]
		}
		n, err := strconv.ParseUint(part, base, 32)
		if err != nil && (part != "" || base != 16) {
			return netip.Addr{}, false
		}
		left := 4 - i // bytes that are not taken
		if i < len(parts)-1 {
			left = 1
		}
		if n >= 1<<(8*left) {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			n <<= 8 * (3 - i)
		}
		sum += n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

// Characters that may stand in a part of a URL as they are, besides letters and digits. The sets are RFC 3986's, with the
// brackets of PHP's lists; browsers encode ' in queries.
const (
	inUser  = "-._~!$&'()*+,;=%"
	inPath  = "-._~!$&'()*+,;=:@/%[]"
	inQuery = "-._~!$&()*+,;=:@/?%[]"
)

// encode percent-encodes the bytes of a text that may not stand in a part of a URL.
func encode(text, allowed string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(allowed, c) >= 0:
			b.WriteByte(c)
		default:
			const digits = "0123456789ABCDEF"
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// withoutDots resolves the segments "." and ".." of a path, which have no slash before them here.
func withoutDots(path string) string {
	segments := strings.Split(path, "/")
	kept := make([]string, 0, len(segments))
	for i, s := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(s), "%2e", ".") {
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		case ".":
		default:
			kept = append(kept, s)
			continue
		}
		if last {
			kept = append(kept, "") // it names a folder
		}
	}
	return strings.Join(kept, "/")
}

// Origin is scheme, host and port of a URL: what an endpoint is called. It is "" for what is no URL.
func Origin(text string) string {
	normal, err := Normalize(text)
	if err != nil {
		return ""
	}
	u, err := url.Parse(normal)
	if err != nil {
		return ""
	}
	if u.Port() == "" {
		u.Host += ":" + defaultPort(u.Scheme)
	}
	return u.Scheme + "://" + u.Host
}
