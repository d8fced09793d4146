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
		case l.password == "", l.proven(): // a socket does not count with this method
			return l.clear(), nil
		case l.keyCounts():
			return []byte{wantKey}, nil
		}
		return nil, l.shown()
	case clearPassword:
		if l.secret() {
			return l.clear(), nil
		}
		return nil, l.shown()
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
	case l.keyCounts():
		return []byte{wantKey}, nil
	}
	return nil, l.shown()
}

// encrypted is the password under the server's key.
func (l *login) encrypted(data []byte) ([]byte, error) {
	if !l.keyCounts() || len(l.asked) < challengeSize {
		return nil, l.shown()
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

// shown is the error where the password would have to be shown to somebody who may be anybody.
func (l *login) shown() error {
	return &MethodError{Method: l.method, User: l.cfg.User, Plain: true, Unverified: l.tls != nil}
}

// secret says whether nobody but the server reads along.
func (l *login) secret() bool { return l.cfg.Network == "unix" || l.proven() }

// proven says whether the server has proved over TLS who it is. Where it need not (tls: skip-verify), whoever is in between
// has the other end.
func (l *login) proven() bool { return l.tls != nil && verifies(l.tls) }

// keyCounts says whether the password may be sent under a key that the server gives. Nobody vouches for it, so only this
// machine's server may give one; under TLS none does.
func (l *login) keyCounts() bool { return l.tls == nil && l.near() }

// near says whether the other end is this machine, so that nobody is in between.
func (l *login) near() bool {
	at, ok := l.raw.RemoteAddr().(*net.TCPAddr)
	if l.cfg.Network == "unix" || ok && at.IP.IsLoopback() {
		return true
	}
	from, known := l.raw.LocalAddr().(*net.TCPAddr)
	return ok && known && at.IP.Equal(from.IP) // this machine's own address
}
