package control

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"rowhook/deliver"
	"rowhook/outbox"
)

// worker remembers what it was asked.
type worker struct {
	filter outbox.Filter
	calls  []string
}

var filter = outbox.Filter{
	States: []outbox.State{outbox.Dead}, Rules: []string{"crm"}, ID: &outbox.ID{1, 2, 255}, Key: "salon/appointment/12",
	Since: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Limit: 7,
}

var status = deliver.Status{Endpoints: []deliver.EndpointStatus{{
	Name: "http://crm.test:80", Rules: []string{"crm"}, Paused: &deliver.Pause{Since: filter.Since, Reason: "410"}, LastError: "refused", Oldest: time.Minute, Undelivered: 7,
	URLs: []deliver.URLStatus{{URL: "http://crm.test/a", Rules: []string{"crm"}, Until: filter.Since}},
}}}

func (w *worker) Retry(_ context.Context, f outbox.Filter) (deliver.Retried, error) {
	w.filter = f
	return deliver.Retried{Again: 3, Left: 1}, nil
}

func (w *worker) Drop(_ context.Context, f outbox.Filter) (int, error) {
	w.filter = f
	return 5, nil
}

func (w *worker) Erase(_ context.Context, f outbox.Filter) (int, error) {
	w.filter = f
	return 6, nil
}

func (w *worker) Pause(_ context.Context, name, reason string) error {
	w.calls = append(w.calls, "pause "+name+" "+reason)
	return nil
}

func (w *worker) Resume(_ context.Context, name string) error {
	w.calls = append(w.calls, "resume "+name)
	if name == "full" {
		return errors.New("the disk is full")
	}
	return errors.Join(deliver.ErrNoEndpoint)
}

func handler(w *worker) http.Handler {
	return Handler(append(Orders(w), Endpoints(func(context.Context) (deliver.Status, error) { return status, nil }))...)
}

func TestControl(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := NewClient(dir)
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrNoDaemon) {
		t.Fatalf("without a daemon: %v", err)
	}
	for range 2 { // the second finds what the first left
		w := &worker{}
		stop := serve(t, dir, w)
		if done, err := c.Retry(t.Context(), filter); err != nil || done != (deliver.Retried{Again: 3, Left: 1}) || !reflect.DeepEqual(w.filter, filter) {
			t.Errorf("retry: %+v, %v, asked for %+v", done, err, w.filter)
		}
		w.filter = outbox.Filter{}
		if n, err := c.Drop(t.Context(), filter); n != 5 || err != nil || !reflect.DeepEqual(w.filter, filter) {
			t.Errorf("drop: %d, %v, asked for %+v", n, err, w.filter)
		}
		w.filter = outbox.Filter{}
		if n, err := c.Erase(t.Context(), filter); n != 6 || err != nil || !reflect.DeepEqual(w.filter, filter) {
			t.Errorf("erase: %d, %v, asked for %+v", n, err, w.filter)
		}
		if err := c.Pause(t.Context(), "crm", "by hand"); err != nil {
			t.Error(err)
		}
		if err := c.Resume(t.Context(), "erp"); !errors.Is(err, deliver.ErrNoEndpoint) {
			t.Errorf("resume: %v", err)
		}
		if err := c.Resume(t.Context(), "full"); err == nil || err.Error() != "the disk is full" || errors.Is(err, deliver.ErrNoEndpoint) {
			t.Errorf("resume: %v", err)
		}
		if got := strings.Join(w.calls, ", "); got != "pause crm by hand, resume erp, resume full" {
			t.Errorf("calls: %s", got)
		}
		if got, err := c.Status(t.Context()); err != nil || !reflect.DeepEqual(got, status) {
			t.Errorf("status %+v, %v", got, err)
		}
		if err := c.ask(t.Context(), "pause", map[string]int{"name": 1}, nil); !errors.Is(err, ErrVersion) {
			t.Errorf("a wrong request: %v", err)
		}
		stop()
		if _, err := c.Status(t.Context()); !errors.Is(err, ErrNoDaemon) {
			t.Errorf("after it ended: %v", err)
		}
		if err := os.WriteFile(filepath.Join(dir, socketName), nil, 0o600); err != nil { // as after a crash
			t.Fatal(err)
		}
	}
}

// TestVersions: a command and a daemon of different versions say so, whichever is the older.
func TestVersions(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.Handler{
		"a daemon without versions": http.NewServeMux(), "a newer daemon": handler(&worker{}),
	} {
		dir := t.TempDir()
		socket, err := Listen(dir)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: answer, ReadHeaderTimeout: time.Second}
		go func() { _ = server.Serve(socket.listener) }()
		c := NewClient(dir)
		if err := c.ask(t.Context(), "of-tomorrow", struct{}{}, nil); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "systemctl restart rowhook") {
			t.Errorf("%s: %v", name, err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
	old := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/retry", strings.NewReader("{}"))
	w := httptest.NewRecorder()
	if handler(&worker{}).ServeHTTP(w, old); w.Code != http.StatusNotImplemented || !strings.Contains(w.Body.String(), "another version") {
		t.Errorf("a command without versions: %d %s", w.Code, w.Body)
	}
}

// serve answers commands.
func serve(t *testing.T, dir string, w *worker) (stop func()) {
	t.Helper()
	socket, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, socketName))
	if err != nil || info.Mode().Type() != os.ModeSocket || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- socket.Serve(ctx, handler(w)) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("it left %v, %v", entries, err)
		}
	}
}
