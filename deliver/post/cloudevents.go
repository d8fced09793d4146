package post

import (
	"encoding/hex"
	"strings"
	"time"
)

// CloudEvent is the fields of a request's head that make it a CloudEvent, a line each.
func (m *Message) CloudEvent() string {
	return strings.ReplaceAll(string(appendCloudEvent(nil, m)), "\r\n", "\n")
}

// appendCloudEvent appends what makes a request a CloudEvent in binary mode (CloudEvents 1.0.2, HTTP binding 3.1): the body
// stays what it is. Source and id together are the event's, in each of its tries.
func appendCloudEvent(b []byte, m *Message) []byte {
	b = append(b, "Ce-Specversion: 1.0\r\nCe-Id: "...)
	b = hex.AppendEncode(b, m.ID[:])
	b = append(b, "\r\nCe-Source: rowhook/"...)
	b = appendEncoded(b, m.Site)
	b = append(b, "\r\nCe-Type: "...)
	if !strings.HasPrefix(m.Kind, "rowhook.") {
		b = append(b, "vikappointments."...)
	}
	b = appendEncoded(b, m.Kind)
	b = append(b, "\r\nCe-Time: "...)
	b = m.Created.UTC().AppendFormat(b, time.RFC3339Nano)
	if m.Key != "" {
		b = append(b, "\r\nCe-Subject: "...)
		b = appendEncoded(b, m.Key)
	}
	return append(b, "\r\n"...)
}

// appendEncoded appends a value as the binding wants it: what is no printable ASCII, blanks, quotes and percent signs in
// percent encoding.
func appendEncoded(b []byte, value string) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range []byte(value) {
		if c <= ' ' || c > '~' || c == '"' || c == '%' {
			b = append(b, '%', digits[c>>4], digits[c&0xf])
		} else {
			b = append(b, c)
		}
	}
	return b
}
