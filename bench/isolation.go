package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	// mostBeside is how much longer others may take while one is in trouble, by their p99. On a busy machine a p99 varies by
	// more than that from one moment to the next, so what lies within noiseMS is no trouble's doing.
	mostBeside = 1.2
	noiseMS    = 5.0
)

// trouble is what befalls a site, the salon, while what another, the spa, waits for its webhooks is measured. The salon's
// own changes go on meanwhile, as they do before.
type trouble struct {
	name  string
	rate  int // of the salon's changes a second; 0: salonRate
	sites int // as many salons; 0: one

	set   []string // of the server, before it begins; the second is how to take it back
	down  bool     // it comes while rowhook is down
	do    []string // statements, on one connection
	slow  bool     // the salon's receiver answers late, and only that
	quiet bool     // the salon has no changes during it: there is nothing to change
	rules bool     // the salon's rule is gone, so that its changes are no events; those that were made before are stored

	undo   []string // statements
	resume bool     // a person lets the salon go on
}

var troubles = []trouble{
	{name: "64 sites with extended rules, after a restart", sites: 64, rate: 64, down: true},
	{name: "receiver answers 200 late, 40 events/s", rate: 40, slow: true},
	{
		name: "SELECT revoked on one site", rate: manyRate,
		do: []string{"REVOKE SELECT ON salon.* FROM rowhook@'%'"}, undo: []string{"GRANT SELECT ON salon.* TO rowhook@'%'"},
	},
	{
		name: "SELECT revoked, MINIMAL images", rate: manyRate, set: []string{"SET GLOBAL binlog_row_image = MINIMAL", "SET GLOBAL binlog_row_image = FULL"},
		do: []string{"REVOKE SELECT ON salon.* FROM rowhook@'%'"}, undo: []string{"GRANT SELECT ON salon.* TO rowhook@'%'"},
	},
	{name: "schema dropped while down", down: true, do: []string{"DROP DATABASE salon"}, quiet: true},
	{
		name: "table missing", do: []string{"RENAME TABLE salon.wp_vikappointments_service TO salon.away"},
		undo: []string{"RENAME TABLE salon.away TO salon.wp_vikappointments_service"},
	},
	{
		name: "row that does not fit", do: []string{
			"ALTER TABLE salon.wp_vikappointments_coupon MODIFY id VARCHAR(20)", "INSERT INTO salon.wp_vikappointments_coupon (id, code) VALUES ('a', 'b')",
		},
		resume: true,
	},
	{
		name: "XA PREPARE", do: []string{
			"XA START 'x'", "UPDATE salon.wp_vikappointments_coupon SET notes = 'x'", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'",
		},
		resume: true,
	},
	{
		name: "statement DML", do: []string{
			"SET SESSION binlog_format = STATEMENT", "UPDATE salon.wp_vikappointments_coupon SET notes = 'y'", "SET SESSION binlog_format = ROW",
		},
		resume: true,
	},
	{
		name: "rule gone that stored events name", down: true, rules: true,
		do: []string{"REVOKE SELECT ON salon.* FROM rowhook@'%'"}, undo: []string{"GRANT SELECT ON salon.* TO rowhook@'%'"},
	},
}

// isolation measures what one site's trouble costs the others.
func (b *bench) isolation(ctx context.Context) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(table, "| trouble\t| others' p99 before\t| during\t| ratio\t| the stopped one\t|\n|---\t|---\t|---\t|---\t|---\t|")
	for _, t := range troubles {
		if !strings.Contains(t.name, b.only) {
			continue
		}
		row, err := b.befall(ctx, t)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", t.name, err), table.Flush())
		}
		ratio := row.during / row.before
		fmt.Fprintf(table, "| %s\t| %.2f ms\t| %.2f ms\t| %.2fx\t| %s\t|\n", t.name, row.before, row.during, ratio, row.stopped)
		if row.during-row.before < noiseMS {
			ratio = min(ratio, mostBeside)
		}
		b.figures = append(b.figures, figure{"isolation: others' p99 beside " + t.name, ratio, mostBeside, "%.2fx", false})
	}
	return table.Flush()
}

// isolated is what a trouble did.
type isolated struct {
	before, during float64 // ms
	stopped        string  // what became of the site that it befell
}

// befall lets a trouble come and go.
func (b *bench) befall(ctx context.Context, t trouble) (row isolated, err error) {
	fmt.Println(t.name)
	w, err := b.newNeighbourhood(ctx, t)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	if row.before, err = w.measure(ctx, true); err != nil {
		return row, fmt.Errorf("before: %w", err)
	}
	if err := w.begin(ctx); err != nil {
		return row, fmt.Errorf("letting it come: %w", err)
	}
	if row.during, err = w.measure(ctx, !t.quiet && !t.rules); err != nil {
		return row, fmt.Errorf("during: %w", err)
	}
	stands, err := w.stands(ctx)
	if err != nil {
		return row, err
	}
	open := w.open()
	written := w.last
	began := time.Now()
	if err := w.end(ctx); err != nil {
		return row, fmt.Errorf("taking it away: %w", err)
	}
	if err := w.settled(ctx); err != nil {
		return row, fmt.Errorf("after it, the salon: %w", err)
	}
	row.stopped = fmt.Sprintf("%s; %d of its %d events waited, all delivered %.1f s after the fix", stands, open, written, time.Since(began).Seconds())
	return row, nil
}

// execAll does statements on one connection.
func execAll(ctx context.Context, db *sql.DB, statements []string) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(s), err)
		}
	}
	return nil
}
