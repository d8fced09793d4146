package wire

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
)

// MaxUnpacked bounds what is unpacked into memory, in bytes: a few bytes may promise anything.
const MaxUnpacked = 16 << 20

// PackedSize is what log_bin_compress promises that data unpacks to, in bytes: a byte with the algorithm (always zlib) and
// the size of the length, then the length in big-endian order. It returns what follows.
func PackedSize(data []byte) (size int, packed []byte, err error) {
	w := Reader{Rest: data}
	head := w.Byte()
	n := BigEndian(w.Bytes(uint64(head & 0x07)))
	switch {
	case w.Short:
		return 0, nil, ErrTruncated
	case head&0x70 != 0:
		return 0, nil, fmt.Errorf("algorithm %d is not known", head>>4&0x07)
	case n > math.MaxUint32:
		return 0, nil, fmt.Errorf("%d bytes are too many", n)
	}
	return int(n), w.Rest, nil
}

// Unpack undoes log_bin_compress. The size is a promise only, so memory is taken as bytes arrive.
func Unpack(data []byte) ([]byte, error) {
	size, packed, err := PackedSize(data)
	if err == nil && size > MaxUnpacked {
		err = fmt.Errorf("%d bytes are too many", size)
	}
	if err != nil {
		return nil, err
	}
	in, err := Unpacking(bytes.NewReader(packed), size)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(in)
}

// Unpacking undoes it as it is read.
func Unpacking(packed io.Reader, size int) (io.Reader, error) {
	z, err := zlib.NewReader(packed)
	return &exact{z, size}, err
}

// exact reads as many bytes as were promised, and fails when there are others.
type exact struct {
	in   io.Reader
	left int
}

func (e *exact) Read(b []byte) (int, error) {
	if e.left == 0 {
		switch n, err := io.ReadFull(e.in, make([]byte, 1)); {
		case n > 0:
			return 0, errors.New("there is more than was promised")
		default:
			return 0, err
		}
	}
	n, err := e.in.Read(b[:min(len(b), e.left)])
	e.left -= n
	if errors.Is(err, io.EOF) {
		err = nil // what is missing is found next
		if e.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}
