package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"rowhook/cdc"
	"rowhook/dbtest"
)

const (
	schema   = "wordpress"
	user     = "rowhook"
	password = "secret"
)

// How many of a hundred statements write a booking, and how many an option; the others write the meta data of posts.
const (
	bookings = 5
	options  = 35
)

const (
	orders     = 500 // bookings that there are
	posts      = 500 // rows of meta data that there are
	transients = 200 // names of options
)

// write makes a WordPress with a salon, notes where the log stands, and lets it be busy.
func (b *bench) write(ctx context.Context, statements int) error {
	if err := dbtest.CreateSalon(ctx, b.server, schema, "wp_"); err != nil {
		return err
	}
	if err := b.server.AddUser(ctx, user, password, "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON wordpress.*"); err != nil {
		return err
	}
	db, err := b.server.Open(schema)
	if err != nil {
		return err
	}
	defer db.Close()
	rows := make([]string, orders)
	for id := range rows {
		rows[id] = fmt.Sprintf("(%d, %d, 1, 1, '2027-01-12 10:00:00', 30, '25.50', 'Mario Bianchi', 'mario@example.test', '%s')",
			id+1, id+1, `{"CUSTOMF_NAME":"Mario","CUSTOMF_LNAME":"Bianchi"}`)
	}
	for _, query := range []string{
		`INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, id_service, checkin_ts, duration,
			total_cost, purchaser_nominative, purchaser_mail, custom_f) VALUES ` + strings.Join(rows, ", "),
		"INSERT INTO wp_postmeta (post_id, meta_key, meta_value) SELECT id, 'key', 'value' FROM wp_vikappointments_reservation LIMIT " + strconv.Itoa(posts),
	} {
		if _, err := db.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	if b.start, err = b.position(ctx); err != nil {
		return err
	}
	if b.schema, err = learn(ctx, b.server.Address(), b.start); err != nil {
		return err
	}
	t := traffic{rnd: rand.New(rand.NewPCG(1, 1))}
	const batch = 50
	for left := statements; left > 0; left -= batch {
		if _, err := db.ExecContext(ctx, t.batch(min(batch, left))); err != nil {
			return err
		}
	}
	b.counts = t.counts
	end, err := b.position(ctx)
	b.end = end.Start
	return err
}

// position is where the log stands.
func (b *bench) position(ctx context.Context) (cdc.Position, error) {
	db, err := sidePool(b.server.Address())
	if err != nil {
		return cdc.Position{}, err
	}
	defer db.Close()
	source, err := cdc.Open(ctx, db, sourceConfig(b.server.Address()))
	if err != nil {
		return cdc.Position{}, err
	}
	return source.Current(ctx)
}

// traffic makes statements, each a transaction of one row.
type traffic struct {
	counts

	rnd *rand.Rand
}

func (t *traffic) batch(n int) string {
	queries := make([]string, n)
	for i := range queries {
		queries[i] = t.statement()
	}
	return strings.Join(queries, ";")
}

func (t *traffic) statement() string {
	t.Transactions++
	switch n := t.rnd.IntN(100); {
	case n < bookings:
		t.Watched++
		return fmt.Sprintf("UPDATE wp_vikappointments_reservation SET notes = 'note %d' WHERE id = %d", t.rnd.Uint64(), 1+t.rnd.IntN(orders))
	case n < bookings+options:
		t.Lookups++
		return fmt.Sprintf("REPLACE INTO wp_options (option_name, option_value, autoload) VALUES ('_transient_%d', '%s', 'no')",
			t.rnd.IntN(transients), strings.Repeat("a:1:{s:4:\"time\";i:1;}", 1+t.rnd.IntN(30)))
	case n%2 == 0:
		return fmt.Sprintf("UPDATE wp_postmeta SET meta_value = '%d:%d' WHERE meta_id = %d", t.Transactions, t.rnd.Uint64(), 1+t.rnd.IntN(posts))
	}
	return fmt.Sprintf("INSERT INTO wp_postmeta (post_id, meta_key, meta_value) VALUES (%d, '_edit_last', '%s')",
		1+t.rnd.IntN(1000), strings.Repeat("value ", 1+t.rnd.IntN(30)))
}
