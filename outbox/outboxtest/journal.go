package outboxtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"rowhook/outbox"
)

// commitBatch: the parts of a batch are there together, before and after reopening, and numbers go on.
func commitBatch(t *testing.T, h *harness) {
	if res := h.resume(); res.Checkpoint != nil || len(res.Open) != 0 {
		t.Fatalf("a new store resumes from %+v", res)
	}
	first := []*outbox.Delivery{delivery(0), delivery(1)}
	record := outbox.Record{Owner: "events", Key: "a", Data: []byte("A")}
	h.commit(outbox.Batch{Checkpoint: []byte("one"), Open: []outbox.Record{record}, Deliveries: first})
	if first[0].Number != 1 || first[1].Number != 2 || first[0].Seq >= first[1].Seq || first[1].Endpoint != "a" {
		t.Errorf("the first two are %+v and %+v", first[0], first[1])
	}
	for range 2 {
		res := h.resume()
		if string(res.Checkpoint) != "one" || len(res.Open) != 1 || res.Open[0].Owner != "events" || res.Open[0].Key != "a" ||
			string(res.Open[0].Data) != "A" {
			t.Fatalf("resumes from %+v", res)
		}
		wantSame(t, "listed", h.list(outbox.Filter{}), first...)
		h.reopen()
	}

	second := []*outbox.Delivery{delivery(2)}
	h.commit(outbox.Batch{Open: []outbox.Record{{Owner: "events", Key: "a"}}, Deliveries: second})
	if second[0].Seq <= first[1].Seq || second[0].Number != 3 {
		t.Errorf("after reopening it goes on with %+v", second[0])
	}
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
	wantSame(t, "listed", h.list(outbox.Filter{}))
}

// commitCancelled: nothing of the batch is stored and no number of the endpoint is used up.
func commitCancelled(t *testing.T, h *harness) {
	ctx, cancel := context.WithCancel(h.Context())
	cancel()
	b := outbox.Batch{Checkpoint: []byte("p"), Open: []outbox.Record{{Owner: "o", Key: "a", Data: []byte("A")}},
		Deliveries: []*outbox.Delivery{delivery(0)}}
	if err := h.Commit(ctx, &b); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	h.wantNothing()
	h.commit(b)
	if n := b.Deliveries[0].Number; n != 1 {
		t.Errorf("afterwards it is number %d", n)
	}
}

// wantNothing checks that the store is as it was made.
func (h *harness) wantNothing() {
	h.Helper()
	if res := h.resume(); res.Checkpoint != nil || len(res.Open) != 0 || len(h.list(outbox.Filter{})) != 0 || len(h.pending("a")) != 0 {
		h.Errorf("something was stored: %+v", res)
	}
}

// commitFields: every field survives, the odd ones too.
func commitFields(t *testing.T, h *harness) {
	plain := delivery(0)
	odd := delivery(1)
	odd.Keys = []string{"salon/reservation/1", "salon/" + `back\nslash` + "\nand line", "ünï\x00"}
	odd.Object, odd.AsOf, odd.Kind = "partial", moment, "custom"
	odd.Omitted = []string{"notes", "a\nb", `c\d`}
	empty := &outbox.Delivery{Rule: "crm"}
	want := []*outbox.Delivery{plain, odd, empty}
	given := make([]outbox.Delivery, len(want))
	for i, d := range want {
		given[i] = *d
	}
	h.commit(outbox.Batch{Deliveries: want})
	for i, d := range want { // what Commit sets, and nothing else
		given[i].Seq, given[i].Endpoint, given[i].Number = d.Seq, "a", int64(i+1)
	}
	for range 2 {
		claimed, listed := h.claim("a", 0, 10), h.list(outbox.Filter{Bodies: true})
		if len(claimed) != len(want) || len(listed) != len(want) {
			t.Fatalf("%d claimed, %d listed", len(claimed), len(listed))
		}
		for i := range want {
			wantDelivery(t, &claimed[i].Delivery, &given[i])
			wantDelivery(t, &listed[i].Delivery, &given[i])
		}
		if d := h.list(outbox.Filter{})[0]; d.Body != nil {
			t.Errorf("List without Bodies read %q", d.Body)
		}
		h.reopen()
	}
}

