package loader

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"unicode/utf8"

	"rowhook/cdc"
	"rowhook/rules"
	"rowhook/scratch"
)

// body is a payload in the making: JSON in memory, and holes in it for the texts of columns that are too large for that.
type body struct {
	b     []byte
	holes []hole
}

// hole is where a text belongs: between the quotes around an offset.
type hole struct {
	at   int
	kind cdc.Kind
	text *scratch.Value
}

// native adds a key and column i as the JSON type it is.
func (o *body) native(key string, row cdc.Row, i int) {
	if o.b = appendKey(o.b, key); !o.hole(row, i) {
		o.b = appendNative(o.b, row, i)
	}
}

// text adds a key and column i as a string.
func (o *body) text(key string, row cdc.Row, i int) {
	if o.b = appendKey(o.b, key); !o.hole(row, i) {
		o.b = appendText(o.b, row, i)
	}
}

// hole leaves one when column i is large.
func (o *body) hole(row cdc.Row, i int) bool {
	v := row.Large(i)
	if v == nil {
		return false
	}
	o.b = append(o.b, '"', '"')
	o.holes = append(o.holes, hole{len(o.b) - 1, row.Kind(i), v})
	return true
}

// end closes the object.
func (o *body) end() body {
	o.b = append(o.b, '}')
	return *o
}

// finish is the payload: in memory, or with the holes filled in a scratch file.
func (o *body) finish(files scratch.Files) ([]byte, scratch.Blob, error) {
	if len(o.holes) == 0 {
		return o.b, nil, nil
	}
	v, err := scratch.NewPad(files).Put(o.write)
	if err != nil {
		return nil, nil, err
	}
	return nil, v, nil
}

func (o *body) write(w io.Writer) error {
	from := 0
	for _, h := range o.holes {
		if _, err := w.Write(o.b[from:h.at]); err != nil {
			return err
		}
		if err := h.fill(w); err != nil {
			return err
		}
		from = h.at
	}
	_, err := w.Write(o.b[from:])
	return err
}

// fill writes the text as appendText would.
func (h *hole) fill(w io.Writer) error {
	if h.kind == cdc.Binary {
		out := base64.NewEncoder(base64.StdEncoding, w)
		_, err := io.Copy(out, scratch.Reader(h.text))
		return errors.Join(err, out.Close())
	}
	const size = 64 << 10
	in := bufio.NewReaderSize(scratch.Reader(h.text), size)
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
		out = appendEscaped(out[:0], string(piece[:n]))
		if _, err := w.Write(out); err != nil {
			return err
		}
		_, _ = in.Discard(n) // it was peeked
		if err != nil {
			return nil //nolint:nilerr // the end
		}
	}
}

// inMemory is events with what is large in memory where an extended payload is made of it, which looks into its texts.
func inMemory(events []*rules.Event) ([]*rules.Event, error) {
	list := make([]*rules.Event, len(events))
	for i, ev := range events {
		list[i] = ev
		if len(ev.Row.Larges()) == 0 || !hasExtended(ev) {
			continue
		}
		whole := *ev
		var b cdc.RowBuilder
		for i := range ev.Row.Len() {
			text := ev.Row.Text(i)
			if v := ev.Row.Large(i); v != nil {
				read := make([]byte, v.Size())
				if _, err := io.ReadFull(scratch.Reader(v), read); err != nil {
					return nil, err
				}
				text = string(read)
			}
			b.AddText(ev.Row.Kind(i), text)
		}
		whole.Row = b.Row()
		list[i] = &whole
	}
	return list, nil
}

func hasExtended(ev *rules.Event) bool {
	for _, r := range ev.Rules {
		if r.Load == rules.Extended {
			return true
		}
	}
	return false
}
