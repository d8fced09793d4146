package sqlite

import (
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// fewUndelivered is up to how many undelivered deliveries those lead a query for them.
const fewUndelivered = 50_000

// leads are the tables by which a query finds its deliveries.
const (
	byDelivery    = ` FROM delivery d LEFT JOIN failed f ON f.seq = d.seq`
	byFailed      = ` FROM failed f CROSS JOIN delivery d ON d.seq = f.seq`
	byUndelivered = ` FROM (SELECT seq FROM backlog UNION SELECT seq FROM delivery WHERE seq > (SELECT low FROM state)) u
		CROSS JOIN delivery d ON d.seq = u.seq LEFT JOIN failed f ON f.seq = d.seq`
)

// selection is the filter in SQL, from FROM to ORDER BY, but for the exact match of a key or an object. Few deliveries are waiting, dead
// or held: when only those are wanted their own table leads (a CROSS JOIN keeps SQLite from turning it round). So do those
// that are undelivered, when they are few; when they are many, whoever wants some finds them soon.
func selection(c *sqlite3.Conn, f outbox.Filter) (sql string, args []any, err error) {
	var w where
	from, seq, in := byDelivery, `d.seq`, state
	failed, undelivered := len(f.States) > 0, len(f.States) > 0
	numbers := make([]string, len(f.States))
	for i, st := range f.States {
		numbers[i] = strconv.Itoa(int(st))
		failed = failed && st != outbox.Fresh && st != outbox.Delivered
		undelivered = undelivered && (st == outbox.Fresh || st == outbox.Waiting)
	}
	switch {
	case failed || !f.DueBy.IsZero():
		from, seq, in = byFailed, `f.seq`, `f.state`
	case undelivered:
		lagging, err := number(c, `SELECT sum(lagging) FROM endpoint`)
		if err != nil {
			return "", nil, err
		}
		if lagging <= fewUndelivered {
			from, seq = byUndelivered, `u.seq`
		}
	}
	if !f.DueBy.IsZero() {
		seq = `+f.seq` // the plus makes SQLite look for what is due by its index instead
		w.add(`f.state = 1 AND f.due <= ?`, f.DueBy.UnixMicro())
	}
	if len(numbers) > 0 {
		w.add(in + ` IN (` + strings.Join(numbers, `, `) + `)`)
	}
	w.add(seq+` > ?`, f.After)
	if f.Before > 0 {
		w.add(seq+` < ?`, f.Before)
	}
	w.filter(&f)
	by := ` ORDER BY ` + seq
	if f.Newest {
		by += ` DESC`
	}
	return from + ` ` + lastAttempt + ` WHERE ` + strings.Join(w.terms, ` AND `) + by, w.args, nil
}

// where are the terms of a condition, and their arguments.
type where struct {
	terms []string
	args  []any
}

func (w *where) add(term string, values ...any) {
	w.terms = append(w.terms, term)
	w.args = append(w.args, values...)
}

// filter adds what a filter says of the deliveries themselves.
func (w *where) filter(f *outbox.Filter) {
	if f.Entity != "" {
		w.add(`d.label IN (SELECT id FROM label WHERE substr(kind, 1, length(?) + 1) = ? || '.')`, f.Entity, f.Entity)
	}
	if !f.Since.IsZero() {
		w.add(`d.created >= ?`, f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		w.add(`d.created < ?`, f.Until.UnixMicro())
	}
	if f.Key != "" {
		w.add(`instr(d.keys, ?) > 0`, outbox.EscapeKey(f.Key))
	}
	if f.Object != "" {
		w.add(`instr(d.keys, ?) > 0`, "/"+outbox.EscapeKey(f.Object))
	}
	if f.ID != nil {
		w.add(`d.id = ?`, f.ID[:])
	}
	w.addAny(`d.label IN (SELECT id FROM label WHERE rule IN (`, f.Rules)
	w.addAny(`d.label IN (SELECT id FROM label WHERE site IN (`, f.Sites)
	w.addAny(`d.endpoint IN (SELECT id FROM endpoint WHERE name IN (`, f.Endpoints)
}

// addAny adds a term that ends in a list of texts, if there are any.
func (w *where) addAny(term string, texts []string) {
	if len(texts) == 0 {
		return
	}
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = text
	}
	w.add(term+`?`+strings.Repeat(`, ?`, len(texts)-1)+`))`, values...)
}
