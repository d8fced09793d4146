package post

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"rowhook/deliver/delivertest"
)

// TestGuard: addresses under both settings.
func TestGuard(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{ // never, public: refused when only the public internet is wanted, or always
		"169.254.169.254": "never", "169.254.0.1": "never", "fe80::1": "never", "fe80::1%eth0": "never", "fd00:ec2::254": "never",
		"fd20:ce::254": "never", "100.100.100.200": "never", "168.63.129.16": "never", "0.0.0.0": "never", "0.1.2.3": "never",
		"::": "never", "224.0.0.1": "never", "ff02::1": "never", "255.255.255.255": "never", "240.0.0.1": "never",
		"::ffff:169.254.169.254": "never", "64:ff9b::a9fe:a9fe": "never", "2002:a9fe:a9fe::1": "never", "::169.254.169.254": "never",
		"::ffff:0.0.0.0": "never", "::ffff:0:169.254.169.254": "never",
		"127.0.0.1": "public", "127.9.9.9": "public", "::1": "public", "10.1.2.3": "public", "172.16.0.1": "public",
		"172.31.255.255": "public", "192.168.1.1": "public", "100.64.0.1": "public", "fd12:3456::1": "public",
		"::ffff:127.0.0.1": "public", "::ffff:10.0.0.1": "public", "64:ff9b::a00:1": "public", "2002:c0a8:101::": "public",
		"198.51.100.7": "public", "2001:db8::1": "public", "64:ff9b:1::1": "public", "64:ff9b:1::a00:1": "public",
		"93.184.216.34": "always", "172.32.0.1": "always", "11.0.0.1": "always", "2606:4700::1": "always", "64:ff9b::808:808": "always",
		"2002:808:808::1": "always", "::ffff:8.8.8.8": "always",
	} {
		a := netip.MustParseAddr(address)
		private, public := guard{}.refuses(a) == "", guard{public: true}.refuses(a) == ""
		if private != (want != "never") || public != (want == "always") {
			t.Errorf("%s: private allows %t, public %t; it may go %s", address, private, public, want)
		}
	}
}

// TestGuardWrapped: an address where a cloud gives out credentials is refused in every form that stands for it.
func TestGuardWrapped(t *testing.T) {
	t.Parallel()
	for _, v4 := range []string{"169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "169.254.1.1"} {
		b := netip.MustParseAddr(v4).As4()
		for name, a := range map[string][16]byte{
			"mapped":          {10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]},
			"compatible":      {12: b[0], 13: b[1], 14: b[2], 15: b[3]},
			"SIIT":            {8: 0xff, 9: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]},
			"NAT64":           {0, 0x64, 0xff, 0x9b, 12: b[0], 13: b[1], 14: b[2], 15: b[3]},
			"local NAT64 /48": {0, 0x64, 0xff, 0x9b, 0, 1, b[0], b[1], 0, b[2], b[3]},
			"local NAT64 /56": {0, 0x64, 0xff, 0x9b, 0, 1, 9, b[0], 0, b[1], b[2], b[3]},
			"local NAT64 /64": {0, 0x64, 0xff, 0x9b, 0, 1, 9, 9, 0, b[0], b[1], b[2], b[3]},
			"local NAT64 /96": {0, 0x64, 0xff, 0x9b, 0, 1, 12: b[0], 13: b[1], 14: b[2], 15: b[3]},
			"6to4":            {0x20, 0x02, b[0], b[1], b[2], b[3], 15: 1},
			"Teredo server":   {0x20, 0x01, 0, 0, b[0], b[1], b[2], b[3], 12: 0xf7, 13: 0xf7, 14: 0xf7, 15: 0xf7},
			"Teredo client":   {0x20, 0x01, 0, 0, 8, 8, 8, 8, 12: ^b[0], 13: ^b[1], 14: ^b[2], 15: ^b[3]},
			"ISATAP":          {0x26, 0x06, 0x47, 9: 0, 10: 0x5e, 11: 0xfe, 12: b[0], 13: b[1], 14: b[2], 15: b[3]},
			"ISATAP, global":  {0x26, 0x06, 0x47, 8: 2, 10: 0x5e, 11: 0xfe, 12: b[0], 13: b[1], 14: b[2], 15: b[3]},
		} {
			for _, g := range []guard{{}, {public: true}} {
				if to := netip.AddrFrom16(a); g.refuses(to) == "" {
					t.Errorf("%s of %s, %s, may be connected to (public %t)", name, v4, to, g.public)
				}
			}
		}
	}
}

