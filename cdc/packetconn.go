package cdc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/connect"
)

// timedConn is a connection whose reads end after readTimeout. It sets the deadline when it asks the system for bytes;
// go-mysql's own ReadTimeout does so for every event, which costs more than reading them.
type timedConn struct{ net.Conn }

func (c timedConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// link is the connection that the log comes over. It keeps large events out of go-mysql's memory, whose buffers double as
// they fill and would take several times the size of a row of many megabytes. Of a large event go-mysql is given only the
// head, as if that were the whole event. Our handler of that event then reads the rest, the
// tail, straight from the link. That is in order, because go-mysql gets the head only when it has handled all events before
// it, and asks for nothing more until the handler returns.
type link struct {
	timedConn
	server  *connect.LogConn // what timedConn reads
	dumping bool             // events come
	in      *bufio.Reader
	made    []byte // what go-mysql reads next, in place of what came
	room    []byte // that made is written into
	packet
	hidden byte           // packets that go-mysql did not see: by so many its sequence numbers are behind
	size   int            // of the tail, that was announced
	large  bool           // the event at hand has a tail
	end    [checksum]byte // of the head
}

// packet is what is left of the packet at hand. An event is several when it is large.
type packet struct {
	left int
	more bool
}

const (
	packetHead = 4 // three bytes of size, one of a sequence number
	fullPacket = mysql.MaxPayloadLen
	// largeEvent is from which size on an event is handed over in two parts, and largeHead what stands in the first:
	// more than the header of a rows event can take.
	largeEvent = 1 << 20
	largeHead  = 128 << 10
	linkBuffer = 64 << 10
	checksum   = replication.BinlogChecksumLength
)

// dialer connects for go-mysql. The link on which it asks for the log is kept in at.
func dialer(server *connect.Server, at **link) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := server.DialLog(ctx)
		if err != nil {
			return nil, err
		}
		return &watchedConn{link: &link{timedConn: timedConn{conn}, server: conn}, at: at}, nil
	}
}

// watchedConn is a link that notices when go-mysql asks for the log.
type watchedConn struct {
	*link
	at **link
}

// Write notices the command; go-mysql writes it whole.
func (c *watchedConn) Write(b []byte) (int, error) {
	if len(b) > packetHead && b[packetHead-1] == 0 && (b[packetHead] == mysql.COM_BINLOG_DUMP || b[packetHead] == mysql.COM_BINLOG_DUMP_GTID) {
		*c.at = c.link
		c.begin()
	}
	return c.timedConn.Write(b)
}

// begin takes what comes from now on as packets.
func (l *link) begin() { l.dumping, l.in = true, bufio.NewReaderSize(l.timedConn, linkBuffer) }

