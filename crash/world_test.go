//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/api/control"
	"rowhook/dbtest"
	"rowhook/outbox"
	"rowhook/outbox/mysql"
	"rowhook/outbox/sqlite"
)

// world is a server with two sites, receivers, and writers; and the daemon between them, which a test lets fail.
type world struct {
	t       *testing.T
	server  *dbtest.Server
	sites   []*site
	crm     *receiver
	mirrors []*receiver // each an endpoint that all full saves and deletes go to
	writing *writing
	config  string
	others  []string        // the configurations of further machines
	shared  *shared         // where machines keep the outbox that they share; nil: it is in state
	away    []time.Duration // until others had taken over
	state   string          // the state directory
	lastCut string          // where it lies as the last power cut found it
	exact   bool            // nothing is merged
	rewound bool            // settings.rewound
	patient bool            // nothing is hastened at the end
	random  *rand.Rand

	ctx     context.Context //nolint:containedctx // the test's, with a bound
	stop    chan struct{}
	writers *errgroup.Group
	helpers sync.WaitGroup
	files   sync.Mutex // held by who restores the state directory: what is said to a daemon meanwhile is forgotten
}

// writers is how many connections write.
const writers = 4

// settings are what worlds differ in.
type settings struct {
	exact   bool   // coalesce: 0
	more    string // of the configuration
	state   string // where the state directory is; empty: beside the configuration
	server  []string
	padding int
	large   int                  // one of so many changes is of a row that is too large for memory
	every   time.Duration        // each writer's pace
	mirrors int                  // how many; 0: one
	only    bool                 // deliver: only
	rewound bool                 // a backup of the outbox is restored, whose numbers go on from then: docs/operations.md says what receivers do
	shared  func(*world) *shared // where machines keep the outbox that they share; nil: there is one machine
}

