package rowcodec

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/wire"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// largeLayout is a table with two texts between two numbers, and a hash that is no column.
func largeLayout() *Layout {
	text := field{how: asUTF8, kind: Text, prefix: 4}
	return &Layout{name: ddl.TableName{Schema: "s", Name: "t"}, hidden: 1, fields: []field{
		{how: asInt, kind: Int, size: 1}, text, text, {how: asInt, kind: Int, size: 1},
	}}
}

// largeImage is a row image of largeLayout.
func largeImage(id byte, texts ...string) []byte {
	b := []byte{0, id}
	for _, text := range texts {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(text))), text...)
	}
	return append(b, 99)
}

// readImages reads images from a stream, those of an update or of an insert.
func readImages(t *testing.T, l *Layout, all ...[]byte) (before, after Row) {
	t.Helper()
	rows := bytes.Join(all, nil)
	h := Header{Op: Insert, columns: len(l.fields), before: bitmap{0xff}, after: bitmap{0xff}}
	if len(all) == 2 {
		h.Op = Update
	}
	in := &Images{in: bufio.NewReader(bytes.NewReader(rows)), left: len(rows)}
	if err := l.EachRow(h, in, &RowBuilder{}, func(x, y Row) error { before, after = x, y; return nil }); err != nil {
		t.Fatal(err)
	}
	return before, after
}

// TestImageBound leaves the largest values out, of equal ones the last, and nothing that may be a key.
func TestImageBound(t *testing.T) {
	t.Parallel()
	const most = MaxImage
	for _, c := range []struct {
		name          string
		first, last   int  // bytes of the texts
		first1, last1 bool // whether they are left out
	}{
		{"both fit", most / 2, most / 2, false, false},
		{"the first is larger", most/2 + 2, most / 2, true, false},
		{"the last is larger", most / 2, most/2 + 2, false, true},
		{"of equal ones the last", most/2 + 1, most/2 + 1, false, true},
		{"one is too large by itself", most + 1, most, true, false},
		{"both are", most + 1, most + 2, true, true},
		{"the other one may be a key", most, alwaysKept, false, false},
		{"the other one is larger than any key", most, alwaysKept + 1, true, false},
	} {
		_, row := readImages(t, largeLayout(), largeImage(7, strings.Repeat("a", c.first), strings.Repeat("b", c.last)))
		if row.Omitted(1) != c.first1 || row.Omitted(2) != c.last1 {
			t.Errorf("%s: left out are %t, %t", c.name, row.Omitted(1), row.Omitted(2))
		}
		for i, size := range []int{1: c.first, 2: c.last} {
			want := Text
			if row.Omitted(i) {
				want, size = Absent, 0
			}
			if i > 0 && (row.Kind(i) != want || len(row.Text(i)) != size || !row.Shows(i)) {
				t.Errorf("%s: column %d is of kind %d, %d bytes", c.name, i, row.Kind(i), len(row.Text(i)))
			}
		}
		if n, ok := row.Int(0); row.Len() != 3 || !ok || n != 7 {
			t.Errorf("%s: the others are %d of %d columns", c.name, n, row.Len())
		}
	}
}

// TestOmitted compares, completes and stores rows of which values were left out.
func TestOmitted(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("größe", MaxImage/6)
	before, after := readImages(t, largeLayout(), largeImage(1, long, "a"), largeImage(1, long, "b"))
	_, other := readImages(t, largeLayout(), largeImage(1, long[1:]+"x", ""))
	for i, same := range []bool{true, true, false} {
		if before.Same(after, i) != same {
			t.Errorf("column %d: before and after are the same: %t", i, !same)
		}
	}
	inMemory, _, err := largeLayout().row(bitmap{0xff}, largeImage(1, long, "a"), nil, &RowBuilder{})
	if err != nil || inMemory.Omitted(1) {
		t.Fatal(err)
	}
	if other.Same(after, 1) || other.Same(inMemory, 1) || !after.Same(inMemory, 1) || !inMemory.Same(after, 1) || before.Same(Row{}, 1) {
		t.Error("what is left out is compared wrongly")
	}
	if before.Whole() || before.Size() > 200 {
		t.Errorf("whole: %t, %d bytes", before.Whole(), before.Size())
	}
	var lacking RowBuilder
	lacking.AddText(Int, "1")
	lacking.AddText(Absent, "")
	lacking.AddText(Absent, "")
	filled := lacking.Row().Fill(after, func(int) bool { return true })
	if !filled.Omitted(1) || !filled.Same(after, 1) || filled.Text(2) != "b" {
		t.Error("what is left out does not complete a row")
	}
	if again := after.Fill(inMemory, func(int) bool { return true }); !again.Omitted(1) {
		t.Error("what is left out is taken from an older row")
	}
	data, err := after.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ParseRow(data); err != nil || !back.Omitted(1) || !back.Same(after, 1) || back.Text(1) != "" {
		t.Errorf("what was put down is not the same: %v", err)
	}
	if out := inMemory.Omit(func(i int) bool { return i == 1 }); !out.Omitted(1) || out.Text(2) != "a" {
		t.Error("a column cannot be left out")
	}
}

