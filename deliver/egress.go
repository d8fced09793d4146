package deliver

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
	if inner, ok := embedded(a); ok {
		return g.refuses(inner)
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
}

// embedded is the IPv4 address that an IPv6 one stands for.
func embedded(a netip.Addr) (inner netip.Addr, ok bool) {
	for _, t := range translated {
		if t.prefix.Contains(a) && !a.IsLoopback() {
			b := a.As16()
			inner, ok = netip.AddrFromSlice(b[t.at : t.at+4])
			return inner, ok
		}
	}
	return netip.Addr{}, false
}
