package rowcodec

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

func sampleRow() Row {
	var b RowBuilder
	b.AddText(Int, "-12")
	b.AddText(Null, "")
	b.AddText(Text, "größe")
	b.AddText(Absent, "")
	b.AddText(Binary, "\x00\xff")
	b.AddText(Int, "18446744073709551615")
	return b.Row()
}

func TestRow(t *testing.T) {
	t.Parallel()
	row := sampleRow()
	data, err := row.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseRow(data)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"-12", "", "größe", "", "\x00\xff", "18446744073709551615"}
	kinds := []Kind{Int, Null, Text, Absent, Binary, Int}
	for i := range kinds {
		if back.Text(i) != texts[i] || back.Kind(i) != kinds[i] || !back.Same(row, i) {
			t.Errorf("column %d is %d %q", i, back.Kind(i), back.Text(i))
		}
	}
	if back.Len() != len(kinds) || back.Text(-1)+back.Text(6) != "" || back.Kind(-1) != Absent || back.Kind(6) != Absent {
		t.Errorf("%d columns", back.Len())
	}
	for i, want := range map[int]int64{0: -12, 1: math.MinInt64, 5: math.MinInt64} {
		got, ok := back.Int(i)
		if ok != (want != math.MinInt64) || ok && got != want {
			t.Errorf("column %d is the integer %d, %t", i, got, ok)
		}
	}
	if back.Same(row, 0) && row.Same(Row{}, 0) {
		t.Error("a value is the same as none")
	}
	for end := range data {
		if _, err := ParseRow(data[:end]); err == nil {
			t.Errorf("a row cut at %d of %d bytes is read", end, len(data))
		}
	}
}

// TestNextChange holds it against Same, of rows in which columns lack, are null, left out, and follow others of any length.
func TestNextChange(t *testing.T) {
	t.Parallel()
	rows := []Row{{}, sampleRow(), sampleRow().First(2), sampleRow().Omit(func(i int) bool { return i == 2 || i == 4 })}
	for i := range 6 {
		for _, other := range []string{"", "7", "größer"} {
			var b RowBuilder
			for j := range 6 {
				if i == j {
					b.AddText(Text, other)
				} else {
					b.AddColumn(sampleRow(), j)
				}
			}
			rows = append(rows, b.Row())
		}
	}
	for _, before := range rows {
		for _, after := range rows {
			var want, got []int
			for i := range after.Len() {
				if after.Shows(i) && !before.Same(after, i) {
					want = append(want, i)
				}
			}
			for i := before.NextChange(after, 0); i >= 0; i = before.NextChange(after, i+1) {
				got = append(got, i)
			}
			if !slices.Equal(got, want) {
				t.Errorf("from %v to %v: columns %v, not %v", before, after, got, want)
			}
		}
	}
}

func FuzzParseRow(f *testing.F) {
	data, err := sampleRow().AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{0})
	f.Add([]byte{1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		row, err := ParseRow(data)
		if err != nil {
			return
		}
		for i := range row.Len() {
			_ = row.Text(i)
		}
		again, err := row.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > len(data) {
			t.Fatalf("%x was read from %x", again, data)
		}
		back, err := ParseRow(again)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		third, err := back.AppendBinary(nil)
		if err != nil || !bytes.Equal(again, third) {
			t.Fatalf("%x became %x: %v", again, third, err)
		}
	})
}
