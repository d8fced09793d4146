package wpconfig

import (
	"cmp"
	"net"
	"os"
	"regexp"
	"strings"
)

// The forms of a DB_HOST, as WordPress takes it apart.
var (
	hostV6 = regexp.MustCompile(`^\[?([0-9a-fA-F:]+)(?:\]:([0-9]+))?`)
	hostV4 = regexp.MustCompile(`^([^:/]*)(?::([0-9]+))?`)
)

// Address is where the server of a DB_HOST listens: host:port, or the path of a socket. PHP goes to a socket where the host is
// localhost or empty; sockets are the places where one may be, and the first that is there counts.
func Address(dbHost string, sockets []string) string {
	rest, socket, hasSocket := strings.Cut(dbHost, ":/")
	if hasSocket {
		socket = "/" + socket
	}
	form := hostV4
	if strings.Count(rest, ":") > 1 {
		form = hostV6
	}
	host, port := rest, ""
	if m := form.FindStringSubmatch(rest); m != nil {
		host, port = m[1], m[2]
	}
	port = cmp.Or(strings.TrimLeft(port, "0"), "3306")
	if host != "" && !strings.EqualFold(host, "localhost") {
		return net.JoinHostPort(host, port) // a socket counts for localhost only
	}
	if socket != "" {
		return socket
	}
	for _, path := range sockets {
		if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			return path
		}
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// Sockets are where Debian's and Red Hat's servers, and those of MySQL's own packages, have their sockets.
func Sockets() []string {
	return []string{"/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"}
}
