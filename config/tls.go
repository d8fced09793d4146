package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
)

// What TLS.Mode may be.
const (
	NoTLS      = "false"
	VerifyFull = "true"        // the certificate is of an authority that is trusted, and for the server's name
	VerifyCA   = "verify-ca"   // of such an authority, for whatever name
	SkipVerify = "skip-verify" // any certificate
)

// TLS is how connections to the database are secured. In a file it is a Mode alone, or a mapping, which means VerifyFull
// unless it says otherwise.
type TLS struct {
	Mode       string `yaml:"mode"`        // false, true, verify-ca or skip-verify
	CAFile     string `yaml:"ca_file"`     // PEM; empty: the authorities that this machine trusts
	ServerName string `yaml:"server_name"` // in the certificate; empty: the host of database.address
	CertFile   string `yaml:"cert_file"`   // PEM, for a server that wants to know us by a certificate
	KeyFile    string `yaml:"key_file"`    // PEM, of that certificate
}

const maxPEM = 1 << 20 // bytes of a file of certificates; the bundle of every authority has 200 KB

// Read reads the files, anew each time: the authorities, nil when no file of them is named, and our certificate, if there
// is one. The error names the key, which is below parent: database.tls.
func (t TLS) Read(parent string) (*x509.CertPool, []tls.Certificate, error) {
	roots, err := t.roots()
	if err != nil {
		return nil, nil, fmt.Errorf("%s.ca_file: %w", parent, err)
	}
	if t.CertFile == "" {
		return roots, nil, nil
	}
	pair, key, err := t.pair()
	if err != nil {
		return nil, nil, fmt.Errorf("%s.%s: %w", parent, key, err)
	}
	return roots, []tls.Certificate{pair}, nil
}

// roots reads the authorities.
func (t TLS) roots() (*x509.CertPool, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	rest, err := readPEM(t.CAFile)
	if err != nil {
		return nil, err
	}
	roots, found := x509.NewCertPool(), false
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the file %s holds a certificate that cannot be read: %w", quote(t.CAFile), err)
		}
		roots.AddCert(c)
		found = true
	}
	if !found {
		return nil, fmt.Errorf("the file %s holds no certificate; name a PEM file, with -----BEGIN CERTIFICATE-----", quote(t.CAFile))
	}
	return roots, nil
}

// pair reads our certificate. The key is that of the file which is wrong.
func (t TLS) pair() (pair tls.Certificate, key string, err error) {
	cert, err := readPEM(t.CertFile)
	if err != nil {
		return pair, "cert_file", err
	}
	private, err := readPEM(t.KeyFile)
	if err != nil {
		return pair, "key_file", err
	}
	if block, _ := pem.Decode(private); block != nil && (block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "") {
		return pair, "key_file", fmt.Errorf("the file %s is encrypted; write it without a passphrase (openssl pkey -in ... -out ...), readable for rowhook's user only", quote(t.KeyFile))
	}
	if pair, err = tls.X509KeyPair(cert, private); err != nil {
		return pair, "cert_file", fmt.Errorf("the files %s and %s are not a certificate and its key in PEM: %w", quote(t.CertFile), quote(t.KeyFile), err)
	}
	return pair, "", nil
}

func readPEM(path string) ([]byte, error) {
	content, err := readFile(path, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("the file %s %w", quote(path), err)
	}
	return content, nil
}

// from makes the files start from a folder.
func (t *TLS) from(dir string) {
	for _, path := range []*string{&t.CAFile, &t.CertFile, &t.KeyFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
}

// check records what is wrong, also with the files. The network is that of the server's address.
func (t *TLS) check(src *Source, key, network string) {
	mode := key
	if src.Has(key + ".mode") {
		mode += ".mode"
	}
	src.oneOf(mode, t.Mode, NoTLS, VerifyFull, VerifyCA, SkipVerify)
	for _, other := range []struct{ key, value string }{{"ca_file", t.CAFile}, {"server_name", t.ServerName}, {"cert_file", t.CertFile}, {"key_file", t.KeyFile}} {
		if t.Mode == NoTLS && other.value != "" {
			src.Faultf(key+"."+other.key, "is of no use without TLS; remove it, or mode: false")
		}
	}
	switch {
	case t.Mode == NoTLS:
		return
	case t.Mode == SkipVerify && t.CAFile != "":
		src.Faultf(key+".ca_file", "is not looked at with mode: skip-verify; remove one of them, or write mode: verify-ca")
	case t.Mode != VerifyFull && t.ServerName != "":
		src.Faultf(key+".server_name", "is not looked at with mode: %s; remove one of them", t.Mode)
	case t.Mode == VerifyFull && t.ServerName == "" && network == "unix":
		src.Faultf(key, "has no name to compare the certificate with, for the address is a socket; remove it, a socket needs no TLS, or add server_name")
	}
	t.checkFiles(src, key+".")
}

// checkFiles looks whether the files can be read, and hold what they should.
func (t *TLS) checkFiles(src *Source, key string) {
	if _, err := t.roots(); err != nil {
		src.Faultf(key+"ca_file", "%w", err)
	}
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		src.Faultf(key+"cert_file", "needs a key_file; name the file of the certificate's private key")
	case t.KeyFile != "" && t.CertFile == "":
		src.Faultf(key+"key_file", "needs a cert_file; name the file of the key's certificate")
	case t.CertFile != "":
		if _, wrong, err := t.pair(); err != nil {
			src.Faultf(key+wrong, "%w", err)
		}
	}
}
