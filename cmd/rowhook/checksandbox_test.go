package main

import (
	"strings"
	"testing"

	"rowhook/config"
	"rowhook/rules"
)

// TestCheckSandbox: what the unit hides from the service is said, with the lines that open it, and not when they are there.
func TestCheckSandbox(t *testing.T) {
	t.Parallel()
	const loaded = "LoadState=loaded\nPrivateTmp=yes\nProtectSystem=strict\nReadWritePaths=\nStateDirectory=rowhook\n"
	for name, test := range map[string]struct {
		shown, socket, stateDir, file string
		want                          []string // part of the fix of each finding
	}{
		"as it is made":     {loaded, "/run/mysqld/mysqld.sock", "/var/lib/rowhook", defaultConfig, nil},
		"socket in /tmp":    {loaded, "/tmp/mysql.sock", "/var/lib/rowhook", defaultConfig, []string{"PrivateTmp=no"}},
		"another disk":      {loaded, "127.0.0.1:3306", "/srv/rowhook", defaultConfig, []string{"ReadWritePaths=/srv/rowhook"}},
		"a neighbour":       {loaded, "127.0.0.1:3306", "/var/lib/rowhook2", defaultConfig, []string{"ReadWritePaths=/var/lib/rowhook2"}},
		"below":             {loaded, "127.0.0.1:3306", "/var/lib/rowhook/a", defaultConfig, nil},
		"both":              {loaded, "/var/tmp/m.sock", "/srv/rowhook", defaultConfig, []string{"PrivateTmp=no", "ReadWritePaths=/srv/rowhook"}},
		"opened":            {strings.NewReplacer("PrivateTmp=yes", "PrivateTmp=no", "ReadWritePaths=", "ReadWritePaths=/data -/srv").Replace(loaded), "/tmp/mysql.sock", "/srv/rowhook", defaultConfig, nil},
		"no sandbox":        {"LoadState=loaded\nPrivateTmp=no\nProtectSystem=no\n", "/tmp/mysql.sock", "/srv/rowhook", defaultConfig, nil},
		"no unit":           {"LoadState=not-found\nPrivateTmp=no\n", "/tmp/mysql.sock", "/srv/rowhook", defaultConfig, nil},
		"not the service's": {loaded, "/tmp/mysql.sock", "/srv/rowhook", "/home/me/config.yaml", nil},
		"nothing is said":   {"", "/tmp/mysql.sock", "/srv/rowhook", defaultConfig, nil},
		"state_dir of /tmp": {loaded, "127.0.0.1:3306", "/tmp/rowhook", defaultConfig, nil}, // its own, which is lost: it does start
	} {
		c := &config.Config{StateDir: test.stateDir}
		c.Database.Address = test.socket
		found := checkSandbox(parseSandbox(test.shown), c, test.file, &rules.Set{})
		if len(found) != len(test.want) {
			t.Errorf("%s: %+v", name, found)
			continue
		}
		for i, f := range found {
			if !strings.Contains(f.Fix, test.want[i]) || !f.Warn {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}
