package cdc

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"

	"rowhook/scratch"
)

// Kind says what a column's text stands for, so that a payload can show it as a number, a string, JSON or base64.
type Kind uint8

// The kinds of a value. Absent is not Null: the server did not log the column (binlog_row_image MINIMAL, or a generated
// column that MariaDB leaves out of updates).
const (
	Absent Kind = iota
	Null
	Int     // exact decimal digits, with their sign; also BIT
	Float   // the shortest text that reads back as the same FLOAT or DOUBLE
	Decimal // exact, with the column's scale
	Text    // UTF-8; also DATE, TIME, DATETIME, ENUM and SET
	Binary  // raw bytes: BINARY, BLOB, GEOMETRY, VECTOR
	JSON    // a JSON document
)

// Row is one row image: the text of every column, in table order. The text is what a SELECT over a UTF-8 connection in
// time zone UTC returns (DECIMAL exact, zero dates kept; of BIT the number), so a row from the log and a row from the database look alike.
// A Row owns its memory and never changes; the zero Row has no columns.
type Row struct {
	text  string
	cells []cell
	large []Large
}

// Large is the text of a column that is too large for memory.
type Large struct {
	Column int
	*scratch.Value
}

// cell ends a column's text; it begins where the one before it ended.
type cell struct {
	end  uint32
	kind Kind
}

// Len is the number of columns.
func (r Row) Len() int { return len(r.cells) }

// Size is about how many bytes the row holds, in memory and in scratch files.
func (r Row) Size() int {
	n := len(r.text) + len(r.cells)*8
	for _, l := range r.large {
		n += int(l.Size())
	}
	return n
}

// Kind is the kind of column i, Absent when there is no such column.
func (r Row) Kind(i int) Kind {
	if i < 0 || i >= len(r.cells) {
		return Absent
	}
	return r.cells[i].kind
}

// Text is the text of column i, empty when it is null, absent, out of range or Large.
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

// Large is the text of column i when that is too large for memory; else nil.
func (r Row) Large(i int) *scratch.Value {
	for _, l := range r.large {
		if l.Column == i {
			return l.Value
		}
	}
	return nil
}

// Larges are all columns that are Large, in table order.
func (r Row) Larges() []Large { return r.large }

// WithLarge is the row with other Larges: with those that it had, when AppendBinary has put it down.
func (r Row) WithLarge(large []Large) Row {
	r.large = large
	return r
}

// Int is column i as an integer; false when it is not one.
func (r Row) Int(i int) (int64, bool) {
	if r.Kind(i) != Int {
		return 0, false
	}
	n, err := strconv.ParseInt(r.Text(i), 10, 64)
	return n, err == nil
}

// first is the row's first columns.
func (r Row) first(columns int) Row {
	if len(r.cells) <= columns {
		return r
	}
	r.cells = r.cells[:columns]
	r.text = r.text[:textSize(r.cells)]
	return r
}

// Same says whether column i holds the same value in both rows.
func (r Row) Same(o Row, i int) bool {
	if r.large != nil || o.large != nil {
		return r.Kind(i) == o.Kind(i) && r.sameText(o, i)
	}
	return r.Kind(i) == o.Kind(i) && r.Text(i) == o.Text(i)
}

// sameText compares texts of which one or both may be large.
func (r Row) sameText(o Row, i int) bool {
	a, b := r.Large(i), o.Large(i)
	switch {
	case a != nil && b != nil:
		return a.Is(b)
	case a != nil:
		return a.Holds(o.Text(i))
	case b != nil:
		return b.Holds(r.Text(i))
	}
	return r.Text(i) == o.Text(i)
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
		if c.kind == Absent && from.Kind(i) != Absent && take(i) {
			b.AddColumn(from, i)
		} else {
			b.AddColumn(r, i)
		}
	}
	return b.Row()
}

// AppendBinary appends a form of the row that ParseRow reads, without what is Large.
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
	large  []Large
	packed inflater
	pad    *scratch.Pad // takes what is too large for memory; nil: nothing is
}

// Reset begins a new row.
func (b *RowBuilder) Reset() { b.text, b.cells, b.large = b.text[:0], b.cells[:0], nil }

// Buf is the text so far; append a value's text to it and hand the result to Add.
func (b *RowBuilder) Buf() []byte { return b.text }

// Add ends a column: buf is Buf with the value's text appended.
func (b *RowBuilder) Add(kind Kind, buf []byte) {
	b.text = buf
	b.cells = append(b.cells, cell{end: uint32(len(buf)), kind: kind})
}

// AddText adds a column with the given text.
func (b *RowBuilder) AddText(kind Kind, s string) { b.Add(kind, append(b.text, s...)) }

// AddColumn adds a column as another row has it.
func (b *RowBuilder) AddColumn(row Row, i int) {
	if v := row.Large(i); v != nil {
		b.AddLarge(row.Kind(i), v)
	} else {
		b.AddText(row.Kind(i), row.Text(i))
	}
}

// AddLarge adds a column whose text is too large for memory.
func (b *RowBuilder) AddLarge(kind Kind, text *scratch.Value) {
	b.large = append(b.large, Large{len(b.cells), text})
	b.AddText(kind, "")
}

// Row is the row built since Reset.
func (b *RowBuilder) Row() Row {
	cells := make([]cell, len(b.cells))
	copy(cells, b.cells)
	return Row{text: string(b.text), cells: cells, large: b.large}
}
