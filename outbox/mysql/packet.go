package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rowhook/outbox"
)

// packet is a transaction that goes to the server at once: BEGIN, what is to be done, COMMIT. A transaction that waits for
// the next statement of a process that was frozen holds its locks meanwhile, and nobody could take over from it.
type packet struct {
	sql  strings.Builder
	args []any
}

// add adds a statement. Texts are given as bytes: the server would refuse those that are no UTF-8.
func (p *packet) add(stmt string, args ...any) {
	p.sql.WriteString(stmt)
	p.sql.WriteString(";\n")
	p.bind(args)
}

func (p *packet) bind(args []any) {
	for _, a := range args {
		switch v := a.(type) {
		case string:
			a = []byte(v)
		case []byte:
			if v == nil {
				a = []byte{}
			}
		}
		p.args = append(p.args, a)
	}
}

// rows adds a statement that ends in a list of rows, if there are any, and in what follows it.
func (p *packet) rows(stmt, after string, rows [][]any) {
	if len(rows) == 0 {
		return
	}
	p.sql.WriteString(stmt)
	tuple := "(?" + strings.Repeat(",?", len(rows[0])-1) + ")"
	for i, row := range rows {
		if i > 0 {
			p.sql.WriteByte(',')
		}
		p.sql.WriteString(tuple)
		p.bind(row)
	}
	p.sql.WriteString(after)
	p.sql.WriteString(";\n")
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

// noSyntax is the server's error for what is no SQL.
const noSyntax = 1064

// send runs the transaction on a connection of db. What the server refuses is rolled back; on any other error nobody knows
// whether it was done.
func (p *packet) send(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnsent, err)
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, "BEGIN;\n"+p.sql.String()+"COMMIT", p.args...)
	if err == nil {
		return nil
	}
	if errors.Is(err, driver.ErrBadConn) { // an old connection, which had ended meanwhile
		return fmt.Errorf("%w: %w", errUnsent, err)
	}
	// What would be too large with its arguments is prepared instead, which the server refuses of several statements.
	if isNumber(err, noSyntax) || strings.Contains(err.Error(), "packet for query is too large") {
		return fmt.Errorf("%w: more than the server's max_allowed_packet", outbox.ErrTooLarge)
	}
	if _, rollback := conn.ExecContext(ctx, "ROLLBACK"); rollback != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // nobody shall go on in this transaction
	}
	return err
}

// hash is a key of texts that may be long.
func hash(texts ...string) []byte {
	h := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return h.Sum(nil)[:16]
}
