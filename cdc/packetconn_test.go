package cdc

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-mysql-org/go-mysql/replication"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/rowcodec"
	"rowhook/dbtest"
)

func newTestLink(in io.Reader) *link {
	l := &link{in: bufio.NewReaderSize(in, linkBuffer), dumping: true}
	return l
}

// packets writes payloads as a server does, and their sequence numbers.
func packets(payloads ...[]byte) []byte {
	var b []byte
	seq := byte(1)
	for _, p := range payloads {
		for {
			n := min(len(p), fullPacket)
			b = append(b, byte(n), byte(n>>8), byte(n>>16), seq)
			b = append(b, p[:n]...)
			seq++
			p = p[n:]
			if n < fullPacket {
				break
			}
		}
	}
	return b
}

// event is a payload: a mark, the head of an event, and its body.
func testEvent(typ replication.EventType, size int, fill byte) []byte {
	b := bytes.Repeat([]byte{fill}, 1+replication.EventHeaderSize+size)
	b[0], b[5] = 0, byte(typ)
	binary.LittleEndian.PutUint32(b[10:], uint32(len(b)-1))
	return b
}

// What go-mysql reads over a link is what came, but for large rows events: of these it gets the head, and the rest is
// there to be read, or not.
func TestLinkCutsLargeEvents(t *testing.T) {
	t.Parallel()
	const rows = replication.WRITE_ROWS_EVENTv1
	payloads := [][]byte{
		testEvent(rows, 100, 'a'),
		testEvent(rows, 3<<20, 'b'),
		testEvent(replication.TABLE_MAP_EVENT, 17<<20, 'c'),
		testEvent(rows, 40<<20, 'd'),
		testEvent(rows, fullPacket-1-replication.EventHeaderSize, 'e'), // an empty packet follows
		testEvent(rows, 2*fullPacket-1-replication.EventHeaderSize, 'f'),
		testEvent(replication.MARIADB_ANNOTATE_ROWS_EVENT, 2<<20, 'g'),
		{0xfe, 0, 0, 2, 0},
	}
	for name, reader := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "in halves": iotest.HalfReader, "with its end": iotest.DataErrReader,
	} {
		for _, readTails := range []bool{true, false} {
			l := newTestLink(reader(bytes.NewReader(packets(payloads...))))
			in := bufio.NewReaderSize(l, linkBuffer) // go-mysql's
			seq := byte(1)
			for i, want := range payloads {
				var got []byte
				for more := true; more; { // as go-mysql reads
					var head [4]byte
					if _, err := io.ReadFull(in, head[:]); err != nil {
						t.Fatalf("%s, payload %d: %v", name, i, err)
					}
					if head[3] != seq {
						t.Fatalf("%s, payload %d: packet %d where %d is due", name, i, head[3], seq)
					}
					seq++
					n := packetSize(head[:])
					more = n == fullPacket
					part := make([]byte, n)
					if _, err := io.ReadFull(in, part); err != nil {
						t.Fatalf("%s, payload %d: %v", name, i, err)
					}
					got = append(got, part...)
				}
				cut := i != 2 && len(want) > largeEvent
				if l.cutsEvent() != cut {
					t.Fatalf("%s, payload %d: has a tail: %t", name, i, !cut)
				}
				if cut {
					rest, size := l.rest(largeHead)
					if len(got) != 1+replication.EventHeaderSize+largeHead || size != len(want)-len(got) ||
						int(binary.LittleEndian.Uint32(got[10:])) != len(got)-1 {
						t.Fatalf("%s, payload %d: %d bytes and a tail of %d, of %d", name, i, len(got), size, len(want))
					}
					copy(got[10:14], want[10:14])
					if want = want[:len(got)]; readTails {
						all, err := io.ReadAll(rest)
						if err != nil {
							t.Fatal(err)
						}
						got, want = append(got, all...), payloads[i]
					}
				}
				if !bytes.Equal(got, want) {
					t.Fatalf("%s, payload %d is not what came", name, i)
				}
			}
			if n, err := in.Read(make([]byte, 10)); n > 0 || !errors.Is(err, io.EOF) {
				t.Errorf("%s: behind the last payload %d bytes, %v", name, n, err)
			}
		}
	}
}

// FuzzLink reads any bytes as packets: no panic, and no more bytes than came.
func FuzzLink(f *testing.F) {
	f.Add(packets(testEvent(replication.WRITE_ROWS_EVENTv1, 2<<20, 'a'), []byte("x")), true)
	f.Add(packets([]byte("short"), nil, []byte("another")), false)
	f.Fuzz(func(t *testing.T, data []byte, tails bool) {
		l := newTestLink(bytes.NewReader(data))
		buf := make([]byte, 1000)
		total := 0
		for {
			n, err := l.Read(buf)
			total += n
			if l.cutsEvent() && tails && len(l.made) == 0 {
				rest, _ := l.rest(largeHead)
				k, _ := io.Copy(io.Discard, rest)
				total += int(k)
			}
			if total > len(data) {
				t.Fatalf("%d bytes of %d", total, len(data))
			}
			if err != nil {
				return
			}
		}
	})
}

// TestLargeRows reads rows of megabytes, of watched tables and of others, and reads the last again after a restart:
// they are what was written, and hash the same.
func TestLargeRows(t *testing.T) { cdctest.OnServers(t, testLargeRows) }

func testLargeRows(t *testing.T, server *dbtest.Server) {
	t.Helper()
	conn := cdctest.SchemaConn(t, server, "large",
		"CREATE TABLE a (id INT PRIMARY KEY, u LONGTEXT, l LONGTEXT CHARACTER SET latin1, b LONGBLOB, s VARCHAR(20)) CHARACTER SET utf8mb4",
		"CREATE TABLE other LIKE a")
	s := openSource(t, sourceConfig(server, newLog(), "large", "a"))
	f := followNow(t, s)
	insert := func(table string, id, size int) string {
		t.Helper()
		u, l := strings.Repeat("aäß€😀\n", size/14), strings.Repeat("é", size/2)
		b := bytes.Repeat([]byte{0, 1, 254, 255}, size/4)
		if _, err := conn.ExecContext(t.Context(), "INSERT INTO "+table+" VALUES (?, ?, ?, ?, 'end')", id, u, l, b); err != nil {
			t.Fatal(err)
		}
		if size >= rowcodec.MaxImage { // the smallest one stays, if it fits
			u, b = leftOut, []byte(leftOut)
			if size/2 > rowcodec.MaxImage {
				l = leftOut
			}
		}
		return fmt.Sprintf("insert a(id=%d u=%s l=%s b=%s s=end)", id, u, l, b)
	}
	expect := func(want string) {
		t.Helper()
		txn := f.next(t)
		for len(txn.rows) == 0 {
			txn = f.next(t)
		}
		if len(txn.rows) != 1 || txn.rows[0] != want {
			t.Fatalf("transaction %s: %d rows, of %d bytes where %d were written", txn.Txn.ID(), len(txn.rows), len(txn.rows[0]), len(want))
		}
	}
	for i, size := range []int{100, 300 << 10, 1 << 20, 6 << 20} {
		insert("other", i, size)
		expect(insert("a", i, size))
	}
	cdctest.KillDumps(t, server) // the last is compared at once
	expect(insert("a", 10, 2<<20))
	p := f.stored(t)
	f.stop()
	cdctest.Exec(t, conn, "DELETE FROM other")
	f = follow(t, s, p)
	expect(insert("a", 11, 100))
}
