package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// page is what the person sees. The story, the receiver and the daemon's log write to it side by side.
type page struct {
	mu    sync.Mutex
	w     io.Writer
	color bool
}

// The colours of a terminal.
const (
	bold   = "\x1b[1m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	dim    = "\x1b[2m"
	plain  = "\x1b[0m"
)

func (p *page) title(text string)               { p.line("", ""); p.line(bold, text) }
func (p *page) say(format string, args ...any)  { p.line("", "  "+fmt.Sprintf(format, args...)) }
func (p *page) note(format string, args ...any) { p.line(dim, "  "+fmt.Sprintf(format, args...)) }
func (p *page) warn(format string, args ...any) { p.line(yellow, "  "+fmt.Sprintf(format, args...)) }

// webhook prints one that arrived: when, what, which object of which site, and the fields that tell the story.
func (p *page) webhook(w webhook) {
	text := fmt.Sprintf("  %s  <-  %-27s %s #%-6s %s", w.at.Format("15:04:05.000"), w.action, w.site, w.object(), strings.Join(w.fields(), ", "))
	p.line(green, strings.TrimRight(text, " "))
}

func (p *page) line(color, text string) {
	if p.color && color != "" {
		text = color + text + plain
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, text)
}

// isTerminal says whether a person looks at f.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// webhook is one request that the receiver took.
type webhook struct {
	at      time.Time
	id      string // of the header webhook-id: one that comes again has the same
	action  string // the plugin's name of it
	site    string
	payload map[string]any
	signed  bool
}

// object is the id of the object that the webhook is about; a delete may name several.
func (w webhook) object() string {
	id := w.payload["id"]
	if strings.HasPrefix(w.action, "onStatusChange") {
		id = w.payload["id_order"]
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(id), "[]"), " ", ",")
}

// key is what an expected webhook is recognised by.
func (w webhook) key() string {
	key := w.action + " #" + w.object()
	if strings.HasPrefix(w.action, "onStatusChange") {
		key += fmt.Sprintf(" %v", w.payload["status"])
	}
	return key
}

// fields are those of the payload that a person wants to see.
func (w webhook) fields() []string {
	var fields []string
	for _, name := range []string{
		"status", "checkin_ts", "purchaser_nominative", "purchaser_phone", "total_cost", "billing_name", "billing_mail", "code", "value",
	} {
		if v, ok := w.payload[name]; ok && v != nil && v != "" {
			fields = append(fields, fmt.Sprintf("%s %v", name, v))
		}
	}
	return fields
}
