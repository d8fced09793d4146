package pipeline

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rowhook/outbox/sqlite"
	"rowhook/rules"
	"rowhook/rules/events"
)

// TestUpgradeOpenEvents: what was open when commit 9ec8472 was killed goes on to the deliveries that it would have been, by
// their ids. The directory is that of the outbox's own test.
func TestUpgradeOpenEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"outbox.db", "outbox.db-wal"} {
		packed, err := os.Open(filepath.Join("..", "outbox", "sqlite", "testdata", "schema3", name+".gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		r, err := gzip.NewReader(packed)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(t.Context(), dir, log)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	state, err := store.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := rules.Parse("rules.yaml", []byte(`rules: [{name: crm, action: appointment.save, url: "http://127.0.0.1/"}]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	engine := events.NewEngine([]*rules.Site{site}, &rules.Set{Rules: wanted}, events.Options{Coalesce: time.Second, CoalesceMax: time.Second, Log: log})
	records, _, unknown := splitRecords(state.Open)
	now := time.Now()
	if err := engine.Restore(records, now); err != nil {
		t.Fatal(err)
	}
	engine.Expire(now.Add(time.Hour))
	var got []string
	for _, ev := range engine.Closed() {
		got = append(got, fmt.Sprintf("%s %v %x", ev.Action, ev.IDs, ev.DeliveryID("source", "crm")))
	}
	want := []string{
		"appointment.save [4] 3460fb762bb4b0b99ece4be91df1f1d9", "appointment.save [5] f1e1b751cb427bcac4262e66108f9a76",
		"appointment.save [1] 147a565afb85fcbd6ea4688cdd89c84c",
	}
	if !slices.Equal(got, want) || len(engine.Stranded()) > 0 || len(unknown) > 0 {
		t.Errorf("got %q, want %q; stranded: %v, unknown: %v", got, want, engine.Stranded(), unknown)
	}
}
