package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"

	"rowhook/weburl"
)

// login is how the password of a server's user is read again: what it stands for may change while rowhook runs.
type login struct {
	key         string   // of the password in the file: database.password
	written     string   // the password as it is written, with ${...}; empty: it is written out
	dir         string   // that its files are relative to
	uid         int      // who read the configuration
	secretFiles []string // that hold the password or the private key
}

// loginFrom is the login of a server whose keys stand below parent.
func loginFrom(src *Source, parent, dir string, t TLS) (l login) {
	key := parent + ".password"
	src.Secret(key)
	if written := src.Raw(key); strings.Contains(written, "$") {
		l = login{key: key, written: written, dir: dir, uid: os.Geteuid()}
	}
	l.secretFiles = src.SecretFiles()
	if t.KeyFile != "" {
		l.secretFiles = append(l.secretFiles, t.KeyFile)
	}
	return l
}

func (l login) changes() bool { return strings.Contains(l.written, "${file:") }

// read is the password as it is now; value is what it was when the configuration was read. That counts where who read it has become
// another user since, as commands do that root types. A daemon stays who it is: for it, a file that was closed is a fault to name.
func (l login) read(value string) (string, error) {
	if l.written == "" {
		return value, nil
	}
	e := expander{dir: l.dir, left: maxExpanded}
	password, err := e.expand(l.written)
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != l.uid {
		return value, nil
	}
	if err != nil {
		return "", fmt.Errorf("%s %w", l.key, err)
	}
	return password, nil
}

// defaultPort is where MySQL and MariaDB listen.
const defaultPort = "3306"

// dial is where a server listens that is written as host:port, host, or the path of a socket.
func dial(written string) (network, address string) {
	if strings.HasPrefix(written, "/") {
		return "unix", written
	}
	if _, path, ok := strings.Cut(written, ":/"); ok { // as in wp-config.php: localhost:/run/mysqld/mysqld.sock
		return "unix", "/" + path
	}
	if host, port, err := net.SplitHostPort(written); err == nil {
		return "tcp", net.JoinHostPort(host, port)
	}
	return "tcp", net.JoinHostPort(strings.Trim(written, "[]"), defaultPort)
}

// checkAddress records what is wrong with a server's address.
func checkAddress(src *Source, key, written string) {
	network, address := dial(written)
	if strings.Contains(written, "://") {
		src.Faultf(key, "%s is no address but a URL; write its host:port, and user and password under keys of their own", quote(weburl.Short(src.Raw(key))))
		return
	}
	if network != "tcp" {
		return
	}
	host, port, _ := net.SplitHostPort(address)
	number, err := strconv.Atoi(port)
	switch {
	case net.ParseIP(host) == nil && !hostName.MatchString(host):
		src.Faultf(key, "%s is no address; write host:port, host, or the path of a socket", quote(weburl.Short(src.Raw(key))))
	case err != nil || number < 1 || number > 65535:
		src.Faultf(key, "has no port from 1 to 65535; write for example 127.0.0.1:3306")
	}
}
