package deliver

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"rowhook/outbox"
)

const (
	// maxResponse is how much of an answer is kept, maxLook how much is searched for secrets before it is cut to that, and
	// maxDrain how much is read so that the connection can be used again.
	maxResponse = 16 << 10
	maxLook     = 24 << 10
	maxDrain    = 64 << 10
	// burstWait is about how long the second try of a burst waits; the third waits four times as long.
	burstWait = 200 * time.Millisecond
	// maxBurstWait is the longest Retry-After that a burst waits for.
	maxBurstWait = 2 * time.Second
	// minRetryAfter and maxRetryAfter bound what a receiver can ask for.
	minRetryAfter = time.Second
	maxRetryAfter = time.Hour
)

// verdict is what an attempt came to.
type verdict uint8

const (
	accepted verdict = iota // 2xx
	rejected                // about this delivery: an answer of 3xx or 4xx, or an address that it may not go to
	trouble                 // no answer, 5xx or 429: the endpoint's fault or the delivery's
	gone                    // 410: the endpoint is no more
	aborted                 // cancelled by us: no attempt
)

// job is an attempt to make, result what came of it.
type job struct {
	it    *item
	t     *target
	tries int
}

type result struct {
	it         *item
	verdict    verdict
	attempt    outbox.Attempt
	retryAfter time.Duration // what the receiver asked for, within bounds; 0: nothing
}

// newClient makes the client of all requests. The timeout is for a single try, with the answer's body.
func newClient(o Options) (client *http.Client, closeIdle func()) {
	client = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if o.Transport != nil {
		client.Transport, client.Timeout = steady{o.Transport}, o.Timeout
		return client, func() {}
	}
	t := newTransport(o) // has the timeout itself, for less
	client.Transport = t
	return client, t.closeIdle
}

// steady hides a transport's CloseIdleConnections: go-retryablehttp calls it after each failure, and the connections of
// the other endpoints would go with it.
type steady struct{ http.RoundTripper }

// burst is one attempt: a few tries shortly after each other, by go-retryablehttp.
type burst struct {
	job
	stop       <-chan struct{} // no further try when it is closed
	began      time.Time       // the last try
	retryAfter time.Duration
}

