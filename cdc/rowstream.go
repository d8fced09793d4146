package cdc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"rowhook/cdc/charset"
)

// A large row is read from a stream, and what makes it large goes to a scratch file as it comes.

// largeValue is from which size on a value of a large row is kept in a scratch file, in bytes.
const largeValue = 64 << 10

// stream is rows that come bit by bit. left is how many bytes are still to come, as was announced.
type stream struct {
	in   *bufio.Reader
	left int
}

func newStream(in io.Reader, size int) *stream {
	return &stream{bufio.NewReaderSize(in, linkBuffer), size}
}

func (s *stream) read(b []byte) error {
	if len(b) > s.left {
		return errTruncated
	}
	s.left -= len(b)
	_, err := io.ReadFull(s.in, b)
	return err
}

// value reads a value into memory, which it takes as bytes arrive: a size may be an empty promise.
func (s *stream) value(size int) ([]byte, error) {
	if size <= largeValue {
		b := make([]byte, size)
		return b, s.read(b)
	}
	if size > maxText {
		return nil, fmt.Errorf("a value of %d bytes is too large", size)
	}
	s.left -= size
	var b bytes.Buffer
	_, err := io.CopyN(&b, s.in, int64(size))
	return b.Bytes(), err
}

// pass reads what is left.
func (s *stream) pass() error {
	if s == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, s.in)
	return err
}

// end checks that nothing is left.
func (s *stream) end() error {
	switch _, err := s.in.Peek(1); {
	case err == nil:
		return errors.New("bytes follow the rows")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// images are the rows of an event, which are all hashed: in memory, or when they are large a stream.
func (r *reader) images(h rowsHeader, body, rows []byte) ([]byte, *stream, error) {
	tail, more := r.tail(body)
	size, packed := len(rows)+more, rows
	var err error
	if h.packed {
		if size, packed, err = packedSize(rows); err != nil {
			return nil, nil, err
		}
	}
	if more == 0 && size < largeEvent {
		if h.packed {
			rows, err = unpack(rows)
		}
		_, _ = r.digest.Write(rows)
		return rows, nil, err
	}
	in := io.Reader(bytes.NewReader(packed))
	if more > 0 {
		in = io.MultiReader(in, tail)
	}
	if h.packed {
		in, err = unpacking(in, size)
	}
	return nil, newStream(io.TeeReader(in, &r.digest), size), err
}

// tail is what follows the body of the event at hand, and how many bytes: none unless it is large.
func (r *reader) tail(body []byte) (io.Reader, int) {
	switch {
	case r.packed.within && r.packed.tail != nil:
		return r.packed.tail, int(r.packed.tail.N)
	case r.packed.within:
		return nil, 0
	case r.link.cutsEvent():
		rest, size := r.link.rest(len(body))
		return io.LimitReader(rest, int64(size)), size
	}
	return nil, 0
}

// eachRowFrom is eachRow for rows that come from a stream.
func (l *layout) eachRowFrom(h rowsHeader, s *stream, b *RowBuilder, f func(before, after Row) error) error {
	if err := l.takes(h); err != nil {
		return err
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
			return s.end()
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
	b.large = nil
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
			if err := f.appendFrom(s, &text, i, b); err != nil {
				return Row{}, fmt.Errorf("column %s: %w", f.name, err)
			}
		}
		if text.Len() > maxText {
			return Row{}, errors.New("the row is too large")
		}
		cells = append(cells, cell{end: uint32(text.Len()), kind: kind})
	}
	cells = cells[:len(cells)-l.hidden]
	return Row{text: text.String()[:textSize(cells)], cells: cells, large: b.large}, nil
}

// appendFrom reads the value of a column and adds its text, to what is large or else to text.
func (f *field) appendFrom(s *stream, text *strings.Builder, column int, b *RowBuilder) error {
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
	if size >= largeValue && b.pad != nil && f.divisible() {
		s.left -= size
		v, err := b.pad.Put(func(w io.Writer) error { return f.copyText(w, s.in, size, make([]byte, linkBuffer)) })
		b.large = append(b.large, Large{column, v})
		return err
	}
	value, err := s.value(size)
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

// divisible says whether a value can be turned into text piece by piece.
func (f *field) divisible() bool {
	return !f.packed && f.client == nil && (f.how == asUTF8 || f.how == asBytes && f.pad == 0 || f.how == asText && charset.OneByte(f.text))
}

// copyText turns a value of so many bytes into text, which it writes. Piece holds as much of it as there is at a time.
func (f *field) copyText(w io.Writer, value io.Reader, size int, piece []byte) error {
	var text []byte
	kept := 0          // of the last piece: a character that goes on in the next
	replacing := false // the text ends with the replacement of what is no UTF-8
	for size > 0 {
		n, err := io.ReadFull(value, piece[kept:min(kept+size, len(piece))])
		if err != nil {
			return err
		}
		size -= n
		n += kept
		if f.how != asUTF8 {
			if text, err = f.append(text[:0], piece[:n]); err != nil {
				return err
			}
		} else {
			kept = 0
			if size > 0 {
				kept = unfinished(piece[:n])
			}
			text, replacing = appendPiece(text[:0], piece[:n-kept], replacing)
			copy(piece, piece[n-kept:n])
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// unfinished is how many bytes at the end begin a character that they do not end.
func unfinished(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if last := b[len(b)-n:]; utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				break
			}
			return n
		}
	}
	return 0
}

// appendPiece is charset.AppendUTF8 for a piece of a text: a replacement that the piece before ended with goes on.
func appendPiece(text, piece []byte, replacing bool) ([]byte, bool) {
	for replacing && len(piece) > 0 {
		if c, n := utf8.DecodeRune(piece); c != utf8.RuneError || n > 1 {
			break
		}
		piece = piece[1:]
	}
	if len(piece) == 0 {
		return text, replacing
	}
	text = charset.AppendUTF8(text, piece)
	c, n := utf8.DecodeLastRune(piece)
	return text, c == utf8.RuneError && n == 1
}
