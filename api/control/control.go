// Package control is how a command reaches the daemon that owns the outbox: HTTP on a socket in the state directory, which
// only the daemon's user can open. The daemon calls Listen and Serve; a command makes a Client, and does the work itself when the
// answer is ErrNoDaemon.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/outbox"
)

// ErrNoDaemon says that no daemon works in the directory.
var ErrNoDaemon = errors.New("no daemon answers")

// socketName is the file of the socket.
const socketName = "control.sock"

// maxMessage bounds what is asked, and errors, maxAnswer what is answered: a status has a line for each endpoint.
const (
	maxMessage = 1 << 20
	maxAnswer  = 64 << 20
)

// Worker is what the daemon lets commands do; deliver.Worker is one.
type Worker interface {
	Retry(ctx context.Context, f outbox.Filter) (deliver.Retried, error)
	Drop(ctx context.Context, f outbox.Filter) (int, error)
	Erase(ctx context.Context, f outbox.Filter) (int, error)
	Pause(ctx context.Context, name, reason string) error
	Resume(ctx context.Context, name string) error
}

// version is of all that is asked and answered, and a part of the paths: it changes when a command of one version would be
// misunderstood by a daemon of another, as it may be for a moment during an upgrade.
const version = "v1"

// ErrVersion says that the daemon speaks another version than the command.
var ErrVersion = errors.New("the command is of another version than the daemon; restart the daemon: systemctl restart rowhook")

// ErrWrong says that the request asks for something that does not exist or is not possible.
var ErrWrong = errors.New("wrong request")

// ErrNotYet says that the daemon cannot do that yet: it does not follow the database.
var ErrNotYet = errors.New("not yet")

// NotYet marks an error as one that passes by itself: Ask returns it as an ErrNotYet with the same text.
func NotYet(err error) error { return &refusal{err.Error(), ErrNotYet} }

// Wrong marks an error as the caller's fault: Ask returns it as an ErrWrong with the same text.
func Wrong(err error) error { return &refusal{err.Error(), ErrWrong} }

// Route is what a daemon answers besides what its worker does.
type Route struct {
	name    string
	handler http.Handler
}

// Handle makes a route of a call. Ask reaches it under the same name.
func Handle[In, Out any](name string, call func(context.Context, In) (Out, error)) Route {
	return Route{name, answer(call)}
}

// Ask calls what a daemon handles under a name.
func Ask[In, Out any](ctx context.Context, c *Client, name string, in In) (out Out, err error) {
	err = c.ask(ctx, name, in, &out)
	return out, err
}

// order names an endpoint.
type order struct{ Name, Reason string }

// Serve answers commands until ctx ends, and takes the socket away.
func (s *Socket) Serve(ctx context.Context, h http.Handler) error {
	defer s.remove()
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answering on %s: %w", filepath.Join(s.dir, socketName), err)
	}
	return nil
}

// Handler answers what it has a route for.
func Handler(routes ...Route) http.Handler {
	return HandlerOr(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, ErrVersion.Error(), http.StatusNotImplemented)
	}), routes...)
}

// HandlerOr answers what it has a route for, and has another one answer all else.
func HandlerOr(other http.Handler, routes ...Route) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(path(r.name), r.handler)
	}
	mux.Handle("/", other)
	return mux
}

// Refuse answers everything with an error that passes by itself.
func Refuse(err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	})
}

// Orders are the routes of what a worker does.
func Orders(w Worker) []Route {
	return []Route{
		Handle("retry", w.Retry), Handle("drop", w.Drop), Handle("erase", w.Erase),
		Handle("pause", func(ctx context.Context, o order) (struct{}, error) {
			return struct{}{}, w.Pause(ctx, o.Name, o.Reason)
		}),
		Handle("resume", func(ctx context.Context, o order) (struct{}, error) { return struct{}{}, w.Resume(ctx, o.Name) }),
	}
}

// Endpoints is the route that says how endpoints do.
func Endpoints(ask func(context.Context) (deliver.Status, error)) Route {
	return Handle(endpointsRoute, func(ctx context.Context, _ struct{}) (deliver.Status, error) { return ask(ctx) })
}

