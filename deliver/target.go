package deliver

import (
	"cmp"

	"rowhook/deliver/post"
	"rowhook/weburl"
)

// Endpoint is where the deliveries of a rule go.
type Endpoint struct {
	URL            string   // http or https
	WebhookID      int64    // X-VAP-WEBHOOK-ID; 0: none
	Secret         string   // sends its md5, as the plugin does; empty: none
	AlwaysSecure   bool     // sends that md5 for an empty secret too, as the plugin does
	SigningSecrets []string // Standard Webhooks keys, whsec_ and base64; one signature for each
	OrderGroup     string   // deliveries of one group keep their order; empty: scheme, host and port of URL
	Headers        []post.Header
	CloudEvents    bool     // sends the ce- headers of CloudEvents, too
	ContentType    string   // empty: application/json
	Posted         []string // texts in what is posted that may be secrets
}

// target is a rule's Endpoint made ready for posting.
type target struct {
	*post.Target
	endpoint string // its name
	url      string // in its one form; may hold secrets
}

// newTarget checks an endpoint. Its errors hold nothing of the URL, which may have a password or a token in it.
func newTarget(e Endpoint) (*target, error) {
	t, err := post.NewTarget(post.Endpoint{
		URL: e.URL, WebhookID: e.WebhookID, Secret: e.Secret, AlwaysSecure: e.AlwaysSecure, SigningSecrets: e.SigningSecrets,
		Headers: e.Headers, CloudEvents: e.CloudEvents, ContentType: e.ContentType, Posted: e.Posted,
	})
	if err != nil {
		return nil, err
	}
	url, err := weburl.Normalize(e.URL)
	if err != nil {
		return nil, err // cannot be: post has looked at it
	}
	return &target{Target: t, endpoint: cmp.Or(e.OrderGroup, EndpointName(url)), url: url}, nil
}

// EndpointName is what the endpoint of a URL is called: its scheme, host and port. Anything else is the name of an order
// group, and stays as it is.
func EndpointName(text string) string {
	return cmp.Or(weburl.Origin(text), text)
}
