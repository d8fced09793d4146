package outboxtest

import (
	"errors"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"rowhook/outbox"
)

// settings: they are read back, replaced, kept, and changed only from what they are.
func settings(t *testing.T, h *harness) {
	want := func(key, value string) {
		t.Helper()
		got, err := h.Get(t.Context(), key)
		h.must(err)
		if got != value {
			t.Errorf("%s is %q, want %q", key, got, value)
		}
	}
	set := func(key, old, value string, want error) {
		t.Helper()
		if err := h.CompareAndSet(t.Context(), key, old, value); !errors.Is(err, want) {
			t.Errorf("%s from %q to %q: got %v, want %v", key, old, value, err, want)
		}
	}
	want("source_id", "")
	set("source_id", "", "one", nil)
	set("server_id", "", "7", nil)
	set("source_id", "", "two", outbox.ErrChanged)
	set("source_id", "two", "three", outbox.ErrChanged)
	want("source_id", "one")
	set("source_id", "one", "two", nil)
	h.reopen()
	want("source_id", "two")
	want("server_id", "7")
	set("source_id", "two", "", nil)
	want("source_id", "")
	set("source_id", "two", "three", outbox.ErrChanged)
	set("source_id", "", "with\x00 ünï\n", nil)
	h.reopen()
	want("source_id", "with\x00 ünï\n")
}

// settingsRace: of many who change a setting at once none loses another's change.
func settingsRace(t *testing.T, h *harness) {
	const workers, each = 8, 25
	var group errgroup.Group
	for range workers {
		group.Go(func() error {
			for n := 0; n < each; {
				old, err := h.Get(t.Context(), "count")
				if err != nil {
					return err
				}
				count, _ := strconv.Atoi(old) // "" is 0
				switch err := h.CompareAndSet(t.Context(), "count", old, strconv.Itoa(count+1)); {
				case err == nil:
					n++
				case !errors.Is(err, outbox.ErrChanged):
					return err
				}
			}
			return nil
		})
	}
	h.must(group.Wait())
	if got, err := h.Get(t.Context(), "count"); err != nil || got != strconv.Itoa(workers*each) {
		t.Errorf("counted %s, %v", got, err)
	}
}
