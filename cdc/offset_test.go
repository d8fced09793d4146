package cdc

import (
	"log/slog"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"
)

const gib = 1 << 30

func TestNearest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from uint64
		low  uint32
		want uint64
	}{
		{4, 300, 300},
		{300, 300, 300},
		{4, 3*gib + 7, 3*gib + 7}, // the first event that is sent of a file
		{4, 4*gib - 1, 4*gib - 1},
		{300, 250, 250}, // a heartbeat from before
		{4*gib - 100, 50, 4*gib + 50},
		{4*gib + 50, 4*gib - 100, 4*gib - 100},
		{9*gib + 5, gib + 900, 9*gib + 900},
		{7*gib + 5, 0, 8 * gib},
		{8 * gib, gib - 1, 9*gib - 1}, // an event of the largest size
	} {
		if got := nearest(c.from, c.low); got != c.want {
			t.Errorf("from %d to ...%d: %d, want %d", c.from, c.low, got, c.want)
		}
	}
}

// large is a reader of a log with large events: those of a transaction take space bytes more than they have.
type large struct {
	*reader
	*recorder
	at uint64 // where the next event begins
}

func newLarge(t *testing.T, p Position, verify bool) *large {
	t.Helper()
	tracker, err := newTracker(p)
	if err != nil {
		t.Fatal(err)
	}
	l := &large{recorder: newRecorder(), at: firstEvent}
	s := &Source{server: &server{flavor: p.Flavor}, cfg: Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	l.reader = newReader(t.Context(), s, tracker, l.recorder, verify)
	return l
}

// begin is what a server sends first: the name of the file, its mark, and nothing up to at.
func (l *large) begin(t *testing.T, file string, at uint64) {
	t.Helper()
	rotate := &replication.BinlogEvent{
		Header: &replication.EventHeader{EventType: replication.ROTATE_EVENT, Flags: artificialFlag},
		Event:  &replication.RotateEvent{NextLogName: []byte(file), Position: firstEvent},
	}
	format := &replication.BinlogEvent{Header: &replication.EventHeader{EventType: replication.FORMAT_DESCRIPTION_EVENT}, Event: &replication.FormatDescriptionEvent{}}
	for _, e := range []*replication.BinlogEvent{rotate, format} {
		if err := l.HandleEvent(e); err != nil {
			t.Fatal(err)
		}
	}
	l.at = at
}

// event is one of size bytes, whatever its body takes; without a place when it has none.
func (l *large) event(typ replication.EventType, size uint32, body []byte, placed bool) error {
	l.at += uint64(size)
	h := &replication.EventHeader{EventType: typ, EventSize: size, ServerID: 1, Timestamp: 1e9}
	if placed {
		h.LogPos = uint32(l.at)
	}
	return l.HandleEvent(&replication.BinlogEvent{Header: h, Event: &replication.GenericEvent{Data: body}})
}

// group is a transaction whose one event within is of size bytes. It returns where it begins.
func (l *large) group(t *testing.T, size uint32) Coord {
	t.Helper()
	start := Coord{l.seen.File, l.at}
	gtid, body := replication.ANONYMOUS_GTID_EVENT, make([]byte, 42)
	if l.src.MariaDB() {
		gtid, body = replication.MARIADB_GTID_EVENT, make([]byte, 13)
		body[0] = byte(l.at>>28) + 1
	}
	for _, e := range []struct {
		typ  replication.EventType
		size uint32
		body []byte
	}{{gtid, 60, body}, {replication.RAND_EVENT, size, nil}, {replication.XID_EVENT, 31, make([]byte, 8)}} {
		placed := !l.src.MariaDB() || e.typ != replication.RAND_EVENT
		if err := l.event(e.typ, e.size, e.body, placed); err != nil {
			t.Fatal(err)
		}
	}
	return start
}

// wantNext checks where the next transaction stands; a transaction that was passed over is not handed out.
func (l *large) wantNext(t *testing.T, start Coord) Txn {
	t.Helper()
	select {
	case txn := <-l.txns:
		if txn.Txn.Start != start || txn.End.Offset != l.at {
			t.Errorf("a transaction from %s to %s, want from %s; the log ends at %d", txn.Txn.Start, txn.End, start, l.at)
		}
		return txn.Txn
	default:
		t.Fatalf("no transaction at %s", start)
	}
	return Txn{}
}

// TestLargeFile reads a file beyond 4 GiB, stops, and goes on there, on a server with and on one without GTIDs.
func TestLargeFile(t *testing.T) {
	t.Parallel()
	for _, flavor := range []string{"mysql", "mariadb"} {
		t.Run(flavor, func(t *testing.T) {
			t.Parallel()
			const file = "binlog.000007"
			l := newLarge(t, Position{Flavor: flavor, Start: Coord{file, firstEvent}}, false)
			l.begin(t, file, firstEvent)
			for range 21 { // to more than 10 GiB
				l.wantNext(t, l.group(t, gib/2))
			}
			last := l.group(t, gib/2)
			read := l.wantNext(t, last)
			end := l.at
			p := l.tracker.Position()
			if p.Start != last || last.Offset < 10*gib {
				t.Fatalf("the position is %s, want %s", p, last)
			}

			l = newLarge(t, p, true)
			if flavor == "mysql" { // no server can be asked for this place: it sends the whole file
				l.begin(t, file, firstEvent)
				for l.at < last.Offset {
					l.group(t, gib/2)
				}
			} else {
				l.begin(t, file, last.Offset)
			}
			if again := l.group(t, gib/2); again != last || l.seen != (Coord{file, end}) || len(l.txns) > 0 {
				t.Fatalf("the last transaction begins at %s and ends at %s, %d transactions came", again, l.seen, len(l.txns))
			}
			if txn := l.wantNext(t, l.group(t, 100)); txn == read || l.tracker.start.Offset != end {
				t.Errorf("then comes %+v, and the position is %s", txn, l.tracker.Position())
			}
		})
	}
}

// TestLargeFilePlaced begins in the middle of large files that the server finds by GTID.
func TestLargeFilePlaced(t *testing.T) {
	t.Parallel()
	const file = "binlog.000007"
	for name, c := range map[string]struct {
		known  Coord // the stored position
		verify bool
		file   string
		at     uint64 // where the first transaction that is sent really begins
		want   uint64
	}{
		"behind it":                     {Coord{file, 9*gib + 5}, false, file, 9*gib + 700, 9*gib + 700},
		"behind it, in the next part":   {Coord{file, 12*gib - 5}, false, file, 12*gib + 700, 12*gib + 700},
		"in a small file":               {Coord{file, 500}, false, file, 300, 300},
		"in another file":               {Coord{file, 9*gib + 5}, false, "binlog.000008", 700, 700},
		"in another server's":           {Coord{file, 9*gib + 5}, true, file, 300, 300},
		"in another server's next file": {Coord{file, 9*gib + 5}, true, "binlog.000008", 9, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLarge(t, Position{Flavor: "mariadb", Start: c.known, Last: &Txn{GTID: "0-1-7", Start: c.known}}, c.verify)
			l.begin(t, c.file, c.at)
			header := &replication.EventHeader{EventSize: 60, LogPos: uint32(c.at + 60)}
			l.move(header, l.link)
			if got := l.startOf(header, c.verify); got != (Coord{c.file, c.want}) {
				t.Errorf("it begins at %s, want %s:%d", got, c.file, c.want)
			}
		})
	}
}
