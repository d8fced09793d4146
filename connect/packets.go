package connect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/go-sql-driver/mysql"
)

// mostLogin bounds a packet that comes before the libraries take over, in bytes.
const mostLogin = 64 << 10

// packetHead is three bytes of size and one of a sequence number.
const packetHead = 4

// What a packet of the server begins with.
const (
	packetOK   = 0x00
	packetMore = 0x01
	packetFile = 0xfb // it asks for a file of ours
	packetEOF  = 0xfe
	packetERR  = 0xff
)

// errMalformed is an answer that no MySQL or MariaDB server gives.
var errMalformed = errors.New("what listens there does not answer as a MySQL or MariaDB server does")

// packets reads and writes whole packets, one after the other.
type packets struct {
	conn net.Conn
	seq  byte
}

// read returns the payload of the next packet, which is not empty.
func (p *packets) read() ([]byte, error) {
	var head [packetHead]byte
	if _, err := io.ReadFull(p.conn, head[:]); err != nil {
		return nil, err
	}
	size := packetSize(head)
	if size == 0 || size > mostLogin || head[packetHead-1] != p.seq {
		return nil, fmt.Errorf("%w: a packet of %d bytes with number %d", errMalformed, size, head[packetHead-1])
	}
	p.seq++
	payload := make([]byte, size)
	_, err := io.ReadFull(p.conn, payload)
	return payload, err
}

// packetSize is what a packet's head says that it holds.
func packetSize(head [packetHead]byte) int { return int(head[0]) | int(head[1])<<8 | int(head[2])<<16 }

func (p *packets) write(payload []byte) error {
	_, err := p.conn.Write(packet(p.seq, payload))
	p.seq++
	return err
}

// packet puts a head before a payload.
func packet(seq byte, payload []byte) []byte {
	n := len(payload)
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16), seq}, payload...)
}

// exec runs a statement that has no rows.
func (p *packets) exec(statement string) error {
	const query = 3
	p.seq = 0
	if err := p.write(append([]byte{query}, statement...)); err != nil {
		return err
	}
	answer, err := p.read()
	switch {
	case err != nil:
		return err
	case answer[0] == packetERR:
		return refusal(answer)
	case answer[0] != packetOK:
		return fmt.Errorf("%w: rows for %q", errMalformed, statement)
	}
	return nil
}

// refusal is the error that a packet holds.
func refusal(payload []byte) error {
	f := fields{rest: payload[1:]}
	e := &mysql.MySQLError{Number: f.uint16()}
	if len(f.rest) > 0 && f.rest[0] == '#' {
		copy(e.SQLState[:], f.bytes(6)[1:])
	}
	if f.short {
		return fmt.Errorf("%w: an error that is cut short", errMalformed)
	}
	e.Message = cut(string(f.rest))
	return e
}

// fields reads the fields of a payload. Beyond its end they are zero, and short is set.
type fields struct {
	rest  []byte
	short bool
}

func (f *fields) bytes(n int) []byte {
	if n > len(f.rest) {
		f.short, f.rest = true, nil
		return make([]byte, n)
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) byte() byte     { return f.bytes(1)[0] }
func (f *fields) uint16() uint16 { return binary.LittleEndian.Uint16(f.bytes(2)) }
func (f *fields) uint32() uint32 { return binary.LittleEndian.Uint32(f.bytes(4)) }

// text reads up to a zero.
func (f *fields) text() string {
	text, rest, found := bytes.Cut(f.rest, []byte{0})
	f.rest, f.short = rest, f.short || !found
	return string(text)
}

// cut bounds a text of the server.
func cut(text string) string {
	const most = 512 // no message of a server is longer
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
