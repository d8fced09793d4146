package mysql

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"rowhook/outbox"
)

// packet is a transaction that goes to the server at once: BEGIN, what is to be done, COMMIT. A transaction that waits for
// the next statement of a process that was frozen holds its locks meanwhile, and nobody could take over from it. Only where it is more
// than the server takes at once it goes in several; then the server ends the session of one that is frozen in between, see patience.
type packet struct {
	sql  strings.Builder
	ends []int // of its statements
}

// maxStatement is how long a statement that lists rows is made, about, in bytes: a transaction is cut between its statements.
const maxStatement = 1 << 20

// add adds a statement, with values where it has question marks.
func (p *packet) add(stmt string, values ...any) {
	for _, v := range values {
		before, after, _ := strings.Cut(stmt, "?")
		p.sql.WriteString(before)
		p.value(v)
		stmt = after
	}
	p.sql.WriteString(stmt)
	p.end()
}

// end ends a statement.
func (p *packet) end() {
	p.sql.WriteString(";\n")
	p.ends = append(p.ends, p.sql.Len())
}

// rows adds a statement that ends in a list of rows, if there are any, and in what follows it.
func (p *packet) rows(stmt, after string, rows [][]any) {
	list := p.list(stmt, after)
	for _, row := range rows {
		list.add(row...)
	}
	list.end()
}

// rowList is a statement with a list of rows, in the making, or several of them when the rows are many.
type rowList struct {
	packet       *packet
	stmt, after  string
	begin, count int // where the statement begins, and how many rows it has
}

// list begins such a statement. Until its end nothing else is added to the packet.
func (p *packet) list(stmt, after string) rowList {
	return rowList{packet: p, stmt: stmt, after: after}
}

func (l *rowList) add(values ...any) {
	sql := &l.packet.sql
	if l.count > 0 && sql.Len()-l.begin >= maxStatement {
		l.end()
	}
	if l.count == 0 {
		l.begin = sql.Len()
		sql.WriteString(l.stmt)
	} else {
		sql.WriteByte(',')
	}
	l.count++
	sql.WriteByte('(')
	for i, v := range values {
		if i > 0 {
			sql.WriteByte(',')
		}
		l.packet.value(v)
	}
	sql.WriteByte(')')
}

// end ends the statement, if it has rows.
func (l *rowList) end() {
	if l.count > 0 {
		l.packet.sql.WriteString(l.after)
		l.packet.end()
	}
	l.count = 0
}

// value adds a value. The session takes texts for bytes, and a backslash for any other character (errSession).
func (p *packet) value(v any) {
	var digits [20]byte
	switch v := v.(type) {
	case nil:
		p.sql.WriteString("NULL")
	case int:
		p.sql.Write(strconv.AppendInt(digits[:0], int64(v), 10))
	case int64:
		p.sql.Write(strconv.AppendInt(digits[:0], v, 10))
	case bool:
		p.sql.WriteString(strconv.FormatBool(v))
	case string:
		p.sql.WriteByte('\'')
		p.sql.WriteString(strings.ReplaceAll(v, `'`, `''`))
		p.sql.WriteByte('\'')
	case []byte:
		p.bytes(v)
	default:
		panic("a value of a type that is not written to the outbox")
	}
}

// bytes adds what may be large.
func (p *packet) bytes(b []byte) {
	p.sql.WriteByte('\'')
	for quote := true; quote; {
		var before []byte
		before, b, quote = bytes.Cut(b, []byte(`'`))
		p.sql.Write(before)
		if quote {
			p.sql.WriteString(`''`)
		}
	}
	p.sql.WriteByte('\'')
}

// each adds a statement about rows with these numbers, if there are any.
func (p *packet) each(stmt string, numbers []int64) {
	if len(numbers) > 0 {
		p.add(stmt + list(numbers))
	}
}

// list is numbers as SQL has them behind IN.
func list(numbers []int64) string {
	text := []byte("(")
	for i, n := range numbers {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(append(text, ')'))
}

// errUnsent says that nothing of a transaction has reached the server.
var errUnsent = errors.New("there is no connection to the server")

// send runs the transaction on a connection of db. What the server refuses is rolled back; on any other error nobody knows
// whether it was done.
func (p *packet) send(ctx context.Context, db *sql.DB) error {
	return sendParts(ctx, db, math.MaxInt, p)
}

// sendParts is send for one in several parts, of which the server takes so many bytes at once.
func sendParts(ctx context.Context, db *sql.DB, room int, parts ...*packet) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnsent, err)
	}
	defer conn.Close()
	for _, text := range transaction(room, parts) {
		if _, err = conn.ExecContext(ctx, text); err != nil {
			break
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, driver.ErrBadConn): // an old connection, which had ended meanwhile
		return fmt.Errorf("%w: %w", errUnsent, err)
	case errors.Is(err, mysql.ErrPktTooLarge):
		return fmt.Errorf("%w: more than the server's max_allowed_packet", outbox.ErrTooLarge)
	}
	if _, rollback := conn.ExecContext(ctx, "ROLLBACK"); rollback != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // nobody shall go on in this transaction
	}
	return err
}

// transaction is the texts of one, each with as many statements as there is room for.
func transaction(room int, parts []*packet) (texts []string) {
	const begin, commit = "BEGIN;\n", "COMMIT"
	size := len(begin) + len(commit)
	for _, p := range parts {
		size += p.sql.Len()
	}
	var text strings.Builder
	text.Grow(min(size, room))
	text.WriteString(begin)
	for _, p := range parts {
		sql := p.sql.String()
		if size <= room {
			text.WriteString(sql)
			continue
		}
		at := 0
		for _, end := range p.ends {
			if text.Len()+end-at+len(commit) > room && text.Len() > len(begin) {
				texts = append(texts, text.String())
				text.Reset()
			}
			text.WriteString(sql[at:end])
			at = end
		}
	}
	text.WriteString(commit)
	return append(texts, text.String())
}

// hash is a key of texts that may be long.
func hash(texts ...string) []byte {
	h := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return h.Sum(nil)[:16]
}
