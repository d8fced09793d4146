package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	documentedLine = regexp.MustCompile(`(?m)^ +(?:sudo )?(rowhook .*)$`)
	documentedText = regexp.MustCompile("`(?:sudo )?(rowhook [^`]*)`")
)

// TestDocumentedCommands: each command of the documentation exists, and so do its flags.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := append(documentedLine.FindAllSubmatch(text, -1), documentedText.FindAllSubmatch(text, -1)...)
		if len(found) < 10 {
			t.Errorf("%s: only %d commands are found", file, len(found))
		}
		for _, match := range found {
			line, _, _ := strings.Cut(string(match[1]), "#")
			line, _, _ = strings.Cut(line, " > ")
			args := strings.Fields(line)[1:]
			var out bytes.Buffer
			if err := command(t.Context(), append(args, "-h"), &out, &out); exitCode(err) != exitDone {
				t.Errorf("%s: %s: %v", file, line, err)
			}
		}
	}
}
