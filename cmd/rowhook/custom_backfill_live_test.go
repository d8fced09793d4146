package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/api/control"
	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/pipeline"
)

// liveTable is a table that a backfill reads while a writer changes it. Its keys are slots: those with even numbers are taken
// at first, so that rows come in between, and keys move in front of where the backfill is, and behind it.
type liveTable struct {
	name    string
	key     string   // in CREATE TABLE
	columns []string // of the key
	at      func(slot int) []string

	taken   [2 * liveRows]bool
	steps   [2 * liveRows][]step
	order   []int // the slots that were taken at first, as the server sorts them
	changes int
	events  int // that live changes make
	front   atomic.Int64
}

const liveRows = 240

func liveTables() []*liveTable {
	return []*liveTable{
		{name: "pairs", key: "a INT, sku VARCHAR(20) COLLATE utf8mb4_unicode_ci, PRIMARY KEY (sku, a)", columns: []string{"sku", "a"}, at: func(slot int) []string {
			return []string{fmt.Sprintf("S%d", slot/7), fmt.Sprint(slot % 7)}
		}},
		{name: "words", key: "w VARCHAR(30) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY", columns: []string{"w"}, at: func(slot int) []string {
			return []string{[]string{"Zoë'", "ZÄH", `a\`, `" `, "zß"}[slot%5] + fmt.Sprint(slot)}
		}},
		{name: "days", key: "d DATE, t TIME(3), PRIMARY KEY (d, t)", columns: []string{"d", "t"}, at: func(slot int) []string {
			return []string{fmt.Sprintf("2026-01-%02d", 1+slot/24), fmt.Sprintf("%02d:30:00.%03d", slot%24, slot)}
		}},
	}
}

// where is a slot's key as a condition, or as a list to set.
func (l *liveTable) where(slot int, between string) string {
	values := l.at(slot)
	terms := make([]string, len(values))
	for i, v := range values {
		terms[i] = fmt.Sprintf("%s = '%s'", l.columns[i], strings.NewReplacer(`\`, `\\`, "'", "''").Replace(v))
	}
	return strings.Join(terms, between)
}

func (l *liveTable) create(t *testing.T, server *dbtest.Server) {
	t.Helper()
	statements := []string{"SET NAMES utf8mb4", fmt.Sprintf("CREATE TABLE wp_%s (%s, n INT)", l.name, l.key)}
	for slot := 0; slot < 2*liveRows; slot += 2 {
		l.taken[slot] = true
		statements = append(statements, fmt.Sprintf("INSERT INTO wp_%s SET %s, n = %d", l.name, l.where(slot, ", "), slot))
	}
	execAll(t.Context(), t, server, statements...)
	rows, err := server.DB(t, "wordpress").QueryContext(t.Context(), "SELECT n FROM wp_"+l.name+" ORDER BY "+strings.Join(l.columns, ", "))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var slot int
		if err := rows.Scan(&slot); err != nil {
			t.Fatal(err)
		}
		l.order = append(l.order, slot)
	}
	if len(l.order) != liveRows || rows.Err() != nil {
		t.Fatalf("%d rows: %v", len(l.order), rows.Err())
	}
	execAll(t.Context(), t, server, "UPDATE wp_"+l.name+" SET n = 0")
}

// pick is a slot, most times one that the backfill comes to next.
func (l *liveTable) pick(random *rand.Rand) int {
	front := int(l.front.Load())
	if random.IntN(4) == 0 || front >= liveRows {
		return random.IntN(2 * liveRows)
	}
	slot := l.order[min(front+random.IntN(60), liveRows-1)]
	return min(slot+random.IntN(2), 2*liveRows-1)
}

// write changes rows until over, each change a transaction of its own.
func (l *liveTable) write(ctx context.Context, db *sql.DB, seed uint64, over *atomic.Bool) error {
	random := rand.New(rand.NewPCG(seed, uint64(len(l.name))))
	pace := time.NewTicker(3 * time.Millisecond)
	defer pace.Stop()
	for !over.Load() {
		<-pace.C
		slot, other := l.pick(random), l.pick(random)
		if err := l.change(ctx, db, slot, other, random.IntN(10)); err != nil {
			return fmt.Errorf("table %s: %w", l.name, err)
		}
	}
	return nil
}

// next is the number of the next change, which a slot's row gets, or loses with its key.
func (l *liveTable) next(slot int, s step) int {
	l.changes++
	if !s.delete {
		s.n = l.changes
	}
	l.steps[slot], l.taken[slot] = append(l.steps[slot], s), !s.delete
	l.events++
	return l.changes
}

func (l *liveTable) change(ctx context.Context, db *sql.DB, slot, other, dice int) error {
	table, key := "wp_"+l.name, l.where(slot, " AND ")
	switch {
	case !l.taken[slot]:
		return run(ctx, db, fmt.Sprintf("INSERT INTO %s SET %s, n = %d", table, l.where(slot, ", "), l.next(slot, step{insert: true})))
	case dice == 0:
		l.next(slot, step{delete: true})
		return run(ctx, db, fmt.Sprintf("DELETE FROM %s WHERE %s", table, key))
	case dice == 1:
		return run(ctx, db, fmt.Sprintf("REPLACE INTO %s SET %s, n = %d", table, l.where(slot, ", "), l.next(slot, step{})))
	case dice < 6 && !l.taken[other]: // its key moves
		l.next(slot, step{delete: true})
		return run(ctx, db, fmt.Sprintf("UPDATE %s SET %s, n = %d WHERE %s", table, l.where(other, ", "), l.next(other, step{insert: true}), key))
	case dice < 4 && slot != other: // two rows change their keys
		a, b := l.next(slot, step{}), l.next(other, step{})
		free := 0
		for l.taken[free] {
			free++
		}
		return run(ctx, db,
			fmt.Sprintf("UPDATE %s SET %s WHERE %s", table, l.where(free, ", "), key),
			fmt.Sprintf("UPDATE %s SET %s, n = %d WHERE %s", table, l.where(slot, ", "), a, l.where(other, " AND ")),
			fmt.Sprintf("UPDATE %s SET %s, n = %d WHERE %s", table, l.where(other, ", "), b, l.where(free, " AND ")))
	}
	return run(ctx, db, fmt.Sprintf("UPDATE %s SET n = %d WHERE %s", table, l.next(slot, step{}), key))
}

// run executes statements as one transaction.
func run(ctx context.Context, db *sql.DB, statements ...string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return tx.Commit()
}

// TestBackfillOfAnyKeyWhileRowsChange reads tables whose keys are no numbers while their rows are inserted, changed and deleted and
// their keys move, most of them close to where the backfill is, over a kill. What arrives of each key must be its history, step
// by step, with the backfill's save standing where the row was in that state.
func TestBackfillOfAnyKeyWhileRowsChange(t *testing.T) { onServers(t, testBackfillWhileRowsChange) }

func testBackfillWhileRowsChange(t *testing.T, server *dbtest.Server) {
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	tables := liveTables()
	var rules strings.Builder
	rules.WriteString("rules:\n")
	for _, l := range tables {
		l.create(t, server)
		fmt.Fprintf(&rules, "  - {name: %s, action: custom, table: %[1]s, load: full, url: %q}\n", l.name, receiver.URL())
	}
	files := daemonFiles(t, server, rules.String(), "coalesce: 0s\n")
	binary := build(t)
	daemon := start(t, binary, "run", "--config", files)
	daemon.until(t, following)
	c, err := config.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	client := control.NewClient(c.StateDir)
	for _, l := range tables {
		if _, err := control.Ask[pipeline.Backfill, pipeline.Run](t.Context(), client, backfillStart, pipeline.Backfill{Rule: l.name, Every: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	var over atomic.Bool
	writers, ctx := errgroup.WithContext(patience(t))
	for _, l := range tables {
		db := server.DB(t, "wordpress")
		writers.Go(func() error { return l.write(ctx, db, dbtest.Seed(t), &over) })
	}
	var runs []pipeline.Run
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for killed := false; ; <-tick.C {
		if err := ctx.Err(); err != nil {
			t.Fatalf("not done in time: %+v, %v", runs, context.Cause(ctx))
		}
		found, err := control.Ask[struct{}, []pipeline.Run](ctx, client, backfillStatus, struct{}{})
		if err != nil {
			continue // it is being killed
		}
		runs = found
		done := 0
		for i, r := range runs {
			if tables[i].front.Store(r.Read); r.State == pipeline.Done {
				done++
			}
		}
		if done == len(tables) {
			break
		}
		if !killed && runs[1].Read > liveRows/3 {
			killed = true
			_ = daemon.cmd.Process.Kill()
			_ = daemon.cmd.Wait() // it was killed
			daemon = start(t, binary, "run", "--config", files)
			daemon.until(t, following)
		}
	}
	over.Store(true)
	if err := writers.Wait(); err != nil {
		t.Fatal(err)
	}
	compareLive(t, receiver, tables, runs)
	daemon.signal(t, syscall.SIGTERM)
	daemon.ends(t)
}

// compareLive waits for all that must come, and walks each key's history along it.
func compareLive(t *testing.T, receiver *delivertest.Receiver, tables []*liveTable, runs []pipeline.Run) {
	t.Helper()
	want, live := 0, int64(0)
	for i, l := range tables {
		t.Logf("table %s: %d changes; %d rows read, %d saves, %d left to live saves", l.name, l.changes, runs[i].Read, runs[i].Made, runs[i].Live)
		want, live = want+l.events+int(runs[i].Made), live+runs[i].Live
	}
	if live == 0 {
		t.Error("no row changed while it was read, so this proves nothing")
	}
	first := func(requests []delivertest.Request) (list []delivertest.Request) {
		seen := map[string]bool{}
		for _, r := range requests {
			if !seen[r.ID()] {
				seen[r.ID()] = true
				list = append(list, r)
			}
		}
		return list
	}
	requests := first(receiver.Wait(patience(t), fmt.Sprintf("%d deliveries", want), func(all []delivertest.Request) bool { return len(first(all)) >= want }))
	if len(requests) != want {
		t.Errorf("%d deliveries, want %d", len(requests), want)
	}
	arrived := map[string][]step{}
	for _, r := range requests {
		var e struct {
			Type, Table string
			Key         map[string]any
			Keys        []map[string]any
			Data        struct{ N int }
		}
		if err := json.Unmarshal(r.Body, &e); err != nil {
			t.Fatalf("%s: %v", r.Body, err)
		}
		if e.Key != nil {
			e.Keys = append(e.Keys, e.Key)
		}
		for _, key := range e.Keys {
			text := e.Table
			for _, l := range tables {
				for _, column := range l.columns {
					if l.name == e.Table {
						text += fmt.Sprintf(" %v", key[column])
					}
				}
			}
			arrived[text] = append(arrived[text], step{n: e.Data.N, insert: e.Type == "insert", delete: e.Type == "delete"})
		}
	}
	for _, l := range tables {
		for slot := range l.steps {
			text := l.name + " " + strings.Join(l.at(slot), " ")
			if fault := walk(l.steps[slot], arrived[text], false, slot%2 == 0, true); fault != "" {
				t.Errorf("%s: %s\n  written %+v\n  arrived %+v", text, fault, l.steps[slot], arrived[text])
			}
			delete(arrived, text)
		}
	}
	for text := range arrived {
		t.Errorf("%s was never written", text)
	}
}
