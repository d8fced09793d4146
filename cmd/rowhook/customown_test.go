package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
	"rowhook/pipeline"
)

// ownTables is a daemon that follows two salons, with rules for rows of the plugin's own tables.
type ownTables struct {
	server    *dbtest.Server
	sites     map[string]*dbtest.Site // by name, which is the schema's too
	receivers map[string]*delivertest.Receiver
	file      string
	daemon    *process
}

func followOwnTables(t *testing.T, rules ...string) *ownTables {
	t.Helper()
	o := &ownTables{server: dbtest.Start(t), sites: map[string]*dbtest.Site{}, receivers: map[string]*delivertest.Receiver{}}
	rowhookUser(t, o.server)
	for _, name := range []string{"salon", "spa"} {
		o.sites[name] = dbtest.Salon(t, o.server, name, "wp_")
		o.server.Exec(t, fmt.Sprintf("GRANT SELECT ON `%s`.* TO 'rowhook'@'%%'", name))
	}
	// Of the two only one has the column.
	o.server.Exec(t, "ALTER TABLE spa.wp_vikappointments_reservation ADD COLUMN ref INT NOT NULL DEFAULT 7")
	o.file = daemonFiles(t, o.server, o.named(t, rules...), "coalesce: 50ms\n")
	text, err := os.ReadFile(o.file)
	if err == nil {
		err = os.WriteFile(o.file, []byte(strings.Replace(string(text), "{name: salon, schema: wordpress, prefix: wp_}",
			"{name: salon, schema: salon, prefix: wp_}, {name: spa, schema: spa, prefix: wp_}", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	o.start(t)
	return o
}

// named is a file of rules, each with a receiver of its own.
func (o *ownTables) named(t *testing.T, rules ...string) string {
	t.Helper()
	text := "rules:\n"
	for _, rule := range rules {
		name, rest, _ := strings.Cut(rule, ": ")
		if o.receivers[name] == nil {
			o.receivers[name] = delivertest.NewReceiver(t)
		}
		text += fmt.Sprintf("  - {name: %s, %s, url: %q}\n", name, rest, o.receivers[name].URL())
	}
	return text
}

func (o *ownTables) start(t *testing.T) {
	t.Helper()
	o.daemon = start(t, build(t), "run", "--config", o.file)
	o.daemon.until(t, following)
}

func (o *ownTables) reload(t *testing.T, rules ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(o.file), "rules.yaml"), []byte(o.named(t, rules...)), 0o600); err != nil {
		t.Fatal(err)
	}
	o.daemon.signal(t, syscall.SIGHUP)
}

func (o *ownTables) restart(t *testing.T) {
	t.Helper()
	o.daemon.signal(t, syscall.SIGTERM)
	o.daemon.ends(t)
	o.start(t)
}

func (o *ownTables) book(t *testing.T, sites ...string) {
	t.Helper()
	for _, name := range sites {
		if _, err := o.sites[name].Book(t.Context(), dbtest.Booking{}); err != nil {
			t.Fatal(err)
		}
	}
}

// stopped are the sites, and parts of such, that are not read with the others.
func (o *ownTables) stopped(t *testing.T) (stopped map[string]pipeline.SiteStatus) {
	t.Helper()
	stopped = map[string]pipeline.SiteStatus{}
	list := listed(t, o.file)
	for _, s := range list.Sites {
		if s.Apart() {
			stopped[s.Name] = s
		}
	}
	return stopped
}

func (o *ownTables) awaitStopped(t *testing.T, names ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("stopped are %q", names), func() bool {
		stopped := o.stopped(t)
		return len(stopped) == len(names) && !slices.ContainsFunc(names, func(name string) bool { return stopped[name].Name == "" })
	})
}

// has says that a rule has posted so much, and no more.
func (o *ownTables) has(t *testing.T, rule string, n int) {
	t.Helper()
	if got := o.receivers[rule].WaitAccepted(patience(t), n); len(got) != n {
		t.Errorf("of rule %s arrived %d, want %d", rule, len(got), n)
	}
}

// TestKeyOfARuleForTheBookings: a rule names a key that the table of the bookings does not have, at one of two sites. The bookings
// of both go on, in a restart and behind it, and so does the rule at the other site; what it missed arrives when it is put right. So
// it is with a column that goes while rowhook runs.
func TestKeyOfARuleForTheBookings(t *testing.T) {
	t.Parallel()
	const (
		bookings = "bookings: action: appointment.save, load: extended"
		coupons  = "coupons: action: custom, table: vikappointments_coupon, key: [id]"
		byKey    = "wrong: action: custom, table: vikappointments_reservation, on: [insert], key: [%s]"
		same     = "same: action: custom, table: vikappointments_reservation, on: [insert]"
		part     = "salon+vikappointments_reservation"
	)
	o := followOwnTables(t, bookings, coupons, same, fmt.Sprintf(byKey, "ref"))
	coupon := func(n int) {
		t.Helper()
		for site := range o.sites {
			o.server.Exec(t, fmt.Sprintf("INSERT INTO `%s`.wp_vikappointments_coupon (code) VALUES ('c%d')", site, n))
		}
	}
	if !strings.Contains(o.daemon.seen.String(), "has no column ref") {
		t.Errorf("nothing is said of the key:\n%s", &o.daemon.seen)
	}
	o.book(t, "salon", "spa")
	o.has(t, "bookings", 2)
	o.has(t, "wrong", 1)
	o.awaitStopped(t, part)
	if is := o.stopped(t)[part]; !strings.Contains(is.Reason, "no column ref, which a rule names in key:") || !strings.Contains(is.Fix, "correct key: in the rule") {
		t.Errorf("it says %+v", is)
	}
	eventually(t, "check names it", func() bool { // between two tries
		out, err := rowhook(t, o.file, "check")
		return err != nil && strings.Contains(out, "table salon.wp_vikappointments_reservation has no column ref") && strings.Contains(out, "site "+part+": stopped since")
	})
	coupon(1)
	o.restart(t)
	o.book(t, "salon", "spa")
	coupon(2)
	o.has(t, "bookings", 4)
	o.has(t, "wrong", 2)
	o.has(t, "coupons", 4)
	o.awaitStopped(t, part)

	o.reload(t, bookings, coupons, same, fmt.Sprintf(byKey, "id"))
	o.has(t, "wrong", 4)
	o.has(t, "same", 4)
	o.awaitStopped(t)

	o.reload(t, bookings, coupons, same, "wrong: sites: [spa], "+strings.TrimPrefix(fmt.Sprintf(byKey, "ref"), "wrong: "))
	o.book(t, "salon", "spa")
	o.has(t, "bookings", 6)
	o.has(t, "wrong", 5)
	o.server.Exec(t, "ALTER TABLE spa.wp_vikappointments_reservation DROP COLUMN ref")
	o.book(t, "salon", "spa")
	o.has(t, "bookings", 8)
	o.awaitStopped(t, "spa+vikappointments_reservation")
	o.reload(t, bookings, coupons, same, fmt.Sprintf(byKey, "id"))
	o.has(t, "wrong", 6)
	o.has(t, "same", 8)
	o.awaitStopped(t)
	o.book(t, "salon", "spa")
	for rule, n := range map[string]int{"bookings": 10, "wrong": 8, "same": 10, "coupons": 4} {
		o.has(t, rule, n)
	}
}

// TestTroubleOfATableOfTwoParts: what the log does not show of one of the plugin's tables that a rule names too holds up both, and
// nothing else. Each goes on when a person says so, while the other waits, and misses nothing that the log shows.
func TestTroubleOfATableOfTwoParts(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][]string{"the plugin's first": {"saves", "rows"}, "the rule's first": {"rows", "saves"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parts := map[string]string{"saves": "salon", "rows": "salon+vikappointments_coupon"}
			o := followOwnTables(t, "saves: action: coupon.save", "rows: action: custom, table: vikappointments_coupon, on: [insert]", "posts: action: custom, table: posts")
			o.server.Exec(t, "CREATE TABLE salon.wp_posts (id INT PRIMARY KEY)")
			insert := func(n int) string {
				return fmt.Sprintf("INSERT INTO salon.wp_vikappointments_coupon (code) VALUES ('c%d')", n)
			}
			o.server.Exec(t, insert(1))
			o.has(t, "saves", 1)
			o.has(t, "rows", 1)
			o.server.Exec(t, "SET SESSION binlog_format = STATEMENT; "+insert(2)+"; SET SESSION binlog_format = ROW; "+insert(3))
			o.awaitStopped(t, "salon", "salon+vikappointments_coupon")
			o.server.Exec(t, "INSERT INTO salon.wp_posts VALUES (1)")
			o.has(t, "posts", 1)
			resume := func(rule string) {
				t.Helper()
				if out, err := rowhook(t, o.file, "sites", "resume", parts[rule]); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			first, second := order[0], order[1]
			resume(first)
			o.has(t, first, 2)
			o.awaitStopped(t, parts[second])
			o.server.Exec(t, insert(4))
			o.has(t, first, 3)
			o.restart(t)
			o.server.Exec(t, insert(5))
			o.has(t, first, 4)
			o.has(t, second, 1)
			resume(second)
			o.has(t, second, 4)
			o.awaitStopped(t)
			o.server.Exec(t, insert(6))
			o.has(t, first, 5)
			o.has(t, second, 5)
		})
	}
}