// post makes an attempt. The end of ctx cuts it off; when stop is closed, the try on its way is the last.
func (w *Worker) post(ctx context.Context, stop <-chan struct{}, j job) result {
	b := &burst{job: j, stop: stop, began: time.Now()}
	res := result{it: j.it, attempt: outbox.Attempt{At: b.began}}
	req := &retryablehttp.Request{Request: (&http.Request{
		Method: http.MethodPost, URL: j.t.url, Host: j.t.url.Host, Header: make(http.Header, 16), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)}
	err := setBody(req, j.it.d)
	if err == nil {
		err = b.head(req.Header, w.opts.UserAgent)
	}
	if err != nil {
		res.verdict, res.attempt.Error = rejected, "the request cannot be made: "+err.Error()
		return res
	}
	client := retryablehttp.Client{
		HTTPClient: w.client, RetryMax: j.tries - 1,
		CheckRetry: b.again, Backoff: b.wait, PrepareRetry: b.prepare, ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	resp, err := client.Do(req) //nolint:bodyclose // read closes it
	if resp != nil {
		res.attempt.Status = resp.StatusCode
		res.attempt.Response = j.t.shown(read(resp.Body, resp.StatusCode/100 != 2 || j.it.stored), maxResponse)
	}
	res.attempt.Latency, res.retryAfter = time.Since(b.began), b.retryAfter
	switch {
	case err != nil && ctx.Err() != nil:
		res.verdict = aborted
	case errors.Is(err, errEgress), isUnreadable(err):
		res.verdict, res.attempt.Error = rejected, j.t.problem(err, w.opts.Timeout)
	case err != nil:
		res.verdict, res.attempt.Error = trouble, j.t.problem(err, w.opts.allowed(j.it.d.Size()))
	default:
		res.verdict, res.attempt.Error = judge(resp.StatusCode)
	}
	return res
}

// judge tells what an answer means.
func judge(status int) (verdict, string) {
	if status/100 == 2 {
		return accepted, ""
	}
	said := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	switch {
	case status == http.StatusGone:
		return gone, "the receiver answered " + said
	case status/100 == 3:
		return rejected, "the receiver redirects, which is not followed: " + said
	case troubled(status):
		return trouble, "the receiver answered " + said
	}
	return rejected, "the receiver answered " + said
}

func troubled(status int) bool { return status >= 500 || status == http.StatusTooManyRequests }

// head sets the headers: the plugin's, ours, and those of Standard Webhooks. The names are as net/http writes them.
func (b *burst) head(h http.Header, userAgent string) error {
	d := b.it.d
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", userAgent)
	if b.t.id != "" {
		h.Set("X-Vap-Webhook-Id", b.t.id)
	}
	h.Set("X-Vap-Webhook-Action", d.Action)
	if b.t.md5 != "" {
		h.Set("X-Vap-Webhook-Secure", b.t.md5)
	}
	h.Set("X-Rowhook-Site", d.Site)
	if d.Object != "" {
		h.Set("X-Rowhook-Object", d.Object)
	}
	if !d.AsOf.IsZero() {
		h.Set("X-Rowhook-As-Of", d.AsOf.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	h.Set("Webhook-Id", d.ID.String())
	return b.sign(h)
}

// sign stamps a try with its time, and signs it with each key.
func (b *burst) sign(h http.Header) error {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	h.Set("Webhook-Timestamp", stamp)
	if len(b.t.keys) == 0 {
		return nil
	}
	head := []byte(h.Get("Webhook-Id") + "." + stamp + ".")
	var signatures, sum []byte
	for i, macs := range b.t.keys {
		mac, _ := macs.Get().(hash.Hash)
		mac.Reset()
		mac.Write(head)
		err := hashPayload(mac, b.it.d)
		sum = mac.Sum(sum[:0])
		macs.Put(mac)
		if err != nil {
			return err
		}
		if i > 0 {
			signatures = append(signatures, ' ')
		}
		signatures = append(signatures, "v1,"...)
		signatures = base64.StdEncoding.AppendEncode(signatures, sum)
	}
	h.Set("Webhook-Signature", string(signatures))
	return nil
}

// prepare makes the next try: the same id, a new time. The headers are copied, as the try before may still be written.
func (b *burst) prepare(req *http.Request) error {
	req.Header = req.Header.Clone()
	b.began = time.Now()
	return b.sign(req.Header)
}

// again decides whether a try is followed by another one. A try that timed out is not: it took the time of many.
func (b *burst) again(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	b.retryAfter = 0
	if err == nil {
		if !troubled(resp.StatusCode) {
			return false, nil
		}
		b.retryAfter = retryAfter(resp, time.Now())
	}
	select {
	case <-b.stop:
		return false, nil
	default:
		return b.retryAfter <= maxBurstWait && !timedOut(err) && !errors.Is(err, errEgress) && !isUnreadable(err), nil
	}
}

// wait is how long the next try waits.
func (b *burst) wait(_, _ time.Duration, n int, _ *http.Response) time.Duration {
	return max(b.retryAfter, jitter(burstWait<<(2*min(n, 2))))
}

// retryAfter is what a receiver asks for with 429 and 503, in seconds or as a date, within bounds; 0: nothing.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil {
		seconds = min(seconds, uint64(maxRetryAfter/time.Second))
		return max(time.Duration(seconds)*time.Second, minRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), minRetryAfter), maxRetryAfter)
	}
	return 0
}

// jitter varies a duration by up to a fifth either way, so that what failed together does not come again together.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1)
}

func timedOut(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// problem words an error without the URL, which may have a password or a token in it.
func (t *target) problem(err error, timeout time.Duration) string {
	if timedOut(err) {
		return fmt.Sprintf("no answer within %s", timeout)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return t.shown(err.Error(), 500)
}

// shown is no more than so many bytes of what a receiver said, without secrets; a byte that is no text becomes \uFFFD.
func (t *target) shown(text string, most int) string {
	text = t.hide.Replace(text) // first: what is cut in the middle of a secret is harder to find
	return strings.ToValidUTF8(text[:min(len(text), most)], "\uFFFD")
}

// read reads an answer's body, maxLook of it, and closes it. The connection can be used again when the answer was not too long.
func read(body io.ReadCloser, keep bool) string {
	defer body.Close()
	var kept []byte
	if keep {
		kept, _ = io.ReadAll(io.LimitReader(body, maxLook)) // the status is what counts
	}
	_, _ = io.CopyN(io.Discard, body, maxDrain-int64(len(kept)))
	return string(kept)
}
