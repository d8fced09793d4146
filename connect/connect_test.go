package connect

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
)

const secret = "correct horse battery"

// impostor says what a test wants it to, to everybody who connects, and keeps what it hears.
type impostor struct {
	net.Listener
	heard chan []byte // of each connection, all
}

func newImpostor(t *testing.T, says ...[]byte) *impostor {
	t.Helper()
	return newTalker(t, func(c net.Conn) []byte { return talk(c, says) })
}

// newTalker is an impostor that talks with everybody as it is told, which returns what it heard.
func newTalker(t *testing.T, talk func(net.Conn) []byte) *impostor {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &impostor{l, make(chan []byte, 16)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			heard := talk(c)
			_ = c.Close()
			select {
			case s.heard <- heard:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return s
}

// talk says everything and returns what it heard.
func talk(c net.Conn, says [][]byte) (heard []byte) {
	for _, text := range says {
		_, _ = c.Write(text)
	}
	if end, ok := c.(interface{ CloseWrite() error }); ok {
		_ = end.CloseWrite()
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	heard, _ = io.ReadAll(c)
	return heard
}

func (s *impostor) server() *Server {
	return New(Config{Address: s.Addr().String(), User: "rowhook", Password: Password(secret)})
}

// hello is a greeting as a server's.
func hello(method string) []byte { return helloWith(method, wanted|toWrite) }

func helloWith(method string, capabilities uint32) []byte {
	b := append([]byte{10}, "8.4.0\x00"...)
	b = binary.LittleEndian.AppendUint32(b, 7)
	b = append(append(b, "12345678"...), 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(capabilities))
	b = append(b, utf8mb4, 2, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(capabilities>>16))
	b = append(append(b, 21), make([]byte, 10)...)
	b = append(append(b, "abcdefghijkl"...), 0)
	return append(append(b, method...), 0)
}

func switchTo(method string) []byte {
	return append(append(append([]byte{packetEOF}, method...), 0), "12345678abcdefghijkl\x00"...)
}

// TestThePasswordIsNotShown: whatever a server asks for over a plain connection, the password stays here; over both ways.
func TestThePasswordIsNotShown(t *testing.T) {
	t.Parallel()
	for name, says := range map[string][][]byte{
		"clear text":                {packet(0, hello(nativePassword)), packet(2, switchTo(clearPassword))},
		"clear text, in greeting":   {packet(0, hello(clearPassword)), packet(2, switchTo(clearPassword))},
		"old password":              {packet(0, hello(nativePassword)), packet(2, []byte{packetEOF})},
		"dialog":                    {packet(0, hello(nativePassword)), packet(2, switchTo("dialog"))},
		"unknown, and not for show": {packet(0, hello("\x1b]0;owned\a")), packet(2, switchTo("\x1b]0;owned\a"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, connect := range ways() {
				s := newImpostor(t, says...)
				err := connect(t.Context(), s.server())
				if CauseOf(err) != Insecure {
					t.Errorf("%s: %v", way, err)
				}
				if heard := <-s.heard; bytes.Contains(heard, []byte(secret)) {
					t.Errorf("%s: it heard the password: %q", way, heard)
				}
				if err != nil && strings.ContainsRune(err.Error(), '\x1b') {
					t.Errorf("%s: the error commands the terminal: %q", way, err)
				}
			}
		})
	}
}

// ways are those in which a server is reached.
func ways() map[string]func(context.Context, *Server) error {
	return map[string]func(context.Context, *Server) error{
		"pool": func(ctx context.Context, s *Server) error {
			db := s.Pool()
			defer db.Close()
			return db.PingContext(ctx)
		},
		"log": func(_ context.Context, s *Server) error {
			b := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
				ServerID: 7, DisableRetrySync: true, Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.DialLog(ctx) },
			})
			defer b.Close()
			_, err := b.StartSync(mysql.Position{})
			return err
		},
		"write": func(ctx context.Context, s *Server) error {
			conn, err := s.DialToWrite(ctx)
			if err != nil {
				return err
			}
			return conn.Close()
		},
	}
}

// FuzzLogin: no greeting, request or error makes a connection panic, or lets it hang.
func FuzzLogin(f *testing.F) {
	whole := packet(0, hello(nativePassword))
	for _, tail := range [][]byte{
		nil, packet(2, switchTo(clearPassword)), packet(2, switchTo(cachingPassword)), packet(2, []byte{packetERR, 0x15, 4, '#', '2', '8', '0', '0', '0', 'n', 'o'}),
		packet(2, []byte{packetOK, 0, 0, 2, 0, 0, 0}), packet(2, []byte{packetMore, 4}), packet(2, []byte{packetERR}),
	} {
		f.Add(append(bytes.Clone(whole), tail...))
	}
	for n := range whole {
		cut := bytes.Clone(whole[:n])
		if n > packetHead { // cut short, and said to be
			cut[0] = byte(n - packetHead)
		}
		f.Add(cut)
	}
	f.Fuzz(func(t *testing.T, says []byte) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go func() {
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			_, _ = theirs.Write(says)
			_ = theirs.Close()
		}()
		l := &login{cfg: Config{Network: "tcp", User: "rowhook"}, password: secret, raw: ours, packets: packets{conn: ours}}
		_ = l.run(t.Context())
	})
}

// FuzzAnswer: what is looked at whole or in pieces is judged alike, and never takes more memory than it has.
func FuzzAnswer(f *testing.F) {
	for _, payload := range [][]byte{{1}, {0xfc, 0, 8}, {0xfe, 0, 0, 0, 0, 0, 1, 0, 0}, {0xfd, 0, 0, 1}, {packetFile, 'x'}, {}, {packetOK, 0}} {
		f.Add(packet(1, payload), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		at = max(0, min(at, len(b)))
		whole, parts := answerCheck{first: true}, answerCheck{first: true}
		err := whole.see(b)
		cut := parts.see(b[:at])
		if cut == nil {
			cut = parts.see(b[at:])
		}
		if (err == nil) != (cut == nil) {
			t.Errorf("%x: whole %v, cut at %d %v", b, err, at, cut)
		}
	})
}

func TestColumns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		first []byte
		ok    bool
	}{
		{[]byte{packetOK, 0, 0}, true},
		{[]byte{packetERR, 1, 2}, true},
		{[]byte{1}, true},
		{[]byte{0xfc, 0x00, 0x10}, true},
		{[]byte{0xfc, 0x01, 0x10}, false},
		{[]byte{0xfc, 0x01}, false},
		{[]byte{0xfd, 0, 0, 1}, false},
		{[]byte{packetFile, '/', 'e', 't', 'c'}, false},
	} {
		check := answerCheck{first: true}
		if err := check.see(packet(1, c.first)); (err == nil) != c.ok {
			t.Errorf("%x: %v", c.first, err)
		}
	}
}
