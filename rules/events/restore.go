package events

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// Rows that come into a table that was dropped, emptied or made moments before come from a backup, or from another
// table: a restore, not news. They make no saves and no status changes, but one event with their numbers.
//
// Page requests go on meanwhile, and after the installation of the plugin the first of them comes. What tells theirs
// from a restore's: a row that is new has no id before the server gives it one, so its INSERT does not name it, and it
// comes alone. Where the text of the statement is not known, a row that comes alone is new when it says that it was made
// after the table was emptied, when its order is new, or when nothing came back into its table for some seconds.

const (
	restoreBegins = 10 * time.Minute // so long after its table was emptied or made may a restore begin
	restoreStays  = time.Minute      // and so long after its last row may the next one come
	restoreAlone  = 5 * time.Second  // so long a row that comes alone, and of which nothing is known, belongs to it
	restoreQuiet  = 10 * time.Second // the event is told when none of a site came for so long
	madeNow       = time.Minute      // and a row that was made longer before its transaction is not new
	oldHistory    = 24 * time.Hour   // a status that was written so long before its transaction is no change

	restorePrefix = "r"
	sharedPrefix  = "/" // behind it: no schema has so empty a name
)

// partTable is a table as a part of a site sees it: two that share one may be at different places of the log.
type partTable struct {
	cdc.TableName
	shared bool // it is the plugin's own, as rules name it
}

func tableAt(t cdc.TableName, part *rules.Site) partTable { return partTable{t, part.Shares()} }

// restores are the tables that may be restored.
type restores struct {
	tables   map[partTable]*restoring
	inserted map[cdc.TableName]int // rows by the transaction that is being read
	behind   map[partTable]bool
}

// restoring is a table that was emptied or made moments ago. Times are the log's.
type restoring struct {
	Began  time.Time `json:"began"`
	Last   time.Time `json:"last"`           // when the last row came back, or Began
	Filled bool      `json:"some,omitempty"` // some did
}

func newRestores() restores {
	return restores{tables: map[partTable]*restoring{}, inserted: map[cdc.TableName]int{}, behind: map[partTable]bool{}}
}

// count takes in a change before its transaction is committed.
func (r *restores) count(c *cdc.Change) {
	t := c.Table.TableName
	if c.Op == cdc.Insert && (r.tables[partTable{t, false}] != nil || r.tables[partTable{t, true}] != nil) {
		r.inserted[c.Table.TableName]++
	}
}

// discard forgets what was counted, unless a part of the transaction stays: then it counts as large.
func (r *restores) discard(keep int) {
	if keep == 0 {
		clear(r.inserted)
	}
}

// begin notes the tables that a transaction emptied or made, and forgets those of which that is long ago.
func (r *restores) begin(watched *catalog, c *cdc.Commit) {
	for t, is := range r.tables {
		if is.over(c.Time) {
			delete(r.tables, t)
			r.behind[t] = true
		}
	}
	names := slices.Clone(c.Created)
	for _, t := range c.Emptied {
		if t.All() {
			names = append(names, t.Table)
		}
	}
	for _, t := range names {
		for is := range watched.partsOf(t) {
			r.tables[is] = &restoring{Began: c.Time, Last: c.Time}
			r.behind[is] = true
		}
	}
}

func (is *restoring) over(now time.Time) bool {
	if is.Filled {
		return now.Sub(is.Last) > restoreStays
	}
	return now.Sub(is.Last) > restoreBegins
}

// partsOf yields a table as each part of a site sees it whose events its rows make.
func (c *catalog) partsOf(t cdc.TableName) func(yield func(partTable) bool) {
	return func(yield func(partTable) bool) {
		for _, s := range c.sites {
			if s.Schema == t.Schema && slices.Contains(c.set.Tables(s), t) && !yield(tableAt(t, s)) {
				return
			}
		}
	}
}

// restored takes in an inserted row that was restored; false when it is news.
func (t *translator) restored(b *binding, c *cdc.Change) bool {
	at := tableAt(c.Table.TableName, b.site)
	is := t.restores.tables[at]
	if is == nil || t.opts.ReportAll || t.isNew(b, c, is) {
		return false
	}
	if !is.Filled || !is.Last.Equal(t.windows.txn.Time) {
		is.Filled, is.Last = true, t.windows.txn.Time
		t.restores.behind[at] = true
	}
	if root, ok := t.catalog.rootOf(b, c); ok {
		t.windows.chunk.touch(root)
	}
	if !b.first { // it is counted
		return true
	}
	a := aggregate{cmp.Or(t.catalog.site(b.site.Name, t.catalog.told), b.site), t.catalog.told, rules.NumberKey(0)} // one of all its parts that are here
	ev := t.windows.open.head(a)                                                                                    // it still counts rows
	if ev == nil {
		ev = t.windows.newEvent(a, rules.Restored, c)
		ev.Restored = &rules.Restore{Tables: map[string]int{}, From: t.windows.txn.Time}
		t.windows.open.enqueue(a, ev)
	}
	ev.Restored.Tables[strings.TrimPrefix(strings.TrimPrefix(c.Table.Name, b.site.Prefix), rules.PluginPrefix)]++
	ev.Restored.To = t.windows.txn.Time
	t.windows.mark(ev)
	t.windows.open.queueOf(a)
	return true
}

