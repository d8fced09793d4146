package cdc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/sqlmap"
	"rowhook/cdc/wire"
)

// File is one file of a server's log.
type File struct {
	Name string `json:"name"`
	Size uint64 `json:"size"`
}

// Files lists the files that the server has, the oldest first. The last one is being written.
func (s *server) Files(ctx context.Context) ([]File, error) {
	rows, err := sqlmap.Rows(ctx, s.db, "SHOW BINARY LOGS")
	if err != nil {
		return nil, fmt.Errorf("asking for the log's files: %w", err)
	}
	files := make([]File, len(rows))
	for i, r := range rows {
		size, err := strconv.ParseUint(r["File_size"], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("asking for the log's files: %s has size %q", r["Log_name"], r["File_size"])
		}
		files[i] = File{r["Log_name"], size}
	}
	if len(files) == 0 {
		return nil, errors.New("asking for the log's files: the server has none")
	}
	return files, nil
}

// head is what stands at the beginning of a file.
type head struct {
	made time.Time     // when the file was begun
	set  mysql.GTIDSet // what was committed before, empty on a server without GTIDs
}

// head reads the beginning of a file.
func (s *server) head(ctx context.Context, file string) (head, error) {
	r := &headReader{ctx: ctx, flavor: s.flavor}
	err := s.stream(ctx, r, new(*link), func(b *replication.BinlogSyncer) (*replication.BinlogStreamer, error) {
		return b.StartSync(mysql.Position{Name: file, Pos: firstEvent})
	})
	switch {
	case errors.Is(r.err, errDone):
		return r.head, nil
	case ctx.Err() != nil:
		return head{}, ctx.Err()
	}
	return head{}, fmt.Errorf("reading the beginning of %s: %w", file, errors.Join(r.err, err))
}

// errDone ends the reading of a log that was read as far as is wanted.
var errDone = errors.New("read as far as wanted")

// headReader reads the beginning of a file. Behind its mark the file tells what was committed before.
type headReader struct {
	ctx    context.Context //nolint:containedctx // HandleEvent has none; this is the connection's
	flavor string
	head   head
	err    error
}

// HandleEvent takes the next event of the file.
func (r *headReader) HandleEvent(e *replication.BinlogEvent) error {
	r.err = r.handle(e)
	return r.err
}

func (r *headReader) handle(e *replication.BinlogEvent) (err error) {
	switch ev := e.Event.(type) {
	case *replication.FormatDescriptionEvent:
		r.head.made = time.Unix(int64(e.Header.Timestamp), 0)
	case *replication.GenericEvent:
		switch e.Header.EventType {
		case replication.PREVIOUS_GTIDS_EVENT:
			r.head.set, err = mysql.DecodeMysqlGTIDSet(ev.Data)
		case replication.MARIADB_GTID_LIST_EVENT:
			r.head.set, err = parseGTIDList(ev.Data)
		case replication.MARIADB_START_ENCRYPTION_EVENT:
			return r.ctx.Err()
		default:
			return fmt.Errorf("it begins with an event of type %s", e.Header.EventType)
		}
		if err != nil {
			return fmt.Errorf("what was committed before it: %w", err)
		}
		return errDone
	}
	return r.ctx.Err()
}

// parseGTIDList reads MariaDB's GTID_LIST_EVENT: the last GTIDs of each domain, one for each server.
func parseGTIDList(body []byte) (*mysql.MariadbGTIDSet, error) {
	w := wire.Reader{Rest: body}
	const flags = 4 // in the upper bits
	set := &mysql.MariadbGTIDSet{Sets: map[uint32]*mysql.MariadbGTID{}}
	for n := w.Fixed(4) << (32 + flags) >> (32 + flags); n > 0 && !w.Short; n-- {
		entry := w.Bytes(16)
		if entry == nil {
			break
		}
		gtid := mysql.MariadbGTID{
			DomainID: binary.LittleEndian.Uint32(entry), ServerID: binary.LittleEndian.Uint32(entry[4:]),
			SequenceNumber: binary.LittleEndian.Uint64(entry[8:]),
		}
		if gtid == (mysql.MariadbGTID{}) { // is none
			continue
		}
		if has := set.Sets[gtid.DomainID]; has == nil || has.SequenceNumber < gtid.SequenceNumber {
			set.Sets[gtid.DomainID] = &gtid
		}
	}
	if w.Short {
		return nil, wire.ErrTruncated
	}
	return set, nil
}

// lastFile finds the last file whose beginning is before something, the first when none is. Only about as many
// beginnings are read as the number of files has digits in binary.
func (s *server) lastFile(ctx context.Context, files []File, before func(head) bool) (i int, err error) {
	after := sort.Search(len(files)-1, func(i int) bool {
		if err != nil {
			return true
		}
		var h head
		if h, err = s.head(ctx, files[i+1].Name); err != nil {
			return true
		}
		return !before(h)
	})
	return after, err
}

// fileAt finds a file by its name.
func fileAt(files []File, name string) (int, bool) {
	i := slices.IndexFunc(files, func(f File) bool { return f.Name == name })
	return i, i >= 0
}
