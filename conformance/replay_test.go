package conformance

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

const (
	schema = "wordpress"
	prefix = "wp_vikappointments_"
	// recordedRoot is where WordPress lay when the cases were recorded; payloads name files below it.
	recordedRoot = "/srv/www/salon"
)

// The log's time: turn n of a replay is written at epoch + n*turnSpacing, its marker halfway to the next. Between turns
// every window is over, and statuses that fired are forgotten; within one none is, however slow the machine.
var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	turnSpacing = 6 * time.Hour
	windows     = "coalesce: 5m\ncoalesce_max: 10m\nstatus_wait: 5m\n"
)

// replay is a database on which cases are replayed while the daemon follows.
type replay struct {
	server   *dbtest.Server
	receiver *delivertest.Receiver
	db       *sql.DB
	conns    map[int]*sql.Conn
	turns    []turn
}

// turn is a case, or what brings the database to where a case began, and what the receiver got for it.
type turn struct {
	c     *testCase
	setup bool
	got   []delivery
}

// delivery is one webhook that arrived.
type delivery struct {
	webhook int
	action  string
	secure  string
	text    []byte
	body    any
}

// newReplay starts a server and loads the database as it was before the first case.
func newReplay(t *testing.T, r *record) *replay {
	t.Helper()
	p := &replay{server: dbtest.Start(t), receiver: delivertest.NewReceiver(t), conns: map[int]*sql.Conn{}}
	if r.whole {
		p.server.Exec(t, "CREATE DATABASE "+schema+" CHARACTER SET utf8mb4")
	} else if err := dbtest.CreateSalon(t.Context(), p.server, schema, "wp_"); err != nil {
		t.Fatal(err)
	}
	p.server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON "+schema+".*")
	p.db = p.server.DB(t, schema)
	loading, err := p.db.Conn(t.Context()) // the script sets variables of its session
	if err != nil {
		t.Fatal(err)
	}
	p.exec(t, loading, string(readFile(t, filepath.Join(r.dir, "initial.sql"))))
	loading.Close()
	conn := p.conn(t, markerConn)
	p.exec(t, conn, "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'") // the marker's id is 0, which moves no AUTO_INCREMENT
	p.exec(t, conn, insertMarker)
	p.exec(t, conn, "UPDATE `"+prefix+"webhook` SET `url` = ?", p.receiver.URL())
	return p
}

// insertMarker makes the marker where it is not there, or not any more.
const insertMarker = "INSERT IGNORE INTO `" + prefix + "coupon` (`id`, `code`) VALUES ('0', 'MARKER')"

// markerConn is no number of a recorded connection.
const markerConn = -1

func (p *replay) conn(t *testing.T, number int) *sql.Conn {
	t.Helper()
	if p.conns[number] == nil {
		c, err := p.db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		p.conns[number] = c
	}
	return p.conns[number]
}

func (p *replay) exec(t *testing.T, c *sql.Conn, query string, args ...any) {
	t.Helper()
	if _, err := c.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%.300s: %v", query, err)
	}
}

// read gives the rows of a query as texts; NULL is "".
func (p *replay) read(t *testing.T, query string, args ...any) [][]string {
	t.Helper()
	rows, err := p.db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(columns))
		for i, v := range values {
			texts[i] = v.String
		}
		all = append(all, texts)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// configure writes a configuration; rule files are those below rules.d.
func (p *replay) configure(t *testing.T, fidelity string) (dir, config string) {
	t.Helper()
	dir = t.TempDir()
	config = filepath.Join(dir, "config.yaml")
	writeFile(t, config, fmt.Sprintf("database: {address: %q, user: rowhook, password: secret}\n"+
		"sites: [{name: salon, schema: %s, prefix: wp_, root: %s}]\nrules: rules.d/*.yaml\nstate_dir: state\nfidelity: %s\n%sdeliver: {concurrency: 1}\n",
		p.server.Address(), schema, recordedRoot, fidelity, windows))
	var b strings.Builder
	b.WriteString("rules:\n")
	for n := range markerHooks {
		fmt.Fprintf(&b, "  - {name: conformance-%d, action: coupon.save, type: update, url: %q, id: %d}\n", n, p.receiver.URL(), firstMarkerHook+n)
	}
	writeFile(t, filepath.Join(dir, "rules.d", "marker.yaml"), b.String()) // the last of the files: files are read by name
	return dir, config
}

