package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// receiver is what the webhooks are for: an HTTP server that checks signatures and remembers what came.
type receiver struct {
	key     []byte
	show    func(webhook)
	address string
	server  *http.Server // nil while it is down
	served  chan error   // how server ended

	mu       sync.Mutex
	ids      map[string]int // webhooks by id
	got      map[string]int // webhooks by key
	expected map[string]int // the same of those that must come
	unsigned int
	news     chan struct{} // holds a token when something came
}

// startReceiver listens on a free port of the loopback.
func startReceiver(ctx context.Context, key string, show func(webhook)) (*receiver, error) {
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return nil, fmt.Errorf("reading the signing key: %w", err)
	}
	r := &receiver{
		key: secret, show: show, address: "127.0.0.1:0",
		ids: map[string]int{}, got: map[string]int{}, expected: map[string]int{}, news: make(chan struct{}, 1),
	}
	return r, r.start(ctx)
}

// start listens, again at the same address after a stop.
func (r *receiver) start(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", r.address)
	if err != nil {
		return fmt.Errorf("starting the receiver: %w", err)
	}
	r.address = l.Addr().String()
	r.server = &http.Server{Handler: http.HandlerFunc(r.receive), ReadHeaderTimeout: 10 * time.Second}
	r.served = make(chan error, 1)
	go func(s *http.Server, served chan<- error) { served <- s.Serve(l) }(r.server, r.served)
	return nil
}

// stop closes the port and all connections.
func (r *receiver) stop() error {
	if r.server == nil {
		return nil
	}
	err := r.server.Close()
	r.server = nil
	if ended := <-r.served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

func (r *receiver) url() string { return "http://" + r.address + "/hooks" }

func (r *receiver) receive(answer http.ResponseWriter, request *http.Request) {
	const longest = 1 << 20
	body, err := io.ReadAll(http.MaxBytesReader(answer, request.Body, longest))
	if err != nil {
		http.Error(answer, "cannot read the body", http.StatusBadRequest)
		return
	}
	w := webhook{
		at: time.Now(), id: request.Header.Get("webhook-id"), action: request.Header.Get("X-VAP-WEBHOOK-ACTION"),
		site: request.Header.Get("X-Rowhook-Site"), signed: r.verify(request.Header, body),
	}
	if err := json.Unmarshal(body, &w.payload); err != nil {
		http.Error(answer, "the body is no JSON object", http.StatusBadRequest)
		return
	}
	r.show(w)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[w.id]++
	if !w.signed {
		r.unsigned++
	}
	if r.ids[w.id] == 1 {
		r.got[w.key()]++
	}
	select {
	case r.news <- struct{}{}:
	default: // there is a token already
	}
}

// verify checks the signature as Standard Webhooks describes it.
func (r *receiver) verify(h http.Header, body []byte) bool {
	mac := hmac.New(sha256.New, r.key)
	fmt.Fprintf(mac, "%s.%s.%s", h.Get("webhook-id"), h.Get("webhook-timestamp"), body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.ContainsFunc(strings.Fields(h.Get("webhook-signature")), func(s string) bool {
		return hmac.Equal([]byte(s), []byte(want))
	})
}

// wait waits until the wanted webhooks are here, beside all those that were wanted before, and names those that did not
// come in time.
func (r *receiver) wait(ctx context.Context, wanted []string, daemonEnded <-chan struct{}) (lost []string, err error) {
	const patience = 40 * time.Second
	r.mu.Lock()
	for _, w := range wanted {
		r.expected[w]++
	}
	r.mu.Unlock()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		if lost = r.missing(); len(lost) == 0 {
			return nil, nil
		}
		select {
		case <-r.news:
		case <-late.C:
			return lost, nil
		case <-daemonEnded:
			return nil, errors.New("rowhook ended before its time")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *receiver) missing() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var missing []string
	for key, n := range r.expected {
		if r.got[key] < n {
			missing = append(missing, key)
		}
	}
	slices.Sort(missing)
	return missing
}

// counts sums up what came.
type counts struct {
	expected, received, repeated, unsigned int
}

func (r *receiver) counts() counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := counts{received: len(r.ids), unsigned: r.unsigned}
	for _, n := range r.expected {
		c.expected += n
	}
	for _, n := range r.ids {
		c.repeated += n - 1
	}
	return c
}
