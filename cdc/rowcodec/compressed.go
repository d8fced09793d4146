package rowcodec

import (
	"bytes"
	"compress/flate"
	"fmt"
	"hash/adler32"
	"io"
	"math"

	"rowhook/cdc/wire"
)

// The first byte of a value of a COMPRESSED column: the method in its upper half, then whether zlib's frame was left
// off, then the bytes of the length. An empty value has not even that byte.
const (
	columnPlain    = 0
	columnZlib     = 8
	columnUnframed = 0x08
	columnLength   = 0x07
)

// The frame that zlib puts around packed bytes: what they are, and a checksum of what they unpack to.
const (
	zlibHead = 2
	zlibTail = 4
)

// inflater unpacks the values of MariaDB's COMPRESSED columns. The zero inflater is ready.
type inflater struct {
	left int // bytes that the row's values may still unpack to: a few bytes may promise anything
	z    io.ReadCloser
	out  bytes.Buffer
}

// begin readies it for the values of another row.
func (u *inflater) begin() {
	u.left = MaxImage
	if u.out.Cap() > MaxKept {
		u.out = bytes.Buffer{}
	}
}

// promisedSize is what a value says that it unpacks to, in bytes; head is its beginning. 0 when it says nothing.
func promisedSize(head []byte) int {
	w := wire.Reader{Rest: head}
	first := w.Byte()
	if first>>4 != columnZlib {
		return 0
	}
	size := wire.BigEndian(w.Bytes(uint64(first & columnLength)))
	if w.Short {
		return 0
	}
	return int(min(size, math.MaxInt32))
}

// unpack returns a value as it was written. It is good until the next call.
func (u *inflater) unpack(value []byte) ([]byte, error) {
	if len(value) == 0 {
		return nil, nil
	}
	w := wire.Reader{Rest: value}
	head := w.Byte()
	switch head >> 4 {
	case columnPlain:
		return w.Rest, nil
	case columnZlib:
	default:
		return nil, fmt.Errorf("COMPRESSED by method %d, which is not known", head>>4)
	}
	size := wire.BigEndian(w.Bytes(uint64(head & columnLength)))
	packed, sum := w.Rest, []byte(nil)
	if head&columnUnframed == 0 {
		w.Bytes(zlibHead)
		packed = w.Bytes(uint64(max(0, len(w.Rest)-zlibTail)))
		sum = w.Bytes(zlibTail)
	}
	switch {
	case w.Short:
		return nil, wire.ErrTruncated
	case size > uint64(u.left):
		return nil, fmt.Errorf("a COMPRESSED value of %d bytes is too large", size)
	}
	u.left -= int(size)
	out, err := u.inflate(packed, int64(size))
	switch {
	case err != nil:
		return nil, fmt.Errorf("unpacking a COMPRESSED value: %w", err)
	case uint64(len(out)) != size:
		return nil, fmt.Errorf("a COMPRESSED value does not unpack to the %d bytes it promises", size)
	case sum != nil && wire.BigEndian(sum) != uint64(adler32.Checksum(out)):
		return nil, fmt.Errorf("a COMPRESSED value has a wrong checksum")
	}
	return out, nil
}

// inflate unpacks one byte more than it should, if there is one. Memory is taken as bytes arrive.
func (u *inflater) inflate(packed []byte, size int64) ([]byte, error) {
	from := bytes.NewReader(packed)
	if r, ok := u.z.(flate.Resetter); ok {
		if err := r.Reset(from, nil); err != nil {
			return nil, err
		}
	} else {
		u.z = flate.NewReader(from)
	}
	u.out.Reset()
	_, err := u.out.ReadFrom(io.LimitReader(u.z, size+1))
	return u.out.Bytes(), err
}
