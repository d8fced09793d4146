package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/rules"
)

// orders is what extended payloads of one kind of orders (appointments, package orders) are made of, read for many
// orders in one round of queries.
type orders struct {
	site   *rules.Site
	entity *rules.Entity
	*lookupSet

	roots    []record           // as they are now, and as events have them
	children map[int64][]record // of multi-orders, by parent
	parts    map[int64][]record // options of appointments, items of package orders
	history  map[int64][]record
	notes    map[int64][]record
	invoices map[int64][]record
	byID     map[int64]record  // customers
	byMail   map[string]record // customers
	authors  map[int64]record  // WordPress' users

	lacks []string // columns that the payload at hand leaves out
}

// records are the rows that an order's payload shows, but for those of lookup tables.
func (o *orders) records(root record) []record {
	id := root.id("id")
	records := append([]record{root}, o.children[id]...)
	for _, of := range records {
		records = append(records, o.parts[of.id("id")]...)
	}
	records = append(append(records, o.history[id]...), o.notesOf(root)...)
	records = append(records, o.invoices[id][:min(1, len(o.invoices[id]))]...)
	return append(records, o.customer(root))
}

// replace puts others in the place of the rows.
func (o *orders) replace(by func(record) record) {
	for _, grouped := range []map[int64][]record{o.children, o.parts, o.history, o.notes, o.invoices} {
		for _, records := range grouped {
			for i := range records {
				records[i] = by(records[i])
			}
		}
	}
	for id, r := range o.byID {
		o.byID[id] = by(r)
	}
	for mail, r := range o.byMail {
		o.byMail[mail] = by(r)
	}
}

// note adds the columns of a row that are left out.
func (o *orders) note(r record, shown func(column int) bool) {
	for _, name := range omitted(r, shown) {
		if !slices.Contains(o.lacks, name) {
			o.lacks = append(o.lacks, name)
		}
	}
}

// row is a row of a lookup table that the payload at hand shows.
func (o *orders) row(table string, id int64) record {
	r := o.lookupSet.row(table, id)
	o.note(r, func(int) bool { return true })
	return r
}

// readOrders reads all that belongs to orders of one entity.
func (l *Loader) readOrders(ctx context.Context, snap *snapshot, set *lookupSet, site *rules.Site, entity *rules.Entity, roots []record) (*orders, error) {
	o := &orders{site: site, entity: entity, lookupSet: set, roots: roots}
	ids := make([]int64, len(roots))
	for i, r := range roots {
		ids[i] = r.id("id")
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 { // an order may have the id 0
		return o, nil
	}
	if err := o.readChildren(ctx, snap); err != nil {
		return nil, err
	}
	withChildren := slices.Clone(ids)
	for _, rows := range o.children {
		for _, r := range rows {
			withChildren = append(withChildren, r.id("id"))
		}
	}
	withNotes := withChildren
	if !entity.Notes {
		withNotes = []int64{}
	}
	for _, q := range []struct {
		into *map[int64][]record
		rows rowsOf
		ids  []int64
	}{
		{&o.parts, partsOf(entity), withChildren},
		{&o.history, historyOf(entity), ids},
		{&o.notes, notesOf(entity), withNotes},
		{&o.invoices, invoicesOf(entity), ids},
	} {
		if len(q.ids) == 0 {
			continue
		}
		var err error
		if *q.into, err = o.readRows(ctx, snap, q.rows, q.ids); err != nil {
			return nil, err
		}
	}
	if err := o.readCustomers(ctx, snap); err != nil {
		return nil, err
	}
	return o, o.readAuthors(ctx, snap, &l.shared)
}

// rowsOf names rows of a table that belong to orders.
type rowsOf struct {
	table string // behind the site's prefix
	order string // its column with the order's id
	kind  string // the column that tells orders of several entities apart; empty without
	is    string // what it says
}

func partsOf(e *rules.Entity) rowsOf { return rowsOf{table: e.Parts.Table, order: e.Parts.Order} }

func historyOf(e *rules.Entity) rowsOf {
	return rowsOf{table: rules.PluginTable("order_status"), order: "id_order", kind: "type", is: e.Status.Type}
}

func notesOf(e *rules.Entity) rowsOf {
	return rowsOf{table: rules.PluginTable("user_notes"), order: "id_parent", kind: "group", is: e.Group}
}

func invoicesOf(e *rules.Entity) rowsOf {
	return rowsOf{table: rules.PluginTable("invoice"), order: "id_order", kind: "group", is: e.Group}
}

// readRows reads rows that belong to orders, by order. An older plugin may lack the table, or the column that tells
// entities apart: it had appointments only.
func (o *orders) readRows(ctx context.Context, snap *snapshot, of rowsOf, ids []int64) (map[int64][]record, error) {
	rows, err := snap.all(ctx, o.site.WordPressTable(of.table), fmt.Sprintf("%s IN (%s) ORDER BY `id`", quote(of.order), idList(ids)))
	if err != nil && (!optional(strings.TrimPrefix(of.table, rules.PluginTable(""))) || !lacking(err)) {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r record) bool {
		if of.kind == "" {
			return false
		}
		if r.column(of.kind) < 0 {
			return !o.entity.First
		}
		return !strings.EqualFold(r.text(of.kind), of.is)
	})
	return groupBy(rows, of.order), nil
}

