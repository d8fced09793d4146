package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"rowhook/api"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/outbox"
)

// party are machines that share an outbox, with a rule for each of many endpoints.
type party struct {
	t         *testing.T
	site      *dbtest.Site
	receivers []*delivertest.Receiver
	files     []string
	customers []int64
	changes   int // each is heard of at every endpoint
}

// newParty writes the configurations of machines.
func newParty(t *testing.T, machines, endpoints int, more ...string) *party {
	t.Helper()
	server := dbtest.Start(t)
	p := &party{t: t, site: dbtest.Salon(t, server, "wordpress", "wp_")}
	rowhookUser(t, server)
	var rules strings.Builder
	rules.WriteString("rules:\n")
	for i := range endpoints {
		p.receivers = append(p.receivers, delivertest.NewReceiver(t))
		fmt.Fprintf(&rules, "  - {name: r%d, action: onAfterSaveCustomer, url: %q}\n", i, p.receivers[i].URL())
	}
	share := shareOutbox(t, server, 2*time.Second)
	for i := range machines {
		p.files = append(p.files, daemonFiles(t, server, rules.String(), "coalesce: 0s\n"+share+strings.Join(more[min(i, len(more)):min(i+1, len(more))], "")))
	}
	return p
}

// change changes customers, of which there are a few.
func (p *party) change(n int) error {
	for range n {
		p.changes++
		if len(p.customers) < 5 {
			id, err := p.site.Insert(p.t.Context(), "users", "billing_name", "Ann")
			if err != nil {
				return err
			}
			p.customers = append(p.customers, id)
			continue
		}
		if err := p.site.Update(p.t.Context(), "users", p.customers[p.changes%len(p.customers)], "billing_name", fmt.Sprint("Ann ", p.changes)); err != nil {
			return err
		}
	}
	return nil
}

// tell changes customers, and waits until that is heard of everywhere.
func (p *party) tell(n int) {
	p.t.Helper()
	if err := p.change(n); err != nil {
		p.t.Fatal(err)
	}
	p.heard()
}

func (p *party) heard() {
	p.t.Helper()
	for _, r := range p.receivers {
		r.WaitAccepted(patience(p.t), p.changes)
	}
}

// spread waits until so many machines have the endpoints, none more than its part.
func (p *party) spread(file string, machines int) (list []api.Machine) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%d machines that share the endpoints", machines), func() bool {
		list = statusOfAll(p.t, file).Status.Machines
		all, most := 0, (len(p.receivers)+machines-1)/machines
		for _, m := range list {
			all += len(m.Endpoints)
			if len(m.Endpoints) > most {
				return false
			}
		}
		return all == len(p.receivers)
	})
	return list
}

// once checks that every receiver got everything, once, and of each customer in order.
func (p *party) once() {
	p.t.Helper()
	for i, r := range p.receivers {
		last, got := make(map[string]int), r.Accepted()
		for _, q := range got {
			var n int
			if _, err := fmt.Sscan(q.Header.Get("X-Rowhook-Sequence"), &n); err != nil {
				p.t.Fatal(err)
			}
			var body struct{ ID any }
			if err := json.Unmarshal(q.Body, &body); err != nil {
				p.t.Fatal(err)
			}
			key := fmt.Sprint(body.ID)
			if n <= last[key] {
				p.t.Errorf("receiver %d got %d of customer %s behind %d", i, n, key, last[key])
			}
			last[key] = n
		}
		if len(got) != p.changes || len(last) != len(p.customers) || last["<nil>"] > 0 {
			p.t.Errorf("receiver %d got %d of %d, about %d customers", i, len(got), p.changes, len(last))
		}
	}
}

// TestManyEndpoints: three machines deliver, each to its part of twelve endpoints; they come and go under load, and everything arrives
// once and in order.
func TestManyEndpoints(t *testing.T) {
	t.Parallel()
	p := newParty(t, 3, 12)
	first := startDaemon(t, p.files[0])
	p.tell(5)
	loads := make(chan struct{})
	var loading sync.WaitGroup
	loading.Go(func() {
		for {
			select {
			case <-loads:
				return
			default:
			}
			if err := p.change(1); err != nil {
				t.Error(err)
				return
			}
		}
	})
	startUntil(t, p.files[1], joined)
	p.spread(p.files[1], 2)
	third := startUntil(t, p.files[2], joined)
	list := p.spread(p.files[0], 3)
	if n := slices.IndexFunc(list, func(m api.Machine) bool { return len(m.Endpoints) != 4 }); len(list) != 3 || n >= 0 {
		t.Errorf("the endpoints are spread as %+v", list)
	}
	third()
	p.spread(p.files[1], 2)
	first() // it follows the log
	p.spread(p.files[1], 1)
	close(loads)
	loading.Wait()
	p.heard()
	p.once()
}

