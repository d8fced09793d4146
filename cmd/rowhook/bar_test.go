package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rowhook/pipeline"
)

// onTerminal hands do a terminal, and returns what that showed.
func onTerminal(t *testing.T, do func(terminal *os.File)) string {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan string)
	go func() {
		all, _ := io.ReadAll(screen) // ends with an error when the terminal is closed
		shown <- string(all)
	}()
	do(terminal)
	terminal.Close()
	return <-shown
}

// TestBars: long work shows how far it is on a terminal, and nowhere else; nothing of it is left when it is done.
func TestBars(t *testing.T) {
	t.Parallel()
	work := func(to, results io.Writer) {
		spinner := newSpinner(to, results)
		spinner.Describe("half of it")
		_ = spinner.Clear()
	}
	if shown := onTerminal(t, func(terminal *os.File) { work(terminal, io.Discard) }); !strings.Contains(shown, "half of it") || !strings.HasSuffix(shown, "\x1b[2K\r") {
		t.Errorf("on a terminal: %q", shown)
	}
	if shown := onTerminal(t, func(terminal *os.File) { work(terminal, terminal) }); shown != "" {
		t.Errorf("in between of results on the same terminal: %q", shown)
	}
	var file bytes.Buffer
	if work(&file, io.Discard); file.Len() > 0 {
		t.Errorf("into a file: %q", &file)
	}
}

// TestBackfillProgress: a terminal shows a bar with what it waits for, a file lines, and programs get JSON alone.
func TestBackfillProgress(t *testing.T) {
	t.Parallel()
	follow := func(w io.Writer, asJSON bool) {
		r := pipeline.Run{ID: "b1", Backfill: pipeline.Backfill{Rule: "crm"}, State: pipeline.Running, Total: 10}
		p := progress{w: w, asJSON: asJSON, from: r, began: time.Now()}
		p.begin(r)
		r.Read, r.Trouble = 5, "waits for the endpoint"
		p.show(r)
		r.Read, r.Made, r.Trouble, r.State = 10, 10, "", pipeline.Done
		if err := p.end(r); err != nil {
			t.Error(err)
		}
	}
	end := "done: 10 rows, 10 saves; how they go: rowhook deliveries list --rule crm"
	shown := onTerminal(t, func(terminal *os.File) { follow(terminal, false) })
	if !strings.Contains(shown, "waits for the endpoint") || !strings.Contains(shown, "50%") || !strings.HasSuffix(shown, "\x1b[2K\r"+end+"\r\n") {
		t.Errorf("on a terminal: %q", shown)
	}
	var file bytes.Buffer
	follow(&file, false)
	if want := "backfill b1 of rule crm: 10 rows\n5 of 10 rows: waits for the endpoint\n" + end + "\n"; file.String() != want {
		t.Errorf("into a file: %q, want %q", &file, want)
	}
	if shown := onTerminal(t, func(terminal *os.File) { follow(terminal, true) }); strings.Count(shown, "{") != 3 || strings.Contains(shown, "\x1b") {
		t.Errorf("as JSON: %q", shown)
	}
}
