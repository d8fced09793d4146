package rowcodec

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"rowhook/cdc/wire"
)

const (
	// MaxImage bounds what a row image holds, in bytes as they were logged. Whoever needs what lies beyond reads the table.
	MaxImage = 1 << 20
	// alwaysKept is up to which size, in bytes, a value stays whatever else is in its row: no key is longer.
	alwaysKept = 3072
	// largeRows is from which size on the rows of an event are read as a stream, in bytes.
	largeRows    = 1 << 20
	streamBuffer = 64 << 10
)

// Images are the rows of an event: in memory, or of a large event a stream, of which one image at a time is taken into
// memory as far as it may be.
type Images struct {
	rows []byte
	in   *bufio.Reader // in place of rows
	left int           // bytes that are to come from in, as was announced
	cut  cutImage
}

// NewImages are the rows of an event: those at hand, and as many bytes as follow them in the event's tail. Digest gets all of
// them as they are read.
func NewImages(h Header, rows []byte, tail io.Reader, more int, digest io.Writer) (*Images, error) {
	size, packed := len(rows)+more, rows
	var err error
	if h.packed {
		if size, packed, err = wire.PackedSize(rows); err != nil {
			return nil, err
		}
	}
	if more == 0 && size < largeRows {
		if h.packed {
			rows, err = wire.Unpack(rows)
		}
		_, _ = digest.Write(rows) // a hash: never fails
		return &Images{rows: rows}, err
	}
	in := io.Reader(bytes.NewReader(packed))
	if more > 0 {
		in = io.MultiReader(in, tail)
	}
	if h.packed {
		in, err = wire.Unpacking(in, size)
	}
	return &Images{in: bufio.NewReaderSize(io.TeeReader(in, digest), streamBuffer), left: size}, err
}

// size is how many bytes are left.
func (m *Images) size() int {
	if m.in != nil {
		return m.left
	}
	return len(m.rows)
}

// Pass reads what is left.
func (m *Images) Pass() error {
	if m.in == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, m.in)
	return err
}

// end checks that nothing follows the bytes that were announced.
func (m *Images) end() error {
	if m.in == nil {
		return nil
	}
	switch _, err := m.in.Peek(1); {
	case err == nil:
		return errors.New("bytes follow the rows")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// next decodes the next image.
func (m *Images) next(l *Layout, present bitmap, b *RowBuilder) (Row, error) {
	if m.in == nil && !l.packs {
		row, rest, err := l.row(present, m.rows, nil, b)
		m.rows = rest
		return row, err
	}
	if m.in == nil { // what is compressed may be large all the same
		m.in, m.left = bufio.NewReaderSize(bytes.NewReader(m.rows), alwaysKept), len(m.rows)
	}
	if err := m.cut.read(m, l, present); err != nil {
		return Row{}, err
	}
	row, _, err := l.row(present, m.cut.data, m.cut.out, b)
	m.cut.release()
	return row, err
}

// take reads so many bytes to the end of b.
func (m *Images) take(b []byte, size int) ([]byte, error) {
	if size > m.left {
		return b, wire.ErrTruncated
	}
	m.left -= size
	start := len(b)
	b = append(b, make([]byte, size)...)
	_, err := io.ReadFull(m.in, b[start:])
	return b, err
}

// cutImage is one image without the values that are too large: of all that are larger than alwaysKept the smallest stay,
// as many as maxImage has room for.
type cutImage struct {
	data []byte
	out  map[int]string // by column, the hash of what was left out
	kept []keptValue
	sum  int // of the weights of kept
	hash hash.Hash
}

// keptValue is a value within data, its length in front of it. Weight is its size, once it is unpacked.
type keptValue struct{ column, start, head, end, weight int }

// read reads the next image of a stream.
func (c *cutImage) read(m *Images, l *Layout, present bitmap) error {
	c.data, c.kept, c.sum, c.out = c.data[:0], c.kept[:0], 0, nil
	var err error
	if c.data, err = m.take(c.data, bitmapSize(present.count(len(l.fields)))); err != nil {
		return err
	}
	bit := -1
	for i := range l.fields {
		if !present.has(i) {
			continue
		}
		if bit++; bitmap(c.data).has(bit) {
			continue
		}
		if err := c.readValue(m, &l.fields[i], i); err != nil {
			return fmt.Errorf("column %s: %w", l.fields[i].name, err)
		}
	}
	return nil
}

// readValue reads the value of a column, or passes it over. Its size is looked at before memory is taken for it.
func (c *cutImage) readValue(m *Images, f *field, column int) (err error) {
	start, size := len(c.data), f.size
	if c.data, err = m.take(c.data, f.prefix); err != nil {
		return err
	}
	head := len(c.data)
	if f.prefix > 0 {
		size = int(wire.LittleEndian(c.data[start:]))
	}
	if size > m.left {
		return wire.ErrTruncated
	}
	weight := size
	if f.packed {
		if weight, err = m.unpackedSize(size); err != nil {
			return err
		}
	}
	switch {
	case f.skip && size > alwaysKept, weight > MaxImage:
		c.data = c.data[:start]
		return c.pass(m, column, size)
	case weight <= alwaysKept:
		c.data, err = m.take(c.data, size)
		return err
	}
	if c.data, err = m.take(c.data, size); err != nil {
		return err
	}
	c.kept = append(c.kept, keptValue{column, start, head, len(c.data), weight})
	for c.sum += weight; c.sum > MaxImage; {
		c.drop()
	}
	return nil
}

// unpackedSize is how large the COMPRESSED value of so many bytes is that comes next.
func (m *Images) unpackedSize(size int) (int, error) {
	const most = 1 + columnLength
	head, err := m.in.Peek(min(size, most))
	if err != nil {
		return 0, err
	}
	return max(size, promisedSize(head)), nil
}

// pass leaves the value out that comes next.
func (c *cutImage) pass(m *Images, column, size int) error {
	m.left -= size
	sum := c.hasher()
	if _, err := io.CopyN(sum, m.in, int64(size)); err != nil {
		return err
	}
	c.leaveOut(column, sum)
	return nil
}

// drop leaves the largest value out, of equal ones the last.
func (c *cutImage) drop() {
	most := 0
	for i, v := range c.kept {
		if v.weight >= c.kept[most].weight {
			most = i
		}
	}
	v := c.kept[most]
	sum := c.hasher()
	_, _ = sum.Write(c.data[v.head:v.end]) // never fails
	c.leaveOut(v.column, sum)
	c.data = append(c.data[:v.start], c.data[v.end:]...)
	c.sum -= v.weight
	c.kept = append(c.kept[:most], c.kept[most+1:]...)
	for i := range c.kept[most:] {
		k, size := &c.kept[most+i], v.end-v.start
		k.start, k.head, k.end = k.start-size, k.head-size, k.end-size
	}
}

func (c *cutImage) hasher() hash.Hash {
	if c.hash == nil {
		c.hash = sha256.New()
	}
	c.hash.Reset()
	return c.hash
}

func (c *cutImage) leaveOut(column int, sum hash.Hash) {
	if c.out == nil {
		c.out = map[int]string{}
	}
	c.out[column] = string(sum.Sum(nil))
}

// release lets go of much memory.
func (c *cutImage) release() {
	if cap(c.data) > MaxKept {
		c.data = nil
	}
}