// readChildren reads the appointments of multi-orders. There is no index on id_parent, but a child is younger than its
// parent.
func (o *orders) readChildren(ctx context.Context, snap *snapshot) error {
	if o.entity.Parent == nil {
		return nil
	}
	var parents []int64
	for _, root := range o.roots {
		if o.isParent(root) {
			parents = append(parents, root.id("id"))
		}
	}
	if len(parents) == 0 {
		return nil
	}
	table := o.entity.TableOf(o.site)
	rows, err := snap.all(ctx, table, fmt.Sprintf("`id` > %d AND `id_parent` IN (%s) ORDER BY `id`", slices.Min(parents), idList(parents)))
	rows = slices.DeleteFunc(rows, func(r record) bool { return r.id("closure") != 0 })
	o.children = groupBy(rows, "id_parent")
	return err
}

// isParent says whether an order is a multi-order, which has no appointment of its own.
func (o *orders) isParent(r record) bool { return !r.missing() && o.entity.IsParent(r.table, r.row) }

// readCustomers reads the customers of the orders: those with their ids, and those with the purchasers' mail addresses.
func (o *orders) readCustomers(ctx context.Context, snap *snapshot) error {
	var ids []int64
	var mails []string
	for _, root := range o.roots {
		ids = append(ids, root.id("id_user"))
		if mail := root.text("purchaser_mail"); mail != "" {
			mails = append(mails, o.site.Client.Stored(mail))
		}
	}
	ids = append(distinct(ids), 0)
	slices.Sort(mails)
	where := "`id` IN (" + idList(ids) + ")"
	if len(mails) > 0 {
		where += " OR " + equalsAny("`billing_mail`", slices.Compact(mails))
	}
	table := o.site.Table("users")
	rows, err := snap.all(ctx, table, where+" ORDER BY `id` DESC")
	o.byID, o.byMail = make(map[int64]record, len(rows)), make(map[string]record, len(rows))
	for _, r := range rows {
		o.byID[r.id("id")] = r
		o.byMail[foldMail(r.text("billing_mail"))] = r
	}
	return err
}

// customer is the customer of an order, the oldest where its id and its mail address tell two; missing when there is none.
func (o *orders) customer(root record) record {
	byID := o.byID[root.id("id_user")]
	mail := root.text("purchaser_mail")
	if mail == "" {
		return byID
	}
	byMail := o.byMail[foldMail(mail)]
	if byID.missing() || !byMail.missing() && byMail.id("id") < byID.id("id") {
		return byMail
	}
	return byID
}

// foldMail makes addresses alike that the database takes for equal.
func foldMail(mail string) string { return strings.ToLower(strings.TrimRight(mail, " ")) }

// readAuthors reads who of WordPress' users made the orders, their statuses and their notes.
func (o *orders) readAuthors(ctx context.Context, snap *snapshot, shared *sharedTables) error {
	var ids []int64
	for _, r := range o.roots {
		ids = append(ids, r.id("createdby"))
	}
	for _, rows := range o.history {
		for _, r := range rows {
			ids = append(ids, r.id("createdby"))
		}
	}
	for _, rows := range o.notes {
		for _, r := range rows {
			ids = append(ids, r.id("author"))
		}
	}
	o.authors = map[int64]record{}
	if ids = distinct(ids); len(ids) == 0 {
		return nil
	}
	rows, err := snap.shared(ctx, shared, o.site, "users", func(table cdc.TableName) string {
		return fmt.Sprintf("SELECT `ID` AS `id`, `display_name`, `user_login`, `user_email` FROM %s WHERE `ID` IN (%s)", quoted(table), idList(ids))
	})
	for _, r := range rows {
		o.authors[r.id("id")] = r
	}
	return err
}

func groupBy(rows []record, key string) map[int64][]record {
	groups := make(map[int64][]record, len(rows))
	for _, r := range rows {
		id := r.id(key)
		groups[id] = append(groups[id], r)
	}
	return groups
}

// distinct sorts ids and drops those that come again, and those that are none.
func distinct(ids []int64) []int64 {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return slices.DeleteFunc(ids, func(id int64) bool { return id <= 0 })
}

func quoted(name cdc.TableName) string { return quote(name.Schema) + "." + quote(name.Name) }
