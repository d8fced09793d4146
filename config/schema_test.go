package config_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rowhook/config"
	"rowhook/schematest"
)

var update = flag.Bool("update", false, "write the schema anew")

const schemaFile = "../docs/schema/config.schema.json"

func configSchema(t *testing.T) []byte {
	t.Helper()
	listen := schematest.Pattern(`^$|:[0-9]+$`)
	made, err := schematest.Make(config.Config{}, "rowhook: the configuration", map[string]schematest.Kind{
		"Config.fidelity":      schematest.Enum("documented", "plugin"),
		"Config.restore":       schematest.Enum("warn", "report"),
		"Config.numbers":       schematest.Enum("plugin"),
		"Config.egress":        schematest.Enum("private", "public"),
		"Config.rules":         schematest.Pattern("."),
		"Config.state_dir":     schematest.Pattern("."),
		"Database.address":     schematest.Pattern(`^[^ ]+$`),
		"Database.tls":         schematest.AnyOf([]any{true, false, "true", "false", "verify-ca", "skip-verify"}, "TLS"),
		"TLS.mode":             schematest.Enum(true, false, "true", "false", "verify-ca", "skip-verify"),
		"Database.user":        schematest.Pattern("."),
		"Site.schema":          schematest.Pattern("^[^`]{1,64}$"),
		"Site.prefix":          schematest.Pattern(`^[A-Za-z0-9_]{1,30}$`),
		"Site.name":            schematest.Pattern(`^[a-z0-9._-]{1,64}$`),
		"Config.deliver":       schematest.AnyOf([]any{"only"}, "Deliver"),
		"Deliver.concurrency":  schematest.Between(1, 1000),
		"Endpoint.concurrency": schematest.Between(1, 1000),
		"Metrics.listen":       listen,
		"Console.listen":       listen,
		"Log.level":            schematest.Enum("debug", "info", "warn", "error"),
		"Log.format":           schematest.Enum("text", "json"),
	}, map[string][]string{"Site": {"name", "schema"}, "Endpoint": {"endpoint"}, "User": {"name", "sites"}}, map[string][]any{"Config": {schematest.Kind{"type": "object"}, schematest.Kind{
		"if":   schematest.Kind{"required": []any{"discover"}, "properties": schematest.Kind{"discover": schematest.Kind{"anyOf": []any{schematest.Kind{"enum": []any{true, "true"}}, schematest.Kind{"type": "string", "pattern": `\$\{`}}}}},
		"else": schematest.Kind{"required": []any{"sites"}, "properties": schematest.Kind{"sites": schematest.Kind{"type": "array", "minItems": 1}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestSchema: the schema that is in the repository is that of the structs, takes the example, and refuses what is wrong.
func TestSchema(t *testing.T) {
	t.Parallel()
	made := configSchema(t)
	if *update {
		if err := os.WriteFile(schemaFile, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(schemaFile); err != nil || !bytes.Equal(kept, made) {
		t.Errorf("%s is not of the structs; go test ./config -run TestSchema -update: %v", schemaFile, err)
	}
	s, err := schematest.Compile(made)
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(string(example), "\n"); first != "# yaml-language-server: $schema=docs/schema/config.schema.json" {
		t.Errorf("the first line of the example names no schema: %s", first)
	}
	elsewhere := regexp.MustCompile(`cannot be read: no such file|needs the environment variable|machines that share an outbox`) // no schema knows that
	const site = "sites: [{name: a, schema: s}]\n"
	for text, right := range map[string]bool{
		string(example): true, "": false, "discover: true": true,
		site + "database: {tls: verify-ca, password: 12}": true, site + "database: {tls: {mode: true, ca_file: /x}}": true,
		site + "coalesce: 0\nmax_payload: 1MiB\ndiscover: ${DISCOVER}\ndeliver:\n": true, site + "deliver: {endpoints: [{endpoint: crm, rate: 10/s}]}": true,
		site + "deliver: only": true, site + "deliver: {only: true}": true, site + "deliver: never": false,
		"sites: [{name: A, schema: s}]": false, "sites: [{name: a}]": false, "sites: {}": false, "discover: perhaps": false, "unknown: 1": false,
		site + "fidelity: x": false, site + "rules: ''": false, site + "state_dir: ''": false, site + "egress: all": false,
		site + "deliver: {concurrency: 0}": false, site + "deliver: {timeout: soon}": false, site + "deliver: {endpoints: [{rate: 1/s}]}": false,
		site + "deliver: {endpoints: [{endpoint: crm, rate: 3}]}": false, site + "deliver: {endpoints: [{endpoint: crm, concurrency: 0}]}": false,
		site + "keep: {size: much}": false, site + "log: {level: all}": false, site + "log: {format: xml}": false, site + "database: {adress: a}": false,
		site + "database: {address: ''}": false, site + "database: {address: 'a b'}": false, site + "database: {tls: maybe}": false,
		site + "console: {listen: here}": false, site + "console: {users: [{name: a}]}": false, site + "numbers: native": false,
		site + "- {name: b}": false, "sites: []": false, "discover: false": false, "fidelity: plugin": false, "discover: true\nsites: []": true,
		site + "deliver: {endpoints: [{endpoint: crm, rate: 0/s}]}": false, site + "database: {user: ''}": false,
		"sites: [{name: a, schema: ''}]": false, "sites: [{name: a, schema: s, prefix: ''}]": false, "sites: [{name: a, schema: s, prefix: wp_2_}]": true,
	} {
		if err := s.Validate([]byte(text)); (err == nil) != right {
			t.Errorf("%q: %v", text, err)
		}
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(file)
		if elsewhere.MatchString(fmt.Sprint(err)) {
			err = nil
		}
		if (err == nil) != right {
			t.Errorf("%q is loaded with: %v", text, err)
		}
	}
}
