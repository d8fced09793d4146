package rowcodec

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"unsafe"
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

// omitted is the kind of a column that the server logged, but that is too large to be carried: its text is a hash of what
// was logged. To others it is Absent.
const omitted = JSON + 1

// Row is one row image: the text of every column, in table order. The text is what a SELECT over a UTF-8 connection in
// time zone UTC returns (DECIMAL exact, zero dates kept; of BIT the number), so a row from the log and a row from the database look alike.
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

// Size is about how many bytes the row holds.
func (r Row) Size() int { return len(r.text) + len(r.cells)*8 }

// Kind is the kind of column i, Absent when there is no such column, or when it is Omitted.
func (r Row) Kind(i int) Kind {
	if i < 0 || i >= len(r.cells) || r.cells[i].kind == omitted {
		return Absent
	}
	return r.cells[i].kind
}

// Omitted says whether column i was left out because its value is large.
func (r Row) Omitted(i int) bool { return i >= 0 && i < len(r.cells) && r.cells[i].kind == omitted }

// Shows says whether the image has column i, were it Omitted.
func (r Row) Shows(i int) bool { return i >= 0 && i < len(r.cells) && r.cells[i].kind != Absent }

// Text is the text of column i, empty when it is null, absent, omitted or out of range.
func (r Row) Text(i int) string {
	if r.Omitted(i) {
		return ""
	}
	return r.raw(i)
}

// raw is the text of column i, of one that is Omitted its hash.
func (r Row) raw(i int) string {
	if i < 0 || i >= len(r.cells) {
		return ""
	}
	start := uint32(0)
	if i > 0 {
		start = r.cells[i-1].end
	}
	return r.text[start:r.cells[i].end]
}

// Omit is the row with some columns Omitted.
func (r Row) Omit(out func(column int) bool) Row {
	var b RowBuilder
	for i := range r.cells {
		if out(i) {
			b.AddOmitted()
		} else {
			b.AddColumn(r, i)
		}
	}
	return b.Row()
}

// Int is column i as an integer; false when it is not one.
func (r Row) Int(i int) (int64, bool) {
	if r.Kind(i) != Int {
		return 0, false
	}
	n, err := strconv.ParseInt(r.Text(i), 10, 64)
	return n, err == nil
}

// First is the row's first columns.
func (r Row) First(columns int) Row {
	if len(r.cells) <= columns {
		return r
	}
	r.cells = r.cells[:columns]
	r.text = r.text[:textSize(r.cells)]
	return r
}

// Same says whether column i holds the same value in both rows. Of what is Omitted that is told by what was logged.
func (r Row) Same(o Row, i int) bool {
	switch {
	case r.Omitted(i) == o.Omitted(i):
	case r.Omitted(i):
		return r.holds(o, i)
	default:
		return o.holds(r, i)
	}
	return r.Kind(i) == o.Kind(i) && r.raw(i) == o.raw(i)
}

// NextChange is the first column from i on that a later image of the row shows, and shows otherwise than r; -1 when
// there is none. To go from one to the next is cheaper than to ask Same of each: most columns of an update are as they were.
func (r Row) NextChange(after Row, i int) int {
	most := min(len(r.cells), len(after.cells))
	var was, is uint32 // where the column's text begins
	if i > 0 && i < most {
		was, is = r.cells[i-1].end, after.cells[i-1].end
	}
	for ; i < most; i++ {
		a, b := r.cells[i], after.cells[i]
		if b.kind != Absent && (a.kind != b.kind || r.text[was:a.end] != after.text[is:b.end]) && !r.Same(after, i) {
			return i
		}
		was, is = a.end, b.end
	}
	for ; i < len(after.cells); i++ {
		if after.Shows(i) && !r.Same(after, i) {
			return i
		}
	}
	return -1
}

// holds says whether what is Omitted in column i is the value that another row has there. It is found out where values are
// logged as the text that they are.
func (r Row) holds(o Row, i int) bool {
	if o.Kind(i) <= Null {
		return false
	}
	sum := sha256.Sum256([]byte(o.Text(i)))
	return r.raw(i) == string(sum[:])
}

// Whole says whether no column is absent or omitted.
func (r Row) Whole() bool {
	for _, c := range r.cells {
		if c.kind == Absent || c.kind == omitted {
			return false
		}
	}
	return true
}

// Fill is the row with columns that it lacks taken from another row of the same table, those that take is true for.
func (r Row) Fill(from Row, take func(column int) bool) Row {
	var b RowBuilder
	for i, c := range r.cells {
		if c.kind == Absent && from.Shows(i) && take(i) {
			b.AddColumn(from, i)
		} else {
			b.AddColumn(r, i)
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
		if len(b) < 2 || Kind(b[0]) > omitted {
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

// Grow makes room for so many bytes of text.
func (b *RowBuilder) Grow(size int) { b.text = slices.Grow(b.text, size) }

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
	kind := row.Kind(i)
	if row.Omitted(i) {
		kind = omitted
	}
	b.AddText(kind, row.raw(i))
}

// AddOmitted adds a column whose value is left out because it is large.
func (b *RowBuilder) AddOmitted() { b.AddText(omitted, "") }

// Row is the row built since Reset.
func (b *RowBuilder) Row() Row {
	cells := make([]cell, len(b.cells))
	copy(cells, b.cells)
	if cap(b.text) > MaxKept { // large: the row takes the buffer over, for a copy would take as much again
		text := unsafe.String(unsafe.SliceData(b.text), len(b.text))
		b.text = nil
		return Row{text: text, cells: cells}
	}
	return Row{text: string(b.text), cells: cells}
}