// commitLarge: payloads of 16 MiB, and a batch of many large ones, come back whole.
func commitLarge(t *testing.T, h *harness) {
	var want []*outbox.Delivery
	for i, size := range []int{16 << 20, 10, 3 << 20, 3 << 20, 3 << 20, 0, 1} {
		d := delivery(i)
		d.Body = bytes.Repeat([]byte{byte('a' + i)}, size)
		want = append(want, d)
	}
	record := outbox.Record{Owner: "events", Key: "large", Data: bytes.Repeat([]byte("r"), 5<<20)}
	h.commit(outbox.Batch{Deliveries: want, Open: []outbox.Record{record}})
	for range 2 {
		got := h.pending("a")
		if len(got) != len(want) {
			t.Fatalf("%d came back", len(got))
		}
		for i, d := range got {
			if len(d.Body) > 0 && (d.Body[0] != byte('a'+i) || !bytes.Equal(d.Body, want[i].Body)) || len(d.Body) != len(want[i].Body) {
				t.Errorf("payload %d: %d bytes came back of %d, or they differ", i, len(d.Body), len(want[i].Body))
			}
		}
		if res := h.resume(); len(res.Open) != 1 || !bytes.Equal(res.Open[0].Data, record.Data) {
			t.Errorf("the large record did not come back")
		}
		h.reopen()
	}
}

// commitLimits: what exceeds a limit is refused, by name, and nothing of it is stored; what reaches it is taken.
func commitLimits(t *testing.T, h *harness) {
	l := h.Limits()
	if l.Deliveries < 256 || l.Records < 256 || l.Payload < 16<<20 || l.Bytes < l.Payload {
		t.Errorf("the limits are %+v", l)
	}
	many, largest := make([]*outbox.Delivery, l.Deliveries+1), delivery(0)
	for i := range many {
		many[i] = delivery(i)
	}
	records := make([]outbox.Record, l.Records+1)
	for i := range records {
		records[i] = outbox.Record{Owner: "o", Key: strconv.Itoa(i)}
	}
	largest.Body = make([]byte, l.Payload+1)
	for name, b := range map[string]outbox.Batch{
		"deliveries": {Deliveries: many},
		"records":    {Open: records},
		"payload":    {Deliveries: []*outbox.Delivery{largest}},
		"bytes":      {Open: []outbox.Record{{Owner: "o", Key: "k", Data: make([]byte, l.Bytes+1)}}},
	} {
		if err := h.Commit(t.Context(), &b); !errors.Is(err, outbox.ErrTooLarge) {
			t.Errorf("%s: got %v, want ErrTooLarge", name, err)
		}
	}
	h.wantNothing()
	largest.Body = largest.Body[:l.Payload]
	h.commit(outbox.Batch{Deliveries: []*outbox.Delivery{largest}})
	h.commit(outbox.Batch{Deliveries: many[1:], Open: records[1:]})
	if n := many[l.Deliveries].Number; n != int64(l.Deliveries)+1 {
		t.Errorf("the last one is number %d", n)
	}
}

// commitRecords: put, replace, delete; in the order of the first commit; a key is its owner's.
func commitRecords(t *testing.T, h *harness) {
	put := func(key, data string) outbox.Record { return outbox.Record{Owner: "o", Key: key, Data: []byte(data)} }
	gone := func(key string) outbox.Record { return outbox.Record{Owner: "o", Key: key} }
	steps := []struct {
		records []outbox.Record
		want    []string
	}{
		{[]outbox.Record{put("c", "1"), put("a", "2"), put("b", "3")}, []string{"o.c=1", "o.a=2", "o.b=3"}},
		{[]outbox.Record{put("a", "4"), put("d", "")}, []string{"o.c=1", "o.a=4", "o.b=3", "o.d="}},
		{[]outbox.Record{gone("c"), gone("never")}, []string{"o.a=4", "o.b=3", "o.d="}},
		{[]outbox.Record{put("c", "5")}, []string{"o.a=4", "o.b=3", "o.d=", "o.c=5"}},
		{[]outbox.Record{gone("a"), put("a", "6"), put("x", "7"), gone("x")}, []string{"o.b=3", "o.d=", "o.c=5", "o.a=6"}},
		{[]outbox.Record{{Owner: "p", Key: "b", Data: []byte("8")}}, []string{"o.b=3", "o.d=", "o.c=5", "o.a=6", "p.b=8"}},
		{[]outbox.Record{gone("a"), gone("b"), gone("c"), gone("d"), {Owner: "q", Key: "b"}}, []string{"p.b=8"}},
	}
	for i, step := range steps {
		h.commit(outbox.Batch{Open: step.records})
		for range 2 {
			var got []string
			for _, r := range h.resume().Open {
				if r.Data == nil {
					t.Errorf("step %d: %q comes back as one to delete", i, r.Key)
				}
				got = append(got, r.Owner+"."+r.Key+"="+string(r.Data))
			}
			if !slices.Equal(got, step.want) {
				t.Errorf("step %d: got %q, want %q", i, got, step.want)
			}
			h.reopen()
		}
	}
}