// names is a DNS server for one test. A name has a list of answers, one for each time it is asked for; the last goes on.
type names struct {
	mu      sync.Mutex
	answers map[string][]string // by name, with the dot at its end
	asked   map[string]int
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go n.serve(there)
		return here, nil
	}}
}

// serve answers questions as DNS over TCP does: each with its length before it.
func (n *names) serve(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		a := n.answer(q)
		binary.BigEndian.PutUint16(size[:], uint16(len(a)))
		if _, err := c.Write(append(size[:], a...)); err != nil {
			return
		}
	}
}

// answer is a message of DNS: the header, the question again, and an address of the kind that was asked for.
func (n *names) answer(q []byte) []byte {
	var labels []string
	i := 12
	for q[i] != 0 {
		labels = append(labels, string(q[i+1:i+1+int(q[i])]))
		i += 1 + int(q[i])
	}
	kind := binary.BigEndian.Uint16(q[i+1:])
	end := i + 5
	msg := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end]...)
	ip := n.next(strings.Join(labels, ".")+".", kind)
	if !ip.IsValid() {
		return msg
	}
	msg[7] = 1
	msg = append(msg, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(ip.BitLen()/8))
	return append(msg, ip.AsSlice()...)
}

func (n *names) next(name string, kind uint16) netip.Addr {
	const a, aaaa = 1, 28
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.answers[name]
	if len(list) == 0 {
		return netip.Addr{}
	}
	ip := netip.MustParseAddr(list[min(n.asked[name], len(list)-1)])
	if (kind == a) != ip.Is4() || kind != a && kind != aaaa {
		return netip.Addr{}
	}
	if n.asked == nil {
		n.asked = make(map[string]int)
	}
	n.asked[name]++
	return ip
}

