package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rowhook/config"
	"rowhook/weburl"
)

// file is a rule file.
type file struct {
	Rules []entry `yaml:"rules"` // which events, and where to post them
}

// entry is a rule as it is written; rules.example/ shows the keys.
type entry struct {
	Name          string         `yaml:"name"`           // of its own among all rules; part of every delivery's id
	Enabled       bool           `yaml:"enabled"`        // false: it matches nothing, and what is stored for it is held
	Action        string         `yaml:"action"`         // appointment.save and others, a hook's name, custom for rows of any table, or rowhook.* for what befalls rowhook itself
	Type          string         `yaml:"type"`           // insert, update or both; saves only
	Statuses      []string       `yaml:"statuses"`       // codes, for example [C, P]; none: every status
	Load          string         `yaml:"load"`           // basic: what was saved; full: the whole row; extended: with all that belongs to it
	URL           string         `yaml:"url"`            // where to post
	Secret        string         `yaml:"secret"`         // sent as its md5 in X-VAP-WEBHOOK-SECURE, as the plugin does
	SigningSecret config.Strings `yaml:"signing_secret"` // signs each request (Standard Webhooks): whsec_..., or a list, the newest first
	Sites         []string       `yaml:"sites"`          // names of sites; none: every site
	ID            int64          `yaml:"id"`             // sent as X-VAP-WEBHOOK-ID
	OrderGroup    string         `yaml:"order_group"`    // deliveries of one group keep their order; without it those to the same scheme, host and port do
	Table         string         `yaml:"table"`          // action: custom only; its name without the site's prefix
	Key           []string       `yaml:"key"`            // action: custom only; the columns that tell rows apart, in place of the primary key
	On            []string       `yaml:"on"`             // action: custom only; insert, update, delete; without it all three
	Relay         relayEntry     `yaml:"relay"`          // hooks that leave no row in the database only
	Headers       config.Pairs   `yaml:"headers"`        // sent besides rowhook's own
	Format        string         `yaml:"format"`         // json; cloudevents: with its ce- headers; slack: one sentence, action: rowhook.* only

	When     config.Text `yaml:"when"`     // a condition that must hold, for example before?.checkin_ts != after.checkin_ts
	Previous bool        `yaml:"previous"` // true: the payload has the columns that changed as they were; saves only
	Fields   []string    `yaml:"fields"`   // what stays of the payload, with dots between names: purchaser.mail
	Redact   []string    `yaml:"redact"`   // what of the payload is hidden, with dots between names
	Template config.Tree `yaml:"template"` // in place of the payload, posted as JSON; a text that begins with = is an expression

	TemplateFile string `yaml:"template_file"` // a file in the language of text/template, in place of the payload
	ContentType  string `yaml:"content_type"`  // of what template_file makes; without it text/plain
}

var (
	ruleName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	statusCode = regexp.MustCompile(`^[A-Za-z0-9_]{1,16}$`)
)

