package config

import (
	"cmp"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/weburl"
)

var (
	siteName    = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
	tablePrefix = regexp.MustCompile(`^[A-Za-z0-9_]{1,30}$`) // a table's name has at most 64 characters
	orderGroup  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	hostName    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,253}$`)
)

// check records what is wrong with the values themselves, and gives sites their default prefix.
func (c *Config) check(src *Source) {
	c.Database.check(src)
	c.checkSites(src)
	if c.Rules == "" {
		src.Faultf("rules", "is empty; name the rule files, for example rules.d/*.yaml")
	} else if _, err := filepath.Match(c.Rules, ""); err != nil {
		src.Faultf("rules", "%s is not a file pattern; an example is rules.d/*.yaml", src.Quote("rules"))
	}
	if c.StateDir == "" {
		src.Faultf("state_dir", "is empty; name a folder that rowhook may write to")
	}
	c.Outbox.MySQL.check(src)
	for i, s := range c.Sites {
		if o := c.Outbox.MySQL; o.Used() && strings.EqualFold(s.Schema, o.Schema) {
			src.Faultf("outbox.mysql.schema", "is the database of sites[%d]; give rowhook one of its own", i)
		}
	}
	src.oneOf("fidelity", c.Fidelity, "documented", "plugin")
	src.oneOf("restore", c.Restore, "warn", "report")
	src.oneOf("numbers", c.Numbers, "plugin", "native")
	if c.Numbers == "native" {
		src.Faultf("numbers", "native is not supported by this version; write plugin")
	}
	if n := c.MaxPayload; n < 16<<10 || n > 64<<20 {
		src.Faultf("max_payload", "must be from 16KiB to 64MiB; receivers take 1 to 8 MB as PHP and nginx come")
	}
	src.within("coalesce", c.Coalesce, 0, time.Hour)
	src.within("coalesce_max", c.CoalesceMax, 0, time.Hour)
	if c.Coalesce > c.CoalesceMax {
		src.Faultf("coalesce", "is longer than coalesce_max, which is %v; make it shorter", c.CoalesceMax)
	}
	src.within("status_wait", c.StatusWait, 0, time.Hour)
	if n := c.Deliver.Concurrency; n < 1 || n > 1000 {
		src.Faultf("deliver.concurrency", "must be from 1 to 1000")
	}
	if c.Deliver.Only && !c.Outbox.MySQL.Used() {
		key := "deliver"
		if src.Has("deliver.only") {
			key = "deliver.only"
		}
		src.Faultf(key, "is for one of several machines that share an outbox, which another one reads the log for; write outbox: {mysql: {addresses: ...}}, or remove it")
	}
	src.within("deliver.timeout", c.Deliver.Timeout, time.Millisecond, time.Hour)
	src.within("deliver.max_age", c.Deliver.MaxAge, time.Second, 10*365*24*time.Hour)
	c.checkEndpoints(src)
	src.oneOf("egress", c.Egress, "private", "public")
	src.within("keep.age", c.Keep.Age, 0, 10*365*24*time.Hour)
	src.within("keep.dead", c.Keep.Dead, 0, 10*365*24*time.Hour)
	if n := c.Keep.Size; n != 0 && n < 1<<20 {
		src.Faultf("keep.size", "must be at least 1MiB, or 0 for no limit")
	}
	if c.Metrics.Listen != "" && !isListenAddress(c.Metrics.Listen) {
		src.Faultf("metrics.listen", "%s is no address to listen on; an example is 127.0.0.1:9484", src.Quote("metrics.listen"))
	}
	c.checkConsole(src)
	src.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	src.oneOf("log.format", c.Log.Format, "text", "json")
}

// isListenAddress says whether an address has a host, or none for all of this machine's, and a port.
func isListenAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func (c *Config) checkEndpoints(src *Source) {
	places := map[string]string{}
	for i, e := range c.Deliver.Endpoints {
		key := "deliver.endpoints[" + strconv.Itoa(i) + "]"
		origin := weburl.Origin(e.Endpoint)
		name := cmp.Or(origin, e.Endpoint)
		if origin == "" && !orderGroup.MatchString(name) {
			src.Faultf(key+".endpoint", "%s is no endpoint; write scheme and host of rules' urls, for example https://crm.example.com, or an order group",
				quote(weburl.Short(src.Raw(key+".endpoint"))))
		} else if first, twice := places[name]; twice {
			src.Faultf(key+".endpoint", "%s is at %s, too; give each endpoint one entry", quote(name), first)
		}
		places[name] = src.Place(key)
		if src.Has(key+".concurrency") && (e.Concurrency < 1 || e.Concurrency > 1000) {
			src.Faultf(key+".concurrency", "must be from 1 to 1000")
		}
	}
}

func (d Database) check(src *Source) {
	checkAddress(src, "database.address", d.Address)
	if d.User == "" {
		src.Faultf("database.user", "is empty; name the user that rowhook connects as")
	}
	network, _ := d.Dial()
	d.TLS.check(src, "database.tls", network)
}

func (c *Config) checkSites(src *Source) {
	if len(c.Sites) == 0 && !c.Discover {
		src.Faultf("sites", "is missing; list at least one site: {name: salon, schema: wordpress, prefix: wp_}, or write discover: true")
	}
	names, tables := map[string]string{}, map[string]string{}
	for i := range c.Sites {
		site, key := &c.Sites[i], "sites["+strconv.Itoa(i)+"]"
		if !src.Has(key + ".prefix") {
			site.Prefix = defaultPrefix
		}
		site.check(src, key)
		if first, twice := names[site.Name]; twice && site.Name != "" {
			src.Faultf(key+".name", "%s is the name of the site at %s too; give each site its own", quote(site.Name), first)
		}
		where := site.Schema + "." + site.Prefix
		if first, twice := tables[where]; twice && site.Schema != "" {
			src.Faultf(key, "has the schema and prefix of the site at %s; remove one of them", first)
		}
		names[site.Name], tables[where] = src.Place(key), src.Place(key)
	}
}

// IsPrefix says whether a text may be a site's table prefix.
func IsPrefix(text string) bool { return tablePrefix.MatchString(text) }

// Charsets are those that the connections of a site may be in, by the server's names.
func Charsets() []string {
	return []string{
		"utf8mb4", "utf8", "utf8mb3", "latin1", "ascii", "latin2", "latin5", "latin7", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866",
		"koi8r", "koi8u", "greek", "hebrew", "armscii8", "geostd8", "tis620", "macroman", "macce", "dec8", "hp8", "keybcs2",
		"big5", "gbk", "gb2312", "gb18030", "sjis", "cp932", "ujis", "eucjpms", "euckr",
	}
}

func (s *Site) check(src *Source, key string) {
	if !siteName.MatchString(s.Name) {
		src.Faultf(key+".name", "must be 1 to 64 characters of a-z, 0-9, _ and -")
	}
	if s.Schema == "" || len(s.Schema) > 64 || strings.ContainsAny(s.Schema, "`\x00") {
		src.Faultf(key+".schema", "must be the name of the site's database, DB_NAME in wp-config.php")
	}
	if !tablePrefix.MatchString(s.Prefix) {
		src.Faultf(key+".prefix", "must be the site's table prefix, $table_prefix in wp-config.php: 1 to 30 letters, digits and _")
	}
	if s.DBCharset != "" {
		src.oneOf(key+".db_charset", s.DBCharset, Charsets()...)
	}
	if s.Root != "" && !filepath.IsAbs(s.Root) {
		src.Faultf(key+".root", "must be an absolute path, the folder of wp-config.php")
	}
}

func (s *Source) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		last := len(allowed) - 1
		s.Faultf(key, "%s is not known; write %s or %s", s.Quote(key), strings.Join(allowed[:last], ", "), allowed[last])
	}
}

func (s *Source) within(key string, value, least, most time.Duration) {
	if value < least || value > most {
		s.Faultf(key, "must be from %v to %v", least, most)
	}
}
