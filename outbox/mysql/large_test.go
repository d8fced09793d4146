package mysql

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"rowhook/outbox"
)

// TestLargeCommit: a commit that is more than the server takes at once goes in several packets, and is one all the same. MariaDB takes
// 16 MB by default.
func TestLargeCommit(t *testing.T) {
	t.Parallel()
	server := serve(t, "--max-allowed-packet=16M")
	cfg := config(server, "outbox")
	s := open(t, cfg)
	route(t, s)
	large := func(n int) *outbox.Batch {
		b := &outbox.Batch{Checkpoint: fmt.Append(nil, n)}
		for i := range 4000 {
			b.Open = append(b.Open, outbox.Record{Owner: "o", Key: fmt.Sprint(i), Data: bytes.Repeat([]byte{byte('a' + n), '\''}, 4000)})
		}
		for i := range 1000 {
			b.Deliveries = append(b.Deliveries, &outbox.Delivery{Rule: "crm", Kind: "appointment.save", Keys: []string{fmt.Sprint(i)}, Body: bytes.Repeat([]byte("x"), 8000)})
		}
		return b
	}
	for n := range 2 {
		if err := s.Commit(t.Context(), large(n)); err != nil {
			t.Fatal(err)
		}
	}
	// One that is refused behind its first packets leaves nothing.
	server.Exec(t, `CREATE TRIGGER outbox.refuse BEFORE INSERT ON outbox.failed FOR EACH ROW SIGNAL SQLSTATE '45000'`)
	b := large(2)
	b.Deliveries[999].Rule = "nobody's" // held
	if err := s.Commit(t.Context(), b); err == nil {
		t.Error("it was taken")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, cfg)
	state, err := s.Resume(t.Context())
	if err != nil || string(state.Checkpoint) != "1" || len(state.Open) != 4000 || !strings.HasPrefix(string(state.Open[3999].Data), "b'") {
		t.Errorf("%d records at %s: %v", len(state.Open), state.Checkpoint, err)
	}
	if due, err := s.Due(t.Context()); err != nil || due["a"].Count != 2000 || due["a"].Bytes != 2000*8000 {
		t.Errorf("undelivered is %+v: %v", due, err)
	}
}

// TestTransactionTexts: a transaction is cut between its statements only, begins and ends once, and is no more than there is room for.
func TestTransactionTexts(t *testing.T) {
	t.Parallel()
	var p, q packet
	for i := range 10 {
		p.add(`UPDATE t SET a = ?`, strings.Repeat("x", i))
	}
	rows := q.list(`INSERT INTO t VALUES `, ` ON DUPLICATE KEY UPDATE a = 1`)
	for range 40 {
		rows.add(strings.Repeat("y", maxStatement/10))
	}
	rows.end()
	whole := transaction(1<<30, []*packet{&p, &q})
	if len(whole) != 1 || !strings.HasPrefix(whole[0], "BEGIN;\nUPDATE t") || !strings.HasSuffix(whole[0], "a = 1;\nCOMMIT") || strings.Count(whole[0], "INSERT") < 4 {
		t.Errorf("%d texts: %.60q", len(whole), whole[0])
	}
	for _, room := range []int{60, 100, 2 << 20, 3 << 20, len(whole[0]) - 1} {
		texts := transaction(room, []*packet{&p, &q})
		if strings.Join(texts, "") != whole[0] || len(texts) < 2 {
			t.Errorf("room for %d: %d texts that are not the whole one", room, len(texts))
		}
		for i, text := range texts {
			if len(text) > max(room, 2*maxStatement) || i < len(texts)-1 && !strings.HasSuffix(text, ";\n") {
				t.Errorf("room for %d: text %d has %d bytes, and ends in %q", room, i, len(text), text[max(0, len(text)-10):])
			}
		}
	}
}
