package mysql

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"

	"rowhook/outbox"
	"rowhook/outbox/pending"
)

// TestEveryByte: texts and payloads are stored as they are, whatever bytes they are of.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	s := open(t, config(serve(t), "outbox"))
	route(t, s)
	var all []byte
	for i := range 1 << 16 { // all pairs of bytes
		all = append(all, byte(i>>8), byte(i))
	}
	texts := [][]byte{all, []byte(`'`), []byte(`''`), []byte(`\`), []byte(`\'`), []byte(`'\`), []byte(`?`), []byte("-- \x00"), {0xc3}, {0xc3, '\''}, []byte(`/*!50000`), {}}
	b := new(outbox.Batch)
	for i, text := range texts {
		b.Deliveries = append(b.Deliveries, &outbox.Delivery{ID: outbox.ID(bytes.Repeat([]byte{'\''}, 16)), Rule: "crm", Kind: "k", Keys: []string{"k"}, Body: text})
		b.Open = append(b.Open, outbox.Record{Owner: "o" + string(text[:min(len(text), 1000)]), Key: string(rune('a' + i)), Data: text})
	}
	b.Checkpoint = all
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.queue.mu.Lock()
	s.queue.recent = newRecent() // the server is asked
	s.queue.mu.Unlock()
	list, err := s.Claim(t.Context(), "a", 0, 100)
	if err != nil || len(list) != len(texts) {
		t.Fatalf("%d are claimed: %v", len(list), err)
	}
	res, err := s.Resume(t.Context())
	if err != nil || len(res.Open) != len(texts) || !bytes.Equal(res.Checkpoint, all) {
		t.Fatalf("resumes with %d records, %v", len(res.Open), err)
	}
	for i, text := range texts {
		if d, r := list[i], res.Open[i]; !bytes.Equal(d.Body, text) || d.ID != b.Deliveries[i].ID || !bytes.Equal(r.Data, text) || r.Owner != "o"+string(text[:min(len(text), 1000)]) {
			t.Errorf("%.20q became %.20q, in a record of %.20q %.20q", text, d.Body, r.Owner, r.Data)
		}
	}
}

// TestSession: a session that reads texts in another way than they are written is not used.
func TestSession(t *testing.T) {
	t.Parallel()
	s := open(t, config(serve(t), "outbox"))
	conn, err := s.reader.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := newConnector(*s.cfg, false)
	for _, set := range []string{"sql_mode = @@sql_mode", "sql_mode = 'STRICT_TRANS_TABLES'", "sql_mode = @@sql_mode", "NAMES utf8mb4", "NAMES latin1"} {
		err := conn.Raw(func(raw any) error {
			session := raw.(*session)
			if err := execute(t.Context(), session, "SET "+set); err != nil {
				return err
			}
			return c.greet(t.Context(), session, false)
		})
		if want := set != "sql_mode = @@sql_mode"; errors.Is(err, errSession) != want || !want && err != nil {
			t.Errorf("%s: %v", set, err)
		}
		if err := conn.Raw(func(raw any) error {
			return execute(t.Context(), raw.(*session), "SET NAMES binary; SET sql_mode = 'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES'")
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRiding: outcomes are written by themselves only when many wait beside those that a transaction takes along.
func TestRiding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		content := &content{ends: map[int64]*end{}, fence: fence{lastSeq: 10 * pending.FlushCount}}
		q := newQueue(running(0), content)
		flushes, closing, ended := 0, make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- q.flusher.Run(t.Context(), closing, func() error { flushes++; return nil })
		}()
		settle := func(n, want int) {
			t.Helper()
			for range n {
				if _, _, err := q.settle([]outbox.Outcome{{Seq: 1, State: outbox.Delivered, Attempts: 1}}); err != nil {
					t.Fatal(err)
				}
			}
			if synctest.Wait(); flushes != want {
				t.Errorf("they were flushed %d times, want %d", flushes, want)
			}
		}
		settle(pending.FlushCount-1, 0)
		riding := len(q.outcomes())
		settle(pending.FlushCount-1, 0)
		q.written(content, newChange(content, nil, 0), nil, riding)
		settle(0, 0)
		settle(1, 1)
		close(closing)
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}
