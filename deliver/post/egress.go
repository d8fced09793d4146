package post

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// errEgress is why no connection is made to an address that deliveries may not go to.
var errEgress = errors.New("the egress guard refuses it")

// guard decides which addresses may be connected to. It is asked by the dialer about the very address that it is about to
// connect to: behind the name's resolution, so that a name which means something else the second time does not get past it.
type guard struct {
	public bool // only the public internet
}

// control is for net.Dialer.
func (g guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s is no address", errEgress, address)
	}
	if why := g.refuses(to.Addr()); why != "" {
		return fmt.Errorf("%w: %s is %s", errEgress, to.Addr(), why)
	}
	return nil
}

// refuses says what an address is that may not be connected to, "" if it may. An IPv4 address that an IPv6 one stands for
// counts as well: networks that translate would let it through.
func (g guard) refuses(a netip.Addr) string {
	a = a.WithZone("").Unmap()
	for _, k := range kinds {
		if (k.always || g.public) && slices.ContainsFunc(k.prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return k.what
		}
	}
	for _, inner := range embedded(a) {
		if what := g.refuses(inner); what != "" {
			return what
		}
	}
	return ""
}

// kind is a kind of addresses that the guard knows.
type kind struct {
	what     string
	always   bool // refused under both settings
	prefixes []netip.Prefix
}

// kinds are the addresses that are no place for webhooks: those where clouds give their machines credentials, those that
// are no single machine's and, when only the public internet is wanted, all special ones of IANA's registries.
var kinds = []kind{
	{"a cloud's metadata address", true, prefixes(
		"169.254.169.254/32", "fd00:ec2::254/128", // most, AWS
		"169.254.170.0/24", "fd00:ec2::23/128", // AWS, of containers
		"fd20:ce::254/128", "100.100.100.200/32", // Google, Alibaba
		"168.63.129.16/32", "192.0.0.192/32", // Azure, Oracle
	)},
	{"a link-local address", true, prefixes("169.254.0.0/16", "fe80::/10")},
	{"no address of a machine", true, prefixes("0.0.0.0/8", "::/128")}, // Linux takes 0.0.0.0 for itself
	{"a multicast address", true, prefixes("224.0.0.0/4", "ff00::/8")},
	{"a reserved or broadcast address", true, prefixes("240.0.0.0/4")},
	{"this machine, and egress is public", false, prefixes("127.0.0.0/8", "::1/128")},
	{"a private address, and egress is public", false, prefixes(
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10",
	)},
	{"no public address, and egress is public", false, prefixes(
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
	)},
}

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// The IPv6 ranges whose addresses stand for an IPv4 address, and the byte where that begins.
var translated = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4
	{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible, of old
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // SIIT
	{netip.MustParsePrefix("2001::/32"), 4},        // Teredo: its server
}

var (
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
	teredo     = netip.MustParsePrefix("2001::/32")
)

// embedded are the IPv4 addresses that an IPv6 one stands for, or may stand for.
func embedded(a netip.Addr) (inner []netip.Addr) {
	if !a.Is6() || a.IsLoopback() {
		return nil
	}
	b := a.As16()
	at := func(i, j, k, l int) netip.Addr { return netip.AddrFrom4([4]byte{b[i], b[j], b[k], b[l]}) }
	for _, t := range translated {
		if t.prefix.Contains(a) {
			inner = append(inner, at(t.at, t.at+1, t.at+2, t.at+3))
		}
	}
	if teredo.Contains(a) { // and its client, with each bit turned over
		inner = append(inner, netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}))
	}
	if (b[8] == 0 || b[8] == 2) && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP, under any prefix
		inner = append(inner, at(12, 13, 14, 15))
	}
	if localNAT64.Contains(a) { // a network's own translation: who runs it chose where the address stands (RFC 6052)
		for _, may := range []netip.Addr{at(6, 7, 9, 10), at(7, 9, 10, 11), at(9, 10, 11, 12), at(12, 13, 14, 15)} {
			if may.As4()[0] != 0 { // it stands elsewhere: these are padding
				inner = append(inner, may)
			}
		}
	}
	return inner
}