// path is where a call is answered.
func path(name string) string { return "POST /" + version + "/" + name }

// answer decodes a request, makes the call and encodes what it returns.
func answer[In, Out any](call func(context.Context, In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var in In
		d := json.NewDecoder(http.MaxBytesReader(w, q.Body, maxMessage))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			http.Error(w, ErrVersion.Error(), http.StatusNotImplemented)
			return
		}
		out, err := call(q.Context(), in)
		switch {
		case errors.Is(err, deliver.ErrNoEndpoint):
			http.Error(w, err.Error(), http.StatusNotFound)
		case errors.Is(err, ErrWrong):
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		case errors.Is(err, ErrNotYet):
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(out) // who asked may have gone
		}
	})
}

// Client asks the daemon of a directory. All its methods return ErrNoDaemon when there is none.
type Client struct{ http http.Client }

// NewClient makes a client for the daemon in dir; it connects at the first call.
func NewClient(dir string) *Client {
	return &Client{http.Client{Transport: &http.Transport{
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxMessage,
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) },
	}}}
}

// Retry is deliver.Worker's.
func (c *Client) Retry(ctx context.Context, f outbox.Filter) (done deliver.Retried, err error) {
	err = c.ask(ctx, "retry", f, &done)
	return done, err
}

// Drop is deliver.Worker's.
func (c *Client) Drop(ctx context.Context, f outbox.Filter) (n int, err error) {
	err = c.ask(ctx, "drop", f, &n)
	return n, err
}

// Erase is deliver.Worker's.
func (c *Client) Erase(ctx context.Context, f outbox.Filter) (n int, err error) {
	err = c.ask(ctx, "erase", f, &n)
	return n, err
}

// Pause is deliver.Worker's.
func (c *Client) Pause(ctx context.Context, name, reason string) error {
	return c.ask(ctx, "pause", order{Name: name, Reason: reason}, &struct{}{})
}

// Resume is deliver.Worker's.
func (c *Client) Resume(ctx context.Context, name string) error {
	return c.ask(ctx, "resume", order{Name: name}, &struct{}{})
}

// Status is deliver.Worker's.
func (c *Client) Status(ctx context.Context) (s deliver.Status, err error) {
	err = c.ask(ctx, endpointsRoute, struct{}{}, &s)
	return s, err
}

// daemonRoute is where a daemon says how it does.
const (
	daemonRoute    = "daemon"
	endpointsRoute = "status"
)

// HowItDoes is the route of a daemon that says how it does.
func HowItDoes(ask func(context.Context) (api.Status, error)) Route {
	return Handle(daemonRoute, func(ctx context.Context, _ struct{}) (api.Status, error) { return ask(ctx) })
}

// Daemon is how the daemon does.
func (c *Client) Daemon(ctx context.Context) (api.Status, error) {
	return Ask[struct{}, api.Status](ctx, c, daemonRoute, struct{}{})
}

func (c *Client) ask(ctx context.Context, what string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://rowhook/"+version+"/"+what, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.http.Do(q)
	if errors.Is(err, ErrNoDaemon) {
		return ErrNoDaemon
	}
	if err != nil {
		return fmt.Errorf("asking the daemon: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxMessage)) // what was read says enough
		return said(resp.StatusCode, string(bytes.TrimSpace(text)))
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("asking the daemon: %w", err)
	}
	return nil
}

// unversioned is what daemons answer that know no versions yet.
const unversioned = "404 page not found"

// said is an error of the daemon's.
func said(status int, text string) error {
	switch status {
	case http.StatusNotImplemented:
		return ErrVersion
	case http.StatusNotFound:
		if text == unversioned {
			return ErrVersion
		}
		return &refusal{text, deliver.ErrNoEndpoint}
	case http.StatusUnprocessableEntity:
		return &refusal{text, ErrWrong}
	case http.StatusServiceUnavailable:
		return &refusal{text, ErrNotYet}
	}
	return &refusal{text, nil}
}

// refusal is an error that came over the socket as a text.
type refusal struct {
	text string
	kind error
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }
