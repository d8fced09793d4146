package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/dbtest"
)

const (
	user     = "rowhook"
	password = "secret"
	orders   = 5000
)

// prepare makes a salon with appointments.
func (b *bench) prepare(ctx context.Context) error {
	if err := dbtest.CreateSalon(ctx, b.server, "wordpress", "wp_"); err != nil {
		return err
	}
	if err := b.server.AddUser(ctx, user, password, "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON wordpress.*"); err != nil {
		return err
	}
	db, err := b.server.Open("wordpress")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, insertOrders("wordpress", 1, orders)); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "SET SESSION group_concat_max_len = 100000"); err != nil {
		return err
	}
	err = db.QueryRowContext(ctx, "SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM information_schema.columns"+
		" WHERE table_schema = 'wordpress' AND table_name = 'wp_vikappointments_reservation'").Scan(&b.columns)
	if err != nil {
		return err
	}
	return b.configure(b.sink.urls[:1], written{})
}

// insertOrders is a statement that makes n appointments in a salon.
func insertOrders(schema string, first, n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("(%d, %[1]d, 1, 1, '2027-01-12 10:00:00', 30, '25.50', 'Mario Bianchi', 'mario@example.test', '%s')",
			first+i, `{"CUSTOMF_NAME":"Mario","CUSTOMF_LNAME":"Bianchi"}`)
	}
	return fmt.Sprintf("INSERT INTO %s.wp_vikappointments_reservation (id, id_parent, id_employee, id_service, checkin_ts, duration,"+
		" total_cost, purchaser_nominative, purchaser_mail, custom_f) VALUES %s", schema, strings.Join(rows, ", "))
}

// written is what a measurement writes into the daemon's files besides.
type written struct {
	config string // lines
	rule   string // what each rule has, too: ", when: ..."
}

// configure writes the configuration, with a rule for each receiver.
func (b *bench) configure(urls []string, more written) error {
	config := fmt.Sprintf("database: {address: %q, user: %s, password: %s}\nsites: [{name: salon, schema: wordpress, prefix: wp_}]\n"+
		"rules: rules.yaml\nstate_dir: state\ncoalesce: %s\n%s", b.server.Address(), user, password, b.coalesce, more.config)
	var rules strings.Builder
	rules.WriteString("rules:\n")
	for i, url := range urls {
		fmt.Fprintf(&rules, "  - {name: saves-%d, action: appointment.save, load: full, url: %q, signing_secret: whsec_%s%s}\n",
			i, url, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", more.rule)
	}
	for name, text := range map[string]string{"config.yaml": config, "rules.yaml": rules.String()} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// update is the statement of change n, from 1. Each writes what was not there before, or it would change nothing.
func update(n int) string {
	return fmt.Sprintf("UPDATE wp_vikappointments_reservation SET notes = '%d' WHERE id = %d", n, n%orders+1)
}

// backlog notes where the log stands, in a state directory and as a GTID, and then writes transactions.
func (b *bench) backlog(ctx context.Context, changes int) (start string, err error) {
	db, err := b.server.Open("wordpress")
	if err != nil {
		return "", err
	}
	defer db.Close()
	if start, err = position(ctx, db); err != nil {
		return "", err
	}
	child, err := b.follow(ctx)
	if err != nil {
		return "", err
	}
	if _, _, err := child.stop(); err != nil {
		return "", err
	}
	before := filepath.Join(b.dir, "before")
	if err := os.RemoveAll(before); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(b.dir, "state"), before); err != nil {
		return "", err
	}
	fmt.Printf("writing %d single-row transactions\n", changes)
	return start, b.write(ctx, changes, update)
}

// write makes changes, by their numbers, each a transaction.
func (b *bench) write(ctx context.Context, changes int, update func(n int) string) error {
	db, err := b.server.Open("wordpress")
	if err != nil {
		return err
	}
	defer db.Close()
	begin := b.made + 1
	b.made += changes
	const writers, together = 4, 100 // statements in a packet; each is a transaction
	g, writing := errgroup.WithContext(ctx)
	for w := range writers {
		g.Go(func() error {
			for first := w * together; first < changes; first += writers * together {
				list := make([]string, 0, together)
				for n := first; n < min(first+together, changes); n++ {
					list = append(list, update(begin+n))
				}
				if _, err := db.ExecContext(writing, strings.Join(list, ";")); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func position(ctx context.Context, db *sql.DB) (gtid string, err error) {
	err = db.QueryRowContext(ctx, "SELECT @@global.gtid_binlog_pos").Scan(&gtid)
	return gtid, err
}

// follow starts rowhook with an empty state directory, and returns when it has stored where it begins: the log's end.
func (b *bench) follow(ctx context.Context) (*child, error) {
	if err := os.RemoveAll(filepath.Join(b.dir, "state")); err != nil {
		return nil, err
	}
	child, err := start(ctx, b.rowhookCommand())
	if err != nil {
		return nil, err
	}
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		data, err := os.ReadFile(filepath.Join(b.dir, "state", "outbox.db-wal"))
		if err == nil && bytes.Contains(data, []byte(`"position"`)) {
			return child, nil
		}
		select {
		case <-look.C:
		case <-child.ended:
			return nil, fmt.Errorf("rowhook ended: %s", child.tail())
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// restore puts the state directory back to before the backlog.
func (b *bench) restore() error {
	state := filepath.Join(b.dir, "state")
	if err := os.RemoveAll(state); err != nil {
		return err
	}
	return os.CopyFS(state, os.DirFS(filepath.Join(b.dir, "before")))
}

func (b *bench) rowhookCommand() []string {
	return []string{b.rowhook, "run", "--config", filepath.Join(b.dir, "config.yaml")}
}

func (b *bench) bareCommand(gtid string) []string {
	return []string{os.Args[0], "bare", "-address", b.server.Address(), "-gtid", gtid, "-url", b.sink.urls[0], "-columns", b.columns}
}
