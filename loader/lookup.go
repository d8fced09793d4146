package loader

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"rowhook/cdc"
	"rowhook/rules"
)

// Lookup tables change seldom and are needed for every order: services, employees, settings, translations. They are
// kept in memory, whole, and the log that we read anyway says when they change (Loader.Invalidate). An entry carries the
// position of the snapshot it was read in; a change drops the entries that cannot contain it, and a snapshot that was
// taken before a change cannot put its entry back.

// lookup is a lookup table: how it is read, and by which columns its rows are found.
type lookup struct {
	tables []string          // the plugin's tables it reads; wp_options when it reads WordPress'
	query  string            // {name} is one of the plugin's tables, [name] one of WordPress'; empty: every column
	where  string            // of what rows, likewise; empty: all
	id     string            // column of numbers; empty: 0
	tag    string            // column of texts; empty: ""
	keep   func(record) bool // rows that count; nil: all. An older plugin may lack the column, so the server is not asked
	order  []string          // columns of numbers that rows are sorted by
}

// optional says whether a plugin of some version lacks the table: then what comes from it is as where it is empty.
func optional(table string) bool {
	switch table {
	case "service", "employee", "users", "config", "order_status", optionsTable:
		return false
	}
	return true
}

// optionsTable is WordPress' own table of settings, without prefix.
const optionsTable = "options"

// LookupOptions are the names in wp_options that payloads depend on; a change of any other is none of ours.
func LookupOptions() []string {
	return []string{"siteurl", "date_format", "time_format", "timezone_string", "WPLANG"}
}

func whole(table string, id, tag string) lookup {
	return lookup{tables: []string{table}, id: id, tag: tag}
}

// placeOf is what a location's column names a row of. Of the world's cities few are needed.
func placeOf(table, column string) lookup {
	return lookup{
		tables: []string{table, "employee_location"}, id: "id",
		where: "`id` IN (SELECT `" + column + "` FROM {employee_location})",
	}
}

// lookups lists the lookup tables by the names they are asked for with.
func lookups() map[string]lookup {
	l := map[string]lookup{
		"service": whole("service", "id", ""), "group": whole("group", "id", ""),
		"employee": whole("employee", "id", ""), "employee_group": whole("employee_group", "id", ""),
		"option": whole("option", "id", ""), "option_value": whole("option_value", "id", ""),
		"gpayments": whole("gpayments", "id", ""), "package": whole("package", "id", ""), "package_group": whole("package_group", "id", ""),
		"status_code": whole("status_code", "", "code"),
		"custfields": {
			tables: []string{"custfields"},
			keep:   func(r record) bool { return r.id("group") == 0 }, // 1 is for employees who register
			order:  []string{"ordering", "id"},
		},
		"cf_service_assoc": whole("cf_service_assoc", "id_field", ""),
		"config": {
			tables: []string{"config"}, tag: "param",
			query: "SELECT `param`, LEFT(`setting`, 4096) AS `setting` FROM {config} WHERE `param` IN ('dateformat', 'timeformat', 'keepapplock', 'usercredit')",
		},
		"options": {
			tables: []string{optionsTable}, tag: "option_name",
			query: "SELECT `option_name`, LEFT(`option_value`, 4096) AS `option_value` FROM [options] WHERE `option_name` IN ('" + strings.Join(LookupOptions(), "', '") + "')",
		},
		"location": {
			tables: []string{"employee_location"}, id: "id",
		},
		"country": placeOf("countries", "id_country"), "state": placeOf("states", "id_state"), "city": placeOf("cities", "id_city"),
		"worktime": {tables: []string{"emp_worktime"}, id: "id_employee", tag: "id_service", order: []string{"id"}},
	}
	for _, t := range translations() {
		l[t.table] = whole(t.table, t.key, "tag")
	}
	return l
}

// translation is a table of names in other languages.
type translation struct{ table, key string }

func translations() []translation {
	return []translation{
		{"lang_service", "id_service"}, {"lang_group", "id_group"}, {"lang_employee", "id_employee"}, {"lang_empgroup", "id_empgroup"},
		{"lang_option", "id_option"}, {"lang_option_value", "id_variation"}, {"lang_payment", "id_payment"},
		{"lang_package", "id_package"}, {"lang_package_group", "id_package_group"}, {"lang_customf", "id_customf"},
	}
}

