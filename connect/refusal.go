package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-sql-driver/mysql"
)

// MethodError says that the server wants the password by a method that we do not know, or that would show it.
type MethodError struct {
	Method string
	User   string
	Plain  bool // somebody between us and the server could read the password
	// Unverified says that it could be read in spite of TLS, for the server has not proved who it is.
	Unverified bool
}

func (e *MethodError) Error() string {
	if e.Plain {
		return fmt.Sprintf("the server asks for the password of user %s in a way that shows it to whoever is in between (%s), so it was not sent", e.User, e.Method)
	}
	return fmt.Sprintf("the server wants user %s to log in by %.100q, which rowhook does not know", e.User, e.Method)
}

// FileError says that what the configuration names for logging in, a file, cannot be read now.
type FileError struct{ err error }

func (e *FileError) Error() string { return e.err.Error() }

// Unwrap is what happened.
func (e *FileError) Unwrap() error { return e.err }

// errNoTLS says that the server has no TLS, though it is configured.
var errNoTLS = errors.New("the server offers no TLS, which database.tls asks for")

// verifies says whether the server must prove who it is.
func verifies(c *tls.Config) bool { return !c.InsecureSkipVerify || c.VerifyConnection != nil }

// Cause is why a server cannot be reached, or does not let us in.
type Cause int

// The causes.
const (
	Unknown     Cause = iota // none of these: an error of something else
	Unreachable              // nothing answers there
	Full                     // no connection is free, of the server's or of the user's
	Starting                 // it starts or shuts down
	Denied                   // it does not let this user in, from here, with this password
	Insecure                 // TLS failed, or the password would be shown
	Stranger                 // what answers is no server that we know
	Unready                  // a file that is needed to log in cannot be read; nobody was asked yet
)

// CauseOf says what an error of a connection means.
func CauseOf(err error) Cause {
	if number, _ := refusalOf(err); number != 0 {
		return causeOfNumber(number)
	}
	if _, ok := errors.AsType[*FileError](err); ok {
		return Unready
	}
	if _, ok := errors.AsType[*MethodError](err); ok || errors.Is(err, errNoTLS) || isTLS(err) {
		return Insecure
	}
	if errors.Is(err, errMalformed) {
		return Stranger
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, gomysql.ErrBadConn) || isEnd(err) {
		return Unreachable
	}
	return Unknown
}

// refusalOf is the server's error, through whichever library it came; 0: it is none.
func refusalOf(err error) (number uint16, message string) {
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return refused.Number, refused.Message
	}
	if refused, ok := errors.AsType[*gomysql.MyError](err); ok {
		return refused.Code, refused.Message
	}
	return 0, ""
}

// causeOfNumber says what a server's refusal means.
func causeOfNumber(number uint16) Cause {
	switch number {
	case 1040, // too many connections
		1203, 1226, // more than max_user_connections, or another limit of the account
		1129,             // this host made too many broken connections
		1037, 1041, 1135: // no memory, no thread
		return Full
	case 1053, 1927, // it shuts down, or somebody killed the connection
		3032: // offline mode
		return Starting
	case 1045, 1698, // the user, or the password
		1130,       // no user may come from this host
		1820, 1862, // the password has expired
		3118, 3955, 4151, // the account is locked
		1251, 1524: // the login's method
		return Denied
	case 3159: // require_secure_transport
		return Insecure
	}
	return Unknown
}

// isEnd says whether the server ended the connection.
func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// isTLS says whether securing the connection failed.
func isTLS(err error) bool {
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, name := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	return record || alert || unverified || authority || name || invalid
}
