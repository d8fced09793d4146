package rules

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const (
	mostHeaders   = 32
	longestHeader = 8 << 10 // of a value, in bytes; many servers refuse longer heads
)

// headerName is a token of RFC 9110.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")

// ownHeaders are those that are about the connection or that rowhook fills in itself, ownPrefixes the beginnings of more.
var (
	ownHeaders = []string{
		"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te",
		"trailer", "upgrade", "expect", "accept-encoding", "user-agent",
	}
	ownPrefixes = []string{"webhook-", "x-rowhook-", "x-vap-webhook-", "ce-"}
)

// The formats of a request.
const (
	formatJSON        = "json"
	formatCloudEvents = "cloudevents"
	formatSlack       = "slack" // of what befalls rowhook itself only the sentence
)

// headers checks what is sent beside the payload and fills it in.
func (c check) headers(e entry, endpoint *Endpoint) {
	if c.has("format") && !slices.Contains([]string{formatJSON, formatCloudEvents, formatSlack}, e.Format) {
		c.faultf("format", "%s is not known; write json (default), cloudevents, or slack", c.quote("format"))
	}
	endpoint.CloudEvents = e.Format == formatCloudEvents
	if len(e.Headers) > mostHeaders {
		c.faultf("headers", "are %d; a request may have %d of them", len(e.Headers), mostHeaders)
	}
	seen := map[string]string{}
	for _, h := range e.Headers {
		name := strings.ToLower(h.Name)
		first, twice := seen[name]
		seen[name] = h.Name
		switch {
		case !headerName.MatchString(h.Name):
			c.src.Faultf(h.Path, "is no name of a header; write letters, digits and -, for example X-Api-Key")
		case slices.Contains(ownHeaders, name) || slices.ContainsFunc(ownPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }):
			c.src.Faultf(h.Path, "is set by rowhook itself; remove it")
		case twice:
			c.src.Faultf(h.Path, "is the header %s once more, whose case does not matter; remove one", first)
		case name == "authorization" && hasLogin(e.URL):
			c.src.Faultf(h.Path, "is sent for the user in the url too; remove one of them")
		case strings.TrimSpace(h.Value) == "":
			c.src.Faultf(h.Path, "is empty; give it a value or remove it")
		case len(h.Value) > longestHeader:
			c.src.Faultf(h.Path, "is longer than %d bytes; make it shorter", longestHeader)
		case strings.ContainsFunc(h.Value, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' }):
			c.src.Faultf(h.Path, "has a character that no header may have; write plain ASCII in one line, and encode the rest")
		default:
			endpoint.Headers = append(endpoint.Headers, Header{h.Name, h.Value})
		}
	}
}

// hasLogin says whether a URL has a user in it, who is sent as basic authentication.
func hasLogin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.User != nil
}
