package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// Config is the daemon's configuration. config.example.yaml explains every key.
type Config struct {
	Database    Database      `yaml:"database"`     // the server whose log is followed
	Sites       []Site        `yaml:"sites"`        // each WordPress install whose bookings are reported
	Discover    bool          `yaml:"discover"`     // sites that are not listed are found by themselves
	Rules       string        `yaml:"rules"`        // the rule files: a glob, from this file's folder
	StateDir    string        `yaml:"state_dir"`    // the outbox and scratch files; from this file's folder
	Outbox      Outbox        `yaml:"outbox"`       // where deliveries and the position are kept
	Fidelity    string        `yaml:"fidelity"`     // which changes are a save: documented reports every one, plugin those that the plugin itself would
	Restore     string        `yaml:"restore"`      // warn, or report: rows of a restore are events as all others are
	Coalesce    time.Duration `yaml:"coalesce"`     // 0: every transaction's changes are events of their own
	CoalesceMax time.Duration `yaml:"coalesce_max"` // no event waits longer than this for further changes
	StatusWait  time.Duration `yaml:"status_wait"`  // how long a changed status waits for its row in the history
	Numbers     string        `yaml:"numbers"`      // how payloads show numbers: as the plugin types them
	MaxPayload  Size          `yaml:"max_payload"`  // of one webhook; the largest values of what would be longer are left out
	Egress      string        `yaml:"egress"`       // where deliveries may go: private allows this machine and its networks, public does not
	Deliver     Deliver       `yaml:"deliver"`      // how webhooks are sent; only: this machine never reads the log
	Keep        Keep          `yaml:"keep"`         // how long what was delivered stays
	Metrics     Metrics       `yaml:"metrics"`      // for Prometheus, with /healthz and /readyz
	Console     Console       `yaml:"console"`      // the web page
	Log         Log           `yaml:"log"`          // what the daemon logs
}

// Database is the server whose binary log is followed.
type Database struct {
	Address  string `yaml:"address"`  // host:port, host, or the path of a socket
	User     string `yaml:"user"`     // rowhook check prints the grants that it needs
	Password string `yaml:"password"` // keep it out of this file: ${file:/etc/rowhook/password}
	TLS      TLS    `yaml:"tls"`      // true, verify-ca or skip-verify, or more with keys of its own

	login login
}

// WithoutLogin is the server without the user and the password.
func (d Database) WithoutLogin() Database {
	d.User, d.Password, d.login = "", "", login{}
	return d
}

// PasswordChanges says whether the password may be another one when it is read again: it is in a file.
func (d Database) PasswordChanges() bool { return d.login.changes() }

// ReadPassword is the password as it is now: its files may have changed since the configuration was read.
func (d Database) ReadPassword() (string, error) { return d.login.read(d.Password) }

// Dial is where the server listens: "unix" and a path, or "tcp" and host:port.
func (d Database) Dial() (network, address string) { return dial(d.Address) }

// Site is one WordPress install.
type Site struct {
	Name   string `yaml:"name"`   // yours to choose; part of every delivery's id
	Schema string `yaml:"schema"` // DB_NAME in wp-config.php
	Prefix string `yaml:"prefix"` // wp_, or wp_2_ for a site of a network
	Root   string `yaml:"root"`   // WordPress' folder, optional
	// DBCharset is WordPress' DB_CHARSET, the charset of its connections. Empty, utf8 and utf8mb4 are UTF-8.
	DBCharset string `yaml:"db_charset"`

	found bool // by itself (discover)
}

// FoundSite is a site that was found by itself, and is not in the file.
func FoundSite(name, schema, prefix string) Site {
	return Site{Name: name, Schema: schema, Prefix: prefix, found: true}
}

// Found says whether the site was found by itself.
func (s Site) Found() bool { return s.found }

// Deliver bounds the sending of webhooks.
type Deliver struct {
	Concurrency int           `yaml:"concurrency"` // requests at once to one endpoint
	Timeout     time.Duration `yaml:"timeout"`     // of one request
	MaxAge      time.Duration `yaml:"max_age"`     // after which a delivery is given up
	Endpoints   []Endpoint    `yaml:"endpoints"`   // what some endpoints need otherwise
	Only        bool          `yaml:"only"`        // the log is followed by other machines that share the outbox, never by this one
}

