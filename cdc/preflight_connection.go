package cdc

import (
	"fmt"

	"rowhook/cdc/connect"
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
