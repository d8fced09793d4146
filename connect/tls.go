package connect

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"regexp"
)

// TLS is how connections to a server are secured, and what the server must prove. The zero TLS wants a certificate that
// an authority known to this machine made out to the server's address.
type TLS struct {
	Roots        *x509.CertPool    // the authorities that may vouch for the server; nil: those of this machine
	Certificates []tls.Certificate // that prove who we are, where the server asks
	// ServerName is the name that the certificate must have, when it is not that of the address. In a certificate without
	// any alternative name it may be the common name: those that MySQL makes for itself, and Cloud SQL's, have no other.
	ServerName string
	AnyName    bool // the certificate may be made out to anybody
	Unverified bool // the server need not prove anything
}

// dnsName is a name that may be sent in the clear, for a proxy to choose the server by.
var dnsName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// Config is for connections to a host.
func (t TLS) Config(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.Roots, Certificates: t.Certificates, ServerName: host}
	if t.ServerName != "" {
		c.ServerName = t.ServerName
	}
	if !dnsName.MatchString(c.ServerName) && net.ParseIP(c.ServerName) == nil {
		c.ServerName = ""
	}
	switch {
	case t.Unverified:
		c.InsecureSkipVerify = true
	case t.AnyName || t.ServerName != "":
		c.InsecureSkipVerify, c.VerifyConnection = true, t.verify // which looks at all but what was asked not to
	}
	return c
}

// verify looks at the server's certificate as crypto/tls does, but for its name.
func (t TLS) verify(s tls.ConnectionState) error {
	leaf := s.PeerCertificates[0] // servers have one always
	o := x509.VerifyOptions{Roots: t.Roots, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(o)
	if err == nil && !t.AnyName {
		err = verifyName(leaf, t.ServerName)
	}
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
	}
	return nil
}

// verifyName says whether a certificate is made out to a name.
func verifyName(c *x509.Certificate, name string) error {
	if len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses)+len(c.URIs) == 0 && name == c.Subject.CommonName {
		return nil
	}
	return c.VerifyHostname(name)
}