// rootOf is the object that a row belongs to; false when it cannot be told.
func (c *catalog) rootOf(b *binding, change *cdc.Change) (aggregate, bool) {
	a := aggregate{site: b.site, entity: b.entity}
	switch b.role {
	case rootRow:
		a.key = b.keyOf(change.After)
	case historyRow:
		a.entity = c.byStatusType(change.After.Text(b.statusType))
		fallthrough
	case partRow:
		a.key = rules.KeyAt(change.After, []int{b.order})
	}
	return a, a.key != "" && a.entity != nil
}

// isNew says whether a row that was inserted into a table that is being restored is none of the restore's.
func (t *translator) isNew(b *binding, c *cdc.Change, is *restoring) bool {
	if b.entity != nil && b.entity.Relay {
		return t.isFresh(c)
	}
	alone := t.restores.inserted[c.Table.TableName] == 1
	if b.entity != nil && b.entity.Custom { // whose keys may be given by the program, and whose forms nobody knows
		return alone
	}
	if c.Statement != "" {
		st := t.statements.of(b, c, &t.windows.txn)
		return st != nil && len(st.columns) > 0 && !st.names("id") && (st.model || alone)
	}
	if parent, ok := c.After.Int(b.parent); ok && b.role == rootRow && c.After.Text(b.id) == c.After.Text(b.parent) && parent > 0 {
		return false // the id was known before
	}
	if !alone {
		return false
	}
	made, ok := createdOn(b, c)
	switch began := is.Began.Truncate(time.Second); {
	case ok && made.Equal(began):
		return b.role == rootRow || t.isOpenSince(b, c, is.Began)
	case ok:
		return made.After(began) && t.windows.txn.Time.Sub(made) <= madeNow
	}
	return b.role == partRow && t.isOpenSince(b, c, is.Began) || t.windows.txn.Time.Sub(is.Last) > restoreAlone
}

// isOpenSince says whether the object that a row belongs to has an open event that began later than some time.
func (t *translator) isOpenSince(b *binding, c *cdc.Change, began time.Time) bool {
	root, ok := t.catalog.rootOf(b, c)
	head := t.windows.open.head(root)
	return ok && head != nil && head.first.log.After(began)
}

// createdOn is when a row says that it was made; false when it does not, or in no way that is understood.
func createdOn(b *binding, c *cdc.Change) (time.Time, bool) {
	t, err := time.Parse(time.DateTime, c.After.Text(b.created))
	return t, err == nil
}

// old says whether a row of the status history was written long before its transaction. Then it came from elsewhere, and
// nothing changed. A row that does not say when it was made is taken for new.
func (t *translator) old(b *binding, c *cdc.Change) bool {
	if t.opts.ReportAll && t.restores.tables[tableAt(c.Table.TableName, b.site)] != nil {
		return false
	}
	made, ok := createdOn(b, c)
	return ok && t.windows.txn.Time.Sub(made) > oldHistory
}

// warnRestored says what came back.
func warnRestored(log *slog.Logger, site string, r *rules.Restore) {
	attrs := []any{slog.String("site", site)}
	for _, t := range slices.Sorted(maps.Keys(r.Tables)) {
		attrs = append(attrs, slog.Int(t, r.Tables[t]))
	}
	log.Warn("tables were restored: their rows make no webhooks (restore: report would report each of them)",
		append(attrs, slog.Time("from", r.From), slog.Time("to", r.To))...)
}

// take returns the records that are behind.
func (r *restores) take() []Record {
	records := make([]Record, 0, len(r.behind))
	for t := range r.behind {
		record := Record{Key: restorePrefix + t.Schema + "/" + t.Name}
		if t.shared {
			record.Key = restorePrefix + sharedPrefix + t.Schema + "/" + t.Name
		}
		if is := r.tables[t]; is != nil {
			record.Data = encodeRecord(is)
		}
		records = append(records, record)
	}
	clear(r.behind)
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	return records
}

func (r *restores) restore(rec Record) error {
	table, shared := strings.CutPrefix(rec.Key[len(restorePrefix):], sharedPrefix)
	schema, name, _ := strings.Cut(table, "/")
	is := &restoring{}
	r.tables[partTable{cdc.TableName{Schema: schema, Name: name}, shared}] = is
	return decodeRecord(rec.Data, is)
}
