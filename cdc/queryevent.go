package cdc

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"rowhook/cdc/charset"
	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/wire"
)

// query is what a QUERY_EVENT says.
type query struct{ schema.Statement }

// maxStatementText bounds what is looked at of a statement, in bytes: that of a query, and the text that travels with
// rows. What a statement does and to which tables stands early; who must see the end too, does without the statement.
const maxStatementText = 1 << 20

// readQuery reads the event at hand, of a large one only as much as is looked at. Its fixed header has some more bytes.
func (r *reader) readQuery(more int, compressed bool, body []byte) (*query, error) {
	q, text, err := parseQuery(r.src.dialect, more, body)
	if err != nil {
		return nil, err
	}
	tail, left := r.tail(body)
	return q, q.readText(text, compressed, tail, left)
}

// parseQuery reads a QUERY_EVENT but for its text, which it returns as it is there. The dialect is that of the server.
func parseQuery(dialect ddl.Dialect, more int, body []byte) (q *query, text []byte, err error) {
	w := wire.Reader{Rest: body}
	thread := uint32(w.Fixed(4))
	w.Bytes(4) // run time
	size := w.Byte()
	failed := w.Uint16() != 0
	variables := w.Uint16()
	w.Bytes(uint64(more))
	status := w.Bytes(uint64(variables))
	q = &query{schema.Statement{Thread: thread, Schema: string(w.Bytes(uint64(size))), Failed: failed, Dialect: dialect}}
	w.Bytes(1) // the end of the schema
	if w.Short {
		return nil, nil, wire.ErrTruncated
	}
	q.readStatus(status)
	return q, w.Rest, nil
}

// readStatus reads the variables of the session. They have no lengths, so it ends at the first that is not known; those
// that matter come early. See MySQL's libs/mysql/binlog/event/statement_events.h, enum Query_event_status_vars.
func (q *query) readStatus(status []byte) {
	w := wire.Reader{Rest: status}
	for len(w.Rest) > 0 && !w.Short {
		switch w.Byte() {
		case 0: // flags
			w.Bytes(4)
		case 1:
			q.Dialect.SQLMode = w.Fixed(8)
		case 2: // the catalog, ended by a zero
			w.Bytes(uint64(w.Byte()) + 1)
		case 3: // auto_increment
			w.Bytes(4)
		case 4: // of the client, of the connection, of the server
			q.Dialect.Client = charset.OfCollation(uint64(w.Uint16()))
			q.Dialect.Connection = charset.OfCollation(uint64(w.Uint16()))
			w.Bytes(2)
		case 5, 6: // time zone, catalog
			w.Bytes(uint64(w.Byte()))
		case 7, 8: // language, charset of the schema
			w.Bytes(2)
		case 131: // MariaDB's default collations of charsets: pairs
			w.Bytes(4 * uint64(w.Byte()))
		default:
			return
		}
	}
}

// readText takes the text: what is there of it, and what follows in the event's tail.
func (q *query) readText(there []byte, compressed bool, tail io.Reader, left int) error {
	in, size := io.Reader(bytes.NewReader(there)), len(there)+left
	if left > 0 {
		in = io.MultiReader(in, tail)
	}
	if compressed {
		var packed []byte
		var err error
		if size, packed, err = wire.PackedSize(there); err != nil {
			return err
		}
		in = bytes.NewReader(packed)
		if left > 0 {
			in = io.MultiReader(in, tail)
		}
		if in, err = wire.Unpacking(in, size); err != nil {
			return err
		}
	}
	text, err := io.ReadAll(io.LimitReader(in, maxStatementText))
	if err != nil {
		return err
	}
	if compressed && size <= maxStatementText {
		if _, err := in.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	q.Dialect.Cut = size > maxStatementText
	q.decode(text)
	return nil
}

// decode makes UTF-8 of the text, if it can be told what it is.
func (q *query) decode(text []byte) {
	switch q.Dialect.Client {
	case "utf8mb4", "utf8mb3", "ascii":
		if q.Dialect.Cut { // perhaps within a character
			text = wholeRunes(text)
		}
	default:
		if charset.IsASCII(text) {
			break
		}
		decoder, err := charset.NewDecoder(q.Dialect.Client)
		if err != nil || q.Dialect.Client == "binary" {
			q.Opaque = true
			break
		}
		text = decoder.Append(nil, text)
	}
	q.Text = string(text)
}

// wholeRunes is a text without the beginning of a character at its end.
func wholeRunes(text []byte) []byte {
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if at := len(text) - back; utf8.RuneStart(text[at]) {
			if !utf8.FullRune(text[at:]) {
				return text[:at]
			}
			break
		}
	}
	return text
}

// versionNumber is a server's version as its executable comments name it: 101106 for 10.11.6.
func versionNumber(version string) int {
	number := 0
	parts := strings.SplitN(version, ".", 3)
	for i := range 3 {
		number *= 100
		if i < len(parts) {
			digits := parts[i]
			if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
				digits = digits[:end]
			}
			n, _ := strconv.Atoi(digits)
			number += n
		}
	}
	return number
}
