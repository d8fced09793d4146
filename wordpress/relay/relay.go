// Package relay makes the optional file for WordPress that tells rowhook of hooks that leave no row in the database, and the
// table that it writes to; and it asks whether they are there.
//
// The file writes a row for each call of a hook, in the site's own connection and so in its transaction. The table keeps
// nothing where the server has the engine BLACKHOLE: the rows are in the binary log all the same. rowhook reads them there.
package relay

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Name is what the relay's table is called behind a site's prefix, and the site's option that says what is relayed.
const Name = "rowhook_relay"

// FileName is what the file is called in wp-content/mu-plugins.
const FileName = "rowhook-relay.php"

// Version is that of the file. One of another version is to be written again.
const Version = 2

//go:embed relay.php
var template string

// hooksMark is where the template has the hooks' names.
const hooksMark = "array( /* hooks */ )"

// name is what a hook may be called: it stands in PHP and in SQL as it is.
var name = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,120}$`)

// File is the PHP file that relays hooks, which are named as in WordPress, without the plugin's prefix: add_item_cart. Each is
// relayed under both its names. A name that is none is an error.
func File(hooks []string) (string, error) {
	var b strings.Builder
	b.WriteString("array(\n")
	for _, h := range hooks {
		if !name.MatchString(h) {
			return "", fmt.Errorf("%.80q cannot be the name of a hook in WordPress", h)
		}
		fmt.Fprintf(&b, "\t\t\t'%s',\n", h)
	}
	b.WriteString("\t\t)")
	return strings.Replace(template, hooksMark, b.String(), 1), nil
}

// Engines are the engines that the table may have. BLACKHOLE is the first choice; a server that does not have it takes its
// default, InnoDB.
func Engines() []string { return []string{"BLACKHOLE", "InnoDB"} }

// Table is the SQL that makes the table of a site, for any server. The site's user must be able to INSERT and DELETE there.
func Table(schema, prefix, engine string) string {
	return fmt.Sprintf(`SET @rowhook_mode = @@SESSION.sql_mode;
SET SESSION sql_mode = '';  -- a server without the engine takes InnoDB then
CREATE TABLE IF NOT EXISTS %s.%s (
  id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hook VARCHAR(120) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  args MEDIUMBLOB NOT NULL,
  omitted BLOB NOT NULL,
  created TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id)
) ENGINE=%s DEFAULT CHARSET=utf8mb4 COMMENT='calls of hooks, for rowhook';
SET SESSION sql_mode = @rowhook_mode;
`, quote(schema), quote(prefix+Name), engine)
}

// columns are those that the file writes.
func columns() []string { return []string{"id", "hook", "kind", "args", "omitted"} }

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// Relayed is what a file relays.
type Relayed struct {
	Version int
	Seen    string   // the day, in UTC, when a page was last made with it: 2026-11-29; empty when the file itself was read
	Hooks   []string // without the plugin's prefix
}

// Lacks are those of the wanted hooks that are not relayed.
func (r *Relayed) Lacks(wanted []string) (lacks []string) {
	for _, h := range wanted {
		if !slices.Contains(r.Hooks, h) {
			lacks = append(lacks, h)
		}
	}
	return lacks
}

// mostHooks bounds what is read of an option or a file that anybody may have written.
const mostHooks = 2000

// parseOption reads what the file says in the site's options.
func parseOption(value string) (*Relayed, bool) {
	r := &Relayed{}
	var list string
	if n, err := fmt.Sscanf(value, "%d %10s %s", &r.Version, &r.Seen, &list); n < 2 || err != nil && n != 2 {
		return nil, false
	}
	for h := range strings.SplitSeq(list, ",") {
		if name.MatchString(h) && len(r.Hooks) < mostHooks {
			r.Hooks = append(r.Hooks, h)
		}
	}
	return r, true
}

var (
	fileVersion = regexp.MustCompile(`(?m)^\s*const VERSION = (\d{1,6});`)
	fileHooks   = regexp.MustCompile(`(?m)^\s*const HOOKS = array\(((?:\s*'[A-Za-z0-9_.-]{1,120}',)*)\s*\);`)
	fileHook    = regexp.MustCompile(`'([^']+)'`)
)

// parseFile reads what a file relays.
func parseFile(text []byte) (*Relayed, bool) {
	version, list := fileVersion.FindSubmatch(text), fileHooks.FindSubmatch(text)
	if version == nil || list == nil {
		return nil, false
	}
	r := &Relayed{}
	_, _ = fmt.Sscan(string(version[1]), &r.Version) // digits
	for _, h := range fileHook.FindAllSubmatch(list[1], mostHooks) {
		r.Hooks = append(r.Hooks, string(h[1]))
	}
	return r, true
}
