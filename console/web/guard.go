package web

import (
	"net"
	"net/http"
	"strings"
)

// policy is what a page may do: show itself, in our style and with our script, and ask us. Nothing is inline.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard lets requests pass that are for one of our names, and change something only when a page of ours asks: a page of somebody
// else's that the operator's browser has open reaches this machine's addresses as well as we do.
func (c *Console) guard(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the request comes from a page of another origin; nothing was changed", http.StatusForbidden)
	}))
	protected := crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if !c.serves(q.Host) {
			http.Error(w, "this address is not served by that name; see console.hosts in the configuration", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		q.Body = http.MaxBytesReader(w, q.Body, maxForm)
		protected.ServeHTTP(w, q)
	})
}

// maxForm bounds what a form may send, in bytes.
const maxForm = 64 << 10

// serves says whether a Host header names us: by an address of this machine's own, by the one where we listen, or by a name that
// the configuration lists. A name that anybody may let point here does not.
func (c *Console) serves(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), ""
	}
	name = strings.ToLower(name)
	for _, known := range c.opts.Hosts {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	own, ownPort, _ := net.SplitHostPort(c.opts.Listen)
	if port != ownPort {
		return false
	}
	if name == "localhost" || strings.EqualFold(name, own) && own != "" {
		return true
	}
	ip := net.ParseIP(name)
	switch listens := net.ParseIP(own); {
	case ip == nil:
		return false
	case ip.IsLoopback():
		return true
	default: // where all addresses are listened on, each that a client has reached is ours
		return own == "" || listens != nil && listens.IsUnspecified()
	}
}
