package main

import (
	"bytes"
	"context"
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

// prepare makes a salon with appointments, notes where the log stands, and writes the backlog.
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
	var rows []string
	for id := range orders {
		rows = append(rows, fmt.Sprintf("(%d, %d, 1, 1, '2027-01-12 10:00:00', 30, '25.50', 'Mario Bianchi', 'mario@example.test', '%s')",
			id+1, id+1, `{"CUSTOMF_NAME":"Mario","CUSTOMF_LNAME":"Bianchi"}`))
	}
	_, err = db.ExecContext(ctx, "INSERT INTO wp_vikappointments_reservation (id, id_parent, id_employee, id_service, checkin_ts, duration,"+
		" total_cost, purchaser_nominative, purchaser_mail, custom_f) VALUES "+strings.Join(rows, ", "))
	if err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "SELECT @@global.gtid_binlog_pos").Scan(&b.start); err != nil {
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
	if err := b.settle(ctx); err != nil {
		return err
	}
	const writers = 4
	g, ctx := errgroup.WithContext(ctx)
	for w := range writers {
		g.Go(func() error {
			for n := w; n < b.changes; n += writers {
				query := fmt.Sprintf("UPDATE wp_vikappointments_reservation SET notes = '%d' WHERE id = %d", n+1, n%orders+1)
				if _, err := db.ExecContext(ctx, query); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// settle makes a state directory that follows from now: the one every round begins with a copy of.
func (b *bench) settle(ctx context.Context) error {
	files := map[string]string{
		"config.yaml": fmt.Sprintf("database: {address: %q, user: %s, password: %s}\nsites: [{name: salon, schema: wordpress, prefix: wp_}]\n"+
			"rules: rules.yaml\nstate_dir: state\ncoalesce: %s\n", b.server.Address(), user, password, b.coalesce),
		"rules.yaml": fmt.Sprintf("rules:\n  - {name: saves, action: appointment.save, load: full, url: %q, signing_secret: whsec_%s}\n",
			b.sink.url(), "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	child, err := start(ctx, []string{b.rowhook, "run", "--config", filepath.Join(b.dir, "config.yaml")})
	if err != nil {
		return err
	}
	state := filepath.Join(b.dir, "state", "outbox.db")
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for { // its first commit is the position
		if data, err := os.ReadFile(state + "-wal"); err == nil && bytes.Contains(data, []byte(`"position"`)) {
			break
		}
		select {
		case <-look.C:
		case <-child.ended:
			return fmt.Errorf("rowhook ended: %s", child.tail())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if _, _, err := child.stop(); err != nil {
		return err
	}
	return os.Rename(filepath.Join(b.dir, "state"), filepath.Join(b.dir, "before"))
}

// rowhookCommand puts the state directory back to before the backlog.
func (b *bench) rowhookCommand(context.Context) ([]string, error) {
	state := filepath.Join(b.dir, "state")
	if err := os.RemoveAll(state); err != nil {
		return nil, err
	}
	if err := os.CopyFS(state, os.DirFS(filepath.Join(b.dir, "before"))); err != nil {
		return nil, err
	}
	return []string{b.rowhook, "run", "--config", filepath.Join(b.dir, "config.yaml")}, nil
}

func (b *bench) bareCommand() []string {
	return []string{os.Args[0], "bare", "-address", b.server.Address(), "-gtid", b.start, "-url", b.sink.url(), "-columns", b.columns}
}
