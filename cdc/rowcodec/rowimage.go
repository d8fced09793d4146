package rowcodec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"rowhook/cdc/charset"
	"rowhook/cdc/wire"
)

// MaxKept bounds the memory that a builder keeps between rows, in bytes: one large row should not cost forever.
const MaxKept = 1 << 20

// maxBitSize is the largest size of a BIT, in bytes.
const maxBitSize = 8

// maxText bounds the text of a row image, in bytes: it may be longer than the image.
const maxText = 1 << 30

// row reads one row image from the front of data and returns what follows it. present says which columns the image
// holds; the others are Absent, which is not Null. Those in out were cut out of it, and are Omitted.
//
// An image is a bit per present column that says which are NULL, then the values of the others. Each value is cut out
// of the image first, with its length checked, and then turned into text, so that no conversion can read too far.
func (l *Layout) row(present bitmap, data []byte, out map[int]string, b *RowBuilder) (row Row, rest []byte, err error) {
	nulls, data, err := l.nulls(present, data)
	if err != nil {
		return Row{}, nil, err
	}
	text, cells := b.text[:0], slices.Grow(b.cells[:0], len(l.fields))
	b.packed.begin()
	bit := -1
	for i := range l.fields {
		f := &l.fields[i]
		kind := f.kind
		if !present.has(i) {
			kind = Absent
		} else if bit++; nulls.has(bit) {
			kind = f.null()
		} else if sum, cut := out[i]; cut {
			if kind = Absent; !f.skip {
				kind, text = omitted, append(text, sum...)
			}
		} else {
			value, rest, ok := f.cut(data)
			if !ok {
				return Row{}, nil, fmt.Errorf("column %s: %w", f.name, wire.ErrTruncated)
			}
			data = rest
			if f.packed && !f.skip {
				value, err = b.packed.unpack(value)
			}
			if f.skip {
				kind = Absent
			} else if err == nil {
				text, err = f.append(text, value)
			}
			if err != nil {
				return Row{}, nil, fmt.Errorf("column %s: %w", f.name, err)
			}
		}
		cells = append(cells, cell{end: uint32(len(text)), kind: kind})
	}
	if len(text) > maxText {
		return Row{}, nil, errors.New("the row is too large")
	}
	b.cells = cells[:len(cells)-l.hidden]
	b.text = text[:textSize(b.cells)]
	return b.Row(), data, nil
}

// textSize is how long the text of columns is.
func textSize(cells []cell) uint32 {
	if len(cells) == 0 {
		return 0
	}
	return cells[len(cells)-1].end
}

// nulls cuts the bits of the NULL columns off the front of a row image; there is one for each column present.
func (l *Layout) nulls(present bitmap, data []byte) (nulls bitmap, rest []byte, err error) {
	size := bitmapSize(present.count(len(l.fields)))
	if size > len(data) {
		return nil, nil, wire.ErrTruncated
	}
	return data[:size], data[size:], nil
}

// null is the kind of a column that is NULL.
func (f *field) null() Kind {
	if f.skip {
		return Absent
	}
	return Null
}

// cut takes the field's value off the front of data, false when data ends too early.
func (f *field) cut(data []byte) (value, rest []byte, ok bool) {
	size := f.size
	if f.prefix > 0 {
		if len(data) < f.prefix {
			return nil, nil, false
		}
		switch f.prefix {
		case 1:
			size = int(data[0])
		case 2:
			size = int(binary.LittleEndian.Uint16(data))
		default:
			size = int(wire.LittleEndian(data[:f.prefix]))
		}
		data = data[f.prefix:]
	}
	if size > len(data) {
		return nil, nil, false
	}
	return data[:size], data[size:], true
}

// append adds the text of a value. A value of fixed size has that size.
func (f *field) append(text, value []byte) ([]byte, error) {
	if f.client == nil {
		return f.appendStored(text, value)
	}
	start := len(text)
	text, err := f.appendStored(text, value)
	if err != nil {
		return text, err
	}
	return f.client.Reread(text, start), nil
}

// appendStored adds the text as the server has it.
func (f *field) appendStored(text, value []byte) ([]byte, error) {
	switch f.how {
	case asUTF8:
		if utf8.Valid(value) {
			return append(text, value...), nil
		}
		return charset.AppendUTF8(text, value), nil
	case asText:
		return f.text.Append(text, value), nil
	case asBytes:
		text = append(text, value...)
		for n := len(value); n < f.pad; n++ {
			text = append(text, 0)
		}
		return text, nil
	case asInt:
		unused := 64 - 8*len(value) // shifted out and in again to widen the sign
		return strconv.AppendInt(text, int64(wire.LittleEndian(value)<<unused)>>unused, 10), nil
	case asUint:
		return strconv.AppendUint(text, wire.LittleEndian(value), 10), nil
	case asBit:
		return strconv.AppendUint(text, wire.BigEndian(value), 10), nil
	case asFloat:
		v := float64(math.Float32frombits(binary.LittleEndian.Uint32(value)))
		if f.short {
			return appendShort(text, v, floatDigits), nil
		}
		return appendFixed(text, v, f.scale), nil
	case asDouble:
		v := math.Float64frombits(binary.LittleEndian.Uint64(value))
		if f.short {
			return appendShort(text, v, asManyAsNeeded), nil
		}
		return appendFixed(text, v, f.scale), nil
	case asDecimal:
		return appendDecimal(text, value, f.digits, f.scale), nil
	case asEnum:
		return f.appendLabel(text, wire.LittleEndian(value))
	case asSet:
		return f.appendLabels(text, wire.LittleEndian(value))
	case asJSON:
		return appendJSON(text, value)
	case asUUID, asINET4, asINET6:
		return f.appendFixedBinary(text, value), nil
	}
	return f.appendTemporal(text, value), nil
}

// appendLabel adds the label of an ENUM; 0 is the server's empty string for a value it refused.
func (f *field) appendLabel(text []byte, n uint64) ([]byte, error) {
	switch {
	case n == 0:
		return text, nil
	case n > uint64(len(f.labels)):
		return nil, fmt.Errorf("ENUM value %d of %d labels", n, len(f.labels))
	}
	return append(text, f.labels[n-1]...), nil
}

// appendLabels adds the labels of a SET, a bit for each.
func (f *field) appendLabels(text []byte, bits uint64) ([]byte, error) {
	if len(f.labels) < 64 && bits>>len(f.labels) != 0 {
		return nil, fmt.Errorf("SET value %#x of %d labels", bits, len(f.labels))
	}
	first := true
	for i, label := range f.labels {
		if bits&(1<<i) == 0 {
			continue
		}
		if !first {
			text = append(text, ',')
		}
		first = false
		text = append(text, label...)
	}
	return text, nil
}