// Endpoint is what the deliveries to one endpoint need otherwise.
type Endpoint struct {
	Endpoint    string `yaml:"endpoint"`    // a URL, of which scheme, host and port count, or an order group
	Concurrency int    `yaml:"concurrency"` // 0: as usual
	Rate        Every  `yaml:"rate"`        // 0: none
}

// Keep bounds the log of what was delivered.
type Keep struct {
	Age  time.Duration `yaml:"age"`  // since it was stored
	Size Size          `yaml:"size"` // 0: no limit
	Dead time.Duration `yaml:"dead"` // of what is dead or held; 0: until a person drops it
}

// Metrics is where metrics and the health endpoints are.
type Metrics struct {
	Listen string `yaml:"listen"` // host:port; empty: nowhere
}

// Console is the web page.
type Console struct {
	Listen  string   `yaml:"listen"`  // host:port; empty: nowhere
	Exposed string   `yaml:"exposed"` // why it listens on more than this machine's own addresses
	Hosts   []string `yaml:"hosts"`   // the names under which a proxy offers it
	Users   []User   `yaml:"users"`   // who may see some sites only
}

// User is who sees some sites in the console only.
type User struct {
	Name  string   `yaml:"name"`  // for rowhook console login --user
	Sites []string `yaml:"sites"` // the names of those that it may see
}

// Log is how the daemon logs.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text or json
}

// defaults is what a configuration that says nothing means.
func defaults() Config {
	return Config{
		Database:    Database{Address: "127.0.0.1:" + defaultPort, User: "rowhook", TLS: TLS{Mode: NoTLS}},
		Rules:       "rules.d/*.yaml",
		StateDir:    "/var/lib/rowhook",
		Outbox:      Outbox{MySQL: OutboxServer{Schema: "rowhook", Lease: 5 * time.Second, TLS: TLS{Mode: NoTLS}}},
		Fidelity:    "documented",
		Restore:     "warn",
		Coalesce:    500 * time.Millisecond,
		CoalesceMax: 5 * time.Second,
		StatusWait:  2 * time.Second,
		Numbers:     "plugin",
		MaxPayload:  16 << 20,
		Egress:      "private",
		Deliver:     Deliver{Concurrency: 16, Timeout: 10 * time.Second, MaxAge: 120 * time.Hour},
		Keep:        Keep{Age: 7 * 24 * time.Hour, Size: 1 << 30},
		Log:         Log{Level: "info", Format: "text"},
	}
}

// defaultPrefix is the table prefix that WordPress proposes.
const defaultPrefix = "wp_"

// Load reads and checks a configuration file. The error is one or more *Error, joined.
func Load(path string) (*Config, error) {
	c := defaults()
	src, err := DecodeFile(path, &c)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{File: path, Message: "does not exist; rowhook init --wordpress FOLDER writes one, or start from config.example.yaml, or name another with --config", err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	c.Database.TLS.from(dir)
	c.Outbox.MySQL.TLS.from(dir)
	if c.check(src); src.Err() != nil {
		return nil, src.Err()
	}
	c.Database.login = loginFrom(src, "database", dir, c.Database.TLS)
	c.Outbox.MySQL.login = loginFrom(src, "outbox.mysql", dir, c.Outbox.MySQL.TLS)
	if !filepath.IsAbs(c.StateDir) {
		c.StateDir = filepath.Join(dir, c.StateDir)
	}
	if !filepath.IsAbs(c.Rules) {
		c.Rules = filepath.Join(literal(dir), c.Rules)
	}
	return &c, nil
}

// HasSite says whether a site of that name is configured. Where sites are found by themselves, one of any name may be.
func (c *Config) HasSite(name string) bool {
	if c.Discover {
		return true
	}
	for _, s := range c.Sites {
		if s.Name == name {
			return true
		}
	}
	return false
}

// literal is a folder as a glob that matches only itself.
func literal(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}