// Read reads the rule files that glob matches, in the order of their names; known says whether a site of that name is
// configured. That no file matches is no error here: the set is empty. The error is one or more *config.Error, joined,
// for every fault of every file.
func Read(glob string, known func(site string) bool) (*Set, error) {
	files, err := filepath.Glob(glob)
	if err != nil {
		return nil, &config.Error{File: glob, Message: "is not a file pattern; an example is rules.d/*.yaml"}
	}
	slices.Sort(files)
	set := &Set{Files: files}
	r := reader{known: known, names: map[string]string{}}
	var faults []error
	var sums [][]byte
	for _, path := range files {
		var f file
		src, err := config.DecodeFile(path, &f)
		if err == nil {
			var more []*Rule
			more, err = r.rules(src, f)
			set.Rules = append(set.Rules, more...)
			set.Secrets = append(set.Secrets, src.SecretFiles()...)
			sums = append(sums, src.Sum())
			if err == nil && len(more) == 0 {
				set.Empty = append(set.Empty, path)
			}
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	set.Digest = digestOf(sums)
	return set, nil
}

// digestOf is of files with these sums.
func digestOf(sums [][]byte) string {
	slices.SortFunc(sums, bytes.Compare)
	sum := sha256.Sum256(bytes.Join(sums, nil))
	return hex.EncodeToString(sum[:16])
}

// Parse reads one rule file from memory, as Read does; path names it in errors.
func Parse(path string, data []byte, known func(site string) bool) ([]*Rule, error) {
	var f file
	src, err := config.Decode(path, data, &f)
	if err != nil {
		return nil, err
	}
	r := reader{known: known, names: map[string]string{}}
	return r.rules(src, f)
}

// reader checks the entries of rule files and makes rules of them.
type reader struct {
	known func(site string) bool
	names map[string]string // where each name was first given
}

// rules makes the rules of a file.
func (r *reader) rules(src *config.Source, f file) ([]*Rule, error) {
	rules := make([]*Rule, 0, len(f.Rules))
	for i, e := range f.Rules {
		c := check{src: src, key: "rules[" + strconv.Itoa(i) + "]"}
		address, _ := weburl.Normalize(e.URL) // endpoint says what is wrong
		rule := &Rule{
			Name:     e.Name,
			Disabled: c.has("enabled") && !e.Enabled,
			Sites:    setOf(e.Sites),
			Place:    src.Place(c.key),
			Endpoint: Endpoint{
				URL: address, WebhookID: e.ID, Secret: e.Secret, SigningSecret: e.SigningSecret, OrderGroup: e.OrderGroup,
			},
		}
		r.name(c, rule)
		c.filters(e, rule)
		r.sites(c, e.Sites)
		c.endpoint(e)
		c.headers(e, &rule.Endpoint)
		c.shape(e, rule)
		c.secrets(e)
		rules = append(rules, rule)
	}
	if err := src.Err(); err != nil {
		return nil, err
	}
	return rules, nil
}

func (r *reader) name(c check, rule *Rule) {
	first, twice := r.names[rule.Name]
	switch {
	case !c.has("name"):
		c.faultf("name", "is missing; give the rule a name of its own, for example crm-bookings")
	case !ruleName.MatchString(rule.Name):
		c.faultf("name", "%s is no name; write 1 to 100 letters, digits, '.', '_' or '-', the first a letter or digit", c.quote("name"))
	case twice:
		c.faultf("name", "%s is the name of the rule at %s too; give each rule its own", c.quote("name"), first)
	default:
		r.names[rule.Name] = rule.Place
	}
}

func (r *reader) sites(c check, sites []string) {
	for i, site := range sites {
		if r.known != nil && !r.known(site) {
			key := fmt.Sprintf("sites[%d]", i)
			c.faultf(key, "%s is no site of the configuration; add it to the sites there, or correct the name", c.quote(key))
		}
	}
}

// check is one entry under check.
type check struct {
	src *config.Source
	key string // rules[2]
}

func (c check) has(key string) bool     { return c.src.Has(c.key + "." + key) }
func (c check) quote(key string) string { return c.src.Quote(c.key + "." + key) }

func (c check) faultf(key, format string, args ...any) {
	c.src.Faultf(c.key+"."+key, format, args...)
}

// filters checks what the rule wants and fills it in.
func (c check) filters(e entry, rule *Rule) {
	if !c.has("action") {
		c.faultf("action", "is missing; write for example appointment.save")
		return
	}
	if e.Action == customAction {
		c.custom(e, rule)
		return
	}
	var err error
	if rule.Action, err = c.action(e); err != nil {
		c.faultf("action", "%v", err)
		return
	}
	for _, key := range []string{"table", "key", "on"} {
		if c.has(key) {
			c.faultf(key, "is for action: custom only, and this is %s; remove it", rule.Action)
		}
	}
	types := []Type{Both, InsertOnly, UpdateOnly}
	if i := slices.IndexFunc(types, func(t Type) bool { return t.String() == e.Type }); i >= 0 {
		rule.Type = types[i]
	} else if c.has("type") {
		c.faultf("type", "%s is not known; write insert, update or both", c.quote("type"))
	}
	if c.has("type") && rule.Action.Kind != Save {
		c.faultf("type", "is for saves only, and this is %s; remove it", rule.Action)
	}
	if c.has("sites") && siteless(rule.Action.String()) {
		c.faultf("sites", "is for events of a site, and %s is of none; remove it", rule.Action)
	}
	if rule.Slack = e.Format == formatSlack; rule.Slack && !rule.Tells() {
		c.faultf("format", "slack is for what befalls rowhook itself, action: rowhook.*, and this is %s; remove it", rule.Action)
	}
	if c.has("statuses") && !rule.Action.HasStatuses() {
		c.faultf("statuses", "is for appointment.save and status changes only, and this is %s; remove it", rule.Action)
	}
	rule.Statuses = setOf(e.Statuses)
	for i, s := range e.Statuses {
		if !statusCode.MatchString(s) {
			key := fmt.Sprintf("statuses[%d]", i)
			c.faultf(key, "%s is no status code; write 1 to 16 letters, digits or _, for example C", c.quote(key))
		}
	}
	rule.Load = c.load(e.Load, rule.Action)
}

// load is how much to load for an action, basic when the rule does not say.
func (c check) load(name string, a Action) Load {
	loads := []Load{Basic, Full, Extended}
	i := slices.IndexFunc(loads, func(l Load) bool { return l.String() == name })
	switch {
	case a.Kind == Delete || a.Kind == Restored || a.Kind == Told || a.Kind == Publish || a.Kind == Fired:
		if c.has("load") {
			c.faultf("load", "is for saves and status changes only, and this is %s; remove it", a)
		}
		return 0
	case !c.has("load"):
		return Basic
	case i < 0:
		c.faultf("load", "%s is not known; write basic, full or extended", c.quote("load"))
		return 0
	case !slices.Contains(a.Entity.Loads, loads[i]):
		c.faultf("load", "%s does not exist for %s; write basic or full", name, a)
	}
	return loads[i]
}

func (c check) endpoint(e entry) {
	if !c.has("url") || e.URL == "" {
		c.faultf("url", "is missing; write where to post, for example https://crm.example.com/hooks/vik")
	} else if _, err := weburl.Normalize(e.URL); err != nil {
		c.faultf("url", "%q %v", weburl.Short(c.src.Raw(c.key+".url")), err) // as written, not what that expands to
	}
	for i, s := range e.SigningSecret {
		key := "signing_secret"
		if c.has(key + "[0]") {
			key = fmt.Sprintf("signing_secret[%d]", i)
		}
		encoded, ok := strings.CutPrefix(s, "whsec_")
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(raw) < 24 || len(raw) > 64 {
			c.faultf(key, "is no Standard Webhooks key; write whsec_ and the base64 of 24 to 64 random bytes (openssl rand -base64 32)")
		}
	}
	if e.ID < 0 {
		c.faultf("id", "must not be negative; write the id that receivers expect in X-VAP-WEBHOOK-ID, or remove it")
	}
	if c.has("order_group") && !ruleName.MatchString(e.OrderGroup) {
		c.faultf("order_group", "%s is no name; write 1 to 100 letters, digits, '.', '_' or '-'", c.quote("order_group"))
	}
}

// secrets tells the source which values of the entry are secret.
func (c check) secrets(e entry) {
	c.src.Secret(c.key + ".secret")
	c.src.Secret(c.key + ".signing_secret")
	for i := range e.SigningSecret {
		c.src.Secret(fmt.Sprintf("%s.signing_secret[%d]", c.key, i))
	}
	for _, h := range e.Headers {
		c.src.Secret(h.Path)
	}
	if weburl.HasToken(c.src.Literal(c.key + ".url")) {
		c.src.Secret(c.key + ".url")
	}
}

func setOf(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}