// Read hands out packets, the large ones cut.
func (l *link) Read(b []byte) (n int, err error) {
	if !l.dumping {
		return l.timedConn.Read(b)
	}
	for n < len(b) && (n == 0 || len(l.made) > 0 || l.in.Buffered() > 0) {
		switch {
		case len(l.made) > 0:
			k := copy(b[n:], l.made)
			l.made = l.made[k:]
			if n += k; l.large && len(l.made) == 0 {
				return n, nil // the tail is for others
			}
		case l.left > 0 && !l.large:
			k, err := l.in.Read(b[n:min(len(b), n+l.left)])
			n, l.left = n+k, l.left-k
			if err != nil {
				return n, err
			}
		case n > 0 && l.mayCut():
			return n, nil // what n holds is handled first
		default:
			if err := l.next(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// mayCut says whether the packet that comes next may begin an event that is cut.
func (l *link) mayCut() bool {
	head, err := l.in.Peek(min(packetHead, l.in.Buffered()))
	return err != nil || len(head) < packetHead || packetSize(head) >= largeEvent
}

// next begins a packet.
func (l *link) next() error {
	if l.large { // nobody read all of the tail
		if _, err := io.Copy(io.Discard, tail{l}); err != nil {
			return err
		}
		l.large = false
	}
	follows := l.more
	seq, err := l.head()
	if err != nil {
		return err
	}
	l.room = append(l.room[:0], byte(l.left), byte(l.left>>8), byte(l.left>>16), seq-l.hidden)
	l.made = l.room
	if follows || l.left < largeEvent {
		return nil
	}
	return l.cut()
}

// head reads the head of a packet.
func (l *link) head() (seq byte, err error) {
	head, err := l.in.Peek(packetHead)
	if err != nil {
		return 0, err
	}
	l.left, seq = packetSize(head), head[3]
	l.more = l.left == fullPacket
	_, err = l.in.Discard(packetHead)
	return seq, err
}

// packetSize is what a packet's head says that it holds.
func packetSize(head []byte) int { return int(head[0]) | int(head[1])<<8 | int(head[2])<<16 }

// cut makes the head of a large event an event of its own, if the event is one whose tail is read elsewhere.
func (l *link) cut() error {
	const head = 1 + replication.EventHeaderSize // behind a mark
	begin, err := l.in.Peek(head)
	if err != nil {
		return err
	}
	const typeAt, sizeAt = 1 + 4, 1 + 9
	size := binary.LittleEndian.Uint32(begin[sizeAt:])
	if begin[0] != mysql.OK_HEADER || !hasTail(replication.EventType(begin[typeAt])) || size < largeEvent {
		return nil
	}
	seq := l.made[packetHead-1]
	const keep = head + largeHead
	l.made = append(l.made[:0], keep&0xff, keep>>8&0xff, keep>>16, seq)
	l.made = append(l.made, make([]byte, keep)...)
	if _, err := io.ReadFull(l.in, l.made[packetHead:]); err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(l.made[packetHead+sizeAt:], keep-1)
	copy(l.end[:], l.made[len(l.made)-checksum:])
	l.left -= keep
	l.large, l.size = true, int(size)-(keep-1)
	return nil
}

// beyond is how much larger the event at hand is than its header says.
func (l *link) beyond() uint64 {
	if l == nil || !l.large {
		return 0
	}
	return uint64(l.size)
}

// hasTail says whether large events of a type are read in two parts.
func hasTail(t replication.EventType) bool {
	switch t {
	case replication.WRITE_ROWS_EVENTv1, replication.UPDATE_ROWS_EVENTv1, replication.DELETE_ROWS_EVENTv1,
		replication.WRITE_ROWS_EVENTv2, replication.UPDATE_ROWS_EVENTv2, replication.DELETE_ROWS_EVENTv2,
		replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1, replication.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1,
		replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1, replication.TRANSACTION_PAYLOAD_EVENT,
		replication.MARIADB_ANNOTATE_ROWS_EVENT, replication.ROWS_QUERY_EVENT,
		replication.QUERY_EVENT, replication.MARIADB_QUERY_COMPRESSED_EVENT, replication.EXECUTE_LOAD_QUERY_EVENT:
		return true
	}
	return false
}

// tail reads what is left of a large event.
type tail struct{ l *link }

func (t tail) Read(b []byte) (int, error) {
	l := t.l
	for l.left == 0 {
		if !l.more {
			return 0, io.EOF
		}
		if _, err := l.head(); err != nil {
			return 0, &linkError{err}
		}
		l.hidden++
	}
	n, err := l.in.Read(b[:min(len(b), l.left)])
	if l.left -= n; err != nil {
		err = &linkError{err}
	}
	return n, err
}

// linkError says that the link broke in the middle of an event, which no event is to blame for.
type linkError struct{ err error }

func (e *linkError) Error() string { return "reading a large event: " + e.err.Error() }
func (e *linkError) Unwrap() error { return e.err }

// cutsEvent says whether the event at hand has a tail.
func (l *link) cutsEvent() bool { return l != nil && l.large }

// rest is what follows the body that go-mysql handed out, and its size. Where the server sends checksums, go-mysql takes
// the last bytes for one.
func (l *link) rest(body int) (io.Reader, int) {
	lost := min(max(largeHead-body, 0), checksum)
	return io.MultiReader(bytes.NewReader(l.end[checksum-lost:]), tail{l}), l.size // and as many bytes less at the end
}
