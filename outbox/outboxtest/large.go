package outboxtest

import (
	"bytes"
	"io"
	"testing"

	"rowhook/outbox"
	"rowhook/scratch"
)

// odd is bytes of which no part is like another.
func odd(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// copies are deliveries as they were before a store took them.
func copies(list []*outbox.Delivery) []*outbox.Delivery {
	out := make([]*outbox.Delivery, len(list))
	for i, d := range list {
		c := *d
		out[i] = &c
	}
	return out
}

// whole is a large record.
func whole(t *testing.T, b outbox.Blob) []byte {
	t.Helper()
	data, err := io.ReadAll(scratch.Reader(b))
	if err != nil || int64(len(data)) != b.Size() {
		t.Fatalf("%d bytes of %d: %v", len(data), b.Size(), err)
	}
	return data
}

// largePayloads: those that are not in memory come back in pieces, from memory and from the file, among others that are.
func largePayloads(t *testing.T, h *harness) {
	sizes := []int{100, 70_000, 10 << 20, 1, 65536, 131072, 65537, 0}
	want := make([]*outbox.Delivery, len(sizes))
	for i, size := range sizes {
		want[i] = delivery(i)
		if i%4 != 0 {
			want[i].Body, want[i].Large = nil, bytes.NewReader(odd(size))
		}
	}
	given := copies(want)
	h.commit(outbox.Batch{Deliveries: want})
	for range 2 {
		var got []*outbox.Delivery
		for after := int64(0); len(got) < len(want); after = got[len(got)-1].Seq {
			got = append(got, h.next(after, 100)...)
		}
		listed := h.list(outbox.Filter{Bodies: true})
		for i, d := range got {
			given[i].Seq = int64(i + 1)
			wantDelivery(t, d, given[i])
			wantDelivery(t, &listed[i].Delivery, given[i])
			if (d.Large == nil) != (i%4 == 0) {
				t.Errorf("delivery %d of %d bytes is large: %t", d.Seq, d.Size(), d.Large != nil)
			}
		}
		if d := h.list(outbox.Filter{})[2]; d.Large != nil || d.Body != nil {
			t.Error("List without Bodies read one")
		}
		b := make([]byte, 100_000) // over the border of two pieces, whatever those are
		content := odd(sizes[2])
		for _, off := range []int{0, 1, 65_000, 9 << 20, 10<<20 - 5} {
			n, err := got[2].Large.ReadAt(b, int64(off))
			if end := min(off+len(b), len(content)); !bytes.Equal(b[:n], content[off:end]) || (n < len(b)) != (err == io.EOF) { //nolint:errorlint // as io.ReaderAt says
				t.Errorf("from %d on: %d bytes, %v", off, n, err)
			}
		}
		h.reopen()
	}
}

// largeRecords: put, replace by one in memory and the other way round, delete; in the order of the first commit.
func largeRecords(t *testing.T, h *harness) {
	large := func(key string, size int) outbox.Record {
		return outbox.Record{Key: key, Large: bytes.NewReader(odd(size))}
	}
	small := func(key, data string) outbox.Record { return outbox.Record{Key: key, Data: []byte(data)} }
	for i, step := range []struct{ put, want []outbox.Record }{
		{[]outbox.Record{small("a", "1"), large("b", 5<<20), small("c", "3")}, []outbox.Record{small("a", "1"), large("b", 5<<20), small("c", "3")}},
		{[]outbox.Record{large("b", 200_000), large("c", 10)}, []outbox.Record{small("a", "1"), large("b", 200_000), large("c", 10)}},
		{[]outbox.Record{small("b", "small")}, []outbox.Record{small("a", "1"), small("b", "small"), large("c", 10)}},
		{[]outbox.Record{{Key: "c"}, large("d", 70_000)}, []outbox.Record{small("a", "1"), small("b", "small"), large("d", 70_000)}},
		{[]outbox.Record{{Key: "c"}, {Key: "b"}, {Key: "a"}}, []outbox.Record{large("d", 70_000)}},
		{[]outbox.Record{{Key: "d"}, large("e", 70_001), {Key: "d"}}, []outbox.Record{large("e", 70_001)}},
		{[]outbox.Record{{Key: "e"}}, nil},
	} {
		h.commit(outbox.Batch{Open: step.put})
		for range 2 {
			got := h.resume().Open
			if len(got) != len(step.want) {
				t.Fatalf("step %d: %d records", i, len(got))
			}
			for j, want := range step.want {
				if got[j].Key != want.Key || (got[j].Large == nil) != (want.Large == nil) || !bytes.Equal(got[j].Data, want.Data) ||
					want.Large != nil && !bytes.Equal(whole(t, got[j].Large), whole(t, want.Large)) {
					t.Errorf("step %d: the record %s is not as it was stored", i, want.Key)
				}
			}
			h.reopen()
		}
	}
}
