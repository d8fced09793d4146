//go:build crash

package main

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestFullDiskToldCrash: a disk that is full is told while it is full: to a pager, by `rowhook status`, /readyz and the console; and once
// more when there is room, with all that was committed meanwhile.
func TestFullDiskToldCrash(t *testing.T) {
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver, pager := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	web, monitored := freeAddress(t), freeAddress(t)
	configFile := daemonFiles(t, server, "rules:\n  - {name: crm, action: appointment.save, url: "+receiver.URL()+"}\n"+readerTold("stopped", pager)+readerTold("resumed", pager),
		"coalesce: 0s\nconsole: {listen: '"+web+"'}\nmetrics: {listen: '"+monitored+"'}\n")
	state := filepath.Join(filepath.Dir(configFile), "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=64m,mode=700"); err != nil {
		t.Fatalf("mounting a small disk, which root may: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(state, 0); err != nil {
			t.Errorf("unmounting the small disk: %v", err)
		}
	})
	stop := startDaemon(t, configFile)
	defer stop()
	b := consoleLogin(t, configFile)
	book := func() {
		t.Helper()
		if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
			t.Fatal(err)
		}
	}
	book()
	receiver.WaitAccepted(patience(t), 1)
	ballast := filepath.Join(state, "ballast")
	fillDisk(t, ballast)
	booked := 1
	eventually(t, "the outbox can take no more", func() bool { // it may find room in its own files for a while
		book()
		booked++
		fillDisk(t, ballast)
		out, err := rowhook(t, configFile, "status")
		return errors.Is(err, errReported) && strings.Contains(out, "The outbox cannot be written: its disk is full")
	})
	told := paged(t, pager, "reader_stopped")
	if !strings.Contains(told.Text, "its disk is full") {
		t.Errorf("told is %q", told.Text)
	}
	b.shows(t, "/", "Stopped:", "its disk is full")
	shows(t, monitored, "/readyz", http.StatusServiceUnavailable, "a commit of the outbox has been on its way")
	shows(t, monitored, "/healthz", http.StatusOK, "ok")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	receiver.WaitAccepted(patience(t), booked)
	paged(t, pager, "reader_stopped", "reader_resumed")
	statusSays(t, configFile, false, "All is well: all is read that was committed.")
	t.Logf("what was told: %s", told.Text)
}

// fillDisk makes a file larger until the disk is full.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := bytes.Repeat([]byte{1}, 4096); ; {
		if _, err := f.Write(chunk); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
