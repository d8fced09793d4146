package cdc

import (
	"strings"
	"testing"

	"rowhook/cdc/connect"
)

func TestCheckEncryption(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		road       connect.Road
		warn, hint bool
		fix        string
	}{
		{connect.Road{}, false, false, ""},
		{connect.Road{Offered: true}, false, false, ""},
		{connect.Road{Secured: true, Offered: true}, false, false, ""},
		{connect.Road{Away: true, Secured: true, Offered: true}, false, true, "tls: {ca_file: /etc/rowhook/ca.pem}"},
		{connect.Road{Away: true, Secured: true, Proven: true, Offered: true}, false, false, ""},
		{connect.Road{Away: true, Offered: true}, true, false, "tls: {ca_file: /etc/rowhook/ca.pem}"},
		{connect.Road{Away: true}, true, false, "ssl_cert"},
	} {
		f := checkEncryption(c.road, "db.example:3306")
		if !f.OK || f.Warn != c.warn || f.Hint != c.hint || !strings.Contains(f.Fix, c.fix) || c.fix == "" && f.Fix != "" {
			t.Errorf("%+v: %+v", c.road, f)
		}
	}
}
