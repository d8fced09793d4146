package cdc

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/dbtest"
)

// TestCursorsNeverChange: of thousands of transactions of several sources, which come in runs, by turns, out of order and
// with gaps, each cursor says what go-mysql's own set says, and says it still when many came behind it.
func TestCursorsNeverChange(t *testing.T) {
	t.Parallel()
	for flavor, sources := range map[string][]string{
		mysql.MariaDBFlavor: {"0-1-", "0-2-", "7-1-"},
		mysql.MySQLFlavor:   {testUUID + ":", testUUID + ":tag:", "3e11fa47-71ca-11e1-9e33-c80aa9429562:"},
	} {
		t.Run(flavor, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(dbtest.Seed(t), 0))
			next := map[string]int{}
			domainOf := func(source string) string {
				if flavor == mysql.MariaDBFlavor { // whose servers count on from each other
					return source[:2]
				}
				return source
			}
			c, err := NewCursor(Position{Flavor: flavor})
			if err != nil {
				t.Fatal(err)
			}
			want, err := mysql.ParseGTIDSet(flavor, "")
			if err != nil {
				t.Fatal(err)
			}
			var cursors []*Cursor
			var sets []string
			source := sources[0]
			for range 3000 {
				if random.IntN(3) == 0 {
					source = sources[random.IntN(len(sources))]
				}
				domain := domainOf(source)
				next[domain] += 1 + random.IntN(50)/49
				gtid := fmt.Sprintf("%s%d", source, next[domain])
				sets = append(sets, want.String())
				if c, err = c.Advance(Txn{GTID: gtid}); err != nil {
					t.Fatal(err)
				}
				cursors = append(cursors, c)
				if err := want.Update(gtid); err != nil {
					t.Fatal(err)
				}
				if random.IntN(10) == 0 { // another goes elsewhere from here
					other, set := c, want.Clone()
					for i := range 3 {
						gtid := fmt.Sprintf("%s%d", sources[i], next[domainOf(sources[i])]+2+i)
						sets = append(sets, set.String())
						if other, err = other.Advance(Txn{GTID: gtid}); err != nil {
							t.Fatal(err)
						}
						cursors = append(cursors, other)
						if err := set.Update(gtid); err != nil {
							t.Fatal(err)
						}
					}
				}
				if all, err := c.read(); err != nil || !all.Equal(want) {
					t.Fatalf("behind %s it read %v, want %s (%v)", gtid, all, want, err)
				}
			}
			for i, c := range cursors {
				if got := c.Position().Set; got != sets[i] {
					t.Fatalf("cursor %d says %s, want %s", i, got, sets[i])
				}
			}
			if n := len(c.before.runs); n > mostRuns {
				t.Errorf("it holds %d runs", n)
			}
		})
	}
}

// TestCursorWithoutNumber: what is no GTID is no reason to panic, and is refused.
func TestCursorWithoutNumber(t *testing.T) {
	t.Parallel()
	for _, gtid := range []string{"", "x", "0-1-", "0-1-x", testUUID + ":0-3", "18446744073709551616"} {
		for _, flavor := range []string{mysql.MariaDBFlavor, mysql.MySQLFlavor} {
			c, err := NewCursor(Position{Flavor: flavor, Last: &Txn{GTID: gtid}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Advance(Txn{GTID: gtid}); (err == nil) != (gtid == "") {
				t.Errorf("%s, %q: %v", flavor, gtid, err)
			}
		}
	}
}

// BenchmarkCursor is what a transaction costs.
func BenchmarkCursor(b *testing.B) {
	for flavor, source := range map[string]string{mysql.MariaDBFlavor: "0-1-", mysql.MySQLFlavor: testUUID + ":"} {
		gtids := make([]string, 4096)
		for i := range gtids {
			gtids[i] = fmt.Sprintf("%s%d", source, i+1)
		}
		b.Run(flavor, func(b *testing.B) {
			b.ReportAllocs()
			begin, err := NewCursor(Position{Flavor: flavor})
			if err != nil {
				b.Fatal(err)
			}
			at := begin
			for i := 0; b.Loop(); i++ {
				if i%len(gtids) == 0 {
					at = begin
				}
				if at, err = at.Advance(Txn{GTID: gtids[i%len(gtids)]}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
