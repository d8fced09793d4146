package rowcodec

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"slices"
	"testing"
)

// packedValue is a value of a COMPRESSED column that promises a size.
func packedValue(tb testing.TB, framed bool, size int, value []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err := z.Write(value); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	head, packed := byte(columnZlib<<4|4), out.Bytes()
	if !framed {
		head |= columnUnframed
		packed = packed[zlibHead : len(packed)-zlibTail]
	}
	return append(binary.BigEndian.AppendUint32([]byte{head}, uint32(size)), packed...)
}

func TestCompressedValues(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("long "), 1000)
	var u inflater
	for name, c := range map[string]struct{ value, want []byte }{
		"empty":   {nil, nil},
		"plain":   {[]byte("\x00abc"), []byte("abc")},
		"framed":  {packedValue(t, true, len(long), long), long},
		"bare":    {packedValue(t, false, len(long), long), long},
		"nothing": {packedValue(t, true, 0, nil), nil},
	} {
		u.begin()
		if got, err := u.unpack(c.value); err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(c.want))
		}
	}
	good := packedValue(t, true, len(long), long)
	wrongSum := slices.Concat(good[:len(good)-1], []byte{good[len(good)-1] + 1})
	for name, bad := range map[string][]byte{
		"unknown method":      {0x90, 'x'},
		"half a length":       good[:3],
		"no frame":            good[:6],
		"cut":                 good[:len(good)-5],
		"too small a promise": packedValue(t, true, len(long)-1, long),
		"too large a promise": packedValue(t, false, len(long)+1, long),
		"a wrong checksum":    wrongSum,
		"a huge promise":      packedValue(t, false, MaxImage+1, long),
	} {
		u.begin()
		if got, err := u.unpack(bad); err == nil {
			t.Errorf("%s: %d bytes without an error", name, len(got))
		}
	}
	u.begin()
	half := packedValue(t, true, MaxImage/2+1, nil) // all values of a row count together
	if _, err := u.unpack(half); err == nil || u.left >= MaxImage/2 {
		t.Errorf("%v, %d bytes are left", err, u.left)
	}
	if _, err := u.unpack(packedValue(t, true, MaxImage/2, nil)); err == nil || u.left < 0 {
		t.Errorf("%v, %d bytes are left", err, u.left)
	}
}

func FuzzCompressed(f *testing.F) {
	f.Add([]byte("\x00abc"))
	f.Add(packedValue(f, true, 9, []byte("a value a")))
	f.Add(packedValue(f, false, 9, []byte("a value a")))
	f.Add([]byte{0x8a, 0x01, 0xf4, 0x4b, 0x4c, 0x1c, 0x05, 0x23, 0x0d, 0x00, 0x00}) // REPEAT('a', 500), from a server
	var u inflater
	f.Fuzz(func(t *testing.T, value []byte) {
		u.begin()
		out, err := u.unpack(value)
		if err == nil && len(out) > max(len(value), MaxImage-u.left) {
			t.Fatalf("%d bytes became %d", len(value), len(out))
		}
	})
}
