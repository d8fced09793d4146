package connect

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
)

// Capabilities of server and client.
const (
	longPassword  = 1 << 0
	foundRows     = 1 << 1
	longFlag      = 1 << 2
	protocol41    = 1 << 9
	useTLS        = 1 << 11
	transactions  = 1 << 13
	secureLogin   = 1 << 15
	statements    = 1 << 16
	multiResults  = 1 << 17
	psMultiResult = 1 << 18
	loginMethods  = 1 << 19
	attributes    = 1 << 20
	longAnswers   = 1 << 21
	noEOF         = 1 << 24

	// required are what every server since MySQL 5.7 has, wanted what we use of the others. Compression and files of ours
	// are not wanted, and several statements at once only where they are ours to write.
	required = protocol41 | secureLogin | loginMethods
	toWrite  = statements | foundRows // in one packet; and what an UPDATE matched counts, changed or not
	wanted   = required | longPassword | longFlag | transactions | multiResults | psMultiResult | attributes | longAnswers | noEOF
)

// utf8mb4 is the number of a collation that every server has, utf8mb4_general_ci.
const utf8mb4 = 45

// greeting is what a server says first.
type greeting struct {
	version      string
	connection   uint32
	capabilities uint32
	status       uint16
	challenge    []byte
	method       string // of the login
}

// parseGreeting reads a greeting.
func parseGreeting(payload []byte) (*greeting, error) {
	const protocol = 10
	switch payload[0] {
	case packetERR:
		return nil, refusal(payload)
	case protocol:
	default:
		return nil, fmt.Errorf("%w: its protocol is number %d", errMalformed, payload[0])
	}
	f := fields{rest: payload[1:]}
	g := &greeting{version: f.text(), connection: f.uint32()}
	g.challenge = append(g.challenge, f.bytes(8)...)
	f.byte()
	g.capabilities = uint32(f.uint16())
	f.byte() // the character set
	g.status = f.uint16()
	g.capabilities |= uint32(f.uint16()) << 16
	more := max(13, int(f.byte())-8) - 1
	f.bytes(10)
	g.challenge = append(g.challenge, f.bytes(more)...)
	f.byte()
	g.method = f.text()
	if f.short {
		return nil, fmt.Errorf("%w: its greeting is cut short", errMalformed)
	}
	if g.capabilities&required != required {
		return nil, fmt.Errorf("%w: its protocol is older than that of MySQL 5.7", errMalformed)
	}
	return g, nil
}

// login is the first part of a connection, until the server takes statements.
type login struct {
	cfg      Config
	kind     sessionKind
	tls      *tls.Config // nil: none
	password string
	raw      net.Conn // the socket
	packets           // over the socket, or TLS on it
	greeting *greeting
	agreed   uint32 // capabilities
	method   string // that the server wants
	asked    []byte // its challenge
}

// run logs in.
func (l *login) run(ctx context.Context) error {
	payload, err := l.read()
	if err != nil {
		return fmt.Errorf("waiting for the server's greeting: %w", err)
	}
	if l.greeting, err = parseGreeting(payload); err != nil {
		return err
	}
	l.agreed = wanted & l.greeting.capabilities
	if l.kind == writeSession {
		if l.greeting.capabilities&toWrite != toWrite {
			return fmt.Errorf("%w: it takes one statement at a time; is it a proxy?", errMalformed)
		}
		l.agreed |= toWrite
	}
	if err := l.encrypt(ctx); err != nil {
		return err
	}
	l.method, l.asked = l.greeting.method, l.greeting.challenge
	if !l.mayAnswer() { // the server asks for what the user needs
		l.method = nativePassword
	}
	answer, err := l.answer()
	if err != nil {
		return err
	}
	if err := l.write(l.introduction(answer)); err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	return l.converse()
}

// encrypt changes to TLS, if that is configured.
func (l *login) encrypt(ctx context.Context) error {
	if l.tls == nil {
		return nil
	}
	if l.greeting.capabilities&useTLS == 0 {
		return errNoTLS
	}
	l.agreed |= useTLS
	if err := l.write(l.head()); err != nil {
		return fmt.Errorf("asking for TLS: %w", err)
	}
	secured := tls.Client(l.raw, l.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("securing the connection with TLS: %w", err)
	}
	l.conn = secured
	return nil
}

// head is the beginning of our introduction, and all of it that is not under TLS.
func (l *login) head() []byte {
	b := binary.LittleEndian.AppendUint32(nil, l.agreed)
	b = binary.LittleEndian.AppendUint32(b, 0) // packets of any size
	return append(append(b, utf8mb4), make([]byte, 23)...)
}

// introduction says who we are.
func (l *login) introduction(answer []byte) []byte {
	b := append(l.head(), l.cfg.User...)
	b = append(b, 0)
	b = append(appendSize(b, l.agreed&longAnswers != 0, len(answer)), answer...)
	b = append(b, l.method...)
	b = append(b, 0)
	if l.agreed&attributes != 0 { // shown by performance_schema.session_connect_attrs
		const attribute = "\x0cprogram_name\x07rowhook"
		b = append(append(b, byte(len(attribute))), attribute...)
	}
	return b
}

// appendSize writes the size of what follows, in one byte or as many as it takes.
func appendSize(b []byte, long bool, n int) []byte {
	if !long || n < packetFile {
		return append(b, byte(n))
	}
	return binary.LittleEndian.AppendUint16(append(b, 0xfc), uint16(n))
}

// converse answers what the server asks, until it lets us in.
func (l *login) converse() error {
	const mostTurns = 16
	for range mostTurns {
		payload, err := l.read()
		if err != nil {
			return fmt.Errorf("logging in: %w", err)
		}
		var answer []byte
		switch payload[0] {
		case packetOK:
			return nil
		case packetERR:
			return refusal(payload)
		case packetEOF:
			answer, err = l.change(payload)
		case packetMore:
			answer, err = l.more(payload[1:])
		default:
			err = fmt.Errorf("%w: it answers %#x to a login", errMalformed, payload[0])
		}
		if err != nil {
			return err
		}
		if answer == nil {
			continue
		}
		if err := l.write(answer); err != nil {
			return fmt.Errorf("logging in: %w", err)
		}
	}
	return fmt.Errorf("%w: its login does not end", errMalformed)
}

// change takes up the method that the server wants for this user.
func (l *login) change(payload []byte) ([]byte, error) {
	if len(payload) == 1 {
		return nil, &MethodError{Method: "mysql_old_password", User: l.cfg.User}
	}
	f := fields{rest: payload[1:]}
	l.method, l.asked = cut(f.text()), f.rest
	if f.short {
		return nil, fmt.Errorf("%w: a request for another login that is cut short", errMalformed)
	}
	answer, err := l.answer()
	if err == nil && answer == nil {
		answer = []byte{} // an empty packet
	}
	return answer, err
}
