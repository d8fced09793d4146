package post

import (
	"encoding/base64"
	"net"
	"testing"
)

// BenchmarkPost is what a request costs with a receiver that costs next to nothing.
func BenchmarkPost(b *testing.B) {
	for name, secrets := range map[string][]string{"plain": nil, "signed": {"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))}} {
		b.Run(name, func(b *testing.B) {
			var config net.ListenConfig
			l, err := config.Listen(b.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			go answerAll(l)
			target, err := NewTarget(Endpoint{URL: "http://" + l.Addr().String() + "/hook", SigningSecrets: secrets})
			if err != nil {
				b.Fatal(err)
			}
			s := NewClient(Options{}).NewSender()
			defer s.Close()
			m := message()
			b.ReportAllocs()
			for b.Loop() {
				if res := s.Post(b.Context(), nil, target, m, 3); res.Verdict != Accepted {
					b.Fatalf("%+v", res)
				}
			}
		})
	}
}

// answerAll takes each read for a request.
func answerAll(l net.Listener) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	in, answer := make([]byte, 4096), []byte(okAnswer)
	for err == nil {
		if _, err = conn.Read(in); err == nil {
			_, err = conn.Write(answer)
		}
	}
}

// BenchmarkParse is what an ordinary answer costs.
func BenchmarkParse(b *testing.B) {
	text := []byte("HTTP/1.1 200 OK\r\nServer: nginx/1.24.0\r\nDate: Sun, 01 Mar 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n" +
		"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\nX-Powered-By: PHP/8.3\r\n\r\nb\r\n{\"ok\":true}\r\n0\r\n\r\n")
	b.ReportAllocs()
	var a answer
	for b.Loop() {
		if size, form := parse(text, &a); form != usual || size != len(text) {
			b.Fatal(form, size)
		}
	}
}
