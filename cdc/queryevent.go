package cdc

import (
	"strconv"
	"strings"

	"rowhook/cdc/charset"
	"rowhook/cdc/ddl"
)

// query is what a QUERY_EVENT says.
type query struct {
	schema  string // the default one
	text    []byte
	failed  bool   // with an error, after it had done a part
	sqlMode uint64 //
	charset string // the client's, which the text is in; empty when the event does not say
}

// parseQuery reads a QUERY_EVENT, whose fixed header has some more bytes.
func parseQuery(more int, compressed bool, body []byte) (*query, error) {
	w := wire{rest: body}
	w.bytes(8) // connection id, run time
	size := w.byte()
	failed := w.uint16() != 0
	variables := w.uint16()
	w.bytes(uint64(more))
	status := w.bytes(uint64(variables))
	q := &query{failed: failed, schema: string(w.bytes(uint64(size)))}
	w.bytes(1) // the end of the schema
	if w.short {
		return nil, errTruncated
	}
	q.readStatus(status)
	q.text = w.rest
	if compressed {
		var err error
		if q.text, err = unpack(q.text); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// readStatus reads the variables of the session. They have no lengths, so it ends at the first that is not known; those
// that matter come early. See MySQL's libs/mysql/binlog/event/statement_events.h, enum Query_event_status_vars.
func (q *query) readStatus(status []byte) {
	w := wire{rest: status}
	for len(w.rest) > 0 && !w.short {
		switch w.byte() {
		case 0: // flags
			w.bytes(4)
		case 1:
			q.sqlMode = w.fixed(8)
		case 2: // the catalog, ended by a zero
			w.bytes(uint64(w.byte()) + 1)
		case 3: // auto_increment
			w.bytes(4)
		case 4: // of the client, of the connection, of the server
			q.charset = charset.OfCollation(uint64(w.uint16()))
			w.bytes(4)
		case 5, 6: // time zone, catalog
			w.bytes(uint64(w.byte()))
		case 7, 8: // language, charset of the schema
			w.bytes(2)
		case 131: // MariaDB's default collations of charsets: pairs
			w.bytes(4 * uint64(w.byte()))
		default:
			return
		}
	}
}

// utf8Text is the statement in UTF-8; false when that cannot be told.
func (q *query) utf8Text() (string, bool) {
	switch q.charset {
	case "utf8mb4", "utf8mb3", "ascii":
	default:
		if charset.IsASCII(q.text) {
			break
		}
		text, err := charset.NewDecoder(q.charset)
		if err != nil || q.charset == "binary" {
			return "", false
		}
		return string(text.Append(nil, q.text)), true
	}
	return string(q.text), true
}

// isDDL says whether a statement's first word is that of one that may change tables.
func isDDL(word string) bool {
	switch word {
	case "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE":
		return true
	}
	return false
}

// readDDL says what a statement does to tables; false when it is not understood.
func (s *Source) readDDL(q *query) ([]ddl.Op, bool) {
	text, ok := q.utf8Text()
	if !ok {
		return nil, false
	}
	d := s.dialect
	d.SQLMode = q.sqlMode
	if q.failed {
		return ddl.ReadFailed(d, q.schema, text)
	}
	return ddl.Read(d, q.schema, text)
}

// mayTouch says whether a statement that is not understood may change a table.
func (s *Source) mayTouch(q *query, t TableName) bool {
	text, ok := q.utf8Text()
	schema := q.schema
	return !ok || mayTouch(schema, text, t)
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
