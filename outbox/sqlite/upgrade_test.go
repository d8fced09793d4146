package sqlite

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/outbox"
)

// schema3 lays down what the version before schema 4 left when it was killed, following a real server (commit 9ec8472): three
// open events; deliveries that are waiting because their receiver is down (down), does not want them (strict), or is paused
// (paused); dead ones; and held ones, whose rule is gone. Half of it is in the log in front of the file.
func schema3(t *testing.T) (dir string) {
	t.Helper()
	return unpack(t, "schema3")
}

// unpack lays down what is in a folder of testdata.
func unpack(t *testing.T, folder string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{fileName, fileName + "-wal"} {
		packed, err := os.Open(filepath.Join("testdata", folder, name+".gz"))
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
	return dir
}

// lines are what that version listed.
func lines(list []*outbox.Stored) (text []string) {
	for _, d := range list {
		text = append(text, fmt.Sprintf("%d %s %s %v %d", d.Seq, d.ID, d.Rule, d.State, d.Attempts))
	}
	return text
}

// TestUpgrade: a state directory of the version before opens and goes on, every id unchanged.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	dir := schema3(t)
	if _, err := OpenLog(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "older rowhook (schema 3, this one reads 6)") {
		t.Errorf("before the daemon: %v", err)
	}
	content, err := os.ReadFile(filepath.Join("testdata", "schema3", "deliveries.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(strings.ReplaceAll(strings.TrimSpace(string(content)), " ", "\x00"))
	for i, line := range want {
		line = strings.ReplaceAll(line, "\x00", " ")
		if strings.HasSuffix(line, " paused waiting 0") { // it never was tried: there was no room for it in memory
			line = strings.Replace(line, "waiting", "fresh", 1)
		}
		want[i] = line
	}
	for range 2 {
		s := open(t, dir)
		if got := lines(all(t, s, outbox.Filter{Bodies: true})); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		checkUpgradedRest(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	checkUpgradedQueues(t, open(t, dir), want)
}

// all lists deliveries.
func all(t *testing.T, s *Store, f outbox.Filter) []*outbox.Stored {
	t.Helper()
	list, err := s.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// checkUpgradedRest: the position, the records with their owners, the settings.
func checkUpgradedRest(t *testing.T, s *Store) {
	t.Helper()
	res, err := s.Resume(t.Context())
	if err != nil || !strings.Contains(string(res.Checkpoint), "binlog.000001") {
		t.Errorf("resumes from %q, %v", res.Checkpoint, err)
	}
	owners := map[string]int{}
	for _, r := range res.Open {
		owners[r.Owner+" "+r.Key[:1]]++
		if len(r.Data) == 0 {
			t.Errorf("record %q of %s has no data", r.Key, r.Owner)
		}
	}
	if owners["events e"] != 3 || owners["schema s"] == 0 {
		t.Errorf("records are %v", owners)
	}
	for _, key := range []string{"source_id", "deliver_pauses"} {
		if value, err := s.Get(t.Context(), key); err != nil || value == "" {
			t.Errorf("the setting %s is %q, %v", key, value, err)
		}
	}
}

// checkUpgradedQueues: the first Route gives what is undelivered its number, in order; and all goes on from there.
func checkUpgradedQueues(t *testing.T, s *Store, want []string) {
	t.Helper()
	if due, err := s.Due(t.Context()); err != nil || len(due) != 0 {
		t.Errorf("before the first Route: %v, %v", due, err)
	}
	moved, err := s.Route(t.Context(), map[string]string{"crm": "a", "strict": "a", "down": "d", "paused": "p"})
	if err != nil || moved.Held != 0 || moved.Released != 0 || moved.Rerouted == 0 {
		t.Errorf("the first Route moved %+v, %v", moved, err)
	}
	undelivered := 0
	for endpoint, rules := range map[string]string{"a": "crm strict", "d": "down", "p": "paused"} {
		list, err := s.Claim(t.Context(), endpoint, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, line := range want {
			if f := strings.Fields(line); strings.Contains(rules, f[2]) && (f[3] == "waiting" || f[3] == "fresh") {
				left = append(left, line)
			}
		}
		if got := lines(list); !slices.Equal(got, left) {
			t.Errorf("%s has\n%s\nwant\n%s", endpoint, strings.Join(got, "\n"), strings.Join(left, "\n"))
		}
		for i, d := range list {
			if d.Number != int64(i+1) || len(d.Body) == 0 || d.Age > time.Minute {
				t.Errorf("delivery %d is number %d at %s, has %d bytes and is %v old", d.Seq, d.Number, endpoint, len(d.Body), d.Age)
			}
		}
		undelivered += len(list)
	}
	if undelivered != moved.Rerouted {
		t.Errorf("%d are undelivered, %d were routed", undelivered, moved.Rerouted)
	}
	if moved, err := s.Route(t.Context(), map[string]string{"crm": "a", "strict": "a", "down": "d", "paused": "p", "gone": "g"}); err != nil || moved.Released != 3 {
		t.Errorf("with the rule that was gone: %+v, %v", moved, err)
	}
	last := int64(len(want))
	added := &outbox.Delivery{ID: outbox.ID{1}, Rule: "crm", Body: []byte("{}")}
	if err := s.Commit(t.Context(), &outbox.Batch{Deliveries: []*outbox.Delivery{added}}); err != nil || added.Seq != last+1 {
		t.Errorf("the next one is %d, %v", added.Seq, err)
	}
}

// TestUpgradeFrom4: what the version before schema 5 left, half of it in the log in front of the file, opens and goes on. What it
// did not count begins at zero.
func TestUpgradeFrom4(t *testing.T) {
	t.Parallel()
	dir := unpack(t, "schema4")
	content, err := os.ReadFile(filepath.Join("testdata", "schema4", "deliveries.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(string(content))
	for n := range int64(2) {
		s := open(t, dir)
		if got := strings.Join(lines(all(t, s, outbox.Filter{Bodies: true})), "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if res, err := s.Resume(t.Context()); err != nil || string(res.Checkpoint) != "binlog.000001:4" || len(res.Open) != 1 {
			t.Errorf("resumes from %+v, %v", res, err)
		}
		totals, err := s.Totals(t.Context())
		if err != nil || len(totals.Rules) != 3 || totals.Rules[1].Rule != "down" || totals.Rules[1].Failed != n || totals.Rules[0].Delivered != 0 {
			t.Errorf("in all %+v, %v", totals, err)
		}
		failed := &outbox.Attempt{At: time.Now(), Error: "refused"}
		if err := s.Settle(t.Context(), []outbox.Outcome{{Seq: 2, State: outbox.Waiting, Attempts: 1, Attempt: failed, Due: time.Date(2026, 11, 29, 20, 0, 0, 0, time.UTC)}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir)
	if hours, err := s.Hours(t.Context(), "https://down.example", time.Now().Add(-2*time.Hour)); err != nil || len(hours) == 0 {
		t.Errorf("by the hour %+v, %v", hours, err)
	}
	if list, err := s.Claim(t.Context(), "https://crm.example", 0, 10); err != nil || len(list) != 2 {
		t.Errorf("%d deliveries are left for crm, %v", len(list), err)
	}
}

// TestUpgradeFrom5: what was counted before schema 6 still counts.
func TestUpgradeFrom5(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Commit(t.Context(), &outbox.Batch{Events: []outbox.EventCount{{Site: "salon", Kind: "k", N: 3}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	alter(t, dir, `DROP TABLE counted; UPDATE meta SET value = '5' WHERE key = 'schema'`)
	for n := range int64(2) {
		s := open(t, dir)
		many := make([]outbox.EventCount, 2*fewEvents)
		for i := range many {
			many[i] = outbox.EventCount{Site: "salon", Kind: "k", N: 1}
		}
		if err := s.Commit(t.Context(), &outbox.Batch{Events: many}); err != nil {
			t.Fatal(err)
		}
		if totals, err := s.Totals(t.Context()); err != nil || len(totals.Events) != 1 || totals.Events[0].N != 3+(n+1)*2*fewEvents {
			t.Errorf("counted %+v, %v", totals.Events, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUpgradeOlder: those before it have no table of what was sent again, and none of pieces.
func TestUpgradeOlder(t *testing.T) {
	t.Parallel()
	for found, older := range map[int]string{1: `DROP TABLE retried; ` + withoutPieces, 2: withoutPieces} {
		t.Run(fmt.Sprint("from ", found), func(t *testing.T) {
			t.Parallel()
			dir := schema3(t)
			alter(t, dir, older+fmt.Sprintf(`UPDATE meta SET value = '%d' WHERE key = 'schema'`, found))
			for range 2 {
				s := open(t, dir)
				if n := len(all(t, s, outbox.Filter{Bodies: true})); n != 27 {
					t.Errorf("lists %d", n)
				}
				checkUpgradedRest(t, s)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// withoutPieces makes a file one of version 2.
const withoutPieces = `DROP TABLE piece; DROP TRIGGER open_changed; DROP TRIGGER open_deleted; `

// TestUpgradePieces: what was stored in pieces, and what was larger than a batch is now, is read whole.
func TestUpgradePieces(t *testing.T) {
	t.Parallel()
	dir := schema3(t)
	alter(t, dir, `
		INSERT INTO piece SELECT 27, n, CAST(zeroblob(65536) || x'01' AS BLOB) FROM (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2);
		INSERT INTO piece VALUES (27, 3, CAST('the end' || x'01' AS BLOB));
		UPDATE delivery SET off = -1, len = 3 * 65536 + 7 WHERE seq = 27;
		UPDATE batch SET body = CAST(zeroblob(5000000) || 'x' AS BLOB) WHERE first = 1;
		UPDATE delivery SET off = 0, len = 5000001 WHERE seq = 1;
		INSERT INTO open(key, data) VALUES ('e9', x'');
		INSERT INTO piece SELECT -ord, 0, CAST('large' || x'01' AS BLOB) FROM open WHERE key = 'e9';`)
	for range 2 {
		s := open(t, dir)
		list := all(t, s, outbox.Filter{Bodies: true, Newest: true, Limit: 1})
		if len(list) != 1 || len(list[0].Body) != 3*65536+7 || !strings.HasSuffix(string(list[0].Body), "the end") {
			t.Errorf("of the payload in pieces %d bytes are read", len(list[0].Body))
		}
		if list = all(t, s, outbox.Filter{Bodies: true, Limit: 1}); len(list) != 1 || len(list[0].Body) != 5000001 {
			t.Error("the large payload is not read")
		}
		res, err := s.Resume(t.Context())
		if last := res.Open[len(res.Open)-1]; err != nil || last.Owner != "events" || string(last.Data) != "large" {
			t.Errorf("the large record is %q, %v", last.Data, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDowngrade: an older version refuses a file of this one by the number in it, and so does this one a newer's.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	alter(t, dir, `UPDATE meta SET value = '7' WHERE key = 'schema' AND value = '6'`)
	if _, err := Open(t.Context(), dir, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "newer rowhook (schema 7, this one knows 6)") {
		t.Errorf("got %v", err)
	}
}
