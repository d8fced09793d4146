package cdc

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
)

const testUUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"

// gtidBody is a GTID_EVENT up to and with what times say.
func gtidBody(number uint64, times ...byte) []byte {
	sid, _ := hex.DecodeString(strings.ReplaceAll(testUUID, "-", ""))
	body := binary.LittleEndian.AppendUint64(append([]byte{1}, sid...), number)
	if times != nil {
		body = append(append(body, 2), make([]byte, 16)...)
	}
	return append(body, times...)
}

// taggedBody is a GTID_TAGGED_LOG_EVENT with some fields behind the tag.
func taggedBody(tag string, more ...byte) []byte {
	body := []byte{2, 120, 16, 0, 0, 2}
	for _, b := range gtidBody(0)[1:17] {
		if b < 0x80 {
			body = append(body, b<<1)
		} else { // two bytes: seven bits are not enough
			body = append(body, b<<2|1, b>>6)
		}
	}
	body = append(body, 4, 5<<2, 6, byte(len(tag)<<1)) // number 5, with a bit for its sign
	return append(append(body, tag...), more...)
}

func TestParseGTID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		tagged    bool
		body      []byte
		gtid      string
		committed uint64
		err       bool
	}{
		{name: "old", body: gtidBody(7), gtid: testUUID + ":7"},
		{name: "without time", body: gtidBody(7, []byte{}...), gtid: testUUID + ":7"},
		{name: "with time", body: gtidBody(1<<40, 1, 2, 0, 0, 0, 0, 0, 9), gtid: testUUID + ":1099511627776", committed: 513},
		{name: "with the original time", body: gtidBody(7, 1, 2, 0, 0, 0, 0, 0x80, 3, 0, 0, 0, 0, 0, 0), gtid: testUUID + ":7", committed: 3},
		{name: "anonymous", body: gtidBody(0, 1, 2, 0, 0, 0, 0, 0), gtid: "", committed: 513},
		{name: "short", body: gtidBody(7)[:20], err: true},
		{name: "negative", body: gtidBody(1 << 63), err: true},
		{name: "tagged", tagged: true, body: taggedBody("tag_1", 8, 0, 10, 0, 12, 0xfe), gtid: testUUID + ":tag_1:5", committed: 127},
		{name: "tagged, large time", tagged: true, body: taggedBody("t", 12, 0xff, 1, 0, 0, 0, 0, 0, 0, 1), gtid: testUUID + ":t:5", committed: 1<<56 | 1},
		{name: "tagged, original time", tagged: true, body: taggedBody("t", 12, 2, 14, 6, 16, 9, 9), gtid: testUUID + ":t:5", committed: 3},
		{name: "without a tag", tagged: true, body: taggedBody(""), gtid: testUUID + ":5"},
		{name: "fields in disorder", tagged: true, body: taggedBody("t", 4, 2), err: true},
		{name: "no tag at all", tagged: true, body: taggedBody("a-b"), err: true},
		{name: "short number", tagged: true, body: taggedBody("t", 12, 0xff, 1), err: true},
		{name: "short tag", tagged: true, body: taggedBody("tag")[:30], err: true},
	} {
		parse := parseGTID
		if c.tagged {
			parse = parseTaggedGTID
		}
		gtid, committed, err := parse(c.body)
		if gtid != c.gtid || committed != c.committed || (err != nil) != c.err {
			t.Errorf("%s: %q at %d, %v; want %q at %d", c.name, gtid, committed, err, c.gtid, c.committed)
		}
	}
}

func FuzzGTID(f *testing.F) {
	f.Add(gtidBody(7, 1, 2, 0, 0, 0, 0, 0, 9), false)
	f.Add(taggedBody("tag", 8, 0, 10, 0, 12, 0xfe), true)
	eachLogged(f, func(_ string, e cdctest.Event) {
		switch e.Type {
		case replication.GTID_EVENT, replication.GTID_TAGGED_LOG_EVENT:
			f.Add(e.Body(), e.Type == replication.GTID_TAGGED_LOG_EVENT)
		}
	})
	f.Fuzz(func(t *testing.T, body []byte, tagged bool) {
		parse := parseGTID
		if tagged {
			parse = parseTaggedGTID
		}
		gtid, _, err := parse(body)
		if err != nil || gtid == "" {
			return
		}
		tracker, err := newTracker(Position{Flavor: "mysql", Last: &Txn{GTID: gtid}})
		if err != nil {
			t.Fatal(err)
		}
		if err := tracker.Advance(Txn{GTID: gtid}); err != nil {
			t.Fatalf("%q: %v", gtid, err)
		}
	})
}

// TestTrackerForgets: the whole set is kept up to date while somebody asks for it, and for a while after; asked later, it is
// right again.
func TestTrackerForgets(t *testing.T) {
	tr, err := newTracker(Position{Flavor: "mariadb", Set: "0-1-4,1-1-9"})
	if err != nil {
		t.Fatal(err)
	}
	n := 4
	check := func(advances int, kept bool) {
		t.Helper()
		for range advances {
			n++
			if err := tr.Advance(Txn{GTID: fmt.Sprint("0-1-", n)}); err != nil {
				t.Fatal(err)
			}
		}
		if (tr.all != nil) != kept {
			t.Errorf("after %d transactions the set is kept: %v", advances, tr.all != nil)
		}
		set, err := tr.full()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := set.String(), fmt.Sprintf("0-1-%d,1-1-9", n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check(1, false)
	check(forgetAll, true)
	check(forgetAll+1, false)
	check(1, true)
}
