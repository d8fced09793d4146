//go:build crash

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/freeport"
)

// flapping is a receiver that comes and goes: for a while it accepts, then it refuses connections, answers with
// errors, redirects, cuts the connection, or takes its time.
type flapping struct {
	address string
	changed chan struct{} // holds a token when something was accepted

	mu       sync.Mutex
	random   *rand.Rand // chooses the moods
	listener net.Listener
	server   *http.Server
	got      *receipts
	mood     mood
	left     int // requests until the mood changes
	isCalm   bool
	failures int
	errors   []error
}

type mood int

const (
	accepting mood = iota
	failing
	redirecting
	cutting
	slow
	refusing
)

func newFlapping(t *testing.T) *flapping {
	f := &flapping{changed: make(chan struct{}, 1), got: newReceipts(), left: 100, random: rand.New(rand.NewPCG(dbtest.Seed(t), 100))}
	f.listen(t.Errorf)
	t.Cleanup(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		_ = f.server.Close()
		for _, err := range f.errors {
			t.Error(err)
		}
	})
	return f
}

func (f *flapping) url() string { return "http://" + f.address + "/hook" }

// listen starts to take connections, at the same port as before.
func (f *flapping) listen(fail func(string, ...any)) {
	var listener net.Listener
	var err error
	if f.address == "" {
		listener, err = freeport.Listen()
	} else {
		listener, err = net.Listen("tcp", f.address)
	}
	if err != nil {
		fail("the receiver cannot listen: %v", err)
		return
	}
	f.address, f.listener = listener.Addr().String(), listener
	f.server = &http.Server{Handler: f}
	go f.server.Serve(listener)
}

func (f *flapping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut by the kill of the sender
	}
	now, wait := f.next()
	switch now {
	case failing:
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	case redirecting:
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		return
	case cutting, refusing:
		panic(http.ErrAbortHandler)
	case slow:
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.got.accept(r.Header.Get("X-Vap-Webhook-Action"), r.Header.Get("Webhook-Id"), body); err != nil {
		f.errors = append(f.errors, err)
	}
	w.WriteHeader(http.StatusNoContent)
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// next is how to treat the next request, and how long to take over it when that is slow.
func (f *flapping) next() (now mood, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left < 0 && !f.isCalm && f.mood != refusing { // which ends by itself
		f.mood, f.left = mood(f.random.IntN(6)), f.random.IntN(150)
		if f.mood == refusing {
			f.refuse()
		} else if f.mood != accepting && f.mood != slow {
			f.left /= 8 // few go through then, so it would last
		}
	}
	if f.mood != accepting && f.mood != slow {
		f.failures++
	}
	return f.mood, time.Duration(f.random.IntN(20)) * time.Millisecond
}

// refuse closes the door for a while. The caller holds mu.
func (f *flapping) refuse() {
	old := f.server
	_ = f.listener.Close() // now: old may not even have begun to serve it
	go old.Close()
	time.AfterFunc(time.Duration(100+f.random.IntN(400))*time.Millisecond, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.mood, f.left = accepting, 100
		f.listen(func(format string, args ...any) { f.errors = append(f.errors, fmt.Errorf(format, args...)) })
	})
}

// calm ends the faults.
func (f *flapping) calm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.isCalm = true
	if f.mood != refusing {
		f.mood = accepting
	}
}

func (f *flapping) failed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failures
}

// receipts is what was accepted. The receiver must be quiet.
func (f *flapping) receipts() *receipts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got
}

// waitFor waits until enough was accepted, or ctx ends.
func (f *flapping) waitFor(ctx context.Context, enough func(*receipts) bool) {
	for {
		f.mu.Lock()
		ok := enough(f.got)
		f.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-f.changed:
		case <-ctx.Done():
			return
		}
	}
}
