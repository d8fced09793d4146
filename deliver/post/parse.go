package post

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
)

// form is what parse makes of the bytes of an answer.
type form uint8

const (
	short   form = iota // it is not there whole
	usual               // it is understood
	unusual             // it may mean anything: net/http decides
)

// parse reads an answer from the bytes that came so far, and tells how many it has. It understands HTTP/1.1 as servers
// write it, in its strictest form: a final status, fields of printable characters, and a length or chunks. The text is a
// part of the bytes, unless it came in several chunks.
func parse(b []byte, a *answer) (size int, f form) {
	*a = answer{}
	h := head{answer: a, length: -1}
	for first := true; ; first = false {
		line, length, f := cutLine(b[size:])
		if f != usual {
			return 0, f
		}
		size += length
		switch {
		case first && !h.status(line):
			return 0, unusual
		case first:
		case len(line) == 0:
			n, f := h.body(b[size:])
			return size + n, f
		case !h.field(line):
			return 0, unusual
		}
	}
}

// cutLine is the first line of b, without the CR and LF at its end, and its length with them.
func cutLine(b []byte) (line []byte, length int, f form) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return nil, 0, short
	}
	line, ok := bytes.CutSuffix(b[:end], []byte("\r"))
	if !ok {
		return nil, 0, unusual
	}
	return line, end + 1, usual
}

// head is what of an answer's head matters.
type head struct {
	*answer
	length  int // of the body; -1: it was not told
	chunked bool
}

// status takes in a line such as "HTTP/1.1 200 OK".
func (h *head) status(line []byte) (ok bool) {
	code, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(code) < 3 || len(code) > 3 && code[3] != ' ' || !isPrintable(code) {
		return false
	}
	h.answer.status, ok = number(code[:3], 10)
	h.reuse = true
	return ok && h.answer.status >= http.StatusOK
}

// field takes in a line such as "Content-Length: 2".
func (h *head) field(line []byte) (ok bool) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !isName(name) || !isPrintable(value) {
		return false
	}
	switch { // nearly all fields are none of these
	case is(name, "Content-Length"):
		if h.chunked || h.length >= 0 {
			return false
		}
		h.length, ok = number(trim(value), 10)
		return ok
	case is(name, "Transfer-Encoding"):
		if h.chunked || h.length >= 0 || h.bodiless() {
			return false
		}
		h.chunked = true
		return is(trim(value), "chunked")
	case is(name, "Connection"):
		value = trim(value)
		closes := is(value, "close")
		h.reuse = h.reuse && !closes
		return closes || is(value, "keep-alive")
	case is(name, "Retry-After"):
		twice := h.retryAfter != ""
		h.retryAfter = string(trim(value))
		return !twice && h.retryAfter != ""
	}
	return !is(name, "Trailer")
}

func (h *head) bodiless() bool {
	return h.answer.status == http.StatusNoContent || h.answer.status == http.StatusNotModified
}

// body takes in the body, and tells how long it is as it came.
func (h *head) body(b []byte) (size int, f form) {
	switch {
	case h.chunked:
		return h.chunks(b)
	case h.bodiless():
		return 0, usual
	case h.length < 0:
		return 0, unusual // it ends with the connection
	case h.length > len(b):
		return 0, short
	}
	h.text = b[:h.length]
	return h.length, usual
}

// chunks takes in a body in chunks. It knows neither extensions nor trailers.
func (h *head) chunks(b []byte) (size int, f form) {
	for {
		line, length, f := cutLine(b[size:])
		if f != usual {
			return 0, f
		}
		n, ok := number(line, 16)
		if !ok {
			return 0, unusual
		}
		size += length
		end := size + n
		if end+2 > len(b) {
			return 0, short
		}
		if b[end] != '\r' || b[end+1] != '\n' {
			return 0, unusual
		}
		if n == 0 {
			return end + 2, usual
		}
		if h.text == nil {
			h.text = b[size:end]
		} else {
			h.text = append(slices.Clip(h.text), b[size:end]...) // b is left as it is
		}
		size = end + 2
	}
}

// number is what digits say; false: they are none, or too many for a length that anybody means.
func number(digits []byte, base int) (n int, ok bool) {
	const most = 12
	for _, c := range digits {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 || d >= base || c < '0' {
			return 0, false
		}
		n = n*base + d
	}
	return n, 0 < len(digits) && len(digits) <= most
}

// is compares without regard to case.
func is(b []byte, text string) bool { return len(b) == len(text) && strings.EqualFold(string(b), text) }

func trim(value []byte) []byte { return bytes.Trim(value, " \t") }

func isName(b []byte) bool {
	for _, c := range b {
		if (c|0x20 < 'a' || 'z' < c|0x20) && c != '-' && (c < '0' || '9' < c) && strings.IndexByte("!#$%&'*+.^_`|~", c) < 0 {
			return false
		}
	}
	return len(b) > 0
}

func isPrintable(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
