package events

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/scratch"
)

// A large transaction is the same events, whether it is in memory or in files, and its files go with it.
func TestLargeTransactionGoesToFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made := 0
	open := map[string]bool{}
	files := func() (scratch.File, error) {
		made++
		name := filepath.Join(dir, fmt.Sprint(made))
		f, err := os.Create(name)
		open[name] = true
		return &countedFile{f, func() { delete(open, name) }}, err
	}
	var lists [2][]string
	for i, s := range []scratch.Files{nil, files} {
		w := newWorld(t, Options{Scratch: s})
		var changes []cdc.Change
		for id := range 9000 {
			changes = append(changes, w.insert("reservation", fmt.Sprintf("id=%d id_employee=1 status=C notes=%s", id+1, strings.Repeat("x", 500))))
		}
		for id := range 3000 {
			changes = append(changes, w.remove("service", fmt.Sprintf("id=%d", id+1)))
		}
		w.tx(0, changes...)
		for _, ev := range w.closed {
			lists[i] = append(lists[i], fmt.Sprintf("%s %x", summary(ev), ev.DeliveryID("source", "rule")))
		}
	}
	if !slices.Equal(lists[0], lists[1]) {
		t.Errorf("in memory %d events, in files %d, or other ones", len(lists[0]), len(lists[1]))
	}
	if len(lists[1]) != 9000+3 {
		t.Errorf("%d events of 9,000 inserts and 3,000 deletes", len(lists[1]))
	}
	if made == 0 || len(open) > 0 {
		t.Errorf("%d files were made, %d are left open", made, len(open))
	}
}

type countedFile struct {
	*os.File
	closed func()
}

func (f *countedFile) Close() error { f.closed(); return f.File.Close() }
