package cdc

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
)

func TestCoordBefore(t *testing.T) {
	t.Parallel()
	ordered := []Coord{
		{"binlog.000001", 4}, {"binlog.000001", 900}, {"binlog.000002", 4}, {"binlog.000010", 4}, {"binlog.999999", 1 << 33}, {"binlog.1000000", 4}, {"binlog.1000001", 4},
	}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := a.Before(b); got != (i < j) {
				t.Errorf("%s before %s: %t", a, b, got)
			}
		}
	}
}

func TestTracker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		from Position
		txns []string // GTIDs
		want Position
	}{
		{"MariaDB", Position{Flavor: "mariadb", Set: "0-1-4"}, []string{"0-1-5", "0-2-6"}, Position{Set: "0-1-5", Last: &Txn{GTID: "0-2-6"}}},
		{"MariaDB, empty", Position{Flavor: "mariadb"}, []string{"0-1-1", "0-1-2"}, Position{Set: "0-1-1", Last: &Txn{GTID: "0-1-2"}}},
		{"MariaDB, first", Position{Flavor: "mariadb"}, []string{"0-1-1"}, Position{Last: &Txn{GTID: "0-1-1"}}},
		{"domains", Position{Flavor: "mariadb", Set: "0-1-4"}, []string{"7-1-1", "0-1-5", "7-1-2"}, Position{Set: "0-1-5,7-1-1", Last: &Txn{GTID: "7-1-2"}}},
		{
			"MySQL", Position{Flavor: "mysql", Set: "00000000-0000-0000-0000-000000000001:1-5"},
			[]string{"00000000-0000-0000-0000-000000000001:6", "00000000-0000-0000-0000-000000000001:8"},
			Position{Set: "00000000-0000-0000-0000-000000000001:1-6", Last: &Txn{GTID: "00000000-0000-0000-0000-000000000001:8"}},
		},
		{"MySQL, no GTIDs", Position{Flavor: "mysql"}, []string{"", ""}, Position{Last: &Txn{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := c.from
			for i, gtid := range c.txns { // through JSON each time, as over restarts
				tracker := roundTrip(t, p)
				if err := tracker.Advance(Txn{GTID: gtid, Start: Coord{"binlog.000001", uint64(100 * i)}, Hash: uint64(i)}); err != nil {
					t.Fatal(err)
				}
				p = tracker.Position()
			}
			n := len(c.txns) - 1
			c.want.Flavor, c.want.Start = c.from.Flavor, Coord{"binlog.000001", uint64(100 * n)}
			c.want.Last.Start, c.want.Last.Hash = c.want.Start, uint64(n)
			if !reflect.DeepEqual(p, c.want) {
				t.Errorf("got %s, want %s", p, c.want)
			}
		})
	}
	if _, err := newTracker(Position{Flavor: "mariadb", Set: "nonsense"}); err == nil {
		t.Error("a damaged GTID set is accepted")
	}
}

func roundTrip(t *testing.T, p Position) *tracker {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var q Position
	if err := json.Unmarshal(data, &q); err != nil {
		t.Fatal(err)
	}
	tracker, err := newTracker(q)
	if err != nil {
		t.Fatal(err)
	}
	return tracker
}

// TestTrackerByPlace has a server begin to give GTIDs in the middle of its log.
func TestTrackerByPlace(t *testing.T) {
	t.Parallel()
	tracker, err := newTracker(Position{Flavor: "mysql", Start: Coord{"b.1", 4}})
	if err != nil {
		t.Fatal(err)
	}
	for i, gtid := range []string{"", testUUID + ":1", testUUID + ":2"} {
		if err := tracker.Advance(Txn{GTID: gtid, Start: Coord{"b.1", uint64(100 * i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if p := tracker.Position(); p.Set != "" || p.Last.GTID != "" || p.Start.Offset != 200 {
		t.Errorf("it stands at %+v, %+v", p, p.Last)
	}
}

func TestReached(t *testing.T) {
	t.Parallel()
	at := func(offset uint64) Coord { return Coord{"binlog.000001", offset} }
	for _, c := range []struct {
		name      string
		flavor    string
		set, last string
		seen      uint64
		end       string // GTIDs, at offset 500
		want      bool
	}{
		{"there", "mariadb", "0-1-4", "0-1-5", 0, "0-1-5", true},
		{"the last is missing", "mariadb", "0-1-4", "0-1-5", 900, "0-1-6", false},
		{"beyond", "mariadb", "0-1-6", "0-1-7", 0, "0-1-6", true},
		{"another server wrote", "mariadb", "0-1-4", "0-2-5", 0, "0-1-5", true},
		{"a domain is missing", "mariadb", "0-1-4", "0-1-5", 900, "0-1-5,1-1-1", false},
		{"all domains", "mariadb", "0-1-5", "1-1-1", 0, "0-1-5,1-1-1", true},
		{"nothing was ever logged", "mariadb", "", "", 0, "", true},
		{"nothing was read", "mariadb", "", "", 900, "0-1-1", false},
		{"no GTIDs, before", "mysql", "", "", 499, "", false},
		{"no GTIDs, there", "mysql", "", "", 500, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := Position{Flavor: c.flavor, Set: c.set}
			if c.last != "" {
				p.Last = &Txn{GTID: c.last}
			}
			tracker := roundTrip(t, p)
			end := End{Coord: at(500)}
			if c.flavor == mysql.MariaDBFlavor {
				var err error
				if end.set, err = mysql.ParseMariadbGTIDSet(c.end); err != nil {
					t.Fatal(err)
				}
			}
			if got := tracker.Reached(end, at(c.seen)); got != c.want {
				t.Errorf("%t, want %t", got, c.want)
			}
		})
	}
}

// TestReachedOnTheWay: a tracker that is asked after each transaction answers as a new one does.
func TestReachedOnTheWay(t *testing.T) {
	t.Parallel()
	const sid = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	for flavor, c := range map[string]struct {
		gtids []string
		end   string
	}{
		"mariadb": {[]string{"0-1-1", "1-1-1", "0-2-2", "0-1-3", "1-1-2"}, "0-1-3,1-1-1"},
		"mysql":   {[]string{sid + ":1", sid + ":3", sid + ":2", sid + ":4", sid + ":5"}, sid + ":1-4"},
	} {
		set, err := mysql.ParseGTIDSet(flavor, c.end)
		if err != nil {
			t.Fatal(err)
		}
		tracker, err := newTracker(Position{Flavor: flavor})
		if err != nil {
			t.Fatal(err)
		}
		for i, gtid := range c.gtids {
			if err := tracker.Advance(Txn{GTID: gtid}); err != nil {
				t.Fatal(err)
			}
			end := End{set: set}
			if got, want := tracker.Reached(end, Coord{}), i >= 3; got != want || roundTrip(t, tracker.Position()).Reached(end, Coord{}) != want {
				t.Errorf("%s, behind %s: %t, want %t", flavor, gtid, got, want)
			}
		}
	}
}
