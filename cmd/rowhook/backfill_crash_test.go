//go:build crash

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/api/control"
	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/pipeline"
)

// The order of a backfill: rows that were there are reported while four writers change, delete and insert, most of them
// close to where the backfill is, and the daemon is killed again and again. What arrives must be the history of each row,
// step by step, with the backfill's save standing where the row was in that state.
const (
	pastRows    = 3000
	fillChanges = 8_000
	fillTime    = 10 * time.Second // over which they are spread
	fillKills   = 12               // at least
)

func TestBackfillCrash(t *testing.T) { backfillCrash(t, dbtest.MariaDB1011) }

func backfillCrash(t *testing.T, kind dbtest.Kind) {
	binary := filepath.Join(t.TempDir(), "rowhook")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building rowhook: %v\n%s", err, out)
	}
	server := dbtest.StartServer(t, kind)
	salonWithPast(t, server, pastRows)
	server.Exec(t, "UPDATE wordpress.wp_vikappointments_reservation SET notes = '0'")
	receiver := delivertest.NewReceiver(t)
	files := daemonFiles(t, server, fmt.Sprintf(`
rules:
  - {name: saves, action: appointment.save, load: full, url: %[1]q}
  - {name: deletes, action: appointment.delete, url: %[1]q}
  - {name: inserts, action: appointment.save, type: insert, load: full, url: "%[1]s/inserts", order_group: inserts}
  - {name: insertdeletes, action: appointment.delete, url: "%[1]s/inserts", order_group: inserts}
`, receiver.URL()), "coalesce: 0s\n")
	k := newKiller(t, binary, files)
	k.once(t) // what was written until now is the past

	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	front := new(atomic.Int64)
	writers, parts := errgroup.WithContext(ctx)
	past := make([]*past, 4)
	db := server.DB(t, "wordpress")
	for i := range past {
		past[i] = newPast(i, dbtest.Seed(t), front)
		writers.Go(func() error { return past[i].write(parts, db) })
	}
	k.start(t)
	runs := backfillUnderFire(ctx, t, k, front, writers)
	k.stop(t)
	for _, r := range runs {
		t.Logf("rule %s: %d rows read, %d saves, %d left to live saves", r.Rule, r.Read, r.Made, r.Live)
	}

	// Everything is stored; a last daemon delivers it in peace.
	k.start(t)
	check := func(strict bool) []string {
		got := readFillReceipts(t, receiver.Requests())
		var wrong []string
		for _, p := range past {
			wrong = append(wrong, p.compare(got, strict)...)
		}
		return wrong
	}
	look := time.NewTicker(250 * time.Millisecond)
	defer look.Stop()
	least, since := len(check(false)), time.Now()
	for least > 0 && time.Since(since) < time.Minute && ctx.Err() == nil { // while there are fewer and fewer
		<-look.C
		if wrong := len(check(false)); wrong < least {
			least, since = wrong, time.Now()
		}
	}
	k.stop(t)
	if wrong := check(true); len(wrong) > 0 {
		t.Errorf("%d faults, the first: %s", len(wrong), strings.Join(wrong[:min(len(wrong), 5)], "\n"))
		t.Logf("the daemon's last words:\n%s", k.tail())
	}
	compareShadow(t, db, past)
	t.Logf("%d kills, %d requests", k.kills, len(receiver.Requests()))
	if k.kills < fillKills {
		t.Errorf("only %d kills", k.kills)
	}
	if len(runs) != 2 || runs[0].Live == 0 {
		t.Errorf("no row changed while it was read, so this proves nothing: %+v", runs)
	}
}

// backfillUnderFire starts a backfill for each rule and kills the daemon until both are done and the writers too.
func backfillUnderFire(ctx context.Context, t *testing.T, k *killer, front *atomic.Int64, writers *errgroup.Group) (runs []pipeline.Run) {
	t.Helper()
	c, err := config.Load(k.config)
	if err != nil {
		t.Fatal(err)
	}
	client := control.NewClient(c.StateDir)
	written := make(chan struct{})
	var failed error
	go func() {
		defer close(written)
		failed = writers.Wait()
	}()
	started := map[string]bool{}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	kill := time.Now().Add(time.Second)
	for {
		select {
		case <-ctx.Done():
			t.Fatalf("not done in time: %+v\n%s", runs, k.tail())
		case <-tick.C:
		}
		if found, err := control.Ask[struct{}, []pipeline.Run](ctx, client, backfillStatus, struct{}{}); err == nil {
			runs = found
			for _, rule := range []string{"saves", "inserts"} {
				if !started[rule] && len(runs) == len(started) {
					_, err := control.Ask[pipeline.Backfill, pipeline.Run](ctx, client, backfillStart, pipeline.Backfill{Rule: rule, Every: 2 * time.Millisecond})
					started[rule] = err == nil
				}
			}
			for _, r := range runs {
				if r.State == pipeline.Running {
					after, _ := strconv.ParseInt(strings.Join(r.Parts[0].Span.After, ""), 10, 64) // none: 0
					front.Store(after)
					break
				}
			}
		}
		done := len(runs) == 2 && runs[0].State == pipeline.Done && runs[1].State == pipeline.Done
		select {
		case <-written:
			if failed != nil {
				t.Fatal(failed)
			}
			if done && k.kills >= fillKills {
				return runs
			}
		default:
		}
		if time.Now().After(kill) {
			_ = k.cmd.Process.Kill()
			_ = k.cmd.Wait() // it was killed
			k.kills++
			k.start(t)
			kill = time.Now().Add(time.Duration(200+k.random.IntN(1000)) * time.Millisecond)
		}
	}
}

