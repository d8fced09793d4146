package mysql

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"rowhook/outbox"
)

// list selects deliveries with what became of them.
func (r reader) list(ctx context.Context, f outbox.Filter) (list []*outbox.Stored, err error) {
	err = r.snapshot(ctx, func(tx *sql.Tx) error {
		w, err := readWords(ctx, tx)
		if err != nil {
			return err
		}
		ends, err := readEnds(ctx, tx)
		if err != nil {
			return err
		}
		list, err = listAll(ctx, tx, &w, ends, f)
		return err
	})
	return list, err
}

// listAll goes on until the filter's limit is reached, or with payloads so many bytes. It asks for a page at a time, as the
// driver reads to the end whatever it asked for.
func listAll(ctx context.Context, tx *sql.Tx, w *words, ends map[int64]*end, f outbox.Filter) (list []*outbox.Stored, err error) {
	var items []*item
	size, full := int64(0), false
	for n := step; n == step && !full; {
		query, args, some := selection(w, &f)
		if !some {
			break
		}
		n = 0
		err = each(ctx, tx, storedColumns+query+` LIMIT `+strconv.Itoa(step), args, func(scan func(...any) error) (bool, error) {
			it, err := scanItem(scan, w, ends)
			if err != nil {
				return false, err
			}
			n++
			if f.Newest {
				f.Before = it.Seq
			} else {
				f.After = it.Seq
			}
			if full || !f.About(it.Keys) || len(f.States) > 0 && !slices.Contains(f.States, it.State) {
				return true, nil
			}
			items = append(items, it)
			size += it.length
			full = len(items) == f.Limit || f.Bodies && size >= maxRead
			return !full, nil
		})
		if err != nil {
			return nil, err
		}
	}
	if f.Bodies {
		if items, err = bodies(ctx, tx, items); err != nil {
			return nil, err
		}
	}
	for _, it := range items {
		list = append(list, &it.Stored)
	}
	return list, nil
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

// selection is the filter in SQL, but for the exact match of a key, and of what only the marks know: whether one that is not in
// failed is fresh or delivered. Some is false when nothing can match. Few deliveries are waiting, dead or held: when only those are
// wanted their own table leads.
func selection(words *words, f *outbox.Filter) (query string, args []any, some bool) {
	var w where
	from, seq := ` FROM delivery d LEFT JOIN failed f ON f.seq = d.seq`, `d.seq`
	failed := len(f.States) > 0 && !slices.Contains(f.States, outbox.Fresh) && !slices.Contains(f.States, outbox.Delivered)
	if failed || !f.DueBy.IsZero() {
		from, seq = ` FROM failed f JOIN delivery d ON d.seq = f.seq`, `f.seq`
	}
	w.add(seq+` > ?`, f.After)
	if f.Before > 0 {
		w.add(seq+` < ?`, f.Before)
	}
	from += w.states(f)
	if !w.words(words, f) {
		return "", nil, false
	}
	if !f.Since.IsZero() {
		w.add(`d.created >= ?`, f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		w.add(`d.created < ?`, f.Until.UnixMicro())
	}
	if !f.DueBy.IsZero() {
		w.add(`f.state = 1 AND f.due <= ?`, f.DueBy.UnixMicro())
	}
	if f.Key != "" {
		w.add(`INSTR(d.aggs, ?) > 0`, []byte(outbox.EscapeKey(f.Key)))
	}
	if f.Object != "" {
		w.add(`INSTR(d.aggs, ?) > 0`, []byte("/"+outbox.EscapeKey(f.Object)))
	}
	if f.ID != nil {
		w.add(`d.id = ?`, f.ID[:])
	}
	by := ` ORDER BY ` + seq
	if f.Newest {
		by += ` DESC`
	}
	return from + lastAttempt + ` WHERE ` + strings.Join(w.terms, ` AND `) + by, w.args, true
}

// states adds what can be said of states in SQL, and returns what it joins for that.
func (w *where) states(f *outbox.Filter) (join string) {
	if len(f.States) == 0 {
		return ""
	}
	var failed []int64
	for _, s := range f.States {
		if s != outbox.Fresh && s != outbox.Delivered {
			failed = append(failed, int64(s))
		}
	}
	fresh, delivered := slices.Contains(f.States, outbox.Fresh), slices.Contains(f.States, outbox.Delivered)
	var terms []string
	if len(failed) > 0 {
		terms = append(terms, `f.state IN `+list(failed))
	}
	switch {
	case delivered:
		terms = append(terms, `f.state IS NULL`)
	case fresh:
		join = ` LEFT JOIN mark m ON m.endpoint = d.endpoint`
		terms = append(terms, `f.state IS NULL AND d.n > COALESCE(m.low, 0)`)
	}
	w.add(`(` + strings.Join(terms, ` OR `) + `)`)
	return join
}

// words adds what a filter says of names. It returns false when there are none of these.
func (w *where) words(words *words, f *outbox.Filter) bool {
	if len(f.Rules)+len(f.Sites) > 0 || f.Entity != "" {
		var labels []int64
		for id, l := range words.labels {
			if (len(f.Rules) == 0 || slices.Contains(f.Rules, l.rule)) && (len(f.Sites) == 0 || slices.Contains(f.Sites, l.site)) &&
				(f.Entity == "" || strings.HasPrefix(l.kind, f.Entity+".")) {
				labels = append(labels, id)
			}
		}
		if len(labels) == 0 {
			return false
		}
		w.add(`d.label IN ` + list(labels))
	}
	if len(f.Endpoints) > 0 {
		var ids []int64
		for id, name := range words.endpoints {
			if slices.Contains(f.Endpoints, name) {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			return false
		}
		w.add(`d.endpoint IN ` + list(ids))
	}
	return true
}

// attempts reads what is on record of a delivery, the oldest attempt first.
func (r reader) attempts(ctx context.Context, seq int64) (list []outbox.Attempt, err error) {
	err = each(ctx, r.db, `SELECT at, latency, status, error, response FROM attempt WHERE seq = ? ORDER BY k`, []any{seq}, func(scan func(...any) error) (bool, error) {
		var a outbox.Attempt
		var at, latency int64
		err := scan(&at, &latency, &a.Status, &a.Error, &a.Response)
		a.At, a.Latency = timeOf(at), duration(latency)
		list = append(list, a)
		return true, err
	})
	return list, err
}
