// Package wire reads the bytes of log events, which are not trusted.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// ErrTruncated is about an event that promises more than it holds.
var ErrTruncated = errors.New("the event ends too early")

// Reader reads the parts of an event body from left to right. Bodies are not trusted: a read beyond the end returns
// nothing and sets Short, so a parser reads on and looks at Short, or Err, once.
type Reader struct {
	Rest  []byte // what is not read yet
	Short bool   // a read went beyond the end
}

// Bytes are the next n. They are a part of the event.
func (w *Reader) Bytes(n uint64) []byte {
	if n > uint64(len(w.Rest)) {
		w.Short, w.Rest = true, nil
		return nil
	}
	b := w.Rest[:n:n]
	w.Rest = w.Rest[n:]
	return b
}

// Byte is the next one.
func (w *Reader) Byte() byte {
	if b := w.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 is a little-endian integer of two bytes.
func (w *Reader) Uint16() uint16 {
	if b := w.Bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// Fixed is a little-endian integer of n bytes.
func (w *Reader) Fixed(n uint64) uint64 { return LittleEndian(w.Bytes(n)) }

// Packed is a length-encoded integer of the client protocol.
func (w *Reader) Packed() uint64 {
	switch n := w.Byte(); n {
	case 0xfc:
		return w.Fixed(2)
	case 0xfd:
		return w.Fixed(3)
	case 0xfe:
		return w.Fixed(8)
	case 0xfb, 0xff: // NULL and the error marker, neither of which is a number
		w.Short = true
		return 0
	default:
		return uint64(n)
	}
}

// Varied is an integer of MySQL's serialization format: as many one bits as bytes follow, a zero bit, the value.
func (w *Reader) Varied() uint64 {
	first := w.Byte()
	more := bits.TrailingZeros8(^first)
	rest := w.Fixed(uint64(more))
	if more >= 7 {
		return rest
	}
	return rest<<(7-more) | uint64(first)>>(more+1)
}

// Err says whether a read went beyond the end.
func (w *Reader) Err() error {
	if w.Short {
		return ErrTruncated
	}
	return nil
}

// End is an error unless everything was read, and no more.
func (w *Reader) End() error {
	if len(w.Rest) > 0 {
		return fmt.Errorf("%d bytes too many: it counts other columns than the table has", len(w.Rest))
	}
	return w.Err()
}

// LittleEndian is an integer of up to eight bytes.
func LittleEndian(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 8:
		return binary.LittleEndian.Uint64(b)
	}
	var v uint64
	for _, c := range slices.Backward(b) {
		v = v<<8 | uint64(c)
	}
	return v
}

// BigEndian is an integer of up to eight bytes.
func BigEndian(b []byte) uint64 {
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}