// past is a writer with rows of its own, every fourth, and what it did to them.
type past struct {
	number int
	random *rand.Rand
	front  *atomic.Int64
	steps  map[int64][]step
	gone   map[int64]bool
	next   int64 // a new row
}

func newPast(number int, seed uint64, front *atomic.Int64) *past {
	return &past{
		number: number, random: rand.New(rand.NewPCG(seed, uint64(number))), front: front,
		steps: map[int64][]step{}, gone: map[int64]bool{}, next: int64(pastRows + number + 1),
	}
}

// pick is one of its rows, most times one that the backfill comes to next.
func (p *past) pick() int64 {
	id := p.random.Int64N(pastRows)
	if front := p.front.Load(); front >= 0 && p.random.IntN(4) > 0 {
		id = (front + p.random.Int64N(120)) % pastRows
	}
	return id - id%4 + int64(p.number) + 1
}

func (p *past) write(ctx context.Context, db *sql.DB) error {
	const table = "wp_vikappointments_reservation"
	pace := time.NewTicker(fillTime * 4 / fillChanges)
	defer pace.Stop()
	do := func(query string, args ...any) error {
		_, err := db.ExecContext(ctx, fmt.Sprintf(query, args...))
		return err
	}
	for n := 1; n <= fillChanges/4; n++ {
		<-pace.C
		id := p.pick()
		insert := func(id int64) error {
			p.steps[id], p.gone[id] = append(p.steps[id], step{n: n, insert: true}), false
			return do("INSERT INTO %s (id, id_parent, id_employee, notes, purchaser_mail) VALUES (%d, %[2]d, 1, '%d', 'a@example.test')", table, id, n)
		}
		var err error
		switch dice := p.random.IntN(20); {
		case p.gone[id]:
			err = insert(id)
		case dice == 0:
			err = insert(p.next)
			p.next += 4
		case dice == 1:
			p.steps[id], p.gone[id] = append(p.steps[id], step{delete: true}), true
			err = do("DELETE FROM %s WHERE id IN (%d)", table, id)
		case dice == 2: // no save, yet the row is another
			err = do("UPDATE %s SET log = '%d' WHERE id = %d", table, n, id)
		default:
			p.steps[id] = append(p.steps[id], step{n: n})
			err = do("UPDATE %s SET notes = '%d' WHERE id = %d", table, n, id)
		}
		if err != nil {
			return fmt.Errorf("writing change %d: %w", n, err)
		}
	}
	return nil
}

// fillReceipts are the first receipts of each id, by receiver and row.
type fillReceipts struct {
	steps  map[bool]map[int64][]step // true: the receiver of inserts
	reused []string                  // ids that came with two bodies
}

func readFillReceipts(t *testing.T, requests []delivertest.Request) fillReceipts {
	t.Helper()
	got := fillReceipts{steps: map[bool]map[int64][]step{false: {}, true: {}}}
	bodies := map[string]string{}
	for _, r := range requests {
		if before, ok := bodies[r.ID()]; ok {
			if before != string(r.Body) {
				got.reused = append(got.reused, r.ID())
			}
			continue
		}
		bodies[r.ID()] = string(r.Body)
		var body struct {
			ID    any
			Notes *string
		}
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatalf("%s: %v", r.Body, err)
		}
		var id int64
		s := step{delete: body.Notes == nil}
		if _, err := fmt.Sscan(fmt.Sprint(body.ID), &id); err != nil {
			t.Fatalf("%s: %v", r.Body, err)
		}
		if !s.delete {
			if _, err := fmt.Sscan(*body.Notes, &s.n); err != nil {
				t.Fatalf("%s: %v", r.Body, err)
			}
		}
		inserts := strings.HasSuffix(r.Path, "/inserts")
		got.steps[inserts][id] = append(got.steps[inserts][id], s)
	}
	return got
}

// compare walks each row's history along what arrived. What is not strict may still come.
func (p *past) compare(got fillReceipts, strict bool) (wrong []string) {
	if strict {
		for _, id := range got.reused {
			wrong = append(wrong, "id with two bodies: "+id)
		}
	}
	for id := int64(p.number + 1); id < p.next; id += 4 {
		for _, inserts := range []bool{false, true} {
			if fault := walk(p.steps[id], got.steps[inserts][id], inserts, id <= pastRows, strict); fault != "" {
				wrong = append(wrong, fmt.Sprintf("row %d (inserts only: %t): %s\n  written %v\n  arrived %v", id, inserts, fault, p.steps[id], got.steps[inserts][id]))
			}
		}
	}
	return wrong
}

// compareShadow holds what the writers remember, which is what arrived, against the table.
func compareShadow(t *testing.T, db *sql.DB, all []*past) {
	t.Helper()
	want := map[int64]string{}
	for _, p := range all {
		for id := int64(p.number + 1); id < p.next; id += 4 {
			steps := p.steps[id]
			switch {
			case len(steps) == 0 && id <= pastRows:
				want[id] = "0"
			case len(steps) > 0 && !steps[len(steps)-1].delete:
				want[id] = fmt.Sprint(steps[len(steps)-1].n)
			}
		}
	}
	rows, err := db.QueryContext(t.Context(), "SELECT id, notes FROM wp_vikappointments_reservation")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var id int64
		var notes string
		if err := rows.Scan(&id, &notes); err != nil {
			t.Fatal(err)
		}
		if want[id] != notes {
			t.Errorf("row %d has notes %q in the table, and %q in the history", id, notes, want[id])
		}
	}
	if n != len(want) || rows.Err() != nil {
		t.Errorf("%d rows, and %d in the history: %v", n, len(want), rows.Err())
	}
}
