package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestExample proves that config.example.yaml has every key, with its default.
func TestExample(t *testing.T) {
	t.Setenv("ROWHOOK_DB_PASSWORD", "")
	got := defaults()
	got.Rules, got.Coalesce, got.Log, got.Deliver, got.Database, got.Keep = "", -1, Log{}, Deliver{}, Database{}, Keep{}
	src, err := DecodeFile("../config.example.yaml", &got)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keysUnder("", reflect.TypeFor[Config]()) {
		if !src.Has(key) {
			t.Errorf("config.example.yaml lacks %s", key)
		}
	}
	want := defaults()
	want.Outbox.MySQL.Addresses = Strings{}
	want.Sites = []Site{{Name: "salon", Schema: "wordpress", Prefix: defaultPrefix}}
	want.Deliver.Endpoints = []Endpoint{{Endpoint: "https://crm.example.com", Concurrency: 4, Rate: Every(100 * time.Millisecond)}}
	want.Console = Console{Hosts: []string{"rowhook.example.com"}, Users: []User{{Name: "anna", Sites: []string{"salon"}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("config.example.yaml has other values than the defaults:\ngot  %+v\nwant %+v", got, want)
	}
	if _, err := Load("../config.example.yaml"); err != nil {
		t.Error(err)
	}
}

func keysUnder(key string, t reflect.Type) []string {
	if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.String {
		key, t = key+"[0]", t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return []string{key}
	}
	var keys []string
	for field := range t.Fields() {
		if !field.IsExported() {
			continue
		}
		keys = append(keys, keysUnder(strings.TrimPrefix(key+"."+field.Tag.Get("yaml"), "."), field.Type)...)
	}
	return keys
}

func load(t *testing.T, text string) (*Config, string, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "etc[1]")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	return c, dir, err
}

func TestLoad(t *testing.T) {
	t.Parallel()
	c, dir, err := load(t, "sites: [{name: a, schema: s}]\nstate_dir: state\ncoalesce: 0\n")
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Sites = []Site{{Name: "a", Schema: "s", Prefix: "wp_"}}
	want.StateDir = filepath.Join(dir, "state")
	want.Rules = strings.Replace(filepath.Join(dir, "rules.d/*.yaml"), "[", `\[`, 1)
	want.Coalesce = 0
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got  %+v\nwant %+v", *c, want)
	}
	if err := os.Mkdir(filepath.Join(dir, "rules.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	rule := filepath.Join(dir, "rules.d", "x.yaml")
	if err := os.WriteFile(rule, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(c.Rules); !reflect.DeepEqual(found, []string{rule}) {
		t.Errorf("the glob %s finds %v", c.Rules, found)
	}
	if !c.HasSite("a") || c.HasSite("b") {
		t.Error("HasSite is wrong")
	}
}

// TestDeliverOnly: a machine that never reads says so in a word, or beside other keys, which keep their defaults.
func TestDeliverOnly(t *testing.T) {
	t.Parallel()
	const shared = "sites: [{name: a, schema: s}]\noutbox: {mysql: {addresses: a, user: u}}\n"
	want := defaults().Deliver
	for text, only := range map[string]bool{"": false, "deliver:\n": false, "deliver: {only: false}": false, "deliver: only": true, "deliver: {only: true}": true} {
		c, _, err := load(t, shared+text)
		if err != nil {
			t.Fatal(err)
		}
		if want.Only = only; !reflect.DeepEqual(c.Deliver, want) {
			t.Errorf("%q: got %+v", text, c.Deliver)
		}
	}
}

func TestLoadNoFile(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "config.yaml"))
	if _, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	_, err = Load(t.TempDir())
	if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}

func TestLoadFaults(t *testing.T) {
	t.Parallel()
	const site = "sites: [{name: a, schema: s}]\n"
	for text, want := range map[string]string{
		"":                         `config.yaml:1: sites: is missing; list at least one site: {name: salon, schema: wordpress, prefix: wp_}, or write discover: true`,
		"sites: []":                `config.yaml:1: sites: is missing`,
		"sites:\n- {name: A}":      "config.yaml:2: sites[0].name: must be 1 to 64 characters",
		"sites:\n- {name: a}":      "config.yaml:2: sites[0].schema: must be the name of the site's database",
		"sites: [{prefix: 'wp-'}]": "config.yaml:1: sites[0].prefix: must be the site's table prefix",
		"sites: [{root: www}]":     "config.yaml:1: sites[0].root: must be an absolute path",
		"sites: [{schema: 'a`b'}]": "config.yaml:1: sites[0].schema: must be the name",
		site + "- {name: b}":       "config.yaml:1: is not valid YAML",
		"sites:\n- {name: a, schema: s}\n- {name: a, schema: t}": `config.yaml:3: sites[1].name: "a" is the name of the site at `,
		"sites:\n- {name: a, schema: s}\n- {name: b, schema: s}": `config.yaml:3: sites[1]: has the schema and prefix of the site at `,
		"discover: perhaps":                                                               "config.yaml:1: discover: ",
		site + "console: {listen: here}":                                                  `config.yaml:2: console.listen: "here" is no address to listen on`,
		site + "console: {listen: '0.0.0.0:8484'}":                                        `config.yaml:2: console.listen: "0.0.0.0:8484" can be reached from other machines`,
		site + "console: {listen: ':8484'}":                                               `config.yaml:2: console.listen: ":8484" can be reached from other machines`,
		site + "console: {listen: 'rowhook.example.com:8484'}":                            `can be reached from other machines`,
		site + "console: {exposed: why}":                                                  `config.yaml:2: console.exposed: says why the console listens`,
		site + "console: {hosts: ['https://a/']}":                                         `config.yaml:2: console.hosts[0]: "https://a/" is no name of a host`,
		site + "console: {users: [{name: a}]}":                                            `config.yaml:2: console.users[0]: has no sites`,
		site + "console: {users: [{name: a, sites: [b]}]}":                                `config.yaml:2: console.users[0].sites[0]: "b" is no site of this configuration`,
		site + "console: {users: [{name: 'A B', sites: [a]}]}":                            `config.yaml:2: console.users[0].name: must be 1 to 64 characters`,
		site + "console:\n  users:\n  - {name: a, sites: [a]}\n  - {name: a, sites: [a]}": `config.yaml:5: console.users[1].name: "a" is at `,
		site + "fidelity: x":                                                              `config.yaml:2: fidelity: "x" is not known; write documented or plugin`,
		site + "numbers: native":                                                          "config.yaml:2: numbers: native is not supported by this version",
		site + "rules: ''":                                                                "config.yaml:2: rules: is empty",
		site + "rules: 'a['":                                                              `config.yaml:2: rules: "a[" is not a file pattern`,
		site + "state_dir: ''":                                                            "config.yaml:2: state_dir: is empty",
		site + "coalesce: 6s":                                                             "config.yaml:2: coalesce: is longer than coalesce_max, which is 5s",
		site + "coalesce: -1s":                                                            "config.yaml:2: coalesce: must be from 0s to 1h0m0s",
		site + "status_wait: 2h":                                                          "config.yaml:2: status_wait: must be from",
		site + "deliver: {concurrency: 0}":                                                "config.yaml:2: deliver.concurrency: must be from 1 to 1000",
		site + "deliver: {timeout: 0}":                                                    "config.yaml:2: deliver.timeout: must be from",
		site + "deliver: {max_age: 0}":                                                    "config.yaml:2: deliver.max_age: must be from",
		site + "deliver: {endpoints: [{endpoint: crm/x}]}":                                `config.yaml:2: deliver.endpoints[0].endpoint: "crm/x" is no endpoint; write scheme and host`,
		site + "deliver: {endpoints: [{endpoint: 'ftp://u:p@crm'}]}":                      `config.yaml:2: deliver.endpoints[0].endpoint: "ftp://…@crm" is no endpoint; write scheme and host`,
		site + "deliver: {endpoints: [{endpoint: 'https://256.1.1.1'}]}":                  `config.yaml:2: deliver.endpoints[0].endpoint: "https://256.1.1.1" is no endpoint; write scheme and host`,
		site + "deliver:\n  endpoints:\n  - {endpoint: 'HTTPS://Österreich.example'}\n  - {endpoint: 'https://xn--sterreich-z7a.example:443/x'}": `config.yaml:5: deliver.endpoints[1].endpoint: "https://xn--sterreich-z7a.example:443" is at config.yaml:4, too; give each endpoint one entry`,
		site + "database: {address: 'mysql://u:hunter2@db:3306/x'}":                                                                              `config.yaml:2: database.address: "mysql://…@db:3306/x" is no address`,
		site + "deliver:\n  endpoints:\n  - {rate: 1/s}":                                                                                         `config.yaml:4: deliver.endpoints[0].endpoint: "" is no endpoint`,
		site + "deliver: {endpoints: [{endpoint: crm, rate: 3}]}":                                                                                `config.yaml:2: deliver.endpoints[0].rate: "3" is not a rate; write for example 10/s, 600/m or 100/h`,
		site + "deliver: {endpoints: [{endpoint: crm, rate: 0/s}]}":                                                                              `config.yaml:2: deliver.endpoints[0].rate: "0/s" must be from one a day to 100000/s`,
		site + "deliver: {endpoints: [{endpoint: crm, concurrency: 0}]}":                                                                         "config.yaml:2: deliver.endpoints[0].concurrency: must be from 1 to 1000",
		site + "outbox: {mysql: {user: u}}":                                                                                                      `config.yaml:2: outbox.mysql: names no server; write addresses: [host:3306]`,
		site + "outbox: {mysql: {addresses: a}}":                                                                                                 `config.yaml:2: outbox.mysql.user: is missing; name the user`,
		site + "outbox: {mysql: {addresses: ['mysql://u:p@h'], user: u}}":                                                                        `config.yaml:2: outbox.mysql.addresses[0]: "mysql://…@h" is no address`,
		site + "outbox: {mysql: {addresses: [a, 'b:0'], user: u}}":                                                                               `config.yaml:2: outbox.mysql.addresses[1]: has no port from 1 to 65535`,
		site + "outbox: {mysql: {addresses: a, user: u, schema: S}}":                                                                             `config.yaml:2: outbox.mysql.schema: is the database of sites[0]; give rowhook one of its own`,
		site + "outbox: {mysql: {addresses: a, user: u, schema: ''}}":                                                                            `config.yaml:2: outbox.mysql.schema: must be the name of a database`,
		site + "deliver: only":                                                      "config.yaml:2: deliver: is for one of several machines",
		site + "deliver: {only: true}":                                              "config.yaml:2: deliver.only: is for one of several machines",
		site + "deliver: never":                                                     `config.yaml:2: deliver: "never" is not known; write only`,
		site + "outbox: {mysql: {addresses: a, user: u, lease: 1ms}}":               `config.yaml:2: outbox.mysql.lease: must be from 1s to 1h0m0s`,
		site + "outbox: {mysql: {addresses: a, user: u, tls: on}}":                  `config.yaml:2: outbox.mysql.tls: "on" is not known; write false`,
		site + "outbox: {mysql: {addresses: a, user: u, tls: {ca_file: /nowhere}}}": `config.yaml:2: outbox.mysql.tls.ca_file: the file "/nowhere"`,
		site + "egress: all":                                                        `config.yaml:2: egress: "all" is not known; write private or public`,
		site + "keep: {age: -1h}":                                                   "config.yaml:2: keep.age: must be from 0s",
		site + "keep: {size: 1000}":                                                 "config.yaml:2: keep.size: must be at least 1MiB, or 0 for no limit",
		site + "keep: {size: much}":                                                 `config.yaml:2: keep.size: "much" is not a size; write for example 512MiB or 1GiB`,
		site + "log: {level: all}":                                                  `config.yaml:2: log.level: "all" is not known; write debug, info, warn or error`,
		site + "log: {format: xml}":                                                 `config.yaml:2: log.format: "xml" is not known; write text or json`,
		site + "database: {adress: a}":                                              "config.yaml:2: database.adress: unknown key; did you mean address? Known keys: address, user, password, tls",
		site + "database: {address: ''}":                                            "config.yaml:2: database.address: \"\" is no address",
		site + "database: {address: 'a b'}":                                         "config.yaml:2: database.address: \"a b\" is no address",
		site + "database: {address: 'a:0'}":                                         "config.yaml:2: database.address: has no port from 1 to 65535",
		site + "database: {user: ''}":                                               "config.yaml:2: database.user: is empty",
		site + "database: {tls: on}":                                                `config.yaml:2: database.tls: "on" is not known; write false, true, verify-ca or skip-verify`,
	} {
		_, dir, err := load(t, text)
		if err == nil {
			t.Errorf("%q: no error, want %s", text, want)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), dir+"/", ""); !strings.Contains(got, want) {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestDial(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]string{
		"db":                  {"tcp", "db:3306"},
		"db:3307":             {"tcp", "db:3307"},
		"127.0.0.1":           {"tcp", "127.0.0.1:3306"},
		"::1":                 {"tcp", "[::1]:3306"},
		"[::1]":               {"tcp", "[::1]:3306"},
		"[::1]:3307":          {"tcp", "[::1]:3307"},
		"/run/mysqld/my.sock": {"unix", "/run/mysqld/my.sock"},
	} {
		network, at := Database{Address: address}.Dial()
		if network != want[0] || at != want[1] {
			t.Errorf("%s: got %s %s, want %v", address, network, at, want)
		}
		var src Source
		Database{Address: address, User: "u", TLS: TLS{Mode: NoTLS}}.check(&src)
		if src.Err() != nil {
			t.Errorf("%s: %v", address, src.Err())
		}
	}
}

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.Sites = []Site{{Name: "a", Schema: "s", Prefix: "wp_", Root: "/var/www"}}
	src := Source{places: map[string]place{"sites[0].prefix": {line: 1}}}
	if c.check(&src); src.Err() != nil {
		t.Error(src.Err())
	}
}
