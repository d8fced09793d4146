package config

import "testing"

// TestDialHostOfWordPress reads what DB_HOST in wp-config.php may be.
func TestDialHostOfWordPress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]string{
		"db":                                {"tcp", "db:3306"},
		"db:3307":                           {"tcp", "db:3307"},
		"::1":                               {"tcp", "[::1]:3306"},
		"[::1]:3307":                        {"tcp", "[::1]:3307"},
		"/run/mysqld/mysqld.sock":           {"unix", "/run/mysqld/mysqld.sock"},
		"localhost:/run/mysqld/mysqld.sock": {"unix", "/run/mysqld/mysqld.sock"},
	} {
		network, at := Database{Address: address}.Dial()
		if network != want[0] || at != want[1] {
			t.Errorf("%s is %s %s", address, network, at)
		}
	}
}
