package main

import (
	"encoding/json"
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

// TestCustomTablesTroubleIsItsOwn: a table that only a rule names cannot be read. The bookings of its site arrive all the same, it is
// named, and what happened to it meanwhile arrives when it is fixed, or a person has decided.
func TestCustomTablesTroubleIsItsOwn(t *testing.T) {
	t.Parallel()
	const insert = "INSERT INTO wordpress.wp_notes VALUES (%d, 'x')"
	for name, test := range map[string]struct {
		restricted bool     // rowhook's user may read all other tables only
		do         []string // statements
		want       string   // of the reason
		fix        []string
		say        string // a command, behind the fix
		arrives    []string
	}{
		"denied from the start": {restricted: true, do: []string{fmt.Sprintf(insert, 2)}, want: "denied",
			fix: []string{"GRANT SELECT ON wordpress.wp_notes TO 'rowhook'@'%'"}, arrives: []string{"2", "3"}},
		"written by a statement": {do: []string{"SET SESSION binlog_format = STATEMENT; " + fmt.Sprintf(insert, 2) + "; SET SESSION binlog_format = ROW"},
			want: "wp_notes was written by a statement", say: "sites resume salon+notes", arrives: []string{"3"}},
		"from now": {do: []string{"SET SESSION binlog_format = STATEMENT; " + fmt.Sprintf(insert, 2) + "; SET SESSION binlog_format = ROW"},
			want: "wp_notes was written by a statement", say: "sites resume salon+notes --from-now", arrives: []string{"3"}},
		"in an XA transaction": {do: []string{"XA START 'a'; " + fmt.Sprintf(insert, 2) + "; XA END 'a'; XA PREPARE 'a'; XA COMMIT 'a'"},
			want: "wp_notes was written in an XA transaction", say: "sites resume salon+notes", arrives: []string{"3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := dbtest.Start(t)
			site := dbtest.Salon(t, server, "wordpress", "wp_")
			rowhookUser(t, server)
			server.Exec(t, "CREATE TABLE wordpress.wp_notes (id INT PRIMARY KEY, text TEXT)")
			if test.restricted {
				grantOthers(t, server, "wp_notes")
			}
			bookings, notes := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
			file := daemonFiles(t, server, fmt.Sprintf("rules:\n  - {name: bookings, action: appointment.save, load: extended, url: %q}\n"+
				"  - {name: notes, action: custom, table: notes, load: full, url: %q}\n", bookings.URL(), notes.URL()), "coalesce: 100ms\n")
			stop := startDaemon(t, file)
			book := func(all int) {
				t.Helper()
				if _, err := site.Book(t.Context(), dbtest.Booking{Options: []int64{1}}); err != nil {
					t.Fatal(err)
				}
				bookings.WaitAccepted(patience(t), all)
			}
			book(1)
			for _, statement := range test.do {
				server.Exec(t, statement)
			}
			book(2)
			states := func() map[string]pipeline.SiteStatus {
				t.Helper()
				list := listed(t, file)
				all := map[string]pipeline.SiteStatus{}
				for _, s := range list.Sites {
					all[s.Name] = s
				}
				return all
			}
			eventually(t, "its tables are stopped", func() bool { return states()["salon+notes"].State == pipeline.SiteStopped })
			if s := states(); !strings.Contains(s["salon+notes"].Reason, test.want) || s["salon"].State != pipeline.SiteReading {
				t.Errorf("it says %+v", s)
			}
			eventually(t, "check names it", func() bool { // between two tries
				out, _ := rowhook(t, file, "check")
				return strings.Contains(out, "site salon+notes: stopped since")
			})
			if out, err := rowhook(t, file, "position", "show"); err != nil || !strings.Contains(out, "salon+notes") {
				t.Errorf("position show says %v\n%s", err, out)
			}
			if out, err := rowhook(t, file, "sites", "resume", "salon"); err != nil || !strings.Contains(out, "then: rowhook sites resume salon+notes") {
				t.Errorf("it says %v\n%s", err, out)
			}
			stop() // and so it is after a restart
			startDaemon(t, file)
			book(3)
			server.Exec(t, fmt.Sprintf(insert, 3))
			for _, statement := range test.fix {
				server.Exec(t, statement)
			}
			more := 0
			if strings.Contains(test.say, "--from-now") {
				more = 4 // what came before is left out
			}
			if test.say != "" {
				if out, err := rowhook(t, file, strings.Fields(test.say)...); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			eventually(t, "its tables are read again", func() bool { _, is := states()["salon+notes"]; return !is })
			want := test.arrives
			if more > 0 {
				server.Exec(t, fmt.Sprintf(insert, more))
				want = []string{"4"}
			}
			var got []string
			for _, r := range notes.WaitAccepted(patience(t), len(want)) {
				var e struct{ Key struct{ ID json.Number } }
				if err := json.Unmarshal(r.Body, &e); err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Key.ID.String())
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("of the notes arrived %q, want %q", got, want)
			}
			book(4)
		})
	}
}

// grantOthers lets rowhook's user read every table but one.
func grantOthers(t *testing.T, server *dbtest.Server, denied string) {
	t.Helper()
	db := server.DB(t, "wordpress")
	rows, err := db.QueryContext(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = 'wordpress' AND table_name <> ?", denied)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	server.Exec(t, "REVOKE SELECT ON wordpress.* FROM 'rowhook'@'%'")
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		server.Exec(t, "GRANT SELECT ON wordpress.`"+name+"` TO 'rowhook'@'%'")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestTroubleOfATableThatNoRuleNames: nobody has to decide about a table when rules do not name it any more; what happened in other
// such tables meanwhile arrives.
func TestTroubleOfATableThatNoRuleNames(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		others bool // another table is named still
		down   bool // the rules change while the daemon is down
	}{"the only one": {}, "one of two": {others: true}, "while down": {down: true}, "one of two while down": {others: true, down: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := dbtest.Start(t)
			dbtest.Salon(t, server, "wordpress", "wp_")
			rowhookUser(t, server)
			execAll(t.Context(), t, server, "CREATE TABLE wp_notes (id INT PRIMARY KEY)", "CREATE TABLE wp_things (id INT PRIMARY KEY)")
			receiver := delivertest.NewReceiver(t)
			named := func(tables ...string) string {
				text := fmt.Sprintf("rules:\n  - {name: coupons, action: coupon.save, url: %q}\n", receiver.URL())
				for _, table := range tables {
					text += fmt.Sprintf("  - {name: %s, action: custom, table: %[1]s, url: %q}\n", table, receiver.URL())
				}
				return text
			}
			file := daemonFiles(t, server, named("notes", "things"), "coalesce: 50ms\n")
			p := start(t, build(t), "run", "--config", file)
			p.until(t, following)
			state := func() (s string) {
				out, err := rowhook(t, file, "sites", "list")
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			execAll(t.Context(), t, server, "SET SESSION binlog_format = STATEMENT", "INSERT INTO wp_notes VALUES (1)", "SET SESSION binlog_format = ROW",
				"INSERT INTO wp_things VALUES (1)")
			eventually(t, "it stops", func() bool { return strings.Contains(state(), "salon+notes  stopped") })
			left, want := named(), 1
			if test.others {
				left, want = named("things"), 2
			}
			if test.down {
				p.signal(t, syscall.SIGTERM)
				p.ends(t)
			}
			if err := os.WriteFile(filepath.Join(filepath.Dir(file), "rules.yaml"), []byte(left), 0o600); err != nil {
				t.Fatal(err)
			}
			if test.down {
				p = start(t, build(t), "run", "--config", file)
				p.until(t, following)
			} else {
				p.signal(t, syscall.SIGHUP)
			}
			eventually(t, "it goes on", func() bool { return !strings.Contains(state(), "salon+") })
			execAll(t.Context(), t, server, "INSERT INTO wp_vikappointments_coupon (code) VALUES ('x')", "INSERT INTO wp_notes VALUES (2)")
			receiver.WaitAccepted(patience(t), want)
			p.signal(t, syscall.SIGTERM)
			p.ends(t)
			if got := receiver.Accepted(); len(got) != want {
				t.Errorf("%d deliveries, want %d", len(got), want)
			}
		})
	}
}

// TestTroubleOfOneTable: of the tables of a site that only rules name, one has a rule with a wrong key, and one may not be read. All
// else of the site arrives, other such tables with it; each goes on by itself when it is put right, and nothing is lost. Rules that
// come while rowhook runs are no different, and one that goes takes its trouble with it.
func TestTroubleOfOneTable(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	for _, table := range []string{"notes", "things", "fine", "my notes"} {
		server.Exec(t, "CREATE TABLE wordpress.`wp_"+table+"` (id INT PRIMARY KEY)")
	}
	grantOthers(t, server, "wp_things")
	receivers := map[string]*delivertest.Receiver{}
	named := func(rules ...string) string {
		text := "rules:\n"
		for _, rule := range rules {
			name, _, _ := strings.Cut(rule, ":")
			if receivers[name] == nil {
				receivers[name] = delivertest.NewReceiver(t)
			}
			text += fmt.Sprintf("  - {name: %s, %s, url: %q}\n", strings.ReplaceAll(name, " ", "-"), strings.TrimPrefix(rule, name+":"), receivers[name].URL())
		}
		return text
	}
	const (
		bookings = "bookings: action: appointment.save, load: extended"
		things   = "things: action: custom, table: things"
		fine     = "fine: action: custom, table: fine"
	)
	file := daemonFiles(t, server, named(bookings, "notes: action: custom, table: notes, key: [nosuch]", things, fine), "coalesce: 50ms\n")
	arrive := func(name string, ids ...int) {
		t.Helper()
		var got []int
		for _, r := range receivers[name].WaitAccepted(patience(t), len(ids)) {
			var e struct{ Key struct{ ID int } }
			if err := json.Unmarshal(r.Body, &e); err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Key.ID)
		}
		if slices.Sort(got); !slices.Equal(got, ids) {
			t.Errorf("of %s arrived %v, want %v", name, got, ids)
		}
	}
	stopped := func() (names []string) {
		t.Helper()
		list := listed(t, file)
		for _, s := range list.Sites {
			if s.Apart() {
				names = append(names, s.Name+" "+s.Reason)
			}
		}
		return names
	}
	write := func(id int, tables ...string) {
		t.Helper()
		for _, table := range tables {
			server.Exec(t, fmt.Sprintf("INSERT INTO wordpress.`wp_%s` VALUES (%d)", table, id))
		}
		if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
			t.Fatal(err)
		}
		receivers["bookings"].WaitAccepted(patience(t), id)
	}
	two := func() bool {
		all := stopped()
		return len(all) == 2 && strings.HasPrefix(all[0], "salon+notes ") && strings.Contains(all[0], "no column nosuch") &&
			strings.HasPrefix(all[1], "salon+things ") && strings.Contains(all[1], "denied")
	}
	p := start(t, build(t), "run", "--config", file)
	p.until(t, following)
	write(1, "notes", "things", "fine")
	arrive("fine", 1)
	eventually(t, "both are stopped, each by itself", two)
	p.signal(t, syscall.SIGTERM)
	p.ends(t)
	p = start(t, build(t), "run", "--config", file)
	p.until(t, following)
	write(2, "notes", "things", "fine")
	arrive("fine", 1, 2)
	eventually(t, "both are stopped behind a restart", two)

	server.Exec(t, "GRANT SELECT ON wordpress.wp_things TO 'rowhook'@'%'")
	arrive("things", 1, 2)
	eventually(t, "one is stopped", func() bool { all := stopped(); return len(all) == 1 && strings.HasPrefix(all[0], "salon+notes ") })
	reload := func(rules ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), "rules.yaml"), []byte(named(rules...)), 0o600); err != nil {
			t.Fatal(err)
		}
		p.signal(t, syscall.SIGHUP)
	}
	const notes = "notes: action: custom, table: notes"
	reload(bookings, notes, things, fine, "my notes: action: custom, table: my notes, key: [nosuch]")
	arrive("notes", 1, 2)
	eventually(t, "none is stopped", func() bool { return len(stopped()) == 0 })

	write(3, "notes", "things", "fine", "my notes")
	arrive("fine", 1, 2, 3)
	arrive("notes", 1, 2, 3)
	arrive("things", 1, 2, 3)
	eventually(t, "the new one is stopped", func() bool { all := stopped(); return len(all) == 1 && strings.HasPrefix(all[0], "salon+my%20notes ") })
	if out, err := rowhook(t, file, "sites", "resume", "salon"); err != nil || !strings.Contains(out, "rowhook sites resume salon+my%20notes\n") {
		t.Errorf("it says %v\n%s", err, out)
	}
	if out, err := rowhook(t, file, "sites", "resume", "salon+nosuch"); err == nil || !strings.Contains(err.Error(), "no site has that name") {
		t.Errorf("it says %v\n%s", err, out)
	}
	if out, err := rowhook(t, file, "sites", "resume", "salon+my%20notes", "--from-now"); err != nil {
		t.Errorf("it says %v\n%s", err, out)
	}
	eventually(t, "it goes on", func() bool { return len(stopped()) == 0 })
	write(4, "notes", "things", "fine", "my notes")
	eventually(t, "it is stopped again", func() bool { return len(stopped()) == 1 })
	reload(bookings, notes, things, fine)
	eventually(t, "nobody asks for it", func() bool { return len(stopped()) == 0 })
	write(5, "notes", "things", "fine", "my notes")
	for _, name := range []string{"notes", "things", "fine"} {
		arrive(name, 1, 2, 3, 4, 5)
	}
	if got := receivers["my notes"].Accepted(); len(got) > 0 {
		t.Errorf("what no rule can tell apart was sent %d times", len(got))
	}
}

// listed is what the command says of the sites.
func listed(t *testing.T, file string) (list siteList) {
	t.Helper()
	out, err := rowhook(t, file, "sites", "list", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &list)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return list
}
