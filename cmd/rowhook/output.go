package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"rowhook/printable"
)

// writeJSON writes a value for programs, indented. A terminal may show it too, so what commands a terminal is escaped.
func writeJSON(w io.Writer, v any) error {
	text, err := encodeJSON(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text+"\n")
	return err
}

// writeJSONLine is writeJSON on a single line.
func writeJSONLine(w io.Writer, v any) error {
	text, err := encodeJSON(v, "", "")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text+"\n")
	return err
}

// encodeJSON is a value as JSON without control characters, and without a line end.
func encodeJSON(v any, prefix, indent string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, indent)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return printable.Text(string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))), nil
}

// few is the names of rules for a line of a table: all while they are short enough to read, or else their number and the
// first ones. JSON has all.
func few(names []string) string {
	const most, width = 4, 80
	shown, length := 0, 0
	for _, name := range names {
		if length += len(name) + len(", "); shown > 0 && (shown == most || length > width) {
			break
		}
		shown++
	}
	text := strings.Join(names[:shown], ", ")
	if shown < len(names) {
		text = count(len(names), "rule") + ": " + text + ", ..."
	}
	return text
}
