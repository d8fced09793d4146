package connect

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// The methods of logging in that we know. All but clearPassword answer a challenge.
const (
	nativePassword  = mysql.AUTH_NATIVE_PASSWORD
	cachingPassword = mysql.AUTH_CACHING_SHA2_PASSWORD
	sha256Password  = mysql.AUTH_SHA256_PASSWORD
	ed25519Password = mysql.AUTH_MARIADB_ED25519
	clearPassword   = mysql.AUTH_CLEAR_PASSWORD
)

const (
	challengeSize = 20
	ed25519Size   = 32 // of its challenge
)

// mayAnswer says whether the greeting's method can be answered at once. It is the server's default, and often not that of
// the user; the clear text of a password is for those who must only.
func (l *login) mayAnswer() bool {
	switch l.method {
	case nativePassword, cachingPassword:
		return true
	case ed25519Password:
		return len(l.asked) >= ed25519Size
	}
	return false
}

// answer is what the login's method says to the challenge.
func (l *login) answer() ([]byte, error) {
	size := challengeSize
	if l.method == ed25519Password {
		size = ed25519Size
	}
	if l.method != clearPassword && len(l.asked) < size {
		return nil, fmt.Errorf("%w: its challenge for %s has %d bytes", errMalformed, l.method, len(l.asked))
	}
	switch l.method {
	case nativePassword:
		return mysql.CalcNativePassword(l.asked[:size], []byte(l.password)), nil
	case cachingPassword:
		return mysql.CalcCachingSha2Password(l.asked[:size], []byte(l.password)), nil
	case ed25519Password:
		return mysql.CalcEd25519Password(l.asked[:size], l.password)
	case sha256Password:
		const wantKey = 1
		switch {
		case l.password == "", l.tls != nil: // a socket does not count with this method
			return l.clear(), nil
		case l.near():
			return []byte{wantKey}, nil
		}
		return nil, &MethodError{Method: l.method, User: l.cfg.User, Plain: true}
	case clearPassword:
		if l.secret() && !l.stranger() {
			return l.clear(), nil
		}
		return nil, &MethodError{Method: l.method, User: l.cfg.User, Plain: true}
	}
	return nil, &MethodError{Method: l.method, User: l.cfg.User}
}

// more answers what a method asks besides.
func (l *login) more(data []byte) ([]byte, error) {
	const (
		known     = 3 // the server remembers the user
		wantClear = 4
		wantKey   = 2
	)
	switch {
	case l.method == sha256Password:
		return l.encrypted(data)
	case l.method != cachingPassword || len(data) == 0:
		return nil, fmt.Errorf("%w: it asks more than the login %s knows", errMalformed, l.method)
	case data[0] == known:
		return nil, nil
	case data[0] != wantClear:
		return l.encrypted(data)
	case l.secret():
		return l.clear(), nil
	case l.near():
		return []byte{wantKey}, nil
	}
	return nil, &MethodError{Method: l.method, User: l.cfg.User, Plain: true}
}

// encrypted is the password under the server's key, which nobody vouches for: only this machine's server may give one.
func (l *login) encrypted(data []byte) ([]byte, error) {
	if !l.near() || len(l.asked) < challengeSize {
		return nil, &MethodError{Method: l.method, User: l.cfg.User, Plain: true}
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%w: its public key is none", errMalformed)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: its public key: %w", errMalformed, err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: its public key is no RSA key", errMalformed)
	}
	return mysql.EncryptPassword(l.password, l.asked[:challengeSize], key)
}

func (l *login) clear() []byte { return append([]byte(l.password), 0) }

// secret says whether nobody reads along.
func (l *login) secret() bool { return l.cfg.Network == "unix" || l.tls != nil }

// stranger says whether it is not known who is at the other end of a TLS connection.
func (l *login) stranger() bool { return l.tls != nil && !verifies(l.tls) }

// near says whether the other end is this machine, so that nobody is in between.
func (l *login) near() bool {
	at, ok := l.raw.RemoteAddr().(*net.TCPAddr)
	if l.cfg.Network == "unix" || ok && at.IP.IsLoopback() {
		return true
	}
	from, known := l.raw.LocalAddr().(*net.TCPAddr)
	return ok && known && at.IP.Equal(from.IP) // this machine's own address
}
