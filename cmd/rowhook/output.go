package main

import (
	"bytes"
	"encoding/json"
	"io"

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
