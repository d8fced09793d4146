package deliver

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestPostFromMemory: what no outbox has is not posted to what is paused, an endpoint or one of its URLs, and who refuses it says for
// how long it wants to be left alone.
func TestPostFromMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.path("/b", http.StatusTooManyRequests, http.Header{"Retry-After": {"90"}}, nil)
		w, _ := running(t, m, hooks("a", "b"), n.options())
		synctest.Wait()
		if w.Receiver("a") == w.Receiver("b") || w.Receiver("gone") != "gone" {
			t.Error("receivers are not told apart")
		}
		a, b := making("a", 1, "1"), making("b", 2, "1")
		if err := w.Post(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		var refused *RefusedError
		if err := w.Post(t.Context(), b); !errors.As(err, &refused) || refused.RetryAfter != 90*time.Second || refused.Reason == "" {
			t.Errorf("a receiver that wants less: %v", err)
		}
		for _, paused := range []string{"http://hooks.test/a?token=s3cret", hooksName} {
			if err := w.Pause(t.Context(), paused, "by hand"); err != nil {
				t.Fatal(err)
			}
			if err := w.Post(t.Context(), a); !errors.Is(err, ErrPaused) || len(n.of(a)) != 1 {
				t.Errorf("while %s is paused: %v, %d requests", paused, err, len(n.of(a)))
			}
			if err := w.Resume(t.Context(), hooksName); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Post(t.Context(), a); err != nil || len(n.of(a)) != 2 {
			t.Errorf("when it goes on: %v", err)
		}
	})
}
