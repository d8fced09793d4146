package cdc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"unicode/utf8"
)

// A large row is read from a stream: what makes it large lies in memory once, in the row.

const (
	// largeValue is from which size on a value is read straight into its row.
	largeValue = 64 << 10
	// hugeValue is from which size on memory is given back first: what the last one took is garbage by now.
	hugeValue = 8 << 20
)

// stream is rows that come bit by bit. left is how many bytes are still to come, as was announced.
type stream struct {
	in   *bufio.Reader
	left int
}

func (s *stream) read(b []byte) error {
	if len(b) > s.left {
		return errTruncated
	}
	s.left -= len(b)
	_, err := io.ReadFull(s.in, b)
	return err
}

// pass reads what is left.
func (s *stream) pass() error {
	if s == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, s.in)
	return err
}

// tailOf joins the beginning of an event's rows with the tail, hashing what is read; nil when they are whole.
func (r *reader) tailOf(body, images []byte) *stream {
	if !r.link.cutsEvent() {
		return nil
	}
	rest, size := r.link.rest(len(body))
	left := len(images) + size
	all := io.LimitReader(io.MultiReader(bytes.NewReader(images), rest), int64(left))
	return &stream{bufio.NewReaderSize(io.TeeReader(all, &r.digest), linkBuffer), left}
}

// eachRowFrom is eachRow for rows that come from a stream.
func (l *layout) eachRowFrom(h rowsHeader, s *stream, b *RowBuilder, f func(before, after Row) error) error {
	if h.columns != len(l.fields) {
		return fmt.Errorf("rows of %d columns for %s, which has %d", h.columns, l.name, len(l.fields))
	}
	for {
		var before, after Row
		var err error
		left := s.left
		if h.op != Insert {
			if before, err = l.rowFrom(h.before, s, b); err != nil {
				return fmt.Errorf("%s, row image before the %s: %w", l.name, h.op, err)
			}
		}
		if h.op != Delete {
			if after, err = l.rowFrom(h.after, s, b); err != nil {
				return fmt.Errorf("%s, row image after the %s: %w", l.name, h.op, err)
			}
		}
		if err := f(before, after); err != nil {
			return err
		}
		if s.left == 0 {
			return nil
		}
		if s.left == left {
			return fmt.Errorf("%s: %d bytes follow rows that have no columns", l.name, left)
		}
	}
}

// rowFrom is row for an image that comes from a stream.
func (l *layout) rowFrom(present bitmap, s *stream, b *RowBuilder) (Row, error) {
	nulls := make(bitmap, bitmapSize(present.count(len(l.fields))))
	if err := s.read(nulls); err != nil {
		return Row{}, err
	}
	var text strings.Builder
	cells := make([]cell, 0, len(l.fields))
	b.packed.begin()
	bit := -1
	for i := range l.fields {
		f := &l.fields[i]
		kind := f.kind
		if !present.has(i) {
			kind = Absent
		} else if bit++; nulls.has(bit) {
			kind = f.null()
		} else {
			if f.skip {
				kind = Absent
			}
			if err := f.appendFrom(s, &text, b); err != nil {
				return Row{}, fmt.Errorf("column %s: %w", f.name, err)
			}
		}
		if text.Len() > maxText {
			return Row{}, errors.New("the row is too large")
		}
		cells = append(cells, cell{end: uint32(text.Len()), kind: kind})
	}
	return Row{text: text.String(), cells: cells}, nil
}

// appendFrom reads a value and adds its text.
func (f *field) appendFrom(s *stream, text *strings.Builder, b *RowBuilder) error {
	size := f.size
	if f.prefix > 0 {
		var prefix [4]byte
		if err := s.read(prefix[:f.prefix]); err != nil {
			return err
		}
		size = int(littleEndian(prefix[:f.prefix]))
	}
	if size > s.left {
		return errTruncated
	}
	if f.skip {
		s.left -= size
		_, err := io.CopyN(io.Discard, s.in, int64(size))
		return err
	}
	verbatim := (f.how == asUTF8 || f.how == asBytes && f.pad == 0) && !f.packed
	if verbatim && size >= largeValue {
		return f.copyFrom(s, size, text)
	}
	value := make([]byte, size)
	err := s.read(value)
	if err == nil && f.packed {
		value, err = b.packed.unpack(value)
	}
	if err == nil {
		b.text, err = f.append(b.text[:0], value)
	}
	if err == nil {
		_, err = text.Write(b.text)
	}
	if cap(b.text) > maxKept {
		b.text = nil
	}
	return err
}

// copyFrom reads a value that is its own text.
func (f *field) copyFrom(s *stream, size int, text *strings.Builder) error {
	if size >= hugeValue {
		debug.FreeOSMemory()
	}
	const small = 4 << 10 // what comes besides, most likely
	start := text.Len()
	text.Grow(min(size, maxText) + min(small, s.left-size))
	s.left -= size
	if _, err := io.CopyN(text, s.in, int64(size)); err != nil {
		return err
	}
	if f.how == asUTF8 && !utf8.ValidString(text.String()[start:]) {
		whole := text.String()
		text.Reset()
		text.WriteString(whole[:start])
		text.Write(appendValidUTF8(nil, []byte(whole[start:])))
	}
	return nil
}