// LookupTables are the tables of a site whose every change an Observer must be told; of wp_options, which is
// among them, only changes of the rows in LookupOptions.
func LookupTables(site *rules.Site) []cdc.TableName {
	var names []cdc.TableName
	for _, l := range lookups() {
		for _, t := range l.tables {
			if name := lookupTable(site, t); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.SortFunc(names, func(a, b cdc.TableName) int { return strings.Compare(a.Name, b.Name) })
	return names
}

func lookupTable(site *rules.Site, table string) cdc.TableName {
	if table == optionsTable {
		return wordpressTable(site, table)
	}
	return site.Table(table)
}

func wordpressTable(site *rules.Site, table string) cdc.TableName {
	return cdc.TableName{Schema: site.Schema, Name: site.Prefix + table}
}

// cache is the lookup tables of every site, as far as they were needed.
type cache struct {
	defs map[string]lookup

	mu      sync.Mutex
	epoch   int // of the log, see Forget
	entries map[cacheKey]*entry
	changed map[cdc.TableName]cdc.Coord // where the last change of a table ends
}

type cacheKey struct {
	site *rules.Site
	name string
}

// entry is a lookup table as one snapshot has it. It never changes.
type entry struct {
	at   cdc.Coord
	rows map[rowKey][]record
}

type rowKey struct {
	id  int64
	tag string
}

// get is the first row with these keys, missing when there is none.
func (e *entry) get(id int64, tag string) record {
	if rows := e.rows[rowKey{id, tag}]; len(rows) > 0 {
		return rows[0]
	}
	return record{}
}

func newCache() *cache {
	return &cache{defs: lookups(), entries: map[cacheKey]*entry{}, changed: map[cdc.TableName]cdc.Coord{}}
}

// invalidate drops what was read of a table before a change whose transaction ends at end. row is the option's name for
// wp_options, and empty for other tables. Whoever reads the log calls it before the events of that transaction, and
// of those behind it, are loaded.
func (l *Loader) invalidate(table cdc.TableName, row string, end cdc.Coord) {
	c := l.cache
	if row != "" && !slices.Contains(LookupOptions(), row) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed[table].Before(end) {
		c.changed[table] = end
	}
	for key, e := range c.entries {
		if e.at.Before(end) && c.reads(key, table) {
			delete(c.entries, key)
		}
	}
}

// forget drops everything that was read: the log goes on at another server, whose places mean something else.
func (l *Loader) forget() {
	l.altered()
	c := l.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	clear(c.entries)
	clear(c.changed)
}

func (c *cache) reads(key cacheKey, table cdc.TableName) bool {
	return slices.ContainsFunc(c.defs[key.name].tables, func(t string) bool { return lookupTable(key.site, t) == table })
}

// find is a lookup table: as it is remembered, else as the snapshot has it.
func (c *cache) find(ctx context.Context, snap *snapshot, site *rules.Site, name string) (*entry, error) {
	key := cacheKey{site, name}
	c.mu.Lock()
	e, epoch := c.entries[key], c.epoch
	c.mu.Unlock()
	if e != nil {
		return e, nil
	}
	def, ok := c.defs[name]
	if !ok {
		return nil, fmt.Errorf("%s is no lookup table", name)
	}
	records, err := snap.lookup(ctx, site, def)
	if err != nil && (!optional(def.tables[0]) || !lacking(err)) {
		return nil, err
	}
	if def.order != nil {
		slices.SortStableFunc(records, func(a, b record) int {
			for _, column := range def.order {
				if c := cmp.Compare(a.id(column), b.id(column)); c != 0 {
					return c
				}
			}
			return 0
		})
	}
	e = &entry{at: snap.at, rows: make(map[rowKey][]record, len(records))}
	for _, r := range records {
		if def.keep != nil && !def.keep(r) {
			continue
		}
		k := rowKey{r.id(def.id), r.text(def.tag)}
		e.rows[k] = append(e.rows[k], r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch {
		return e, nil
	}
	for _, t := range def.tables {
		if snap.at.Before(c.changed[lookupTable(site, t)]) {
			return e, nil // right for this snapshot, but not for those to come
		}
	}
	if old := c.entries[key]; old == nil || old.at.Before(e.at) {
		c.entries[key] = e
	}
	return e, nil
}

// lookup reads the rows of a lookup table.
func (s *snapshot) lookup(ctx context.Context, site *rules.Site, def lookup) ([]record, error) {
	table := lookupTable(site, def.tables[0])
	if def.query != "" {
		return s.query(ctx, table, fillIn(def.query, site))
	}
	before, bytes, left := s.bounds, s.bytes, s.left
	defer func() { s.bounds, s.bytes, s.left = before, bytes, left }()
	s.bounds = bounds{limit: longText, most: math.MaxInt} // large texts are left out of whatever shows them
	return s.all(ctx, table, cmp.Or(fillIn(def.where, site), "TRUE"))
}

// fillIn writes a site's tables into a query.
func fillIn(query string, site *rules.Site) string {
	var b strings.Builder
	for query != "" {
		i := strings.IndexAny(query, "{[")
		if i < 0 {
			break
		}
		b.WriteString(query[:i])
		end := i + strings.IndexAny(query[i:], "}]")
		name := site.Table(query[i+1 : end])
		if query[i] == '[' {
			name = wordpressTable(site, query[i+1:end])
		}
		b.WriteString(quote(name.Schema) + "." + quote(name.Name))
		query = query[end+1:]
	}
	b.WriteString(query)
	return b.String()
}
