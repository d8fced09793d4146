package cdc

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"rowhook/cdc/charset"
	"rowhook/scratch"
)

// textOf is the text of a column, also where it lies in a scratch file.
func textOf(row Row, i int) string {
	v := row.Large(i)
	if v == nil {
		return row.Text(i)
	}
	text, err := io.ReadAll(scratch.Reader(v))
	if err != nil {
		panic(err)
	}
	return string(text)
}

// FuzzTextInPieces turns values into text piece by piece: it must be the text that they are as a whole.
func FuzzTextInPieces(f *testing.F) {
	for _, text := range []string{"", "plain", "größe €  \U0001F600", "\xff\xfe\xe2\x82", "a\xf0\x9f\x98\x80\xf0\x9f\x98b\xc3", "\xe2\x82\xe2\x82\xac\x80\x80\x80\x80\x80x"} {
		f.Add([]byte(text), byte(0), byte(0))
		f.Add([]byte(text), byte(1), byte(3))
	}
	cp1251, err := charset.NewDecoder("cp1251")
	if err != nil {
		f.Fatal(err)
	}
	fields := []field{{how: asUTF8}, {how: asBytes}, {how: asText, text: cp1251}}
	f.Fuzz(func(t *testing.T, value []byte, how, piece byte) {
		in := fields[int(how)%len(fields)]
		want, err := in.append(nil, value)
		if err != nil || !in.divisible() {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := in.copyText(&got, bytes.NewReader(value), len(value), make([]byte, 4+piece%16)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("in pieces %q, as a whole %q", got.Bytes(), want)
		}
	})
}

// largeLayout is a table with a text that is large, between two others, and a hash that is no column.
func largeLayout() *layout {
	text := field{how: asUTF8, kind: Text, prefix: 4}
	return &layout{name: TableName{Schema: "s", Name: "t"}, hidden: 1, fields: []field{
		{how: asInt, kind: Int, size: 1}, text, text, {how: asInt, kind: Int, size: 1},
	}}
}

// largeImage is a row image of largeLayout.
func largeImage(id byte, large, small string) []byte {
	b := []byte{0, id}
	for _, text := range []string{large, small} {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(text))), text...)
	}
	return append(b, 99)
}

// TestLargeText reads what is too large for memory from a scratch file, and compares, completes and stores such rows.
func TestLargeText(t *testing.T) {
	t.Parallel()
	l := largeLayout()
	long := strings.Repeat("größe", largeValue/6) + strings.Repeat("\xff", largeValue)
	want := strings.ToValidUTF8(long, "\uFFFD")
	b := &RowBuilder{pad: scratch.NewPad(scratch.In(t.TempDir()))}
	read := func(op Op, images ...[]byte) (before, after Row) {
		t.Helper()
		rows := bytes.Join(images, nil)
		h := rowsHeader{op: op, columns: 4, before: bitmap{0xff}, after: bitmap{0xff}}
		err := l.eachRowFrom(h, newStream(bytes.NewReader(rows), len(rows)), b, func(x, y Row) error {
			before, after = x, y
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return before, after
	}
	before, after := read(Update, largeImage(1, long, "a"), largeImage(1, long, "b"))
	if before.Len() != 3 || after.Text(1) != "" || textOf(before, 1) != want || textOf(after, 1) != want || before.Size() < len(want) {
		t.Fatalf("%d columns, %d bytes, texts of %d and %d bytes, want %d", before.Len(), before.Size(), len(textOf(before, 1)), len(textOf(after, 1)), len(want))
	}
	for i, same := range []bool{true, true, false} {
		if before.Same(after, i) != same {
			t.Errorf("column %d: before and after are the same: %t", i, !same)
		}
	}
	_, other := read(Insert, largeImage(1, long[1:], want))
	inMemory, _, err := l.row(bitmap{0xff}, largeImage(1, long, "a"), b)
	if err != nil || inMemory.Larges() != nil {
		t.Fatalf("a row in memory has %d texts that are large, %v", len(inMemory.Larges()), err)
	}
	if other.Same(after, 1) || other.Same(inMemory, 1) || !after.Same(inMemory, 1) || !inMemory.Same(after, 1) || inMemory.Same(other, 1) {
		t.Error("texts in memory and in files are compared wrongly")
	}
	var lacking RowBuilder
	lacking.AddText(Int, "1")
	lacking.AddText(Absent, "")
	lacking.AddText(Absent, "")
	filled := lacking.Row().Fill(after, func(int) bool { return true })
	if textOf(filled, 1) != want || textOf(filled, 2) != "b" || !filled.Whole() {
		t.Errorf("completed, it has texts of %d and %d bytes", len(textOf(filled, 1)), len(textOf(filled, 2)))
	}
	for _, row := range []Row{after, inMemory} {
		data, err := row.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseRow(data)
		if err != nil {
			t.Fatal(err)
		}
		if back = back.WithLarge(row.Larges()); back.Len() != 3 || textOf(back, 1) != want || !back.Same(row, 2) {
			t.Error("what was put down is not the same")
		}
	}
}

// TestLargeTextFails tells a row that cannot be put into a scratch file from one that cannot be read.
func TestLargeTextFails(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	image := largeImage(1, strings.Repeat("x", largeValue), "")
	for _, c := range []struct {
		name  string
		files scratch.Files
		cut   int
		is    func(error) bool
	}{
		{"no file", func() (scratch.File, error) { return nil, full }, 0, func(err error) bool {
			_, ok := errors.AsType[*scratch.Error](err)
			return ok && errors.Is(err, full)
		}},
		{"a row that ends early", scratch.In(os.TempDir()), 100, func(err error) bool { return errors.Is(err, errTruncated) }},
		{"a link that breaks", scratch.In(os.TempDir()), -1, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
	} {
		b := &RowBuilder{pad: scratch.NewPad(c.files)}
		rows := image
		left := len(rows)
		if c.cut != 0 {
			rows = rows[:1000]
		}
		if c.cut > 0 {
			left = 1000
		}
		in := &stream{bufio.NewReader(bytes.NewReader(rows)), left}
		err := largeLayout().eachRowFrom(rowsHeader{op: Insert, columns: 4, after: bitmap{0xff}}, in, b, func(_, _ Row) error { return nil })
		if err == nil || !c.is(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestEmptyPromise announces a value of a gigabyte and ends after a few bytes: no memory is taken for the rest. It is not
// parallel: it measures memory.
func TestEmptyPromise(t *testing.T) {
	in := &stream{bufio.NewReader(strings.NewReader("a few bytes")), maxText + 10}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := in.value(maxText); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	if _, err := in.value(maxText + 1); err == nil {
		t.Error("a larger one is read")
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("it took %d bytes", took)
	}
}
