package preflight

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rowhook/connect"
)

// checkEncryption looks whether somebody between us and the server could read along, or pretend to be the server.
func checkEncryption(road connect.Road, address string) Finding {
	f := Finding{Check: "encryption", OK: true, Found: "not needed: the server is on this machine"}
	switch {
	case road.Proven:
		f.Found = "TLS, with a certificate that was verified"
	case road.Secured:
		f.Found = "TLS, with whatever certificate"
		if road.Away {
			f.Hint, f.Fix = true, "write under database:  tls: {ca_file: /etc/rowhook/ca.pem}   where the file is the server's ssl_ca, or the provider's bundle; add mode: verify-ca when the certificate names no address"
			f.Found += ": who pretends to be the server, somewhere between here and " + address + ", gets the password"
		}
	case road.Away:
		f.Warn = true
		f.Found = fmt.Sprintf("none, and the server is on another machine, %s: whoever is in between can read what the log and the tables say, and change it", address)
		f.Fix = "in the configuration, under database:  tls: {ca_file: /etc/rowhook/ca.pem}" +
			"   where the file is the server's ssl_ca, or the provider's bundle; add mode: verify-ca when the certificate names no address"
		if !road.Offered {
			f.Fix = "in my.cnf, under [mysqld]:  ssl_cert = ... and ssl_key = ..., which the server lacks; then restart it   " + f.Fix
		}
	}
	return f
}

// checkConnections looks whether the server has as many connections for our user as following takes.
func (s *Checker) checkConnections(ctx context.Context) Finding {
	l, err := s.Server.Limits(ctx, s.DB)
	if err != nil {
		return Finding{Check: "connections", OK: true, Warn: true, Found: err.Error(), Fix: s.Server.Advice(err)}
	}
	return judgeLimits(l, s.account(ctx))
}

// judgeLimits says what limits of the account, or the server, mean for us.
func judgeLimits(l connect.Limits, account string) Finding {
	const least, most = connect.LeastConnections, connect.MostConnections
	const beside = 2 // for commands, beside the daemon
	f := Finding{
		Check: "connections", OK: true,
		Found: fmt.Sprintf("rowhook takes %d to %d, the server has %d of %d free", least, most, max(l.OfServer-l.Used, 0), l.OfServer),
	}
	raise := fmt.Sprintf("ALTER USER %s WITH MAX_USER_CONNECTIONS %d;", account, most+beside)
	switch free := l.OfServer - l.Used; {
	case l.OfUser > 0 && l.OfUser < least:
		f.OK, f.Fix = false, raise
		f.Found = fmt.Sprintf("%s may have %d at once, rowhook takes at least %d: one for the log, one that keeps a second rowhook out, one to load", account, l.OfUser, least)
	case len(l.HourlyCaps) > 0:
		f.Warn = true
		var caps, lift []string
		for _, name := range slices.Sorted(maps.Keys(l.HourlyCaps)) {
			caps, lift = append(caps, fmt.Sprintf("%s %d", name, l.HourlyCaps[name])), append(lift, name+" 0")
		}
		f.Found = fmt.Sprintf("%s has %s, after which nothing is delivered until the hour is over", account, strings.Join(caps, " and "))
		f.Fix = fmt.Sprintf("ALTER USER %s WITH %s;", account, strings.Join(lift, " "))
	case free < least:
		f.Warn = true
		f.Found += "; when it has none, rowhook waits"
		f.Fix = fmt.Sprintf("SET GLOBAL max_connections = %d;   and in my.cnf:  max_connections = %d", l.OfServer+most, l.OfServer+most)
	case l.OfUser > 0 && l.OfUser < most+beside:
		f.Hint, f.Fix = true, raise
		f.Found = fmt.Sprintf("%s may have %d at once, rowhook takes %d to %d, and a command beside it one or two: it makes do, and loads more slowly", account, l.OfUser, least, most)
	}
	return f
}
