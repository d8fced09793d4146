package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesThatComeLater: after a wrong configuration the service stays down (exit code 2, RestartPreventExitStatus of the unit). Files
// that cannot be read may lie on a disk that comes later, so it does not after those, wherever they are named.
func TestFilesThatComeLater(t *testing.T) {
	t.Parallel()
	const database = "database: {address: 127.0.0.1, user: u, password: p"
	for name, c := range map[string]struct {
		config, rules string
		code          int
	}{
		"configuration":        {"", "", exitFailed},
		"password":             {"database: {address: 127.0.0.1, user: u, password: '${file:away/p}'}\n", "", exitFailed},
		"credential":           {"database: {address: 127.0.0.1, user: u, password: '${credential:db}'}\n", "", exitFailed},
		"authority":            {database + ", tls: {ca_file: away/ca.pem}}\n", "", exitFailed},
		"certificate":          {database + ", tls: {cert_file: away/c.pem, key_file: away/k.pem}}\n", "", exitFailed},
		"folder of rules":      {database + "}\n", "", exitFailed},
		"secret of a rule":     {database + "}\n", "rules: [{name: a, action: appointment.save, url: 'http://x.example/', signing_secret: '${file:away/s}'}]\n", exitFailed},
		"authority, but wrong": {database + ", tls: {ca_file: away/ca.pem}, port: 1}\n", "", exitUsage},
		"wrong besides":        {"database: {address: 127.0.0.1, user: u, password: '${file:away/p}', port: 1}\n", "", exitUsage},
		"wrong rule":           {database + "}\n", "rules: [{name: a, action: nothing, url: 'http://x.example/'}]\n", exitUsage},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "config.yaml")
		for path, text := range map[string]string{file: c.config, filepath.Join(dir, "rules.yaml"): c.rules} {
			if text == "" {
				continue
			}
			if path == file {
				text += "sites: [{name: salon, schema: wordpress, prefix: wp_}]\nrules: rules.yaml\nstate_dir: state\n"
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := command(t.Context(), []string{"run", "--config", file}, io.Discard, io.Discard)
		if err == nil || exitCode(err) != c.code {
			t.Errorf("%s: code %d, %v", name, exitCode(err), err)
		} else if strings.Contains(err.Error(), "config.yaml: does not exist") != (c.config == "") {
			t.Errorf("%s: says %v", name, err)
		}
	}
}
