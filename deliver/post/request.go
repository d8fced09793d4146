package post

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Message is what is posted, and what its receiver is told beside it.
type Message struct {
	ID       [16]byte  // webhook-id, in hexadecimal digits
	Action   string    // X-VAP-WEBHOOK-ACTION: the plugin's name of the action
	Site     string    // X-Rowhook-Site
	Object   string    // X-Rowhook-Object; empty: none
	AsOf     time.Time // X-Rowhook-As-Of, to the millisecond; zero: none
	Sequence int64     // X-Rowhook-Sequence; 0: none
	Omitted  string    // X-Rowhook-Omitted; empty: none
	Test     bool      // X-Rowhook-Test: 1: it is a sample of invented data
	Kind     string    // the event, "appointment.save": ce-type
	Created  time.Time // ce-time
	Key      string    // ce-subject; empty: none
	Body     []byte    // the payload, which must not change until Post returns

	KeepText bool // Result has the text of an answer of 2xx, too
}

// oneWrite is how long a payload is copied behind the head, to leave with it in one piece.
const oneWrite = 8 << 10

// request is a try, made ready. It is the sender's, until the next one.
type request struct {
	begin, rest []byte // what is written: the head and a payload of ordinary size, or the head and then the payload
	keep        bool   // the answer's text is wanted whatever its status
	deadline    time.Time
}

// compose makes a request, but for its deadline.
func (s *Sender) compose(t *Target, m *Message, now time.Time) {
	s.out = s.appendHead(s.out[:0], t, m, now)
	var rest []byte
	if len(m.Body) > oneWrite {
		rest = m.Body
	} else {
		s.out = append(s.out, m.Body...)
	}
	s.request = request{begin: s.out, rest: rest, keep: m.KeepText}
}

// appendHead appends the head of a try: what all requests to the target begin with, and what is this message's and this
// try's own. The names are written as net/http writes them.
func (s *Sender) appendHead(b []byte, t *Target, m *Message, now time.Time) []byte {
	b = append(b, t.head...)
	b = append(b, s.client.agent...)
	b = appendField(b, "X-Vap-Webhook-Action", m.Action)
	b = appendField(b, "X-Rowhook-Site", m.Site)
	if m.Object != "" {
		b = appendField(b, "X-Rowhook-Object", m.Object)
	}
	if !m.AsOf.IsZero() {
		b = append(b, "X-Rowhook-As-Of: "...)
		b = m.AsOf.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
		b = append(b, "\r\n"...)
	}
	if m.Sequence != 0 {
		b = append(b, "X-Rowhook-Sequence: "...)
		b = strconv.AppendInt(b, m.Sequence, 10)
		b = append(b, "\r\n"...)
	}
	if m.Omitted != "" {
		b = appendField(b, "X-Rowhook-Omitted", m.Omitted)
	}
	if m.Test {
		b = appendField(b, "X-Rowhook-Test", "1")
	}
	if t.events {
		b = appendCloudEvent(b, m)
	}
	b = s.appendSignature(b, t, m, now)
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(m.Body)), 10)
	return append(b, "\r\n\r\n"...)
}

// appendSignature appends what Standard Webhooks asks for: the id, the time of the try, and both and the body signed with each key.
func (s *Sender) appendSignature(b []byte, t *Target, m *Message, now time.Time) []byte {
	s.signed = hex.AppendEncode(s.signed[:0], m.ID[:])
	id := len(s.signed)
	s.signed = append(s.signed, '.')
	s.signed = strconv.AppendInt(s.signed, now.Unix(), 10)
	b = append(b, "Webhook-Id: "...)
	b = append(b, s.signed[:id]...)
	b = append(b, "\r\nWebhook-Timestamp: "...)
	b = append(b, s.signed[id+1:]...)
	if len(t.keys) > 0 {
		s.signed = append(s.signed, '.')
		b = append(b, "\r\nWebhook-Signature: "...)
		b = t.sign(b, s.signed, m.Body)
	}
	return append(b, "\r\n"...)
}

// appendField appends a field of a head. A character that would end it, or that may not stand there, becomes a space: the
// names of sites and actions are people's own.
func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	from := len(b)
	b = append(b, strings.Trim(value, " \t\r\n")...)
	for i, c := range b[from:] {
		if c < ' ' && c != '\t' || c == 0x7f {
			b[from+i] = ' '
		}
	}
	return append(b, "\r\n"...)
}
