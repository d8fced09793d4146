package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/config"
	"rowhook/deliver"
	"rowhook/pipeline"
	"rowhook/printable"
)

// TestHostileTexts has every place that shows a text of a server, a receiver or a row show one that commands a terminal,
// turns its direction around and begins a line of its own.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	const evil = "evil\x1b[2J\u009b31m\u202e\u2066\x7f\xff\nforged line\rforged"
	finding := cdc.Finding{Check: evil, Warn: true, Found: evil, Fix: evil}
	endpoints := &endpointList{EndpointList: api.EndpointList{Daemon: true, Endpoints: []*api.Endpoint{
		{Name: "a", LastError: evil}, {Name: "b", Paused: &deliver.Pause{Reason: evil}},
	}}}
	position := &shownPosition{api.ShownPosition{Server: evil, Error: evil}}
	event := api.Firing{Site: "salon", Event: "appointment.save", Status: evil}
	run := pipeline.Run{Trouble: evil}
	logged := func(format string) func(w io.Writer) error {
		return func(w io.Writer) error {
			newLogger(config.Log{Format: format, Level: "debug"}, w).Error(evil, slog.Any("error", errors.New(evil)), slog.String("found", evil), slog.Any("list", []string{evil}))
			return nil
		}
	}
	asJSON := func(v any) func(w io.Writer) error { return func(w io.Writer) error { return writeJSON(w, v) } }
	for name, show := range map[string]func(w io.Writer) error{
		"check":          func(w io.Writer) error { return report(w, []cdc.Finding{finding}, false) },
		"check --json":   func(w io.Writer) error { return report(w, []cdc.Finding{finding}, true) },
		"endpoints":      endpoints.write,
		"endpoints json": asJSON(endpoints),
		"position":       position.write,
		"position json":  asJSON(position),
		"events":         func(w io.Writer) error { _, err := io.WriteString(w, firingLine(&event)); return err },
		"events json":    func(w io.Writer) error { return writeJSONLine(w, event) },
		"backfill": func(w io.Writer) error {
			_, err := io.WriteString(w, (&progress{began: time.Now()}).text(run))
			return err
		},
		"backfill json":   asJSON(run),
		"a log, text":     logged("text"),
		"a log, json":     logged("json"),
		"an error's text": func(w io.Writer) error { _, err := io.WriteString(w, printable.Line(evil)); return err },
	} {
		var b bytes.Buffer
		if err := show(&b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		text := b.String()
		if !strings.Contains(text, "evil") {
			t.Errorf("%s does not show the text, so this proves nothing: %q", name, text)
		}
		if i := strings.IndexAny(text, "\x1b\u009b\u202e\u2066\x7f\r"); i >= 0 || strings.Contains(text, "\xff") {
			t.Errorf("%s shows control characters: %q", name, text)
		}
		if strings.Contains(text, "\nforged") {
			t.Errorf("%s lets a text begin a line: %q", name, text)
		}
	}
}
