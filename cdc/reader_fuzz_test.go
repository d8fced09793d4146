package cdc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/schema"
)

// eachLogged hands out the events that servers of all kinds logged, for seeds.
func eachLogged(f *testing.F, add func(file string, e cdctest.Event)) {
	f.Helper()
	for _, file := range cdctest.CapturedLogs(f, ".") {
		for _, e := range cdctest.ReadEvents(f, file) {
			add(file, e)
		}
	}
}

// FuzzReader reads a log of any bytes behind some good transactions: it goes on, or stops and says why, and what it
// hands out adds up (the recorder looks). It covers what has no target of its own, such as annotations and savepoints.
func FuzzReader(f *testing.F) {
	files := cdctest.CapturedLogs(f, ".")
	for i, file := range files {
		events := cdctest.ReadEvents(f, file)
		for at := 0; at < len(events); at += 3 {
			var data []byte
			for _, e := range events[at:min(at+6, len(events))] {
				data = append(data, e.Raw...)
			}
			f.Add(uint(i), data)
		}
	}
	logs := make([][]cdctest.Event, len(files))
	for i, file := range files {
		logs[i] = cdctest.ReadEvents(f, file)
	}
	f.Fuzz(func(t *testing.T, which uint, data []byte) {
		n := int(which % uint(len(files)))
		r, rec := offlineReader(t, files[n])
		rec.txns = make(chan transaction, 256)
		for _, e := range logs[n][:4] { // a transaction, so that the table is known
			if err := handRaw(r, e.Raw); err != nil {
				t.Fatal(err)
			}
		}
		for range 100 {
			if len(data) < replication.EventHeaderSize {
				return
			}
			size := min(max(int(binary.LittleEndian.Uint32(data[9:])), replication.EventHeaderSize), len(data))
			event := bytes.Clone(data[:size])
			binary.LittleEndian.PutUint32(event[9:], uint32(size))
			data = data[size:]
			err := handRaw(r, event)
			if err == nil {
				continue
			}
			var stop *StopError
			if !errors.As(err, &stop) && !errors.Is(err, errNoServer) {
				t.Fatalf("it ends with %v", err)
			}
			return
		}
	})
}

// FuzzPosition reads stored positions of any bytes: what is accepted can be moved on and stored again.
func FuzzPosition(f *testing.F) {
	for _, p := range []Position{
		{Flavor: "mariadb", Set: "0-1-4,1-2-3", Start: Coord{"b.000001", 4}, Last: &Txn{GTID: "0-1-5", Start: Coord{"b.000001", 4}, Hash: 7}},
		{Flavor: "mysql", Set: testUUID + ":1-5:tag:7", Last: &Txn{GTID: testUUID + ":6"}},
		{Flavor: "mysql", Start: Coord{"b.000001", 4}, Last: &Txn{Start: Coord{"b.000001", 4}}},
	} {
		data, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, testUUID+":7")
	}
	f.Fuzz(func(t *testing.T, data []byte, next string) {
		var p Position
		if json.Unmarshal(data, &p) != nil {
			return
		}
		_ = p.String()
		tracker, err := newTracker(p)
		if err != nil || tracker.Advance(Txn{GTID: next}) != nil {
			return
		}
		stored := tracker.Position()
		if again, err := newTracker(stored); err != nil {
			t.Fatalf("%s was moved on to %s, which is refused: %v", data, stored, err)
		} else if again.Position().String() != stored.String() {
			t.Fatalf("%s became %s", stored, again.Position())
		}
	})
}

// FuzzStatementText looks at statements of any bytes.
func FuzzStatementText(f *testing.F) {
	eachLogged(f, func(_ string, e cdctest.Event) {
		switch e.Type {
		case replication.QUERY_EVENT, replication.MARIADB_ANNOTATE_ROWS_EVENT, replication.ROWS_QUERY_EVENT:
			f.Add(string(e.Body()))
		}
	})
	f.Add("/*!50000 REPLACE */ INTO a VALUES (1)")
	f.Add("SET STATEMENT max_statement_time = 100 FOR INSERT INTO `log`.t VALUES (2, 'x')")
	f.Add("# a comment\n-- another\n((SELECT 1")
	s := watching(TableName{Schema: "log", Name: "t"})
	f.Fuzz(func(t *testing.T, text string) {
		for _, cut := range []bool{false, true} {
			q := &schema.Statement{Schema: "log", Text: text}
			q.Dialect.Cut = cut
			c := q.Cursor()
			c.Verb()
			c.Advance()
			if name := savepointName(c); len(name) > 3*len(text) {
				t.Fatalf("%q names %q", text, name)
			}
			q.Beyond()
			if names := s.watched().found.Words.In(q); names.Has(TableName{Schema: "log", Name: "t"}) && !strings.ContainsAny(text, "tT") {
				t.Fatalf("%q names no t", text)
			}
		}
	})
}