// The X-VAP-WEBHOOK-ID of the marker's rules. Deliveries of one object follow each other, and objects take turns: so the
// marker has more deliveries than any object has in a case, and when its last arrives all of theirs have.
const (
	firstMarkerHook = 1_000_000
	markerHooks     = 40
)

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run replays the cases under a daemon and fills the turns.
func (p *replay) run(t *testing.T, config string, cases []*testCase) {
	t.Helper()
	d := startDaemon(t, config)
	seen := 0
	for _, c := range cases {
		if len(c.Before) > 0 {
			before := make([]statement, len(c.Before))
			for i, s := range c.Before {
				before[i] = statement{1, s}
			}
			seen = p.take(t, d, turn{c: c, setup: true}, before, seen)
		}
		seen = p.take(t, d, turn{c: c}, c.SQL, seen)
	}
	p.take(t, d, turn{c: &testCase{Number: "end"}}, nil, seen) // behind which nothing more may have come
	d.stop(t)
}

// take writes a turn's statements and then its marker, waits for the marker's webhook, and keeps what came since the
// first seen requests.
func (p *replay) take(t *testing.T, d *daemon, tn turn, statements []statement, seen int) int {
	t.Helper()
	number := len(p.turns)
	at := epoch.Add(time.Duration(number) * turnSpacing)
	var started []int
	for _, s := range statements {
		c := p.conn(t, s.Conn)
		if !slices.Contains(started, s.Conn) {
			started = append(started, s.Conn)
			p.exec(t, c, fmt.Sprintf("SET timestamp = %d", at.Unix()))
		}
		if _, err := c.ExecContext(t.Context(), s.SQL); err != nil && !tn.c.Again {
			t.Fatalf("case %s: %.300s: %v", tn.c.Number, s.SQL, err)
		}
	}
	for _, number := range started {
		p.exec(t, p.conn(t, number), "ROLLBACK") // a client that ends leaves no transaction open
	}
	p.mark(t, at.Add(turnSpacing/3), insertMarker)
	p.mark(t, at.Add(turnSpacing/2), saveMarker("end %d", number)) // ends the turn's windows
	p.mark(t, at.Add(2*turnSpacing/3), saveMarker("tail %d", number))
	ctx, cancel := d.while(t)
	defer cancel()
	end, looked := 0, seen
	p.receiver.Wait(ctx, "the end of case "+tn.c.Number, func(got []delivertest.Request) bool {
		for ; looked < len(got); looked++ {
			if isMarker(got[looked], number) {
				end = looked + 1
			}
		}
		return end > 0
	})
	for _, q := range p.receiver.Requests()[seen:end] {
		if dl := deliveryOf(t, q); !ofMarker(dl) {
			tn.got = append(tn.got, dl)
		}
	}
	p.turns = append(p.turns, tn)
	return end
}

// saveMarker is a statement in the form of a model save.
func saveMarker(text string, number int) string {
	return fmt.Sprintf("UPDATE `"+prefix+"coupon` SET `notes` = '"+text+"' WHERE `id` = '0'", number)
}

// mark writes to the marker.
func (p *replay) mark(t *testing.T, at time.Time, statement string) {
	t.Helper()
	c := p.conn(t, markerConn)
	p.exec(t, c, fmt.Sprintf("SET timestamp = %d", at.Unix()))
	p.exec(t, c, statement)
}

func isMarker(q delivertest.Request, number int) bool {
	var body struct{ Notes string }
	return q.Header.Get("X-VAP-WEBHOOK-ID") == fmt.Sprint(firstMarkerHook+markerHooks-1) && json.Unmarshal(q.Body, &body) == nil &&
		body.Notes == fmt.Sprintf("end %d", number)
}

// ofMarker says whether a webhook is about the marker, or comes from one of its rules.
func ofMarker(d delivery) bool {
	return d.webhook >= firstMarkerHook || strings.HasSuffix(d.action, "Coupon") && hook{Action: d.action}.subject(d.body) == "0"
}

func deliveryOf(t *testing.T, q delivertest.Request) delivery {
	t.Helper()
	d := delivery{action: q.Header.Get("X-VAP-WEBHOOK-ACTION"), secure: q.Header.Get("X-VAP-WEBHOOK-SECURE"), text: q.Body}
	var err error
	if d.body, err = parse(q.Body); err != nil {
		t.Error(err)
	}
	if _, err := fmt.Sscan(q.Header.Get("X-VAP-WEBHOOK-ID"), &d.webhook); err != nil {
		t.Errorf("X-VAP-WEBHOOK-ID: %v", err)
	}
	return d
}
