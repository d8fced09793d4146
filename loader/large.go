package loader

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"unicode/utf8"

	"rowhook/cdc"
	"rowhook/loader/render"
	"rowhook/rules"
	"rowhook/scratch"
)

// Some texts of a row are too large for memory (cdc.Large). Where a payload shows one, a mark takes its place: a byte that
// JSON cannot hold, the text's kind and its hash. When the payload is made it is written to a scratch file, and each mark
// becomes the text.

const (
	mark     = 0x01
	markSize = 1 + 1 + sha256.Size
)

// appendMark appends the mark of a text, between quotes.
func appendMark(b []byte, kind cdc.Kind, text *scratch.Value) []byte {
	sum := text.Sum()
	b = append(b, '"', mark, byte(kind))
	return append(append(b, sum[:]...), '"')
}

// fill puts the texts in place of their marks.
func (l *Loader) fill(p *Payload, ev *rules.Event, o object) error {
	if bytes.IndexByte(p.Body, mark) < 0 {
		return nil
	}
	texts := map[[sha256.Size]byte]*scratch.Value{}
	for _, row := range append(o.rows(), ev.Row) {
		for _, large := range row.Larges() {
			texts[large.Sum()] = large.Value
		}
	}
	v, err := scratch.NewPad(l.opts.Scratch).Put(func(w io.Writer) error { return filled(w, p.Body, texts) })
	if err != nil {
		return err
	}
	p.Body, p.Large = nil, v
	return nil
}

// filled writes a payload with its texts.
func filled(w io.Writer, body []byte, texts map[[sha256.Size]byte]*scratch.Value) error {
	for {
		before, from, found := bytes.Cut(body, []byte{mark})
		if _, err := w.Write(before); err != nil || !found {
			return err
		}
		text := texts[[sha256.Size]byte(from[1:])]
		if text == nil {
			return errors.New("a text of its rows is missing")
		}
		if err := writeText(w, cdc.Kind(from[0]), text); err != nil {
			return err
		}
		body = from[markSize-1:]
	}
}

// writeText writes what appendText appends, but for the quotes.
func writeText(w io.Writer, kind cdc.Kind, text *scratch.Value) error {
	if kind == cdc.Binary {
		out := base64.NewEncoder(base64.StdEncoding, w)
		_, err := io.Copy(out, scratch.Reader(text))
		return errors.Join(err, out.Close())
	}
	const size = 64 << 10
	in := bufio.NewReaderSize(scratch.Reader(text), size)
	var out []byte
	for {
		piece, err := in.Peek(size)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		n := len(piece)
		if err == nil { // the last character may go on
			for n--; n > 0 && !utf8.RuneStart(piece[n]); n-- {
			}
		}
		out = render.AppendEscaped(out[:0], string(piece[:n]))
		if _, err := w.Write(out); err != nil {
			return err
		}
		if _, _ = in.Discard(n); err != nil { // it was peeked
			return nil //nolint:nilerr // the end
		}
	}
}

// rows are those that payloads of the object may show.
func (o object) rows() []cdc.Row {
	rows := []cdc.Row{o.row, o.same.row}
	if o.orders == nil {
		return rows
	}
	add := func(records []record) {
		for _, r := range records {
			rows = append(rows, r.row)
		}
	}
	add(o.orders.roots)
	for _, grouped := range []map[int64][]record{o.orders.children, o.orders.parts, o.orders.history, o.orders.notes, o.orders.invoices} {
		for _, records := range grouped {
			add(records)
		}
	}
	for _, customer := range o.orders.byID {
		rows = append(rows, customer.row)
	}
	return rows
}

// unreadable is what record.text panics with when it cannot read a large text; whoever makes payloads recovers it.
type unreadable struct{ err error }

// inMemory reads a large text into memory: a payload looks into it, or is ruled by it.
func inMemory(text *scratch.Value) string {
	b := make([]byte, text.Size())
	if _, err := io.ReadFull(scratch.Reader(text), b); err != nil {
		panic(unreadable{fmt.Errorf("reading a text of %d bytes: %w", text.Size(), err)})
	}
	return string(b)
}

// errRender says that what was read makes no payload.
var errRender = errors.New("what was read makes no payload")

// recovered makes such a panic an error. Any other is one too: the data of one event shall not end the daemon.
func recovered(err *error) {
	switch p := recover().(type) {
	case nil:
	case unreadable:
		*err = p.err
	default:
		*err = fmt.Errorf("%w: %v, at %s", errRender, p, debug.Stack())
	}
}
