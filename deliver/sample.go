package deliver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"rowhook/deliver/post"
)

// ErrNoRule says that no rule of that name posts anywhere.
var ErrNoRule = errors.New("there is no such rule, or it is disabled")

// Sample posts invented data to a rule's URL, marked as a test: once, at once, whatever is paused or waits there, and without
// a record. It returns what the receiver answered; the error says why it did not accept it.
func (w *Worker) Sample(ctx context.Context, rule, action, site string, body []byte) (said string, err error) {
	t := (*w.targets.Load())[rule]
	if t == nil {
		return "", fmt.Errorf("%w: %s", ErrNoRule, rule)
	}
	m := post.Message{Action: action, Site: site, Test: true, Body: body}
	_, _ = rand.Read(m.ID[:]) // never fails
	p := w.poster()
	defer p.Close()
	r := p.Post(ctx, nil, t.Target, &m, 1)
	if r.Verdict != post.Accepted {
		return "", errors.New(r.Error)
	}
	return fmt.Sprintf("accepted with %d after %v", r.Status, r.Latency.Round(time.Millisecond)), nil
}
