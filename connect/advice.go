package connect

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
)

// Advice says what a person can do about an error of a connection, in the words of the configuration file.
func (s *Server) Advice(err error) string {
	c := s.Config()
	switch CauseOf(err) {
	case Full:
		return adviceFull(c, err)
	case Starting:
		return "the server is starting, shutting down or in offline mode; see its error log"
	case Denied:
		return adviceDenied(c, err)
	case Insecure:
		return adviceInsecure(c, err)
	case Stranger:
		return fmt.Sprintf("see what listens at %s, %s: is it the database, and the port of the MySQL protocol?", c.addressKey(), c.Address)
	case Unready:
		return "write that file, readable for the user who runs rowhook; it is read again for each login"
	case Unknown:
		if number, _ := refusalOf(err); number == 1184 { // what the server says when init_connect fails
			return "the server ended the connection: if its init_connect fails for this user, fix that: SHOW GLOBAL VARIABLES LIKE 'init_connect';"
		}
		return "look the number of the error up, and see the server's own log, which this names: SHOW GLOBAL VARIABLES LIKE 'log_error';"
	case Unreachable:
		if name, ok := errors.AsType[*net.DNSError](err); ok {
			return fmt.Sprintf("see that the name in %s, %s, is right, and that this machine can look it up: getent hosts %s", c.addressKey(), c.Address, name.Name)
		}
	}
	return fmt.Sprintf("see that the server runs, and that %s, %s, is where it listens", c.addressKey(), c.Address)
}

// adviceDenied is for a user who is not let in.
func adviceDenied(c Config, err error) string {
	number, _ := refusalOf(err)
	switch number {
	case 1130:
		return fmt.Sprintf("the server knows no user who may come from this host: CREATE USER %s@'...' IDENTIFIED BY '...';", c.User)
	case 1820, 1862:
		return fmt.Sprintf("the password of user %s has expired: ALTER USER ... IDENTIFIED BY '...' PASSWORD EXPIRE NEVER;   and the same in %s.password", c.User, c.Key)
	case 3118, 3955, 4151:
		return fmt.Sprintf("the account of user %s is locked: ALTER USER ... ACCOUNT UNLOCK;", c.User)
	case 1251, 1524:
		return fmt.Sprintf("give user %s another login: ALTER USER ... IDENTIFIED BY '...';", c.User)
	}
	return fmt.Sprintf("see that %[2]s.password is right, and that user %[1]s exists for the host that the message names: CREATE USER ... IDENTIFIED BY '...';"+
		"   a user who REQUIREs SSL needs %[2]s.tls, with X509 its cert_file and key_file too"+
		"   a password of ${file:PATH} is read again for each try, one in the configuration file at SIGHUP; one of ${NAME} or ${credential:NAME} needs a restart", c.User, c.Key)
}

// adviceInsecure is for what is not safe enough.
func adviceInsecure(c Config, err error) string {
	if method, ok := errors.AsType[*MethodError](err); ok {
		if !method.Plain {
			return fmt.Sprintf("give user %s a login that rowhook knows (caching_sha2_password, ed25519, mysql_native_password): ALTER USER ... IDENTIFIED BY '...';", method.User)
		}
		if method.Unverified {
			return "tls: skip-verify takes anybody for the server; write under " + c.Key + ":   tls: {mode: verify-ca, ca_file: /etc/rowhook/ca.pem}   with the file of the authority that signed the server's certificate" +
				" (MySQL makes one, ca.pem in its data directory), or, when the server is on this machine, use its socket or tls: false"
		}
		return "set " + c.Key + ".tls (tls: true, or with a ca_file), or use the server's socket; if the server never asked for this before, somebody may be in between"
	}
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		return adviceName(c.Key, name.Certificate)
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return "name the file of the authority that signed the server's certificate (the server's ssl_ca, ca.pem, or the provider's bundle), under " + c.Key + ":   tls: {ca_file: /etc/rowhook/ca.pem}"
	}
	if errors.Is(err, errNoTLS) {
		return "turn TLS on in the server (ssl_cert and ssl_key in my.cnf), or set " + c.Key + ".tls to false when nobody is in between"
	}
	if number, _ := refusalOf(err); number != 0 {
		return "the server wants TLS: set " + c.Key + ".tls to true"
	}
	return fmt.Sprintf("see the server's certificate (openssl s_client -starttls mysql -connect %s), its dates and its name, and %s.tls", c.Address, c.Key)
}

// adviceName is for a certificate that is made out to another name than that which is asked for.
func adviceName(key string, c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 && c.Subject.CommonName != "" {
		names = []string{c.Subject.CommonName}
	}
	const anyName = "tls: {mode: verify-ca, ca_file: /etc/rowhook/ca.pem}"
	if len(names) == 0 {
		return "the server's certificate names nobody; write under " + key + ":   " + anyName
	}
	return fmt.Sprintf("the server's certificate is for %.200q; if that is the server, write under %s:   tls: {ca_file: /etc/rowhook/ca.pem, server_name: %.200q}"+
		"   or, to take any certificate of that authority:   %s", names, key, names[0], anyName)
}

// addressKey is where the address stands in the configuration.
func (c *Config) addressKey() string {
	if c.Key == "database" {
		return "database.address"
	}
	return c.Key + ".addresses"
}