// portOf is a receiver's port.
func portOf(t *testing.T, r *delivertest.Receiver) string {
	t.Helper()
	u, err := url.Parse(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// TestEgress: what a real attempt comes to, under both settings.
func TestEgress(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	port := portOf(t, r)
	dns := &names{answers: map[string][]string{
		"here.test.": {"127.0.0.1"}, "metadata.test.": {"169.254.169.254"}, "aws.test.": {"fd00:ec2::254"}, "mapped.test.": {"::ffff:169.254.169.254"},
	}}
	for _, c := range []struct {
		host    string
		public  bool
		refused string // "": the delivery arrives
	}{
		{"127.0.0.1", false, ""},
		{"here.test", false, ""},
		{"[::ffff:127.0.0.1]", false, ""},
		{"127.0.0.1", true, "127.0.0.1 is this machine, and egress is public"},
		{"here.test", true, "127.0.0.1 is this machine, and egress is public"},
		{"[::ffff:127.0.0.1]", true, "127.0.0.1 is this machine, and egress is public"},
		{"[::1]", true, "::1 is this machine, and egress is public"},
		{"10.20.30.40", true, "10.20.30.40 is a private address, and egress is public"},
		{"169.254.169.254", false, "169.254.169.254 is a cloud's metadata address"},
		{"[::ffff:169.254.169.254]", false, "169.254.169.254 is a cloud's metadata address"},
		{"[::ffff:a9fe:a9fe]", true, "169.254.169.254 is a cloud's metadata address"},
		{"[64:ff9b::169.254.169.254]", false, "64:ff9b::a9fe:a9fe is a cloud's metadata address"},
		{"[fd00:ec2::254]", false, "fd00:ec2::254 is a cloud's metadata address"},
		{"[2002:a9fe:a9fe::1]", false, "2002:a9fe:a9fe::1 is a cloud's metadata address"},
		{"[64:ff9b::7f00:1]", true, "64:ff9b::7f00:1 is this machine, and egress is public"},
		{"[2002:7f00:1::]", true, "2002:7f00:1:: is this machine, and egress is public"},
		{"0.0.0.0", false, "0.0.0.0 is no address of a machine"},
		{"metadata.test", false, "169.254.169.254 is a cloud's metadata address"},
		{"metadata.test", true, "169.254.169.254 is a cloud's metadata address"},
		{"aws.test", false, "fd00:ec2::254 is a cloud's metadata address"},
		{"mapped.test", false, "169.254.169.254 is a cloud's metadata address"},
	} {
		before := len(r.Requests())
		res := attempt(t, Endpoint{URL: "http://" + c.host + ":" + port}, message(), Options{PublicOnly: c.public, resolver: dns.resolver()})
		came := len(r.Requests()) - before
		switch {
		case c.refused == "":
			if res.Verdict != Accepted || came != 1 {
				t.Errorf("%s, public %t: %+v, %d came", c.host, c.public, res, came)
			}
		case res.Verdict != Rejected || !strings.Contains(res.Error, "the egress guard refuses it: "+c.refused) || came != 0:
			t.Errorf("%s, public %t: %+v, %d came, want it refused: %s", c.host, c.public, res, came, c.refused)
		}
	}
}

// TestRebinding: a name that pointed elsewhere when the connection before was made.
func TestRebinding(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	dns := &names{answers: map[string][]string{"rebind.test.": {"127.0.0.1", "169.254.169.254"}}}
	p := newPoster(t, "http://rebind.test:"+portOf(t, r), Options{resolver: dns.resolver()})
	for i, want := range []Verdict{Accepted, Rejected, Rejected} {
		if res := p.post(""); res.Verdict != want {
			t.Errorf("request %d: %+v, want %d", i+1, res, want)
		}
		p.sender.Close()
	}
	if n := len(r.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// TestRebindingOfIdle: the receiver closes a kept connection, and the name means something else by the time of the next.
func TestRebindingOfIdle(t *testing.T) {
	t.Parallel()
	w := newWire(t, func(conn net.Conn, read func() bool) {
		read()
		_, _ = io.WriteString(conn, okAnswer)
	})
	_, at, err := net.SplitHostPort(w.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dns := &names{answers: map[string][]string{"rebind.test.": {"127.0.0.1", "169.254.169.254"}}}
	p := newPoster(t, "http://rebind.test:"+at, Options{resolver: dns.resolver()})
	if first, second := p.post(""), p.post(""); first.Verdict != Accepted || second.Verdict != Rejected {
		t.Errorf("%+v, then %+v", first, second)
	}
	if got := w.counts(); got != [2]int{1, 1} {
		t.Errorf("connections and requests: %v", got)
	}
}

// TestRedirectToMetadata: a redirect is no way round the guard, it is not followed at all.
func TestRedirectToMetadata(t *testing.T) {
	t.Parallel()
	r := delivertest.NewReceiver(t)
	for _, to := range []string{"http://169.254.169.254/latest/meta-data/", r.URL() + "/again"} {
		r.Answer(delivertest.Answer{Status: 307, Header: http.Header{"Location": {to}}})
		res := attempt(t, Endpoint{URL: r.URL()}, message(), Options{})
		if res.Verdict != Rejected || res.Status != 307 || !strings.Contains(res.Error, "not followed") {
			t.Errorf("to %s: %+v", to, res)
		}
	}
	if n := len(r.Requests()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// TestNoProxy: a proxy of the environment would go where the guard forbids it. It is not asked.
func TestNoProxy(t *testing.T) {
	r, proxy := delivertest.NewReceiver(t), delivertest.NewReceiver(t)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, proxy.URL())
	}
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	dns := &names{answers: map[string][]string{"crm.test.": {"127.0.0.1"}, "metadata.test.": {"169.254.169.254"}}}
	for _, c := range []struct {
		url    string
		public bool
		want   Verdict
	}{
		{"http://crm.test:" + portOf(t, r), false, Accepted},
		{"http://crm.test:" + portOf(t, r), true, Rejected},
		{"http://metadata.test", false, Rejected},
		{"http://metadata.test", true, Rejected},
		{"https://metadata.test", false, Rejected},
	} {
		o := Options{resolver: dns.resolver(), PublicOnly: c.public}
		if res := attempts(t, Endpoint{URL: c.url}, message(), o, 1); res.Verdict != c.want {
			t.Errorf("%s, public %t: %+v", c.url, c.public, res)
		}
	}
	if len(r.Requests()) != 1 || len(proxy.Requests()) != 0 {
		t.Errorf("%d requests, and %d to the proxy", len(r.Requests()), len(proxy.Requests()))
	}
}

// TestOneNormalForm: a host is looked up under the name that the request has, and what is sent is ASCII.
func TestOneNormalForm(t *testing.T) {
	t.Parallel()
	const host = "xn--sterreich-z7a.test"
	came := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { came <- q.Host + q.RequestURI }))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dns := &names{answers: map[string][]string{host + ".": {"127.0.0.1"}}}
	address := "HTTP://Österreich.test.:" + port + "/Zoë?salon=Zoë"
	if res := attempt(t, Endpoint{URL: address}, message(), Options{resolver: dns.resolver()}); res.Verdict != Accepted {
		t.Fatalf("%+v", res)
	}
	if got, want := <-came, host+":"+port+"/Zo%C3%AB?salon=Zo%C3%AB"; got != want {
		t.Errorf("%s arrived, want %s", got, want)
	}
}