// TestImageBoundOfCompressed goes by what values unpack to, in events of any size.
func TestImageBoundOfCompressed(t *testing.T) {
	t.Parallel()
	l, err := NewLayout(&TableMap{types: []byte{mysql.MYSQL_TYPE_TINY, typeBlobCompressed}, meta: []uint16{0, 4}}, []ddl.Column{{Name: "id"}, {Name: "c", Charset: "utf8mb4"}})
	if err != nil {
		t.Fatal(err)
	}
	for size, out := range map[int]bool{10: false, MaxImage: false, MaxImage + 1: true, 64 << 20: true} {
		value := packedValue(t, true, size, bytes.Repeat([]byte("x"), size))
		image := append(binary.LittleEndian.AppendUint32([]byte{0, 7}, uint32(len(value))), value...)
		var row Row
		err := l.EachRow(Header{Op: Insert, columns: 2, after: bitmap{0xff}}, &Images{rows: slices.Concat(image, image)}, &RowBuilder{}, func(_, r Row) error {
			row = r
			return nil
		})
		if n, ok := row.Int(0); err != nil || row.Omitted(1) != out || !out && len(row.Text(1)) != size || !ok || n != 7 {
			t.Errorf("%d bytes: left out: %t, %d bytes, %v", size, row.Omitted(1), len(row.Text(1)), err)
		}
	}
}

// TestImagePassedOver steps over large values of columns that nobody asks for.
func TestImagePassedOver(t *testing.T) {
	t.Parallel()
	l := largeLayout()
	l.fields[1].name, l.fields[2].name = "a", "b"
	_, row := readImages(t, l.Only("b"), largeImage(1, strings.Repeat("x", 5<<20), "b"))
	if row.Shows(1) || row.Omitted(1) || row.Text(2) != "b" {
		t.Errorf("shows it: %t; the other is %q", row.Shows(1), row.Text(2))
	}
}

// TestImageCut ends rows early, and breaks the link.
func TestImageCut(t *testing.T) {
	t.Parallel()
	image := largeImage(1, strings.Repeat("x", 2<<20), strings.Repeat("y", 1<<20))
	for _, n := range []int{0, 1, 2, 5, 1 << 20, 2<<20 + 8, len(image) - 1} {
		for left, want := range map[int]error{n: wire.ErrTruncated, len(image): io.ErrUnexpectedEOF} {
			in := &Images{in: bufio.NewReader(bytes.NewReader(image[:n])), left: left}
			err := largeLayout().EachRow(Header{Op: Insert, columns: 4, after: bitmap{0xff}}, in, &RowBuilder{}, func(_, _ Row) error { return nil })
			if !errors.Is(err, want) && (left <= n || !errors.Is(err, io.EOF)) {
				t.Errorf("%d bytes, announced %d: %v", n, left, err)
			}
		}
	}
}

// TestImagePromise announces values of a gigabyte and ends after a few bytes: no memory is taken for the rest. It is not
// parallel: it measures memory.
func TestImagePromise(t *testing.T) {
	image := binary.LittleEndian.AppendUint32([]byte{0, 1}, 1<<30)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in := &Images{in: bufio.NewReader(bytes.NewReader(image)), left: 2 << 30}
	err := largeLayout().EachRow(Header{Op: Insert, columns: 4, after: bitmap{0xff}}, in, &RowBuilder{}, func(_, _ Row) error { return nil })
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, io.EOF) || took > 1<<20 {
		t.Errorf("it took %d bytes: %v", took, err)
	}
}
