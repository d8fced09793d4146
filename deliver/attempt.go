package deliver

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
	"rowhook/weburl"
)

// target is an endpoint made ready for posting.
type target struct {
	*post.Target
	lane string // deliveries to targets of one lane keep their order
}

// newTarget checks an endpoint. Its errors hold nothing of the URL, which may have a password or a token in it.
func newTarget(e Endpoint) (*target, error) {
	t, err := post.NewTarget(post.Endpoint{
		URL: e.URL, WebhookID: e.WebhookID, Secret: e.Secret, AlwaysSecure: e.AlwaysSecure, SigningSecrets: e.SigningSecrets,
	})
	if err != nil {
		return nil, err
	}
	return &target{t, cmp.Or(e.OrderGroup, EndpointName(e.URL))}, nil
}

// EndpointName is what the endpoint of a URL is called: its scheme, host and port. Anything else is the name of an order
// group, and stays as it is.
func EndpointName(text string) string {
	return cmp.Or(weburl.Origin(text), text)
}

// job is an attempt to make, result what came of it.
type job struct {
	it    *item
	t     *target
	tries int
	by    *post.Sender
	large chan struct{} // the endpoint.s: holds one while a large payload is in memory
}

type result struct {
	job
	verdict    post.Verdict
	attempt    outbox.Attempt
	retryAfter time.Duration // what the receiver asked for; 0: nothing
}

// post makes an attempt. The end of ctx cuts it off; when stop is closed, the try on its way is the last.
func (j job) post(ctx context.Context, stop <-chan struct{}) result {
	d := j.it.d
	body := d.Body
	if d.Large != nil { // one at a time is in memory
		select {
		case j.large <- struct{}{}:
			defer func() { <-j.large }()
		case <-ctx.Done():
			return result{job: j, verdict: post.Aborted}
		}
		body = make([]byte, d.Size())
		if _, err := io.ReadFull(d.Open(), body); err != nil {
			return result{j, post.Rejected, outbox.Attempt{At: time.Now(), Error: fmt.Sprintf("the payload cannot be read: %s", err)}, 0}
		}
	}
	r := j.by.Post(ctx, stop, j.t.Target, &post.Message{
		ID: d.ID, Action: d.Action, Site: d.Site, Object: d.Object, AsOf: d.AsOf, Omitted: omitted(d.Omitted), Body: body, KeepText: j.it.stored,
	}, j.tries)
	return result{j, r.Verdict, outbox.Attempt{At: r.At, Latency: r.Latency, Status: r.Status, Error: r.Error, Response: r.Response}, r.RetryAfter}
}

// omitted lists columns for a header, as many as it has room for. A column's name may hold anything: what is no letter,
// digit, _, -, . or ~ is escaped as in a URL.
func omitted(columns []string) string {
	const room = 4 << 10 // bytes
	var b strings.Builder
	for i, column := range columns {
		name := url.QueryEscape(column)
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len()+len(name) > room {
			b.WriteString("...")
			break
		}
		b.WriteString(name)
	}
	return b.String()
}
