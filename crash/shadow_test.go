//go:build crash

package crash

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
)

// housekeeping are the columns of appointments whose change alone is no save.
var housekeeping = []string{
	"locked_until", "modifiedon", "cc_data", "skip_deposit", "conversion", "icaluid", "icalhash", "payment_attempt", "log",
}

// compareShadow compares the tables that each mirror rebuilt from full saves and deletes with those of the database, and
// counts the rows that differ; parents of multi-orders apart, as their inserts are no events.
func (w *world) compareShadow(f *findings) (differ int) {
	w.t.Helper()
	for i := range w.writing.pools {
		p := &w.writing.pools[i]
		rows, err := w.tableOf(p)
		if err != nil {
			w.t.Fatal(err)
		}
		objects := p.objects
		for _, order := range p.orders {
			objects = slices.Concat(objects, order[1:])
		}
		for _, mirror := range w.mirrors {
			mirror.look(func(l *ledger) {
				for _, o := range objects {
					if why := difference(rows[o.id], l.rows[o.key]); why != "" {
						differ++
						f.note("%s: the shadow table: %s", o.key, why)
					}
				}
			})
		}
	}
	return differ
}

// tableOf reads a table as it is.
func (w *world) tableOf(p *pool) (map[int64]map[string]string, error) {
	result, err := w.writing.db.QueryContext(w.ctx, "SELECT * FROM "+p.site.table(tables[p.entity]))
	if err != nil {
		return nil, err
	}
	defer result.Close()
	names, err := result.Columns()
	if err != nil {
		return nil, err
	}
	rows := map[int64]map[string]string{}
	for result.Next() {
		values := make([]sql.NullString, len(names))
		places := make([]any, len(names))
		for i := range values {
			places[i] = &values[i]
		}
		if err := result.Scan(places...); err != nil {
			return nil, err
		}
		row := map[string]string{}
		for i, name := range names {
			if row[name] = values[i].String; !values[i].Valid {
				row[name] = null
			}
		}
		id, err := strconv.ParseInt(row["id"], 10, 64)
		if err != nil {
			return nil, err
		}
		rows[id] = row
	}
	return rows, result.Err()
}

// difference says how a row of the shadow differs from the true one; nil is no row.
func difference(row, shadow map[string]string) string {
	switch {
	case row == nil && shadow == nil:
		return ""
	case row == nil:
		return "a row that is deleted"
	case shadow == nil:
		return "no row"
	}
	for name, value := range row {
		if slices.Contains(housekeeping, name) || name == "id_parent" && value == row["id"] || same(value, shadow[name]) {
			continue
		}
		return fmt.Sprintf("%s is %.60q, in the database %.60q", name, shadow[name], value)
	}
	return ""
}

// same compares texts, and as numbers what a payload shows as such.
func same(a, b string) bool {
	if a == b {
		return true
	}
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && x == y
}
