// Package post makes one request: it posts a message to a receiver, a few times shortly after each other when that fails,
// and tells what came of it. It knows nothing of queues and of what is done about a failure.
//
// A request is written from bytes that are made once for a target, over a connection that its Sender owns, by the goroutine
// that wants the answer. net/http's client has two goroutines for each connection and maps for each head, which cost more
// than all else that a delivery needs. It is asked only to read the answers that are unusual.
package post

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxText is how much of an answer's body is kept, in bytes.
	maxText = 16 << 10
	// maxError is how much of an error is kept, in bytes: it may quote the receiver.
	maxError = 500
	// minRetryAfter and maxRetryAfter bound what a receiver can ask for.
	minRetryAfter = time.Second
	maxRetryAfter = time.Hour
)

// Verdict is what posting came to.
type Verdict uint8

// The verdicts.
const (
	Accepted Verdict = iota // 2xx
	Rejected                // about this message: an answer of 3xx or 4xx, or an address that it may not go to
	Trouble                 // no answer, 5xx or 429: the receiver's fault or the message's
	Gone                    // 410: the URL is no more
	Aborted                 // cut off by the end of the context: it counts as not made
)

// Result is what posting came to, as its last try did.
type Result struct {
	Verdict    Verdict
	At         time.Time     // when the try began
	Latency    time.Duration // from then to the end of the answer
	Status     int           // of the answer; 0: there was none
	Error      string        // what went wrong; empty: nothing. It holds no secret
	Response   string        // the beginning of the answer's body, in UTF-8; it holds no secret of ours
	RetryAfter time.Duration // how long the receiver asks to be left alone, within bounds; 0: it does not
}

// Post posts a message to a target, up to so many times. The end of ctx cuts it off; when stop is closed, the try on its way
// is the last. A nil stop is never closed.
func (s *Sender) Post(ctx context.Context, stop <-chan struct{}, t *Target, m *Message, tries int) Result {
	s.try(ctx, t, m)
	if tries > 1 && s.last.again(ctx, stop) {
		s.burst(ctx, stop, t, m, tries)
	}
	r := s.result(ctx, t, m)
	s.request, s.last = request{}, tried{} // who waits for another message keeps nothing of this one
	return r
}

// result is what the last try came to.
func (s *Sender) result(ctx context.Context, t *Target, m *Message) Result {
	last := &s.last
	r := Result{At: last.began, Latency: time.Since(last.began), RetryAfter: last.retryAfter(time.Now())}
	switch err := last.err; {
	case err != nil && ctx.Err() != nil:
		r.Verdict = Aborted
	case err != nil:
		r.Verdict, r.Error = Trouble, t.problem(err, s.client.allowed(len(m.Body)))
		if errors.Is(err, errEgress) {
			r.Verdict = Rejected
		}
	default:
		r.Status = last.answer.status
		r.Verdict, r.Error = judge(r.Status)
		if r.Verdict != Accepted || m.KeepText {
			r.Response = t.shown(string(last.answer.text[:min(len(last.answer.text), maxLook)]), maxText)
		}
	}
	return r
}

// judge tells what an answer means.
func judge(status int) (Verdict, string) {
	if status/100 == 2 {
		return Accepted, ""
	}
	said := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	switch {
	case status == http.StatusGone:
		return Gone, "the receiver answered " + said
	case status/100 == 3:
		return Rejected, "the receiver redirects, which is not followed: " + said
	case troubled(status):
		return Trouble, "the receiver answered " + said
	}
	return Rejected, "the receiver answered " + said
}

func troubled(status int) bool { return status >= 500 || status == http.StatusTooManyRequests }

// tried is what one try came to: an answer or an error.
type tried struct {
	began  time.Time
	answer answer
	err    error
}

// again decides whether a try is followed by another one. A try that timed out is not: it took the time of many.
func (d *tried) again(ctx context.Context, stop <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-stop:
		return false
	default:
	}
	if d.err != nil {
		return !timedOut(d.err) && !errors.Is(d.err, errEgress)
	}
	return troubled(d.answer.status) && d.retryAfter(time.Now()) <= maxBurstWait
}

// retryAfter is what a receiver asks for with 429 and 503, in seconds or as a date, within bounds; 0: nothing.
func (d *tried) retryAfter(now time.Time) time.Duration {
	if d.err != nil || d.answer.status != http.StatusTooManyRequests && d.answer.status != http.StatusServiceUnavailable {
		return 0
	}
	if seconds, err := strconv.ParseUint(d.answer.retryAfter, 10, 64); err == nil {
		seconds = min(seconds, uint64(maxRetryAfter/time.Second))
		return max(time.Duration(seconds)*time.Second, minRetryAfter)
	}
	if at, err := http.ParseTime(d.answer.retryAfter); err == nil {
		return min(max(at.Sub(now), minRetryAfter), maxRetryAfter)
	}
	return 0
}

func timedOut(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// problem words an error without the URL, which may have a password or a token in it.
func (t *Target) problem(err error, timeout time.Duration) string {
	if timedOut(err) {
		return fmt.Sprintf("no answer within %s", timeout)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return t.shown(err.Error(), maxError)
}

// shown is no more than so many bytes of what a receiver said, without secrets; a byte that is no text becomes \uFFFD.
func (t *Target) shown(text string, most int) string {
	text = t.hide.Replace(text) // first: what is cut in the middle of a secret is harder to find
	return strings.ToValidUTF8(text[:min(len(text), most)], "\uFFFD")
}
