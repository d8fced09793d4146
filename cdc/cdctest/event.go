package cdctest

import (
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/dbtest"
)

// Event is an event as it was sent, without a checksum.
type Event struct {
	Type replication.EventType
	Raw  []byte
}

// Body is the event without its header.
func (e Event) Body() []byte { return e.Raw[replication.EventHeaderSize:] }

// CapturedLogs are the files of testdata/logs, which TestCapturedLogs captures; dir is cdc's.
func CapturedLogs(tb testing.TB, dir string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "testdata", "logs", "*.binlog"))
	if err != nil || len(files) < 3 {
		tb.Fatalf("captured logs: %v, %v", files, err)
	}
	return files
}

// ReadEvents splits a file of events, which have no checksums.
func ReadEvents(tb testing.TB, file string) []Event {
	tb.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var events []Event
	for len(data) > 0 {
		size := binary.LittleEndian.Uint32(data[9:])
		events = append(events, Event{replication.EventType(data[4]), data[:size]})
		data = data[size:]
	}
	return events
}

// WriteEvents writes them to such a file.
func WriteEvents(t *testing.T, file string, events []Event) {
	t.Helper()
	var data []byte
	for _, e := range events {
		data = append(data, e.Raw...)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// ReadLog returns the events between two places of one log file, those of the types that are wanted.
func ReadLog(t testing.TB, server *dbtest.Server, from, to mysql.Position, wanted func(replication.EventType) bool) []Event {
	t.Helper()
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		ServerID: 4711, Flavor: Flavor(server.Kind()), Host: server.Socket(), User: "root", DumpCommandFlag: replication.BINLOG_SEND_ANNOTATE_ROWS_EVENT,
		RawModeEnabled: true, DisableRetrySync: true, Logger: slog.New(slog.DiscardHandler),
	})
	defer syncer.Close()
	stream, err := syncer.StartSync(from)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var events []Event
	for {
		e, err := stream.GetEvent(ctx)
		if err != nil {
			t.Fatalf("reading the log from %s to %s: %v", from, to, err)
		}
		if wanted(e.Header.EventType) {
			events = append(events, Event{e.Header.EventType, e.RawData})
		}
		if e.Header.LogPos >= to.Pos {
			return events
		}
	}
}
