package rowcodec

import (
	"fmt"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/wire"
)

// Header is the header of a WRITE_ROWS, UPDATE_ROWS or DELETE_ROWS event. It refers to the event's memory.
type Header struct {
	Op             Op
	TableID        uint64
	EndOfStatement bool // the last rows event of its statement; table ids end here
	Partial        bool // of JSON documents only what changed: these rows cannot be read
	packed         bool // by MariaDB's log_bin_compress
	columns        int
	before, after  bitmap // the columns that are present in each image; nil without such an image
}

// ParseHeader reads the header of a rows event and returns its still encoded rows.
func ParseHeader(typ byte, body []byte) (h Header, rows []byte, err error) {
	eventType := replication.EventType(typ)
	var version2 bool
	switch eventType {
	case replication.WRITE_ROWS_EVENTv1, replication.WRITE_ROWS_EVENTv2, replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1:
		h.Op = Insert
	case replication.UPDATE_ROWS_EVENTv1, replication.UPDATE_ROWS_EVENTv2, replication.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1:
		h.Op = Update
	case replication.DELETE_ROWS_EVENTv1, replication.DELETE_ROWS_EVENTv2, replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1:
		h.Op = Delete
	case replication.PARTIAL_UPDATE_ROWS_EVENT:
		h.Op, h.Partial = Update, true
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

func (h *Header) read(body []byte, version2 bool) (rows []byte, err error) {
	w := wire.Reader{Rest: body}
	h.TableID = w.Fixed(6)
	h.EndOfStatement = w.Uint16()&replication.RowsEventStmtEndFlag != 0
	if version2 { // extra data: a length that counts itself, then partition numbers
		n := uint64(w.Uint16())
		if n < 2 {
			return nil, wire.ErrTruncated
		}
		w.Bytes(n - 2)
	}
	columns := w.Packed()
	if columns > uint64(len(w.Rest))*8 {
		return nil, wire.ErrTruncated
	}
	h.columns = int(columns)
	size := uint64(bitmapSize(h.columns))
	if h.Op != Insert {
		h.before = w.Bytes(size)
	}
	if h.Op != Delete {
		h.after = w.Bytes(size)
	}
	return w.Rest, w.Err()
}

// takes says why the rows of an event are not those of the layout, nil when they may be.
func (l *Layout) takes(h Header) error {
	if h.Partial {
		return fmt.Errorf("rows of %s with parts of JSON documents", l.name)
	}
	if h.columns != len(l.fields) {
		return fmt.Errorf("rows of %d columns for %s, which has %d", h.columns, l.name, len(l.fields))
	}
	return nil
}

// EachRow decodes the rows of an event and hands them to f, before for updates and deletes, after for inserts and
// updates. Its errors mean that the rows do not fit the layout; f's errors are returned as they are.
func (l *Layout) EachRow(h Header, in *Images, b *RowBuilder, f func(before, after Row) error) error {
	if err := l.takes(h); err != nil {
		return err
	}
	for {
		var before, after Row
		var err error
		left := in.size()
		if h.Op != Insert {
			if before, err = in.next(l, h.before, b); err != nil {
				return fmt.Errorf("%s, row image before the %s: %w", l.name, h.Op, err)
			}
		}
		if h.Op != Delete {
			if after, err = in.next(l, h.after, b); err != nil {
				return fmt.Errorf("%s, row image after the %s: %w", l.name, h.Op, err)
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
