package post

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	// burstWait is about how long the second try of a burst waits; the third waits four times as long.
	burstWait = 200 * time.Millisecond
	// maxBurstWait is the longest Retry-After that a burst waits for.
	maxBurstWait = 2 * time.Second
)

// burst is the tries after a first one that failed, made by go-retryablehttp: it decides on what it is given as the first
// of its own. Each try is composed anew, so it has a new time and signature, and the same id.
type burst struct {
	*Sender
	ctx  context.Context //nolint:containedctx // of the tries
	t    *Target
	m    *Message
	made int // how many answers go-retryablehttp got
}

// burst makes up to so many tries, with the one that was made.
func (s *Sender) burst(ctx context.Context, stop <-chan struct{}, t *Target, m *Message, tries int) {
	b := &burst{Sender: s, ctx: ctx, t: t, m: m}
	client := retryablehttp.Client{
		HTTPClient: &http.Client{Transport: b},
		RetryMax:   tries - 1,
		CheckRetry: func(ctx context.Context, _ *http.Response, _ error) (bool, error) {
			return b.last.again(ctx, stop), ctx.Err()
		},
		Backoff: func(_, _ time.Duration, n int, _ *http.Response) time.Duration {
			wait := burstWait << (2 * min(n, 2))
			wait += rand.N(wait*2/5) - wait/5 // so that what failed together does not come again together
			return max(b.last.retryAfter(time.Now()), wait)
		},
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	waiting, leave := context.WithCancel(ctx) // what is on its way goes on when that ends
	var watch sync.WaitGroup
	defer watch.Wait()
	defer leave()
	watch.Go(func() {
		select {
		case <-stop:
			leave()
		case <-waiting.Done():
		}
	})
	req := (&http.Request{Method: http.MethodPost, URL: t.url}).WithContext(waiting)
	resp, err := client.Do(&retryablehttp.Request{Request: req})
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil && ctx.Err() != nil {
		b.last.err = err // also when what was waited for then was no error
	}
}

// RoundTrip makes a try, unless it was made, or no more is to be. What of the answer matters is in b.last.
func (b *burst) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.made++; b.made > 1 && req.Context().Err() == nil {
		b.try(b.ctx, b.t, b.m) //nolint:contextcheck // the end of the waiting cuts off no try
	}
	if b.last.err != nil {
		return nil, b.last.err
	}
	return &http.Response{StatusCode: b.last.answer.status, Body: http.NoBody, Request: req}, nil
}
