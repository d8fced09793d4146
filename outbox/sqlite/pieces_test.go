package sqlite

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"rowhook/outbox"
)

// broken is a large payload that cannot be read to its end.
type broken struct{ *bytes.Reader }

var errBroken = errors.New("the scratch file is gone")

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off > 2*pieceSize {
		return 0, errBroken
	}
	return b.Reader.ReadAt(p, off)
}

// TestPieces: large payloads and open events take nothing with them that is not theirs, and leave nothing behind.
func TestPieces(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	text := []byte(`{"notes": "` + strings.Repeat("größe", 50_000) + `"}`)
	large := func() outbox.Blob { return bytes.NewReader(text) }
	rows := func(want int64) {
		t.Helper()
		if n, err := number(s.w.conn, `SELECT count(*) FROM piece`); err != nil || n != want {
			t.Errorf("%d pieces, want %d (%v)", n, want, err)
		}
	}
	each := int64((len(text) + pieceSize - 1) / pieceSize)
	b := &outbox.Batch{
		Deliveries: []*outbox.Delivery{{Rule: "crm", Body: []byte(`{}`)}, {Rule: "crm", Large: large()}, {Rule: "crm", Large: large()}},
		Open:       []outbox.Record{{Key: "e1", Large: large()}},
	}
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	rows(3 * each)
	same, err := number(s.w.conn, `SELECT count(*) FROM deliveries WHERE payload = '`+string(text)+`'`)
	if err != nil || same != 2 {
		t.Errorf("the view shows %d of 2 large payloads, %v", same, err)
	}
	failing := &outbox.Batch{
		Deliveries: []*outbox.Delivery{{Rule: "crm", Large: broken{bytes.NewReader(text)}}},
		Open:       []outbox.Record{{Key: "e1"}, {Key: "e2", Large: large()}},
	}
	if err := s.Commit(t.Context(), failing); !errors.Is(err, errBroken) {
		t.Errorf("a payload that cannot be read: %v", err)
	}
	rows(3 * each)
	if err := s.Commit(t.Context(), &outbox.Batch{Open: []outbox.Record{{Key: "e2"}, {Key: "e1"}, {Key: "e3", Large: large()}, {Key: "e1"}}}); err != nil {
		t.Fatal(err)
	}
	rows(3 * each)
	settle(t, s, outbox.Outcome{Seq: 1, State: outbox.Delivered}, outbox.Outcome{Seq: 2, State: outbox.Delivered}, outbox.Outcome{Seq: 3, State: outbox.Delivered})
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	prune(t, s, time.Now().Add(time.Hour), 3)
	rows(each) // the open event's
}

// TestDamagedPieces: a piece that is missing or was changed is found when it is read, and said so.
func TestDamagedPieces(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"missing":  `DELETE FROM piece WHERE n = 2`,
		"the last": `DELETE FROM piece WHERE n = 4`,
		"short":    `UPDATE piece SET body = substr(body, 2) WHERE n = 2`,
		"unsealed": `UPDATE piece SET body = CAST(substr(body, 1, 65536) || 'x' AS BLOB) WHERE n = 2`,
	} {
		dir := t.TempDir()
		s := open(t, dir)
		d := &outbox.Delivery{Rule: "crm", Large: strings.NewReader(strings.Repeat("x", 4*pieceSize+10))}
		if err := s.Commit(t.Context(), &outbox.Batch{Deliveries: []*outbox.Delivery{d}}); err != nil {
			t.Fatal(err)
		}
		if err := s.w.conn.Exec(damage); err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, d.Open())
		if err == nil || !strings.Contains(err.Error(), "the file is damaged") || !strings.Contains(err.Error(), dir) || n >= d.Size() {
			t.Errorf("%s: %d bytes were read, %v", name, n, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, d.Open()); !errors.Is(err, outbox.ErrClosed) {
			t.Errorf("%s: of a closed store: %v", name, err)
		}
	}
}
