package cdc

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-mysql-org/go-mysql/replication"
)

// maxUnpacked bounds what is unpacked into memory, in bytes: a few bytes may promise anything.
const maxUnpacked = 16 << 20

// rowsHeader is the header of a WRITE_ROWS, UPDATE_ROWS or DELETE_ROWS event. It refers to the event's memory.
type rowsHeader struct {
	op             Op
	tableID        uint64
	endOfStatement bool // the last rows event of its statement; table ids end here
	partial        bool // of JSON documents only what changed: these rows cannot be read
	packed         bool // by MariaDB's log_bin_compress
	columns        int
	before, after  bitmap // the columns that are present in each image; nil without such an image
}

// parseRowsHeader reads the header of a rows event and returns its still encoded rows.
func parseRowsHeader(typ byte, body []byte) (h rowsHeader, rows []byte, err error) {
	eventType := replication.EventType(typ)
	var version2 bool
	switch eventType {
	case replication.WRITE_ROWS_EVENTv1, replication.WRITE_ROWS_EVENTv2, replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1:
		h.op = Insert
	case replication.UPDATE_ROWS_EVENTv1, replication.UPDATE_ROWS_EVENTv2, replication.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1:
		h.op = Update
	case replication.DELETE_ROWS_EVENTv1, replication.DELETE_ROWS_EVENTv2, replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1:
		h.op = Delete
	case replication.PARTIAL_UPDATE_ROWS_EVENT:
		h.op, h.partial = Update, true
	default:
		return h, nil, fmt.Errorf("%s holds no rows that can be read", eventType)
	}
	switch eventType {
	case replication.WRITE_ROWS_EVENTv2, replication.UPDATE_ROWS_EVENTv2, replication.DELETE_ROWS_EVENTv2,
		replication.PARTIAL_UPDATE_ROWS_EVENT:
		version2 = true
	case replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1, replication.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1,
		replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1:
		h.packed = true
	}
	if rows, err = h.read(body, version2); err != nil {
		return h, nil, fmt.Errorf("header of %s: %w", eventType, err)
	}
	return h, rows, nil
}

func (h *rowsHeader) read(body []byte, version2 bool) (rows []byte, err error) {
	w := wire{rest: body}
	h.tableID = w.fixed(6)
	h.endOfStatement = w.uint16()&replication.RowsEventStmtEndFlag != 0
	if version2 { // extra data: a length that counts itself, then partition numbers
		n := uint64(w.uint16())
		if n < 2 {
			return nil, errTruncated
		}
		w.bytes(n - 2)
	}
	columns := w.packed()
	if columns > uint64(len(w.rest))*8 {
		return nil, errTruncated
	}
	h.columns = int(columns)
	size := uint64(bitmapSize(h.columns))
	if h.op != Insert {
		h.before = w.bytes(size)
	}
	if h.op != Delete {
		h.after = w.bytes(size)
	}
	return w.rest, w.err()
}

// packedSize is what log_bin_compress promises that data unpacks to, in bytes: a byte with the algorithm (always zlib) and
// the size of the length, then the length in big-endian order. It returns what follows.
func packedSize(data []byte) (size int, packed []byte, err error) {
	w := wire{rest: data}
	head := w.byte()
	n := bigEndian(w.bytes(uint64(head & 0x07)))
	switch {
	case w.short:
		return 0, nil, errTruncated
	case head&0x70 != 0:
		return 0, nil, fmt.Errorf("algorithm %d is not known", head>>4&0x07)
	case n > math.MaxUint32:
		return 0, nil, fmt.Errorf("%d bytes are too many", n)
	}
	return int(n), w.rest, nil
}

// unpack undoes log_bin_compress. The size is a promise only, so memory is taken as bytes arrive.
func unpack(data []byte) ([]byte, error) {
	size, packed, err := packedSize(data)
	if err == nil && size > maxUnpacked {
		err = fmt.Errorf("%d bytes are too many", size)
	}
	if err != nil {
		return nil, err
	}
	in, err := unpacking(bytes.NewReader(packed), size)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(in)
}

// unpacking undoes it as it is read.
func unpacking(packed io.Reader, size int) (io.Reader, error) {
	z, err := zlib.NewReader(packed)
	return &exact{z, size}, err
}

// exact reads as many bytes as were promised, and fails when there are others.
type exact struct {
	in   io.Reader
	left int
}

func (e *exact) Read(b []byte) (int, error) {
	if e.left == 0 {
		switch n, err := io.ReadFull(e.in, make([]byte, 1)); {
		case n > 0:
			return 0, errors.New("there is more than was promised")
		default:
			return 0, err
		}
	}
	n, err := e.in.Read(b[:min(len(b), e.left)])
	e.left -= n
	if errors.Is(err, io.EOF) {
		err = nil // what is missing is found next
		if e.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// takes says why the rows of an event are not those of the layout, nil when they may be.
func (l *layout) takes(h rowsHeader) error {
	if h.partial {
		return fmt.Errorf("rows of %s with parts of JSON documents", l.name)
	}
	if h.columns != len(l.fields) {
		return fmt.Errorf("rows of %d columns for %s, which has %d", h.columns, l.name, len(l.fields))
	}
	return nil
}

// eachRow decodes the rows of an event and hands them to f, before for updates and deletes, after for inserts and
// updates. Its errors mean that the rows do not fit the layout; f's errors are returned as they are.
func (l *layout) eachRow(h rowsHeader, in *images, b *RowBuilder, f func(before, after Row) error) error {
	if err := l.takes(h); err != nil {
		return err
	}
	for {
		var before, after Row
		var err error
		left := in.size()
		if h.op != Insert {
			if before, err = in.next(l, h.before, b); err != nil {
				return fmt.Errorf("%s, row image before the %s: %w", l.name, h.op, err)
			}
		}
		if h.op != Delete {
			if after, err = in.next(l, h.after, b); err != nil {
				return fmt.Errorf("%s, row image after the %s: %w", l.name, h.op, err)
			}
		}
		if err := f(before, after); err != nil {
			return err
		}
		switch in.size() { // asked last: a row image without columns is a row of no bytes
		case 0:
			return in.end()
		case left:
			return fmt.Errorf("%s: %d bytes follow rows that have no columns", l.name, left)
		}
	}
}
