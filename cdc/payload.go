package cdc

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-mysql-org/go-mysql/replication"
	"github.com/klauspost/compress/zstd"

	"rowhook/cdc/wire"
)

// maxWindow is how far back a compressed payload may refer, in bytes: what zstd takes at its highest level.
const maxWindow = 128 << 20

// maxKept bounds the memory that is kept for the next event, in bytes.
const maxKept = 1 << 20

// The fields in front of a payload; see MySQL's libs/mysql/binlog/event/codecs/binary.cpp.
const (
	payloadEnd = iota
	payloadSize
	payloadCompression
	payloadUnpackedSize
)

// The kinds of compression of a payload.
const (
	payloadZstd  = 0
	payloadPlain = 255
)

// payloadReader unpacks the events of compressed transactions (MySQL's binlog_transaction_compression), one at a time:
// a payload of a few bytes may unpack to anything.
type payloadReader struct {
	zstd   *zstd.Decoder // nil until it is needed
	buf    bytes.Buffer
	within bool              // the event at hand is one of a payload's
	tail   *io.LimitedReader // of the event at hand; nil: it has none
}

func (p *payloadReader) close() {
	if p.zstd != nil {
		p.zstd.Close()
	}
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

// payload hands the events of a TRANSACTION_PAYLOAD_EVENT on. They have headers, but no checksums and no places in the
// log: they all end where the payload ends.
func (r *reader) payload(body []byte) error {
	rest, _ := r.tail(body)
	err := r.packed.each(body, rest, func(h *replication.EventHeader, body []byte) error {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		switch h.EventType {
		case replication.TRANSACTION_PAYLOAD_EVENT:
			return r.stop("a compressed transaction within another", "please report this", nil)
		case replication.ROWS_QUERY_EVENT: // is kept until its rows come
			body = bytes.Clone(body)
		}
		return r.dispatch(h, body)
	})
	if _, broken := errors.AsType[*linkError](err); broken {
		return err
	}
	if _, bad := errors.AsType[*payloadError](err); bad {
		return r.stop("a compressed transaction cannot be read", "SET PERSIST binlog_transaction_compression = OFF, and please report this", err)
	}
	return err
}

// payloadError is what is wrong with a payload itself.
type payloadError struct{ err error }

func (e *payloadError) Error() string { return e.err.Error() }
func (e *payloadError) Unwrap() error { return e.err }

// each unpacks a payload, which ends with rest unless that is nil, and hands out its events. A body is good until the next.
func (p *payloadReader) each(body []byte, rest io.Reader, f func(h *replication.EventHeader, body []byte) error) error {
	compression, packed, err := parsePayload(body)
	if err != nil {
		return &payloadError{err}
	}
	var events io.Reader = bytes.NewReader(packed)
	if rest != nil {
		events = io.MultiReader(events, rest)
	}
	switch compression {
	case payloadPlain:
	case payloadZstd:
		if p.zstd == nil {
			// Without goroutines of its own, and memory only as the data asks for it.
			p.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return &payloadError{err}
			}
		}
		if err := p.zstd.Reset(events); err != nil {
			return &payloadError{err}
		}
		defer p.zstd.Reset(nil) //nolint:errcheck // lets go of the payload
		events = p.zstd
	default:
		return &payloadError{fmt.Errorf("compression %d is not known", compression)}
	}
	p.within = true
	defer func() { p.within, p.tail = false, nil }()
	for {
		h, body, err := p.next(events)
		switch {
		case err == io.EOF: //nolint:errorlint // io.ReadFull returns just that
			return nil
		case err != nil:
			return &payloadError{err}
		}
		if err := f(h, body); err != nil {
			return err
		}
	}
}

// next reads an event, of a large one whose tail is read elsewhere the head only.
func (p *payloadReader) next(events io.Reader) (*replication.EventHeader, []byte, error) {
	if p.tail != nil { // nobody may have read all of the last one
		if _, err := io.CopyN(io.Discard, p.tail, p.tail.N); err != nil {
			return nil, nil, fmt.Errorf("the end of an event: %w", errors.Join(wire.ErrTruncated, err))
		}
		p.tail = nil
	}
	var head [replication.EventHeaderSize]byte
	if _, err := io.ReadFull(events, head[:]); err != nil {
		return nil, nil, err
	}
	h := new(replication.EventHeader)
	if err := h.Decode(head[:]); err != nil {
		return nil, nil, err
	}
	size := int64(h.EventSize) - replication.EventHeaderSize
	if hasTail(h.EventType) && size >= largeEvent {
		p.tail = &io.LimitedReader{R: events, N: size - largeHead}
		size = largeHead
	}
	if size < 0 || size > wire.MaxUnpacked {
		return nil, nil, fmt.Errorf("an event of %d bytes", h.EventSize)
	}
	if p.buf.Cap() > maxKept {
		p.buf = bytes.Buffer{}
	}
	p.buf.Reset()
	if n, err := io.CopyN(&p.buf, events, size); err != nil { // the size is a promise only: memory as bytes arrive
		return nil, nil, fmt.Errorf("an event of %d bytes ends after %d: %w", size, n, errors.Join(wire.ErrTruncated, err))
	}
	return h, p.buf.Bytes(), nil
}

// parsePayload reads the fields in front of the packed events. The sizes are of no use here.
func parsePayload(body []byte) (compression uint64, packed []byte, err error) {
	w := wire.Reader{Rest: body}
	for {
		field := w.Packed()
		if w.Short {
			return 0, nil, wire.ErrTruncated
		}
		if field == payloadEnd {
			return compression, w.Rest, nil
		}
		value := wire.Reader{Rest: w.Bytes(w.Packed())}
		if field == payloadCompression {
			if compression = value.Packed(); value.Short {
				return 0, nil, wire.ErrTruncated
			}
		}
	}
}
