package mysql

import (
	"encoding/binary"
	"errors"

	"rowhook/outbox"
)

// handed is a place in the row of what is handed over at an endpoint.
type handed struct{ epoch, k int64 }

// before tells whether it comes before another.
func (h handed) before(o handed) bool { return h.epoch < o.epoch || h.epoch == o.epoch && h.k < o.k }

// place is where a delivery lies, as who claimed it knows. It spares the holder a look: one that no mark says otherwise of lies
// there still, fresh.
type place struct{ endpoint, n, label, length int64 }

// handedOver is an outcome as a member hands it over.
type handedOver struct {
	outbox.Outcome
	place place // but for the endpoint, which the row says; zero where the holder is to look itself
}

// bundle is what was handed over at once of an endpoint.
type bundle struct {
	endpoint int64
	handed
	outcomes []handedOver
	size     int   // in bytes
	damaged  error // they cannot be read
}

// handedForm is the form in which outcomes are handed over, their first byte.
const handedForm = 1

// encodeOutcomes is what is stored of outcomes that are handed over.
func encodeOutcomes(list []handedOver) []byte {
	data := []byte{handedForm}
	number := func(n int64) { data = binary.AppendVarint(data, n) }
	text := func(s string) { data = append(binary.AppendUvarint(data, uint64(len(s))), s...) }
	number(int64(len(list)))
	for _, o := range list {
		tried := byte(0)
		if o.Attempt != nil {
			tried = 1
		}
		data = append(data, byte(o.State), tried)
		for _, n := range []int64{o.Seq, int64(o.Attempts), micros(o.Due), o.Took.Microseconds(), o.place.n, o.place.label, o.place.length} {
			number(n)
		}
		if a := o.Attempt; a != nil {
			number(micros(a.At))
			number(a.Latency.Microseconds())
			number(int64(a.Status))
			text(a.Error)
			text(a.Response)
		}
	}
	return data
}

var errHanded = errors.New("outcomes that a member handed over cannot be read: they are passed over, and what they were of is sent again")

// decodeOutcomes is the opposite of encodeOutcomes.
func decodeOutcomes(data []byte) ([]handedOver, error) {
	d := decoder{data: data}
	if d.byte() != handedForm {
		return nil, errHanded
	}
	n := d.number()
	if d.failed || n < 0 || n > maxHandedOf {
		return nil, errHanded
	}
	list := make([]handedOver, n)
	for i := range list {
		o := &list[i]
		o.State = outbox.State(d.byte())
		tried := d.byte()
		o.Seq, o.Attempts, o.Due, o.Took = d.number(), int(d.number()), timeOf(d.number()), duration(d.number())
		o.place = place{n: d.number(), label: d.number(), length: d.number()}
		if tried == 1 {
			o.Attempt = &outbox.Attempt{At: timeOf(d.number()), Latency: duration(d.number()), Status: int(d.number()), Error: d.text(), Response: d.text()}
		}
		if d.failed || o.Check() != nil || tried > 1 || o.place.length < 0 {
			return nil, errHanded
		}
	}
	if len(d.data) > 0 {
		return nil, errHanded
	}
	return list, nil
}

// decoder reads what encodeOutcomes writes, from its beginning. What cannot be read is zero.
type decoder struct {
	data   []byte
	failed bool
}

func (d *decoder) byte() (b byte) {
	if len(d.data) == 0 {
		d.failed = true
		return 0
	}
	b, d.data = d.data[0], d.data[1:]
	return b
}

func (d *decoder) number() int64 {
	v, n := binary.Varint(d.data)
	if n <= 0 {
		d.failed, d.data = true, nil
		return 0
	}
	d.data = d.data[n:]
	return v
}

func (d *decoder) text() (s string) {
	size, n := binary.Uvarint(d.data)
	if n <= 0 || size > outbox.MaxText || size > uint64(len(d.data)-n) {
		d.failed, d.data = true, nil
		return ""
	}
	s, d.data = string(d.data[n:n+int(size)]), d.data[n+int(size):]
	return s
}
