// Package web is the console: the page that shows what rowhook does, and lets a person retry, drop, pause and resume.
//
// It is HTML that is made here, a style sheet, and one script that pages do without. What it shows are views of package api and of
// the outbox, which it reads on a handle of its own; what it changes goes the way that commands take. See docs/console.md.
package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"rowhook/api"
	"rowhook/outbox"
)

//go:embed static templates
var files embed.FS

// Log is what the console reads of an outbox.
type Log interface {
	List(ctx context.Context, f outbox.Filter) ([]*outbox.Stored, error)
	Attempts(ctx context.Context, seq int64) ([]outbox.Attempt, error)
	Hours(ctx context.Context, endpoint string, since time.Time) ([]outbox.Hour, error)
}

// Orders is what the console has the daemon do. The errors are for a person to read.
type Orders interface {
	// Retry sends deliveries again, and returns how many those are. Those that wait are due at once.
	Retry(ctx context.Context, f outbox.Filter) (int, error)
	Drop(ctx context.Context, f outbox.Filter) (int, error)
	Pause(ctx context.Context, endpoint, reason string) error
	Resume(ctx context.Context, endpoint string) error
	ResumeSite(ctx context.Context, site string, fromNow bool) error
	// Sample posts invented data to a rule's URL, and returns what came of it.
	Sample(ctx context.Context, rule string) (string, error)
}

// Options are what a console needs.
type Options struct {
	Listen  string   // host:port where it is served, as a browser may name it
	Hosts   []string // further names under which it is
	Version string   // of rowhook
	Server  string   // the database that is followed, for people
	Started time.Time

	Status func(context.Context) (api.Status, error)
	Log    func(context.Context) (Log, error) // opens the outbox for reading, at the first page that needs it
	Rules  func() []Rule                      // as they are in force
	Sites  func() []Site
	Orders Orders
	Logger *slog.Logger
}

// Site is a site as it is configured.
type Site struct{ Name, Schema, Prefix string }

// Console is the page. Make it with New, and let Run go on as long as it is served.
type Console struct {
	opts    Options
	log     *slog.Logger
	doors   *doors
	live    *live
	tallies tallies
	pages   map[string]*template.Template
	busy    chan struct{} // holds a token for each page that is being made
	exports chan struct{} // for each export that somebody takes
	looks   chan struct{} // for each event stream

	opening chan struct{} // holds a token while somebody opens the outbox, or closes it
	outbox  Log           // nil until somebody looks

	life context.Context //nolint:containedctx // of opening the outbox, which outlasts who wanted it first
	end  context.CancelFunc
}

const (
	// maxPages bounds how many pages are made at once, maxExports how many exports are taken, maxStreams how many browsers are told
	// of news.
	maxPages, maxExports, maxStreams = 4, 4, 32
)

// New makes a console, to be closed. The error is one in its own templates.
func New(o Options) (*Console, error) {
	c := &Console{
		opts: o, log: o.Logger, doors: newDoors(), live: newLive(o.Status), pages: map[string]*template.Template{},
		busy: make(chan struct{}, maxPages), exports: make(chan struct{}, maxExports), looks: make(chan struct{}, maxStreams), opening: make(chan struct{}, 1),
	}
	c.life, c.end = context.WithCancel(context.Background())
	frame, err := template.New("").Funcs(calls()).ParseFS(files, "templates/frame.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"login", "overview", "deliveries", "delivery", "endpoints", "rules", "sites", "message"} {
		page, err := frame.Clone()
		if err == nil {
			page, err = page.ParseFS(files, "templates/"+name+".html")
		}
		if err != nil {
			return nil, err
		}
		c.pages[name] = page
	}
	return c, nil
}

// Run keeps what pages show up to date, until ctx ends. Then the outbox is opened no more, and who is at it gives up.
func (c *Console) Run(ctx context.Context) {
	context.AfterFunc(ctx, c.end)
	c.live.run(ctx, c.countTallies)
}

// Close closes the outbox, if it was opened, for good. Nobody is answered any more.
func (c *Console) Close() error {
	c.end()
	c.opening <- struct{}{}
	defer func() { <-c.opening }()
	if open, ok := c.outbox.(io.Closer); ok {
		c.outbox = nil
		return open.Close()
	}
	return nil
}

