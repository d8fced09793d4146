package outboxtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"rowhook/outbox"
)

// commitBatch: the parts of a batch are there together, before and after reopening, and sequence numbers go on.
func commitBatch(t *testing.T, h *harness) {
	if res := h.resume(); res.Checkpoint != nil || len(res.Open) != 0 {
		t.Fatalf("a new store resumes from %+v", res)
	}
	first := []*outbox.Delivery{delivery(0), delivery(1)}
	h.commit(outbox.Batch{Checkpoint: []byte("one"), Open: []outbox.Record{{Key: "a", Data: []byte("A")}}, Deliveries: first})
	wantSeqs(t, "first batch", seqs(first), 1, 2)

	for range 2 {
		res := h.resume()
		if string(res.Checkpoint) != "one" || len(res.Open) != 1 || res.Open[0].Key != "a" || string(res.Open[0].Data) != "A" {
			t.Fatalf("resumes from %+v", res)
		}
		wantSeqs(t, "listed", storedSeqs(h.list(outbox.Filter{})), 1, 2)
		h.reopen()
	}

	second := []*outbox.Delivery{delivery(2)}
	h.commit(outbox.Batch{Open: []outbox.Record{{Key: "a"}}, Deliveries: second})
	wantSeqs(t, "second batch", seqs(second), 3)
	if res := h.resume(); string(res.Checkpoint) != "one" || len(res.Open) != 0 {
		t.Errorf("a batch without position left %+v", res)
	}
	h.commit(outbox.Batch{Checkpoint: []byte("two")})
	if res := h.resume(); string(res.Checkpoint) != "two" {
		t.Errorf("position is %q, want two", res.Checkpoint)
	}
}

// commitEmpty: nothing changes.
func commitEmpty(t *testing.T, h *harness) {
	h.commit(outbox.Batch{})
	h.commit(outbox.Batch{Checkpoint: []byte("p")})
	h.commit(outbox.Batch{})
	h.reopen()
	if res := h.resume(); string(res.Checkpoint) != "p" || len(res.Open) != 0 {
		t.Errorf("resumes from %+v", res)
	}
	wantSeqs(t, "listed", storedSeqs(h.list(outbox.Filter{})))
}

// commitCancelled: nothing of the batch is stored and no number is used up.
func commitCancelled(t *testing.T, h *harness) {
	ctx, cancel := context.WithCancel(h.Context())
	cancel()
	b := outbox.Batch{Checkpoint: []byte("p"), Open: []outbox.Record{{Key: "a", Data: []byte("A")}}, Deliveries: []*outbox.Delivery{delivery(0)}}
	if err := h.Commit(ctx, &b); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	if res := h.resume(); res.Checkpoint != nil || len(res.Open) != 0 || len(h.list(outbox.Filter{})) != 0 {
		t.Errorf("something was stored: %+v", res)
	}
	h.commit(b)
	wantSeqs(t, "afterwards", seqs(b.Deliveries), 1)
}

// commitFields: every field survives, the odd ones too.
func commitFields(t *testing.T, h *harness) {
	plain := delivery(0)
	odd := delivery(1)
	odd.Keys = []string{"salon/reservation/1", "salon/" + `back\nslash` + "\nand line", "ünï\x00"}
	odd.Object, odd.AsOf, odd.Rule, odd.Kind = "partial", moment, "other'; --", "custom"
	empty := &outbox.Delivery{}
	want := []*outbox.Delivery{plain, odd, empty}
	h.commit(outbox.Batch{Deliveries: want})
	for range 2 {
		got := h.next(0, 10)
		if len(got) != len(want) {
			t.Fatalf("got %d deliveries", len(got))
		}
		for i, d := range got {
			wantDelivery(t, d, want[i])
		}
		for i, d := range h.list(outbox.Filter{Bodies: true}) {
			wantDelivery(t, &d.Delivery, want[i])
		}
		if d := h.list(outbox.Filter{})[0]; d.Body != nil {
			t.Errorf("List without Bodies read %q", d.Body)
		}
		h.reopen()
	}
}

// commitLarge: payloads of 20 MB, and a batch of many large ones, come back whole.
func commitLarge(t *testing.T, h *harness) {
	var want []*outbox.Delivery
	for i, size := range []int{20 << 20, 10, 3 << 20, 3 << 20, 3 << 20, 0, 1} {
		d := delivery(i)
		d.Body = bytes.Repeat([]byte{byte('a' + i)}, size)
		want = append(want, d)
	}
	given := copies(want)
	record := outbox.Record{Key: "large", Data: bytes.Repeat([]byte("r"), 5<<20)}
	h.commit(outbox.Batch{Deliveries: want, Open: []outbox.Record{record}})
	for range 2 {
		var got []*outbox.Delivery
		for after := int64(0); len(got) < len(want); after = got[len(got)-1].Seq {
			got = append(got, h.next(after, 100)...)
		}
		for i, d := range got {
			given[i].Seq = want[i].Seq
			wantDelivery(t, d, given[i])
		}
		if res := h.resume(); len(res.Open) != 1 || !bytes.Equal(res.Open[0].Data, record.Data) {
			t.Errorf("the large record did not come back")
		}
		h.reopen()
	}
}

// openRecords: put, replace, delete; in the order of the first commit.
func openRecords(t *testing.T, h *harness) {
	put := func(key, data string) outbox.Record { return outbox.Record{Key: key, Data: []byte(data)} }
	steps := []struct {
		records []outbox.Record
		want    []string
	}{
		{[]outbox.Record{put("c", "1"), put("a", "2"), put("b", "3")}, []string{"c=1", "a=2", "b=3"}},
		{[]outbox.Record{put("a", "4"), put("d", "")}, []string{"c=1", "a=4", "b=3", "d="}},
		{[]outbox.Record{{Key: "c"}, {Key: "never"}}, []string{"a=4", "b=3", "d="}},
		{[]outbox.Record{put("c", "5")}, []string{"a=4", "b=3", "d=", "c=5"}},
		{[]outbox.Record{{Key: "a"}, put("a", "6"), put("x", "7"), {Key: "x"}}, []string{"b=3", "d=", "c=5", "a=6"}},
		{[]outbox.Record{{Key: "a"}, {Key: "b"}, {Key: "c"}, {Key: "d"}}, nil},
	}
	for i, step := range steps {
		h.commit(outbox.Batch{Open: step.records})
		for range 2 {
			var got []string
			for _, r := range h.resume().Open {
				got = append(got, r.Key+"="+string(r.Data))
			}
			if !slices.Equal(got, step.want) {
				t.Errorf("step %d: got %q, want %q", i, got, step.want)
			}
			h.reopen()
		}
	}
}

// meta: settings are read back, replaced and kept.
func meta(t *testing.T, h *harness) {
	want := func(key, value string) {
		t.Helper()
		got, err := h.Meta(h.Context(), key)
		h.must(err)
		if got != value {
			t.Errorf("%s is %q, want %q", key, got, value)
		}
	}
	want("source_id", "")
	h.must(h.SetMeta(h.Context(), "source_id", "one"))
	h.must(h.SetMeta(h.Context(), "server_id", "7"))
	want("source_id", "one")
	h.must(h.SetMeta(h.Context(), "source_id", "two"))
	h.reopen()
	want("source_id", "two")
	want("server_id", "7")
	h.must(h.SetMeta(h.Context(), "source_id", ""))
	want("source_id", "")
}
