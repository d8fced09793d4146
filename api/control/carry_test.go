package control

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"rowhook/deliver"
)

// away is a machine that does not answer.
func away(context.Context, []byte) ([]byte, error) { return nil, errors.New("it is off") }

// TestCarried: a command that is carried to another process reads the same as one that was asked there, its errors too.
func TestCarried(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there := &worker{}
	most := 0
	send := func(ctx context.Context, request []byte) ([]byte, error) {
		most = max(most, len(request))
		return Answer(ctx, handler(there), request), nil
	}
	socket, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = socket.Serve(t.Context(), Carry(send)) }()
	for name, c := range map[string]*Client{"over a socket": NewClient(dir), "by itself": NewRemote(send)} {
		there.calls = nil
		if done, err := c.Retry(t.Context(), filter); err != nil || done != (deliver.Retried{Again: 3, Left: 1}) || !reflect.DeepEqual(there.filter, filter) {
			t.Errorf("%s: retry: %+v, %v, asked for %+v", name, done, err, there.filter)
		}
		if err := c.Resume(t.Context(), "erp"); !errors.Is(err, deliver.ErrNoEndpoint) {
			t.Errorf("%s: resume: %v", name, err)
		}
		if err := c.Resume(t.Context(), "full"); err == nil || err.Error() != "the disk is full" || errors.Is(err, deliver.ErrNoEndpoint) {
			t.Errorf("%s: resume: %v", name, err)
		}
		if got, err := c.Status(t.Context()); err != nil || !reflect.DeepEqual(got, status) {
			t.Errorf("%s: status %+v, %v", name, got, err)
		}
		if err := c.ask(t.Context(), "of-tomorrow", struct{}{}, nil); !errors.Is(err, ErrVersion) {
			t.Errorf("%s: a route that is not there: %v", name, err)
		}
		if err := c.Pause(t.Context(), "crm", strings.Repeat("x", maxMessage)); err == nil || most > maxMessage+100 {
			t.Errorf("%s: a large request of up to %d bytes: %v", name, most, err)
		}
	}
	if err := NewRemote(away).Pause(t.Context(), "crm", ""); err == nil || !strings.Contains(err.Error(), "it is off") {
		t.Errorf("who is away: %v", err)
	}
	late := httptest.NewRecorder()
	Carry(func(context.Context, []byte) ([]byte, error) { return nil, context.DeadlineExceeded }).ServeHTTP(late, httptest.NewRequest(http.MethodPost, "/drop", strings.NewReader("{}")))
	if text := late.Body.String(); late.Code != http.StatusServiceUnavailable || !strings.Contains(text, "it may have been done all the same: rowhook deliveries list") {
		t.Errorf("what took too long: %d %s", late.Code, text)
	}
	w := httptest.NewRecorder()
	Carry(away).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/retry", strings.NewReader("{}")))
	if err := said(w.Code, w.Body.String()); !errors.Is(err, ErrNotYet) || !strings.Contains(err.Error(), "does not answer: it is off") {
		t.Errorf("who is away: %v", err)
	}
}

// TestCarriedBounds: an answer that is too large is none, and what is no request or no answer harms nobody.
func TestCarriedBounds(t *testing.T) {
	t.Parallel()
	for name, mb := range map[string]func() []byte{
		"long":   func() []byte { return make([]byte, 1<<20) },
		"random": func() []byte { b := make([]byte, 1<<20); _, _ = rand.Read(b); return b },
	} {
		for n, fits := range map[int]bool{1: name == "long", maxCarried>>20 + 1: false} {
			answer := Answer(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for range n {
					_, _ = w.Write(mb())
				}
			}), []byte("/v1/status\n{}"))
			status, text, err := unpack(answer)
			if got := status == http.StatusOK && len(text) == n<<20; err != nil || len(answer) > maxPacked || got != fits || !fits && !bytes.Contains(text, []byte("too large to be carried")) {
				t.Errorf("%s, %d MB: %d, %d bytes, %v", name, n, status, len(text), err)
			}
		}
	}
	var bomb bytes.Buffer
	bomb.WriteString("200")
	z := gzip.NewWriter(&bomb)
	for range maxCarried>>20 + 1 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	if _, text, err := unpack(bomb.Bytes()); err == nil || len(text) > maxCarried+1 {
		t.Errorf("what unpacks to too much: %d bytes, %v", len(text), err)
	}
	for _, request := range []string{"", "\n", "x", "/v1/retry", "/v1/retry\n[", "http://elsewhere\n", "@elsewhere/v1/retry\n{}", "/%zz\n", "/v1/pause\n" + strings.Repeat("x", maxMessage+1)} {
		if got := Answer(t.Context(), handler(&worker{}), []byte(request)); !bytes.HasPrefix(got, []byte("501")) {
			t.Errorf("%.20q: %.100s", request, got)
		}
	}
	for _, answer := range []string{"", "20", "abc", "099x", "999", "-12", "200", "200x", bomb.String()} {
		c := NewRemote(func(context.Context, []byte) ([]byte, error) { return []byte(answer), nil })
		if _, err := c.Status(t.Context()); err == nil {
			t.Errorf("%q is taken for an answer", answer)
		}
	}
}

// FuzzCarried: what another process sends harms nobody, request or answer.
func FuzzCarried(f *testing.F) {
	f.Add([]byte("/v1/pause\n{\"Name\":\"crm\",\"Reason\":\"\"}"))
	f.Add([]byte("/v1/status\n{}"))
	f.Add([]byte("200\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, err := unpack(Answer(t.Context(), handler(&worker{}), b)); err != nil {
			t.Error(err)
		}
		if _, text, err := unpack(b); err == nil && len(text) > maxCarried {
			t.Errorf("%d bytes", len(text))
		}
	})
}