// TestCommandsOnMembers: what is typed on a machine that does not hold the outbox is done by the one that does, or that delivers.
func TestCommandsOnMembers(t *testing.T) {
	t.Parallel()
	p := newParty(t, 2, 4)
	startDaemon(t, p.files[0])
	startUntil(t, p.files[1], joined)
	p.spread(p.files[0], 2)
	p.tell(1)
	for i, r := range p.receivers {
		file := p.files[i%2]
		if out, err := rowhook(t, file, "endpoints", "pause", r.URL(), "--reason", "they move"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, file := range p.files {
			if out, err := rowhook(t, file, "endpoints", "list"); err != nil || strings.Count(out, "they move") != i+1 || !strings.Contains(out, "MACHINE") {
				t.Errorf("%d are paused: %v\n%s", i+1, err, out)
			}
		}
	}
	if err := p.change(1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what waits", func() bool {
		return len(strings.Fields(listIDs(t, p.files[1], "--limit", "100", "--state", "fresh,waiting"))) == len(p.receivers)
	})
	if _, err := rowhook(t, p.files[1], "endpoints", "resume", "https://nobody.example"); err == nil || !strings.Contains(err.Error(), "there is no such endpoint") {
		t.Errorf("one that is not there: %v", err)
	}
	for i, r := range p.receivers {
		if n := len(r.Accepted()); n != p.changes-1 {
			t.Errorf("receiver %d got %d while it was paused", i, n)
		}
		if out, err := rowhook(t, p.files[(i+1)%2], "endpoints", "resume", r.URL()); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	p.heard()
	p.once()
	for i, r := range p.receivers { // one that is sent again, by whoever delivers there
		file := p.files[i%2]
		eventually(t, "the outcomes", func() bool {
			return len(strings.Fields(listIDs(t, file, "--limit", "100", "--state", "delivered"))) >= p.changes*len(p.receivers)
		})
		if out, err := rowhook(t, file, "deliveries", "retry", "--state", "delivered", "--rule", fmt.Sprintf("r%d", i)); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		r.WaitRequests(patience(t), 2*p.changes)
		eventually(t, "its outcome", func() bool { return listIDs(t, file, "--limit", "100", "--state", "fresh,waiting") == "" })
	}
}

// TestDeliverOnly: a machine that only delivers never follows the log, and one that does comes before it.
func TestDeliverOnly(t *testing.T) {
	t.Parallel()
	p := newParty(t, 2, 4, "", "deliver: only\n")
	reads := startDaemon(t, p.files[0])
	rested, again := make(chan struct{}), make(chan struct{})
	startUntil(t, p.files[1], joined, &watched{awaited: "this one holds the outbox until another one comes", seen: rested}, &watched{awaited: "it holds the outbox now", seen: again})
	p.spread(p.files[1], 2)
	p.tell(3)
	reads()
	if err := p.change(1); err != nil {
		t.Fatal(err)
	}
	<-rested
	if report := statusOfAll(t, p.files[1]); !report.Status.Resting || !report.NeedsYou() || !strings.Contains(report.Verdict, "No machine follows the log") {
		t.Errorf("it says %+v", report)
	}
	p.spread(p.files[1], 1)
	startDaemon(t, p.files[0])
	<-again
	p.heard()
	p.spread(p.files[1], 2)
	p.tell(3)
	p.once()
}

// TestRulesOfOneMachine: a machine with other rules delivers nothing and says so, until it has the same.
func TestRulesOfOneMachine(t *testing.T) {
	t.Parallel()
	p := newParty(t, 2, 4)
	edit(t, strings.Replace(p.files[1], "config.yaml", "rules.yaml", 1), "rules:", "rules: # of another machine")
	startDaemon(t, p.files[0])
	member := start(t, build(t), "run", "--config", p.files[1])
	member.until(t, "the rules here are not those of the machine that holds the outbox")
	p.tell(3)
	for _, file := range p.files {
		report := statusOfAll(t, file)
		if !report.NeedsYou() || !strings.Contains(report.Verdict, "has other rules") {
			t.Errorf("it says %q", report.Verdict)
		}
		if out, err := rowhook(t, file, "check"); err != nil || !strings.Contains(out, "warn  machines: ") || !strings.Contains(out, "has other rules") {
			t.Errorf("check: %v\n%s", err, out)
		}
	}
	if list := p.spread(p.files[0], 1); len(list) != 2 {
		t.Errorf("the machines are %+v", list)
	}
	edit(t, strings.Replace(p.files[1], "config.yaml", "rules.yaml", 1), "rules: # of another machine", "rules:")
	member.signal(t, syscall.SIGHUP)
	member.until(t, "the rules are reloaded")
	p.spread(p.files[1], 2)
	p.tell(3)
	p.once()
	if out, err := rowhook(t, p.files[1], "check"); err != nil || !strings.Contains(out, "ok    machines: 2") {
		t.Errorf("check: %v\n%s", err, out)
	}
	member.signal(t, syscall.SIGTERM)
	member.ends(t)
}

// TestMayPass: a machine that finds the outbox in other hands, or too late, tries again rather than end.
func TestMayPass(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		fmt.Errorf("open: %w: its lease ran out", outbox.ErrFenced): true, fmt.Errorf("open: %w", outbox.ErrLocked): true, outbox.ErrNotExist: true,
		errors.New("connection refused"): true, &mysql.MySQLError{Number: 1045, Message: "Access denied"}: false,
	} {
		if mayPass(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}
