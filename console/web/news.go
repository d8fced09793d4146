package web

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"time"

	"rowhook/outbox"
)

const (
	// newsEvery is the least time between two pieces of news, agesEvery how often a page is told although nothing happened, so
	// that what it says of times stays true.
	newsEvery, agesEvery = 2 * time.Second, 20 * time.Second
)

// news tells a browser when what it shows is no longer so, as server-sent events. It says no more than that: the page is asked for
// anew, by who may see it.
func (c *Console) news(w http.ResponseWriter, q *http.Request) {
	if _, ok := c.doors.session(q); !ok {
		http.Error(w, "not logged in", http.StatusUnauthorized)
		return
	}
	select {
	case c.looks <- struct{}{}:
		defer func() { <-c.looks }()
	default:
		http.Error(w, "too many browsers are told of news; this page still works when it is loaded again", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	stream := http.NewResponseController(w)
	_ = stream.SetReadDeadline(time.Time{}) // the request is read: how long the browser listens is its own affair
	send := func(text string) bool {
		_ = stream.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, err := fmt.Fprint(w, text)
		return err == nil && stream.Flush() == nil
	}
	if !send("retry: 3000\n\n") {
		return
	}
	last, told := uint64(0), time.Now()
	pause := time.NewTicker(newsEvery)
	defer pause.Stop()
	for {
		_, newer := c.live.look()
		select {
		case <-q.Context().Done():
			return
		case <-newer:
		}
		s, ok := c.doors.session(q)
		if !ok {
			send("event: out\ndata: \n\n")
			return
		}
		switch is := c.digest(q, s); {
		case last == 0:
			last = is
		case is != last || time.Since(told) >= agesEvery:
			last, told = is, time.Now()
			if !send("data: changed\n\n") {
				return
			}
		}
		select {
		case <-q.Context().Done():
			return
		case <-pause.C:
		}
	}
}

// digest is a number for what somebody may see of how things stand; times that only grow are left out.
func (c *Console) digest(q *http.Request, s session) uint64 {
	last, _ := c.live.look()
	is := *newPicture(s, last, c.opts.Rules()).status()
	is.Outbox.Bytes = 0
	if r := is.Reader; r != nil {
		copied := *r
		copied.Lag, copied.Purge, copied.Storing, copied.Position = float64(int(r.Lag/5)), nil, 0, ""
		is.Reader = &copied
	}
	if !s.all() {
		if find, err := c.finder(q.Context(), s); err == nil {
			if newest, _, err := find.newest(q.Context(), outbox.Filter{}, looksWithin); err == nil && newest != nil {
				is.Outbox.Bytes = newest.Seq
			}
		}
	}
	is.Endpoints = slices.Clone(is.Endpoints)
	for i := range is.Endpoints {
		is.Endpoints[i].Oldest, is.Endpoints[i].Pace.Next = 0, time.Time{}
	}
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode(is) // a hash takes everything
	return h.Sum64()
}
