package cdc

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// wire reads the parts of an event body from left to right. Bodies are not trusted: a read beyond the end returns
// nothing and sets short, so a parser reads on and looks at short once.
type wire struct {
	rest  []byte
	short bool
}

func (w *wire) bytes(n uint64) []byte {
	if n > uint64(len(w.rest)) {
		w.short, w.rest = true, nil
		return nil
	}
	b := w.rest[:n:n]
	w.rest = w.rest[n:]
	return b
}

func (w *wire) byte() byte {
	if b := w.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (w *wire) uint16() uint16 {
	if b := w.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// fixed is a little-endian integer of n bytes.
func (w *wire) fixed(n uint64) uint64 { return littleEndian(w.bytes(n)) }

// packed is a length-encoded integer of the client protocol.
func (w *wire) packed() uint64 {
	switch n := w.byte(); n {
	case 0xfc:
		return w.fixed(2)
	case 0xfd:
		return w.fixed(3)
	case 0xfe:
		return w.fixed(8)
	case 0xfb, 0xff: // NULL and the error marker, neither of which is a number
		w.short = true
		return 0
	default:
		return uint64(n)
	}
}

// bitmap holds one bit per column, the first in the lowest bit of the first byte. Bits beyond its end are clear.
type bitmap []byte

func (b bitmap) has(i int) bool { return i>>3 < len(b) && b[i>>3]&(1<<(i&7)) != 0 }

// count is how many of the first bits are set.
func (b bitmap) count(most int) int {
	n := 0
	for i, c := range b[:min(len(b), bitmapSize(most))] {
		if left := most - 8*i; left < 8 {
			c &= 1<<left - 1
		}
		n += bits.OnesCount8(c)
	}
	return n
}

func bitmapSize(bits int) int { return (bits + 7) / 8 }

// littleEndian is an integer of up to eight bytes.
func littleEndian(b []byte) uint64 {
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

func bigEndian(b []byte) uint64 {
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}
