//go:build crash

package crash

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path"
	"strconv"
	"sync"
	"testing"
	"time"

	"rowhook/freeport"
)

// mood is how a receiver treats requests for a while.
type mood int

const (
	accepting   mood = iota
	slow             // takes its time
	delaying         // takes longer
	failing          // 500
	limiting         // 429 with Retry-After
	redirecting      // 302
	leaving          // 410, once: that pauses the URL
	cutting          // cuts the connection before it has read the request
	hushing          // accepts the request, and cuts the connection without a word
	refusing         // takes no connections
	moods
)

var moodNames = [moods]string{"accepts", "is slow", "delays", "answers 500", "answers 429", "answers 302", "answers 410", "cuts", "accepts and cuts", "refuses"}

// receiver is an HTTP server that comes and goes and changes its mood, and remembers what it took.
type receiver struct {
	address string
	gone    chan struct{} // holds a token when it answered 410: somebody has to resume it

	mu       sync.Mutex
	random   *rand.Rand // chooses the moods
	listener net.Listener
	server   *http.Server
	got      *ledger
	fickle   bool
	mood     mood
	until    time.Time // of the mood
	count    [moods]int
	errors   []error
}

func newReceiver(t *testing.T, random *rand.Rand) *receiver {
	r := &receiver{gone: make(chan struct{}, 1), got: newLedger(), random: random}
	r.mu.Lock()
	r.listen()
	r.mu.Unlock()
	t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		_ = r.server.Close()
		for _, err := range r.errors {
			t.Error(err)
		}
	})
	return r
}

// name is what the endpoint is called.
func (r *receiver) name() string { return "http://" + r.address }

// listen takes connections, at the same port as before; mu is held.
func (r *receiver) listen() {
	var listener net.Listener
	var err error
	if r.address == "" {
		listener, err = freeport.Listen()
	} else {
		listener, err = net.Listen("tcp", r.address)
	}
	if err != nil {
		r.errors = append(r.errors, fmt.Errorf("the receiver cannot listen: %w", err))
		return
	}
	r.address, r.listener = listener.Addr().String(), listener
	server := &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	r.server = server
	go func() { _ = server.Serve(listener) }() // ends with Close
}

// ServeHTTP is http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	own, ok := ruleOf(path.Base(q.URL.Path), q.Header.Get("X-VAP-WEBHOOK-ACTION"))
	if !ok {
		r.fail(fmt.Errorf("a request for %s, %s", q.URL.Path, q.Header.Get("X-VAP-WEBHOOK-ACTION")))
		return
	}
	now, wait := r.next()
	if now == cutting || now == refusing {
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(q.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the sender was killed
	}
	switch now {
	case failing:
		http.Error(w, "out of order", http.StatusInternalServerError)
	case limiting:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many", http.StatusTooManyRequests)
	case redirecting:
		http.Redirect(w, q, "/elsewhere", http.StatusFound)
	case leaving:
		r.leave(own)
		http.Error(w, "no more", http.StatusGone)
	}
	if now != accepting && now != slow && now != delaying && now != hushing {
		return
	}
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-q.Context().Done():
			panic(http.ErrAbortHandler) // the same
		}
	}
	seq, err := strconv.ParseInt(q.Header.Get("X-Rowhook-Sequence"), 10, 64)
	if err != nil {
		r.fail(fmt.Errorf("X-Rowhook-Sequence: %w", err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.got.accept(own, q.Header.Get("X-Rowhook-Site"), q.Header.Get("webhook-id"), seq, body); err != nil {
		r.errors = append(r.errors, err)
	}
	if now == hushing {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(http.StatusNoContent)
}

// next is how to treat a request, and how long to take over it.
func (r *receiver) next() (now mood, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := time.Now()
	if r.fickle && at.After(r.until) && r.mood != refusing {
		r.change(at)
	}
	now = r.mood
	r.count[now]++
	switch now {
	case slow:
		wait = r.upTo(20 * time.Millisecond)
	case delaying:
		wait = r.upTo(200 * time.Millisecond)
	case leaving:
		r.mood, r.until = accepting, at.Add(time.Second)
	}
	return now, wait
}

// leave notes that a rule's URL is paused from now on.
func (r *receiver) leave(own rule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !own.mirror {
		r.got.leave(own.name, time.Now())
	}
	select {
	case r.gone <- struct{}{}:
	default:
	}
}

// back notes that nothing is paused any more. What was on its way by then may come a little later.
func (r *receiver) back() {
	const onItsWay = 3 * time.Second
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got.back(time.Now().Add(onItsWay))
}

func (r *receiver) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, err)
}

// change chooses the next mood: a bad one is followed by a good one, which takes longer. mu is held.
func (r *receiver) change(now time.Time) {
	if r.mood > delaying {
		r.mood, r.until = mood(r.random.IntN(int(failing))), now.Add(200*time.Millisecond+r.upTo(800*time.Millisecond))
		return
	}
	r.mood, r.until = mood(r.random.IntN(int(moods))), now.Add(r.upTo(300*time.Millisecond))
	switch r.mood {
	case redirecting: // these count as the deliveries' own failures: each waits for its schedule then
		r.until = now.Add(r.upTo(20 * time.Millisecond))
	case refusing:
		r.refuse()
	}
}

// upTo is a time below a bound. mu is held.
func (r *receiver) upTo(bound time.Duration) time.Duration { return upTo(r.random, bound) }

// refuse closes the door for a while. mu is held.
func (r *receiver) refuse() {
	old := r.server
	_ = r.listener.Close() // now: old may not even have begun to serve it
	go func() { _ = old.Close() }()
	time.AfterFunc(100*time.Millisecond+r.upTo(400*time.Millisecond), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.mood, r.until = accepting, time.Now().Add(time.Second)
		r.listen()
	})
}

// setFickle begins or ends the changing of moods.
func (r *receiver) setFickle(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fickle = on
	if !on && r.mood != refusing {
		r.mood = accepting
	}
}

// look calls a function with what was received so far.
func (r *receiver) look(f func(l *ledger)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.got)
}

// troubles counts the requests that were not accepted with an answer, by mood.
func (r *receiver) troubles() (counts map[string]int, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts = map[string]int{}
	for m := failing; m < moods; m++ {
		counts[moodNames[m]] += r.count[m]
		total += r.count[m]
	}
	return counts, total
}
