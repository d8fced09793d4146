package cdc

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
)

// Kind says what a column's text stands for, so that a payload can show it as a number, a string, JSON or base64.
type Kind uint8

// The kinds of a value. Absent is not Null: the server did not log the column (binlog_row_image MINIMAL, or a generated
// column that MariaDB leaves out of updates).
const (
	Absent Kind = iota
	Null
	Int     // exact decimal digits, with their sign
	Float   // the shortest text that reads back as the same FLOAT or DOUBLE
	Decimal // exact, with the column's scale
	Text    // UTF-8; also DATE, TIME, DATETIME, ENUM and SET
	Binary  // raw bytes: BINARY, BLOB, BIT, GEOMETRY
	JSON    // a JSON document
)

// Row is one row image: the text of every column, in table order. The text is what a SELECT over a UTF-8 connection in
// time zone UTC returns (DECIMAL exact, zero dates kept), so a row from the log and a row from the database look alike.
// A Row owns its memory and never changes; the zero Row has no columns.
type Row struct {
	text  string
	cells []cell
}

// cell ends a column's text; it begins where the one before it ended.
type cell struct {
	end  uint32
	kind Kind
}

// Len is the number of columns.
func (r Row) Len() int { return len(r.cells) }

// Size is about how many bytes of memory the row holds.
func (r Row) Size() int { return len(r.text) + len(r.cells)*8 }

// Kind is the kind of column i, Absent when there is no such column.
func (r Row) Kind(i int) Kind {
	if i < 0 || i >= len(r.cells) {
		return Absent
	}
	return r.cells[i].kind
}

// Text is the text of column i, empty when it is null, absent or out of range.
func (r Row) Text(i int) string {
	if i < 0 || i >= len(r.cells) {
		return ""
	}
	start := uint32(0)
	if i > 0 {
		start = r.cells[i-1].end
	}
	return r.text[start:r.cells[i].end]
}

// Int is column i as an integer; false when it is not one.
func (r Row) Int(i int) (int64, bool) {
	if r.Kind(i) != Int {
		return 0, false
	}
	n, err := strconv.ParseInt(r.Text(i), 10, 64)
	return n, err == nil
}

// Same says whether column i holds the same value in both rows.
func (r Row) Same(o Row, i int) bool {
	return r.Kind(i) == o.Kind(i) && r.Text(i) == o.Text(i)
}

// Whole says whether no column is absent.
func (r Row) Whole() bool {
	for _, c := range r.cells {
		if c.kind == Absent {
			return false
		}
	}
	return true
}

// Fill is the row with columns that it lacks taken from another row of the same table, those that take is true for.
func (r Row) Fill(from Row, take func(column int) bool) Row {
	var b RowBuilder
	for i, c := range r.cells {
		switch {
		case c.kind == Absent && from.Kind(i) != Absent && take(i):
			b.AddText(from.Kind(i), from.Text(i))
		default:
			b.AddText(c.kind, r.Text(i))
		}
	}
	return b.Row()
}

// AppendBinary appends a form of the row that ParseRow reads.
func (r Row) AppendBinary(b []byte) ([]byte, error) {
	const head, each = binary.MaxVarintLen64, 1 + binary.MaxVarintLen32
	b = slices.Grow(b, head+each*len(r.cells)+len(r.text)) // at once, for a row may be large
	b = binary.AppendUvarint(b, uint64(len(r.cells)))
	start := uint32(0)
	for _, c := range r.cells {
		b = append(b, byte(c.kind))
		b = binary.AppendUvarint(b, uint64(c.end-start))
		start = c.end
	}
	return append(b, r.text...), nil
}

// ParseRow reads what AppendBinary wrote.
func ParseRow(b []byte) (Row, error) {
	errBad := errors.New("damaged row")
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)) {
		return Row{}, errBad
	}
	b = b[w:]
	cells := make([]cell, n)
	end := uint64(0)
	for i := range cells {
		if len(b) < 2 || Kind(b[0]) > JSON {
			return Row{}, errBad
		}
		size, w := binary.Uvarint(b[1:])
		if w <= 0 || size > math.MaxUint32-end {
			return Row{}, errBad
		}
		end += size
		cells[i] = cell{end: uint32(end), kind: Kind(b[0])}
		b = b[1+w:]
	}
	if uint64(len(b)) != end {
		return Row{}, errBad
	}
	return Row{text: string(b), cells: cells}, nil
}

// RowBuilder makes rows. Its buffers are reused, so making a row costs two allocations. The zero RowBuilder is ready.
type RowBuilder struct {
	text   []byte
	cells  []cell
	packed inflater
}

// Reset begins a new row.
func (b *RowBuilder) Reset() { b.text, b.cells = b.text[:0], b.cells[:0] }

// Buf is the text so far; append a value's text to it and hand the result to Add.
func (b *RowBuilder) Buf() []byte { return b.text }

// Add ends a column: buf is Buf with the value's text appended.
func (b *RowBuilder) Add(kind Kind, buf []byte) {
	b.text = buf
	b.cells = append(b.cells, cell{end: uint32(len(buf)), kind: kind})
}

// AddText adds a column with the given text.
func (b *RowBuilder) AddText(kind Kind, s string) { b.Add(kind, append(b.text, s...)) }

// Row is the row built since Reset.
func (b *RowBuilder) Row() Row {
	cells := make([]cell, len(b.cells))
	copy(cells, b.cells)
	return Row{text: string(b.text), cells: cells}
}
