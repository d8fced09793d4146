package post

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"

	"rowhook/deliver/post/redact"
	"rowhook/weburl"
)

// shortestPart is how long a part of a URL must be to be hidden where it stands alone: many shorter ones are words such as
// "json" that ordinary answers have too.
const shortestPart = 6

// hiding hides what of an endpoint is secret, or may be: its secrets in each form that is sent or written; of its URL the
// password, the user, the values of the query, and what of the path looks like a token.
func hiding(e Endpoint, u *url.URL, md5 string) *redact.Redactor {
	secrets := []string{e.Secret, md5, strings.ToUpper(md5)}
	for _, s := range e.SigningSecrets {
		secrets = append(secrets, signingForms(s)...)
	}
	for _, h := range e.Headers { // "Bearer abc" is repeated as abc, too
		_, token, _ := strings.Cut(h.Value, " ")
		secrets = append(secrets, longParts(h.Value, token)...)
	}
	for _, text := range e.Posted {
		_, token, _ := strings.Cut(text, " ")
		secrets = append(secrets, longParts(text, token)...)
	}
	whole := []string{u.RequestURI()} // its beginning is no more than a path
	if first, more, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/"); more != "" || !weburl.IsWord(first) {
		whole = append(whole, u.EscapedPath(), u.Path)
	}
	if u.User != nil {
		name := u.User.Username()
		password, _ := u.User.Password()
		written, writtenPassword, _ := strings.Cut(u.User.String(), ":")
		secrets = append(secrets, password, writtenPassword)
		secrets = append(secrets, strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(name+":"+password)), "="))
		secrets = append(secrets, longParts(name, written)...)
		whole = append(whole, name+":"+password, u.User.String())
	}
	secrets = append(secrets, tokens(u)...)
	if u.RawQuery != "" {
		whole = append(whole, u.RawQuery)
		for parameter := range strings.SplitSeq(u.RawQuery, "&") {
			_, value, named := strings.Cut(parameter, "=")
			if !named {
				value = parameter
			}
			secrets = append(secrets, longParts(value, formDecoded(value))...)
			if plain := formDecoded(parameter); named && value != "" {
				whole = append(whole, parameter, plain)
			}
		}
	}
	return redact.New(secrets, whole)
}

// signingForms are the ways to write a key: with and without its prefix, as base64 for URLs, in hexadecimal digits, as it is.
func signingForms(secret string) []string {
	bare := strings.TrimPrefix(secret, "whsec_")
	forms := []string{secret, strings.TrimRight(bare, "=")}
	if key, err := base64.StdEncoding.DecodeString(bare); err == nil {
		digits := hex.EncodeToString(key)
		forms = append(forms, string(key), base64.RawURLEncoding.EncodeToString(key), digits, strings.ToUpper(digits))
	}
	return forms
}

// tokens are the parts of a path that look like a token.
func tokens(u *url.URL) []string {
	var list []string
	for i, part := range strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(part)
		if err == nil && isToken(plain, i == 0) {
			list = append(list, part, plain)
		}
	}
	return list
}

// isToken says whether a part of a path is more likely a token than a word: it is no word for weburl, or it has 8 characters
// or more and among them a digit or both small and capital letters; behind the first part anything but small letters.
func isToken(part string, first bool) bool {
	const long, small, capitals = 8, "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	switch {
	case len(part) < shortestPart:
		return false
	case !weburl.IsWord(part):
		return true
	case len(part) < long:
		return false
	case first:
		return strings.ContainsAny(part, "0123456789") || strings.ContainsAny(part, small) && strings.ContainsAny(part, capitals)
	}
	return strings.Trim(part, small) != ""
}

func longParts(parts ...string) []string {
	var long []string
	for _, p := range parts {
		if len(p) >= shortestPart {
			long = append(long, p)
		}
	}
	return long
}

// formDecoded is a part of a query as a receiver understands it, or as it is.
func formDecoded(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
