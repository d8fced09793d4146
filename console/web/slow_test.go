package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// slowReader is a browser that takes nothing until it is let.
type slowReader struct {
	*httptest.ResponseRecorder
	begun func()
	more  <-chan struct{}
}

// Write waits.
func (s slowReader) Write(b []byte) (int, error) {
	s.begun()
	<-s.more
	return s.ResponseRecorder.Write(b)
}

// TestSlowReaders: browsers that do not take their pages or exports keep no page from others, and there is an end to how many exports
// there are.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit("crm-bookings", "salon", "appointment/1", "appointment.save", `{}`)
	b := w.login("")
	more := make(chan struct{})
	var begun, ended sync.WaitGroup
	slowly := func(method, path string, form url.Values) {
		q := httptest.NewRequestWithContext(t.Context(), method, w.server.URL+path, strings.NewReader(form.Encode()))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.AddCookie(b.cookie)
		begun.Add(1)
		reader := slowReader{httptest.NewRecorder(), sync.OnceFunc(begun.Done), more}
		ended.Go(func() { w.console.Handler().ServeHTTP(reader, q) })
	}
	for range maxExports {
		slowly(http.MethodPost, "/deliveries", url.Values{"do": {"export"}})
	}
	for range 2 * maxPages {
		slowly(http.MethodGet, "/endpoints", nil)
	}
	begun.Wait()
	if got := b.get("/"); got.status != http.StatusOK {
		t.Errorf("another page: %d", got.status)
	}
	full := b.post("/deliveries", url.Values{"do": {"export"}})
	if full.shows(t, "Others export at this moment"); full.status != http.StatusServiceUnavailable {
		t.Errorf("one export too many: %d", full.status)
	}
	close(more)
	ended.Wait()
	if got := b.post("/deliveries", url.Values{"do": {"export"}}); got.status != http.StatusOK {
		t.Errorf("an export after that: %d", got.status)
	}
}
