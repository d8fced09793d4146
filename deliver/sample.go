package deliver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// ErrNoRule says that no rule of that name posts anywhere.
var ErrNoRule = errors.New("there is no such rule, or it is disabled")

// Sample posts invented data to a rule's URL, marked as a test: once, at once, whatever is paused or waits there, and without
// a record. It returns what the receiver answered; the error says why it did not accept it.
func (w *Worker) Sample(ctx context.Context, rule string, m *post.Message) (said string, err error) {
	_, _ = rand.Read(m.ID[:]) // never fails
	m.Test = true
	r, err := w.postOnce(ctx, rule, m)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("accepted with %d after %v", r.Status, r.Latency.Round(time.Millisecond)), nil
}

// Why a delivery is not even posted.
var (
	ErrNotOurs = errors.New("another process may deliver")
	ErrPaused  = errors.New("nothing is posted there until a person resumes it")
)

// RefusedError says why a receiver did not accept what was posted.
type RefusedError struct {
	Reason     string
	RetryAfter time.Duration // how long it asks to be left alone; 0: it does not
}

// Error is the reason.
func (e *RefusedError) Error() string { return e.Reason }

// Receiver tells apart where rules post to: those that post to the same URL have the same. It may hold secrets.
func (w *Worker) Receiver(rule string) string {
	if t := (*w.targets.Load())[rule]; t != nil {
		return t.url
	}
	return rule
}

// Post posts a delivery that no outbox has: once, at once, whatever waits there, and without a record; not to what is paused. It is
// for what cannot be stored and is to be known at once. The error says why it was not accepted.
func (w *Worker) Post(ctx context.Context, d *outbox.Delivery) error {
	if w.opts.MayPost != nil && !w.opts.MayPost() {
		return ErrNotOurs
	}
	if d.Object == outbox.Unshaped {
		return unshaped(d.Body)
	}
	if t := (*w.targets.Load())[d.Rule]; t != nil && (w.pauses.of(t.endpoint).pause() != nil || w.pauses.of(pauseName(t.url)).pause() != nil) {
		return ErrPaused
	}
	_, err := w.postOnce(ctx, d.Rule, &post.Message{ID: d.ID, Action: d.Action, Site: d.Site, Kind: d.Kind, Created: d.Created, Key: keyOf(d.Keys), Body: d.Body})
	return err
}

// postOnce makes one request to a rule's URL. The error says why it was not accepted.
func (w *Worker) postOnce(ctx context.Context, rule string, m *post.Message) (r post.Result, err error) {
	t := (*w.targets.Load())[rule]
	if t == nil {
		return r, fmt.Errorf("%w: %s", ErrNoRule, rule)
	}
	p := w.poster()
	defer p.Close()
	switch r = p.Post(ctx, nil, t.Target, m, 1); r.Verdict {
	case post.Accepted:
		return r, nil
	case post.Aborted:
		return r, fmt.Errorf("the receiver has not answered: %w", ctx.Err())
	}
	return r, &RefusedError{r.Error, r.RetryAfter}
}

// maxReason is how much is told of why there is no payload, in bytes.
const maxReason = 500

// unshaped is the error of a delivery that has no payload, but why there is none.
func unshaped(reason []byte) error {
	return errors.New("not posted: " + string(reason[:min(len(reason), maxReason)]))
}
