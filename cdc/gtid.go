package cdc

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"
	"github.com/google/uuid"

	"rowhook/cdc/wire"
)

// mariadbGTID opens a group. Its flag says whether one query makes the whole of it.
func (r *reader) mariadbGTID(h *replication.EventHeader, body []byte) error {
	w := wire.Reader{Rest: body}
	sequence, domain, flags := w.Fixed(8), w.Fixed(4), w.Byte()
	if w.Short {
		return r.stop("a GTID event cannot be read", "please report this", wire.ErrTruncated)
	}
	var text [42]byte // a GTID comes with every transaction: no fmt
	gtid := strconv.AppendUint(text[:0], domain, 10)
	gtid = strconv.AppendUint(append(gtid, '-'), uint64(h.ServerID), 10)
	gtid = strconv.AppendUint(append(gtid, '-'), sequence, 10)
	if err := r.begin(h, string(gtid), time.Unix(int64(h.Timestamp), 0)); err != nil {
		return err
	}
	r.txn.standalone = flags&replication.BINLOG_MARIADB_FL_STANDALONE != 0
	r.txn.undone = undoneAlter(flags, w)
	return nil
}

// undoneAlter says whether a group holds an ALTER TABLE that only begins (binlog_alter_two_phase), or is taken back; rest is
// what follows the flags. See MariaDB's sql/log_event.cc, Gtid_log_event::write.
func undoneAlter(flags byte, rest wire.Reader) bool {
	const groupCommitID, anyXA = 0x02, 0x40 | 0x80
	if flags&groupCommitID != 0 {
		rest.Bytes(8)
	}
	if flags&anyXA != 0 { // has no ALTER
		return false
	}
	const startAlter, rollbackAlter = 0x02, 0x08
	more := rest.Byte()
	return !rest.Short && more&(startAlter|rollbackAlter) != 0
}

// mysqlGTID opens a transaction; an anonymous one has no GTID but the commit time.
func (r *reader) mysqlGTID(h *replication.EventHeader, body []byte) error {
	parse := parseGTID
	if h.EventType == replication.GTID_TAGGED_LOG_EVENT {
		parse = parseTaggedGTID
	}
	gtid, micros, err := parse(body)
	if err != nil {
		return r.stop("a GTID event cannot be read", "please report this", err)
	}
	if h.EventType == replication.ANONYMOUS_GTID_EVENT {
		gtid = ""
	}
	committed := time.Unix(int64(h.Timestamp), 0)
	if micros > 0 {
		committed = time.UnixMicro(int64(micros))
	}
	return r.begin(h, gtid, committed)
}

// parseGTID reads a GTID_EVENT: the GTID, and when the transaction was committed on the server where it was made, in
// microseconds; 0 from a server that does not say so. See MySQL's libs/mysql/binlog/event/control_events.cpp.
func parseGTID(body []byte) (gtid string, committed uint64, err error) {
	w := wire.Reader{Rest: body}
	w.Byte() // flags
	sid, number := w.Bytes(16), w.Fixed(8)
	if w.Short {
		return "", 0, wire.ErrTruncated
	}
	if gtid, err = gtidText(sid, "", number); err != nil {
		return "", 0, err
	}
	const logicalTimestamps = 2
	if w.Byte() != logicalTimestamps {
		return gtid, 0, nil
	}
	w.Bytes(16) // for appliers that run in parallel
	committed = w.Fixed(7)
	const originalFollows = 1 << 55
	if committed&originalFollows != 0 {
		committed = w.Fixed(7)
	}
	if w.Short {
		return gtid, 0, nil
	}
	return gtid, committed, nil
}

// parseTaggedGTID is parseGTID for GTID_TAGGED_LOG_EVENT (MySQL 8.3), a list of numbered fields; those that are not
// needed here come last. See the page "mysql::serialization" of MySQL's source code documentation.
func parseTaggedGTID(body []byte) (gtid string, committed uint64, err error) {
	w := wire.Reader{Rest: body}
	w.Varied() // version
	w.Varied() // size
	w.Varied() // the last field that must be understood
	var sid [16]byte
	var tag string
	var number uint64
	const last = 7
	for next := uint64(0); len(w.Rest) > 0; {
		field := w.Varied()
		if field > last {
			break
		}
		if field < next {
			return "", 0, fmt.Errorf("its field %d stands behind field %d", field, next-1)
		}
		next = field + 1
		switch field {
		case 0: // flags
			w.Varied()
		case 1:
			for i := range sid {
				sid[i] = byte(w.Varied())
			}
		case 2: // signed: the sign is the lowest bit
			number = w.Varied() >> 1
		case 3:
			tag = string(w.Bytes(w.Varied()))
		case 4, 5: // for appliers that run in parallel
			w.Varied()
		case 6, last: // the immediate time of commit, and the original one when it differs
			committed = w.Varied()
		}
	}
	if w.Short {
		return "", 0, wire.ErrTruncated
	}
	gtid, err = gtidText(sid[:], tag, number)
	return gtid, committed, err
}

// gtidText writes a GTID as the server does.
func gtidText(sid []byte, tag string, number uint64) (string, error) {
	id, err := uuid.FromBytes(sid)
	switch {
	case err != nil:
		return "", err
	case number == 0: // that of an anonymous transaction, which has none
		return "", nil
	case number > math.MaxInt64 || tag != "" && !isTag(tag):
		return "", fmt.Errorf("GTID %s with tag %q and number %d", id, tag, number)
	}
	text := append(make([]byte, 0, 96), id.String()...)
	if tag != "" {
		text = append(append(text, ':'), tag...)
	}
	return string(strconv.AppendUint(append(text, ':'), number, 10)), nil
}

// isTag says whether a text may be the tag of a GTID.
func isTag(s string) bool {
	const most = 32
	for i, c := range []byte(s) {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(s) <= most
}
