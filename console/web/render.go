package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"time"
)

// frame is what every page shows around its own.
type frame struct {
	Title   string
	At      string // which entry of the navigation the page is
	Nav     []entry
	Now     time.Time
	In      bool // somebody is logged in
	User    string
	Version string
	Server  string
	Stale   time.Duration // since when the daemon has not answered; 0: it does
	Main    any
}

// entry is one of the navigation. The number counts only what needs a person.
type entry struct {
	Path, Name, Kind string
	N                int
	Class            string
}

// show writes a page for who is logged in.
func (v *view) show(status int, name, title, at string, main any) error {
	f := frame{Title: title, At: at, In: true, User: v.who.user, Main: main, Nav: v.navigation()}
	if s := v.seen; s.err != nil && !s.at.IsZero() {
		f.Stale = v.now.Sub(s.at)
	}
	page, err := v.c.make(name, f)
	if err != nil {
		return err
	}
	v.made()
	send(v.w, status, page)
	return nil
}

// render writes a page for anybody.
func (c *Console) render(w http.ResponseWriter, _ *http.Request, status int, name, title string, main any) {
	page, err := c.make(name, frame{Title: title, Main: main})
	if err != nil {
		c.log.Error("a page of the console cannot be shown", slog.String("page", name), slog.Any("error", err))
		status = http.StatusInternalServerError
	}
	send(w, status, page)
}

// make makes a page.
func (c *Console) make(name string, f frame) ([]byte, error) {
	f.Now, f.Version, f.Server = time.Now().UTC(), c.opts.Version, c.opts.Server
	var b bytes.Buffer
	if err := c.pages[name].ExecuteTemplate(&b, "frame", f); err != nil {
		return nil, err
	}
	return bytes.Map(harmless, b.Bytes()), nil
}

// send sends a page.
func send(w http.ResponseWriter, status int, page []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page) // the browser may have gone
}

// harmless replaces what is not seen, or turns the order of a text round: names, payloads and answers may hold it.
func harmless(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
		return '\ufffd'
	}
	return r
}

func (p *picture) navigation() []entry {
	t := p.troubles()
	return []entry{
		{Path: "/", Name: "Overview"},
		{Path: "/deliveries", Name: "Deliveries"},
		{Path: "/deliveries?state=dead", Name: "Dead letters", N: t.dead, Kind: "given up", Class: "bad"},
		{Path: "/endpoints", Name: "Endpoints", N: t.endpoints, Kind: "paused"},
		{Path: "/rules", Name: "Rules", N: t.rules, Kind: "in need of you"},
		{Path: "/sites", Name: "Sites", N: t.sites, Kind: "stopped", Class: "bad"},
	}
}