func newWorld(t *testing.T, s settings) *world {
	w := &world{t: t, server: dbtest.Start(t, append(s.server, "--log-warnings=0")...), exact: s.exact, rewound: s.rewound, random: random(t, "world")}
	w.crm = newReceiver(t, random(t, "crm"))
	for n := range max(1, s.mirrors) {
		w.mirrors = append(w.mirrors, newReceiver(t, random(t, fmt.Sprint("mirror ", n))))
	}
	t.Logf("ROWHOOK_SEED=%d", dbtest.Seed(t))
	w.sites = []*site{{"salon", "wordpress", "wp_"}, {"studio", "studio", "wp_2_"}}
	grants := []string{"REPLICATION SLAVE, BINLOG MONITOR ON *.*"}
	for _, site := range w.sites {
		dbtest.Salon(t, w.server, site.schema, site.prefix)
		w.server.Exec(t, "CREATE TABLE "+site.schema+".marks (n BIGINT PRIMARY KEY)")
		grants = append(grants, "SELECT ON "+site.schema+".*")
	}
	w.server.CreateUser(t, "rowhook", "secret", grants...)
	w.writing = newWriting(w.server.DB(t, ""), w.sites)
	w.writing.received = w.newest
	w.writing.padding, w.writing.large, w.writing.every = s.padding, s.large, s.every
	if s.large > 0 {
		w.widen()
	}
	if s.shared == nil {
		w.config, w.state = w.configure(s)
	} else {
		w.share(s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(factor)*15*time.Minute)
	t.Cleanup(cancel)
	w.ctx = ctx
	w.assist(ctx)
	return w
}

// receivers are all of them.
func (w *world) receivers() []*receiver { return append([]*receiver{w.crm}, w.mirrors...) }

// widen lets the columns that hold numbers hold large texts.
func (w *world) widen() {
	for _, site := range w.sites {
		w.server.Exec(w.t, "ALTER TABLE "+site.table("order_status")+" MODIFY comment LONGTEXT")
		for entity, column := range stamps {
			w.server.Exec(w.t, "ALTER TABLE "+site.table(tables[entity])+" MODIFY "+column+" LONGTEXT")
		}
	}
}

// configure writes a daemon's files.
func (w *world) configure(s settings) (config, state string) {
	dir := w.t.TempDir()
	config, state = filepath.Join(dir, "config.yaml"), filepath.Join(dir, "state")
	if s.state != "" {
		state = s.state
	}
	coalesce := "500ms"
	if s.exact {
		coalesce = "0s"
	}
	deliver := "timeout: 2s"
	if s.only {
		deliver += ", only: true"
	}
	var mirrors []string
	for _, r := range w.mirrors {
		mirrors = append(mirrors, r.name())
	}
	var sites []string
	for _, site := range w.sites {
		sites = append(sites, fmt.Sprintf("{name: %s, schema: %s, prefix: %s}", site.name, site.schema, site.prefix))
	}
	for name, text := range map[string]string{
		"config.yaml": fmt.Sprintf("database: {address: %q, user: rowhook, password: secret}\nsites: [%s]\nrules: rules.yaml\n"+
			"state_dir: %q\ncoalesce: %s\ndeliver: {%s}\n%s", w.server.Address(), strings.Join(sites, ", "), state, coalesce, deliver, s.more),
		"rules.yaml": ruleFile(w.crm.name(), mirrors),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	return config, state
}

// assist is the person who resumes endpoints that answered 410.
func (w *world) assist(ctx context.Context) {
	for _, r := range w.receivers() {
		w.helpers.Go(func() {
			again := time.NewTicker(200 * time.Millisecond)
			defer again.Stop()
			resume := 0
			for {
				select {
				case <-ctx.Done():
					return
				case <-r.gone:
					resume = 10 // the daemon may not have stored the pause yet, or may be away
				case <-again.C:
				}
				if resume > 0 && w.resume(r) == nil {
					if resume--; resume == 0 {
						r.back()
					}
				}
			}
		})
	}
	w.t.Cleanup(w.helpers.Wait)
}

// resume asks the daemon. Where none runs the command would open the files itself, perhaps between a power cut and what that
// leaves of them.
func (w *world) resume(r *receiver) error {
	w.files.Lock()
	defer w.files.Unlock()
	err := control.NewClient(w.state).Resume(w.ctx, r.name())
	for _, config := range w.others {
		if err == nil {
			break
		}
		err = control.NewClient(filepath.Join(filepath.Dir(config), "state")).Resume(w.ctx, r.name())
	}
	return err
}

// command runs one of rowhook's commands, on the machine that works.
func (w *world) command(args ...string) error {
	var errs []error
	for _, config := range append([]string{w.config}, w.others...) {
		out, err := exec.CommandContext(w.ctx, binaries.daemon, append(args, "--config", config)...).CombinedOutput()
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("rowhook %s: %w: %s", strings.Join(args, " "), err, out))
	}
	return errors.Join(errs...)
}

// run starts the daemon.
func (w *world) run(binary string, env ...string) *daemon {
	w.t.Helper()
	return w.runAs(binary, w.config, env...)
}

// runAs starts the daemon with one of the configurations.
func (w *world) runAs(binary, config string, env ...string) *daemon {
	w.t.Helper()
	d, err := run(binary, config, env...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(d.kill)
	return d
}

// begin lets the daemon decide where following begins, and starts the load.
func (w *world) begin() {
	w.t.Helper()
	d := w.run(binaries.daemon)
	d.isReady(w.t)
	if err := d.stop(); err != nil {
		w.t.Fatal(err)
	}
	w.load()
}

// load starts the writers.
func (w *world) load() {
	w.stop = make(chan struct{})
	group, ctx := errgroup.WithContext(w.ctx)
	for n := range writers {
		writer := &writer{w.writing, random(w.t, fmt.Sprintf("writer %d", n))}
		group.Go(func() error { return writer.write(ctx, w.stop) })
	}
	w.writers = group
	w.moody(true)
}

// quiet ends the load.
func (w *world) quiet() {
	w.t.Helper()
	close(w.stop)
	if err := w.writers.Wait(); err != nil {
		w.t.Fatalf("writing: %v", err)
	}
}

func (w *world) moody(on bool) {
	for _, r := range w.receivers() {
		r.setFickle(on)
	}
}

// leastKills is how many of them prove something.
const leastKills = 30

// lives runs the daemon again and again, and kills it after random times, until done is closed and it has died often.
func (w *world) lives(binary string, done <-chan struct{}, shortest, longest time.Duration) (kills int) {
	w.t.Helper()
	for {
		d := w.run(binary)
		d.outlived(w.ctx, shortest+w.upTo(longest-shortest))
		d.kill()
		kills++
		if err := d.gaveUp(); err != nil {
			w.t.Fatal(err)
		}
		if w.ctx.Err() != nil {
			w.t.Fatal(w.ctx.Err())
		}
		select {
		case <-done:
			if kills >= leastKills {
				return kills
			}
		default:
		}
	}
}

// settle ends the load and the moods, lets the daemon finish, and judges what was received.
func (w *world) settle() *findings {
	w.t.Helper()
	w.quiet()
	w.moody(false)
	d := w.run(binaries.daemon)
	d.isReady(w.t)
	return w.finish(d)
}

// finish lets a daemon deliver everything, stops it, and judges.
func (w *world) finish(d *daemon) *findings {
	w.t.Helper()
	if err := w.drain(d); err != nil {
		w.t.Errorf("%v; the daemon's last words:\n%s", err, d.lastWords())
	}
	if err := d.stop(); err != nil {
		w.t.Error(err)
	}
	f := w.judge()
	f.shadow = w.compareShadow(f)
	if n, err := w.undelivered(); err != nil || n > 0 {
		w.t.Errorf("%d deliveries are not delivered, though everything was received: %v", n, err)
	}
	return f
}

// drain waits until nothing is missing. Deliveries that failed by themselves wait for their schedule: they are hastened.
func (w *world) drain(d *daemon) error {
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	var p *patience
	for looks := 1; ; looks++ {
		f := w.judge()
		open, err := w.undelivered()
		if left := f.lost + f.swallowed + open; err == nil && left == 0 {
			return nil
		} else if p == nil {
			p = newPatience(left)
		} else if err := p.look(left); err != nil {
			return fmt.Errorf("not everything was received: %w", err)
		}
		if looks%25 == 0 { // a pause may have been stored after the last look of who resumes
			for _, r := range w.receivers() {
				if err := w.resume(r); err != nil {
					w.t.Log(err)
				}
			}
		}
		if looks%5 == 0 && !w.patient {
			if err := w.command("deliveries", "retry", "--state", "waiting"); err != nil {
				w.t.Log(err)
			}
		}
		select {
		case <-look.C:
		case <-d.ended:
			return errors.New("the daemon ended")
		case <-w.ctx.Done():
			return w.ctx.Err()
		}
	}
}

// judge holds the receivers against the journal. The writers must be quiet.
func (w *world) judge() *findings {
	f := &findings{}
	w.crm.look(func(l *ledger) { f.add(judge(w.writing.objects, l, false, w.exact)) })
	for _, r := range w.mirrors {
		r.look(func(l *ledger) { f.add(judge(w.writing.objects, l, true, w.exact)) })
	}
	return f
}

// accepted counts what the receivers have accepted.
func (w *world) accepted() (n int) {
	for _, r := range w.receivers() {
		r.look(func(l *ledger) { n += l.accepted })
	}
	return n
}

// newest is the last number that a receiver was told.
func (w *world) newest() (n int64) {
	for _, r := range w.receivers() {
		r.look(func(l *ledger) { n = max(n, l.newest) })
	}
	return n
}

// undelivered counts what the outbox still has to deliver.
func (w *world) undelivered() (n int, err error) {
	store, err := w.openLog()
	if err != nil {
		return 0, err
	}
	defer store.Close()
	counts, err := store.Counts(w.ctx)
	for _, c := range counts {
		if c.State != outbox.Delivered {
			n += c.N
		}
	}
	return n, err
}

// storedLog is the outbox, to read it.
type storedLog interface {
	outbox.Log
	Close() error
}

func (w *world) openLog() (storedLog, error) {
	if w.shared != nil {
		return mysql.OpenLog(w.ctx, w.shared.outbox())
	}
	return sqlite.OpenLog(w.ctx, w.state)
}

// report logs what a test did, and enters it in the table of faults.
func (w *world) report(fault string, times int, f *findings) {
	w.t.Helper()
	refused, troubles := 0, map[string]int{}
	for _, r := range w.receivers() {
		counts, total := r.troubles()
		for mood, n := range counts {
			troubles[mood] += n
		}
		refused += total
	}
	w.t.Logf("%s, %d times; %d transactions, %d receipts; %d answers were bad: %v; %s",
		fault, times, w.writing.done.Load(), w.accepted(), refused, troubles, f)
	bad := *f
	if w.rewound {
		bad.misnumbered = 0
	}
	if most := onItsWay * len(w.away); bad.wrong() || f.late > most {
		w.t.Errorf("%s: something was lost, changed or out of order, or more than %d came late", fault, most)
	}
	faults.add(fault, times, f, w.away)
}
