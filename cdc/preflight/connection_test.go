package preflight

import (
	"strings"
	"testing"

	"rowhook/connect"
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

func TestJudgeLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		is             connect.Limits
		ok, warn, hint bool
		fix            string
	}{
		{connect.Limits{OfServer: 151, Used: 20}, true, false, false, ""},
		{connect.Limits{OfServer: 151, Used: 20, OfUser: 100}, true, false, false, ""},
		{connect.Limits{OfServer: 151, Used: 20, OfUser: connect.LeastConnections}, true, false, true, "ALTER USER 'r'@'%' WITH MAX_USER_CONNECTIONS 12;"},
		{connect.Limits{OfServer: 151, Used: 20, OfUser: connect.LeastConnections - 1}, false, false, false, "ALTER USER 'r'@'%' WITH MAX_USER_CONNECTIONS 12;"},
		{connect.Limits{OfServer: 151, Used: 149}, true, true, false, "SET GLOBAL max_connections = 161;"},
		{connect.Limits{OfServer: 151, Used: 152}, true, true, false, "SET GLOBAL max_connections = 161;"}, // with that for an admin
		{connect.Limits{OfServer: 151, HourlyCaps: map[string]int{"MAX_QUERIES_PER_HOUR": 9, "MAX_CONNECTIONS_PER_HOUR": 8}}, true, true, false,
			"ALTER USER 'r'@'%' WITH MAX_CONNECTIONS_PER_HOUR 0 MAX_QUERIES_PER_HOUR 0;"},
	} {
		f := judgeLimits(c.is, "'r'@'%'")
		if f.OK != c.ok || f.Warn != c.warn || f.Hint != c.hint || !strings.HasPrefix(f.Fix, c.fix) || c.fix == "" && f.Fix != "" {
			t.Errorf("%+v: %+v", c.is, f)
		}
	}
}
