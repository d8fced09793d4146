package cdc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"
	"github.com/klauspost/compress/zstd"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/wire"
)

// innerEvent is an event as it stands in a payload.
func innerEvent(typ replication.EventType, body []byte) []byte {
	event := make([]byte, replication.EventHeaderSize+len(body))
	event[4] = byte(typ)
	binary.LittleEndian.PutUint32(event[9:], uint32(len(event)))
	copy(event[replication.EventHeaderSize:], body)
	return event
}

// payloadBody is a TRANSACTION_PAYLOAD_EVENT. The sizes in front are wrong on purpose: nobody may trust them.
func payloadBody(tb testing.TB, compression uint64, events ...[]byte) []byte {
	tb.Helper()
	data := bytes.Join(events, nil)
	if compression == payloadZstd {
		z, err := zstd.NewWriter(nil)
		if err != nil {
			tb.Fatal(err)
		}
		data = z.EncodeAll(data, nil)
	}
	body := []byte{payloadCompression, 1, byte(compression), payloadUnpackedSize, 9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, payloadSize, 1, 1, payloadEnd}
	if compression == payloadPlain {
		body = append([]byte{payloadCompression, 3, 0xfc, payloadPlain, 0}, body[3:]...)
	}
	return append(body, data...)
}

// mysqlEvent hands an event over as if it were a MySQL's log.
func (h *handed) mysqlEvent(typ replication.EventType, body []byte) error {
	h.src.flavor = "mysql"
	defer func() { h.src.flavor = "mariadb" }()
	return h.event(typ, body)
}

func TestPayload(t *testing.T) {
	t.Parallel()
	begin := innerEvent(replication.QUERY_EVENT, queryBody("s", "BEGIN"))
	tableMap := innerEvent(replication.TABLE_MAP_EVENT, append([]byte{7, 0, 0, 0, 0, 0, 0, 0}, "\x01s\x00\x01t\x00\x01\x03\x00\x01"...))
	rows := innerEvent(replication.WRITE_ROWS_EVENTv1, []byte{7, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0})
	xid := innerEvent(replication.XID_EVENT, make([]byte, 8))
	whole := [][]byte{begin, tableMap, rows, xid}
	var hashes []uint64
	for _, compression := range []uint64{payloadZstd, payloadPlain} {
		h := newHanded(t, nil)
		defer h.packed.close()
		for n := range 2 { // the reader's buffers are used again
			if err := errors.Join(h.gtid(uint64(5+n)), h.mysqlEvent(replication.TRANSACTION_PAYLOAD_EVENT, payloadBody(t, compression, whole...))); err != nil {
				t.Fatal(err)
			}
			txn := <-h.txns
			if txn.End.Offset != uint64(h.pos) {
				t.Errorf("it ends at %s, the payload at %d", txn.End, h.pos)
			}
			hashes = append(hashes, txn.Txn.Hash)
		}
	}
	h := newHanded(t, nil)
	if err := errors.Join(h.gtid(5), h.rows(1), h.event(replication.XID_EVENT, make([]byte, 8))); err != nil {
		t.Fatal(err)
	}
	plain := (<-h.txns).Txn.Hash
	for _, hash := range hashes {
		if hash != plain {
			t.Errorf("hash %x of a payload, %x without", hash, plain)
		}
	}
}

func TestPayloadRefused(t *testing.T) {
	t.Parallel()
	xid := innerEvent(replication.XID_EVENT, make([]byte, 8))
	large := make([]byte, replication.EventHeaderSize)
	binary.LittleEndian.PutUint32(large[9:], wire.MaxUnpacked+1)
	promise := bytes.Clone(large)
	binary.LittleEndian.PutUint32(promise[9:], wire.MaxUnpacked)
	good := payloadBody(t, payloadZstd, xid)
	for name, body := range map[string][]byte{
		"empty":            nil,
		"without an end":   {payloadCompression, 1, 0},
		"short field":      {payloadCompression, 9, 0},
		"no number":        {payloadCompression, 0, payloadEnd},
		"unknown":          payloadBody(t, 7, xid),
		"damaged":          append(bytes.Clone(good[:len(good)-9]), 1, 2, 3, 4, 5, 6, 7, 8, 9),
		"cut":              good[:len(good)-3],
		"half an event":    payloadBody(t, payloadZstd, xid[:25]),
		"half a header":    payloadBody(t, payloadPlain, xid[:9]),
		"large event":      payloadBody(t, payloadZstd, large),
		"an empty promise": payloadBody(t, payloadZstd, promise),
		"a cut tail":       payloadBody(t, payloadZstd, innerEvent(replication.ROWS_QUERY_EVENT, make([]byte, 2*largeEvent))[:2*largeEvent-9]),
		"within itself":    payloadBody(t, payloadZstd, innerEvent(replication.TRANSACTION_PAYLOAD_EVENT, good)),
		"GTID inside":      payloadBody(t, payloadZstd, innerEvent(replication.MARIADB_GTID_EVENT, make([]byte, 13))),
		"wide window":      append([]byte{payloadCompression, 1, 0, payloadEnd}, 0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0),
	} {
		h := newHanded(t, nil)
		err := errors.Join(h.gtid(5), h.mysqlEvent(replication.TRANSACTION_PAYLOAD_EVENT, body))
		h.packed.close()
		var stop *StopError
		if !errors.As(err, &stop) {
			t.Errorf("%s: it goes on: %v", name, err)
			continue
		}
		wantStop(t, stop)
	}
}

// TestPayloadMemory unpacks 192 MB from a payload of a few kilobytes. It is not parallel: it measures memory.
func TestPayloadMemory(t *testing.T) {
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	const events, size = 12, 16 << 20
	event := innerEvent(replication.IGNORABLE_EVENT, make([]byte, size))
	for range events {
		if _, err := z.Write(event); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	body := append([]byte{payloadEnd}, packed.Bytes()...)
	var p payloadReader
	defer p.close()
	seen, most := 0, uint64(0)
	var stats runtime.MemStats
	if err := p.each(body, nil, func(_ *replication.EventHeader, body []byte) error {
		seen += len(body)
		runtime.GC()
		runtime.ReadMemStats(&stats)
		most = max(most, stats.HeapAlloc)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if seen != events*size {
		t.Errorf("%d bytes were unpacked", seen)
	}
	if len(body) > 1<<20 || most > 96<<20 {
		t.Errorf("%d packed bytes took %d bytes of memory", len(body), most)
	}
}

func FuzzPayload(f *testing.F) {
	xid := innerEvent(replication.XID_EVENT, make([]byte, 8))
	f.Add(payloadBody(f, payloadZstd, xid, xid))
	f.Add(payloadBody(f, payloadPlain, xid, xid))
	eachLogged(f, func(_ string, e cdctest.Event) {
		if e.Type == replication.TRANSACTION_PAYLOAD_EVENT {
			f.Add(e.Body())
		}
	})
	f.Fuzz(func(t *testing.T, body []byte) {
		var p payloadReader
		defer p.close()
		left := 1 << 20
		_ = p.each(body, nil, func(h *replication.EventHeader, body []byte) error {
			if int(h.EventSize) != len(body)+behind(p.tail)+replication.EventHeaderSize {
				t.Fatalf("an event of %d bytes has %d", h.EventSize, len(body))
			}
			if left -= int(h.EventSize); left < 0 {
				return errors.New("enough")
			}
			return nil
		})
	})
}

// behind is how long a tail is.
func behind(tail *io.LimitedReader) int {
	if tail == nil {
		return 0
	}
	return int(tail.N)
}
