package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// linkFor is for how long a link to log in with is good.
	linkFor = 5 * time.Minute
	// sessionFor is how long somebody stays logged in.
	sessionFor = 12 * time.Hour
	// maxSessions and maxLinks bound how many there are; the oldest gives way.
	maxSessions, maxLinks = 200, 50
	// maxTries is how many wrong attempts to log in an address has in a minute, maxAddresses how many addresses are remembered.
	maxTries, maxAddresses = 5, 1000

	cookieName = "rowhook_session"
)

// session is somebody who is logged in.
type session struct {
	user  string   // "": who may see everything
	sites []string // nil: all
	until time.Time
}

// key is the hash of a secret that was handed out: what is kept here opens nothing.
type key [sha256.Size]byte

func keyOf(secret string) key { return sha256.Sum256([]byte(secret)) }

// doors are the links that were made and who came through them.
type doors struct {
	now func() time.Time

	mu       sync.Mutex
	links    map[key]session
	sessions map[key]session
	tries    map[string][]time.Time // wrong ones of the last minute, by address
}

func newDoors() *doors {
	return &doors{now: time.Now, links: map[key]session{}, sessions: map[key]session{}, tries: map[string][]time.Time{}}
}

// secret is a new one, of 32 random bytes.
func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// link makes a secret that logs somebody in, once.
func (d *doors) link(user string, sites []string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := secret()
	put(d.links, keyOf(s), session{user, sites, d.now().Add(linkFor)}, maxLinks, d.now())
	return s
}

// put keeps a session, and lets go of those that are over, and of the oldest when there are too many.
func put(all map[key]session, k key, s session, most int, now time.Time) {
	var oldest key
	var first time.Time
	for k, s := range all {
		if !now.Before(s.until) {
			delete(all, k)
		} else if first.IsZero() || s.until.Before(first) {
			oldest, first = k, s.until
		}
	}
	if len(all) >= most {
		delete(all, oldest)
	}
	all[k] = s
}

var (
	errTries = errors.New("too many wrong attempts")
	errLink  = errors.New("that secret is no longer good")
)

// enter turns the secret of a link into that of a session.
func (d *doors) enter(link, address string) (string, session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	s, ok := d.links[keyOf(link)]
	if !ok || !now.Before(s.until) { // a good link is let in always: who tries behind the same proxy locks nobody out
		if d.barred(address, now) {
			return "", session{}, errTries
		}
		d.tries[address] = append(d.tries[address], now)
		return "", session{}, errLink
	}
	delete(d.links, keyOf(link))
	s.until = now.Add(sessionFor)
	in := secret()
	put(d.sessions, keyOf(in), s, maxSessions, now)
	return in, s, nil
}

// barred says whether an address has tried too often.
func (d *doors) barred(address string, now time.Time) bool {
	for a, tries := range d.tries {
		for len(tries) > 0 && now.Sub(tries[0]) >= time.Minute {
			tries = tries[1:]
		}
		if d.tries[a] = tries; len(tries) == 0 {
			delete(d.tries, a)
		}
	}
	return len(d.tries[address]) >= maxTries || len(d.tries) >= maxAddresses
}

// session is who a request comes from; false: nobody who is logged in.
func (d *doors) session(q *http.Request) (session, bool) {
	cookie, err := q.Cookie(cookieName)
	if err != nil {
		return session{}, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.sessions[keyOf(cookie.Value)]
	return s, ok && d.now().Before(s.until)
}

// leave ends a session.
func (d *doors) leave(q *http.Request) {
	if cookie, err := q.Cookie(cookieName); err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.sessions, keyOf(cookie.Value))
	}
}

// loginPage is what somebody sees who is not logged in.
type loginPage struct {
	Link  string // of the link that was opened; "": none was
	Wrong string
}

// showLogin shows how to get a link. One that was opened is only used when its button is pressed: programs that look at links
// before people do would use it up.
func (c *Console) showLogin(w http.ResponseWriter, q *http.Request) {
	c.render(w, q, http.StatusOK, "login", "Log in", loginPage{Link: q.URL.Query().Get("link")})
}

func (c *Console) login(w http.ResponseWriter, q *http.Request) {
	address, _, err := net.SplitHostPort(q.RemoteAddr)
	if err != nil {
		address = q.RemoteAddr
	}
	in, s, err := c.doors.enter(q.PostFormValue("link"), address)
	switch {
	case errors.Is(err, errTries):
		c.log.Warn("too many wrong attempts to log in to the console", slog.String("address", address))
		w.Header().Set("Retry-After", "60")
		c.render(w, q, http.StatusTooManyRequests, "login", "Log in", loginPage{Wrong: "Too many wrong attempts. Wait a minute, then try again with a new link."})
		return
	case err != nil:
		c.render(w, q, http.StatusForbidden, "login", "Log in", loginPage{Wrong: "That link is no longer good: it works once, and for 5 minutes. Make a new one."})
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: in, Path: "/", MaxAge: int(sessionFor.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: q.TLS != nil || q.Header.Get("X-Forwarded-Proto") == "https",
	})
	c.log.Info("somebody logged in to the console", slog.String("user", s.name()), slog.String("address", address))
	http.Redirect(w, q, "/", http.StatusSeeOther)
}

// name is who it is, for the log.
func (s session) name() string {
	if s.user == "" {
		return "operator"
	}
	return s.user
}

func (c *Console) logout(w http.ResponseWriter, q *http.Request) {
	c.doors.leave(q)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, q, "/login", http.StatusSeeOther)
}