// Link makes the address of a page that logs a user in, once, within a few minutes; "" is somebody who may see everything, sites
// are those that the user may see.
func (c *Console) Link(user string, sites []string) string {
	base := "http://" + c.opts.Listen
	if len(c.opts.Hosts) > 0 {
		base = "https://" + c.opts.Hosts[0]
	}
	return base + "/login?link=" + c.doors.link(user, sites)
}

// Handler answers browsers.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // it is in the program
	}
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "User-agent: *\nDisallow: /\n")
	})
	mux.HandleFunc("GET /login", c.showLogin)
	mux.HandleFunc("POST /login", c.login)
	mux.HandleFunc("POST /logout", c.logout)
	mux.Handle("GET /{$}", c.page(c.overview))
	mux.Handle("GET /search", c.page(c.search))
	mux.Handle("GET /deliveries", c.page(c.deliveries))
	mux.Handle("POST /deliveries", c.page(c.changeDeliveries))
	mux.Handle("GET /deliveries/{id}", c.page(c.delivery))
	mux.Handle("POST /deliveries/{id}", c.page(c.changeDelivery))
	mux.Handle("GET /endpoints", c.page(c.endpoints))
	mux.Handle("POST /endpoints", c.page(c.changeEndpoint))
	mux.Handle("GET /rules", c.page(c.rules))
	mux.Handle("POST /rules", c.page(c.sendSample))
	mux.Handle("GET /sites", c.page(c.sites))
	mux.Handle("POST /sites", c.page(c.changeSite))
	mux.HandleFunc("GET /news", c.news)
	mux.Handle("GET /", c.page(func(v *view) error { return v.message(http.StatusNotFound, "There is no such page", "") }))
	return c.guard(mux)
}

// view is one request of somebody who is logged in.
type view struct {
	c *Console
	w http.ResponseWriter
	q *http.Request
	*picture
	made func() // says that nothing is left but to send it, for as long as the browser takes
}

// page has a page made for who is logged in, and sends others to the login.
func (c *Console) page(do func(*view) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s, ok := c.doors.session(q)
		if !ok {
			http.Redirect(w, q, "/login", http.StatusSeeOther)
			return
		}
		select {
		case c.busy <- struct{}{}:
		case <-q.Context().Done():
			return
		}
		made := sync.OnceFunc(func() { <-c.busy })
		defer made()
		v := &view{c, w, q, newPicture(s, c.live.get(q.Context()), c.opts.Rules()), made}
		if !s.all() {
			v.own, v.sure = c.tally(q.Context(), s)
		}
		if err := do(v); err != nil && q.Context().Err() == nil {
			c.log.Error("a page of the console cannot be shown", slog.String("path", q.URL.Path), slog.Any("error", err))
			_ = v.message(http.StatusInternalServerError, "This page cannot be shown", err.Error())
		}
	})
}

// message shows a sentence in place of a page.
func (v *view) message(status int, title, text string) error {
	return v.show(status, "message", title, "", map[string]string{"Title": title, "Text": text})
}

var (
	errClosed = errors.New("the console is about to end")
	errSilent = errors.New("the outbox does not answer; try again")
)

// opensWithin is how long a page waits until the outbox is open.
const opensWithin = 2 * time.Second

// open is the outbox, opened for reading. Who does not wait until it is leaves that to go on, for those who come later.
func (c *Console) open(ctx context.Context) (Log, error) {
	ctx, stop := context.WithTimeoutCause(ctx, opensWithin, errSilent)
	defer stop()
	select {
	case c.opening <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if c.outbox != nil || c.life.Err() != nil {
		defer func() { <-c.opening }()
		if c.outbox == nil {
			return nil, errClosed
		}
		return c.outbox, nil
	}
	done := make(chan opened, 1)
	go func() { // Close waits for the token
		defer func() { <-c.opening }()
		is := c.doOpen()
		c.outbox = is.log
		done <- is
	}()
	select {
	case is := <-done:
		return is.log, is.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// opened is an outbox, or why it cannot be opened.
type opened struct {
	log Log
	err error
}

// doOpen opens it for as long as there is a console.
func (c *Console) doOpen() opened {
	log, err := c.opts.Log(c.life)
	if err != nil {
		return opened{nil, fmt.Errorf("opening the outbox for reading: %w", err)}
	}
	return opened{log, nil}
}
