// Package wpconfig reads WordPress' wp-config.php, and never executes it. It follows what such files are made of: constants,
// variables, conditions, includes. A value that depends on anything else is not guessed but named, with its line.
package wpconfig

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Settings that are read, by the names of their constants. TablePrefix is a variable of PHP, without its dollar.
const (
	Name        = "DB_NAME"
	User        = "DB_USER"
	Password    = "DB_PASSWORD"
	Host        = "DB_HOST"
	Charset     = "DB_CHARSET"
	TablePrefix = "table_prefix"
	WebHost     = "HTTP_HOST" // no setting: the site's host name, on which some files make their settings depend
)

// Names are those of all that can be given instead of being read.
func Names() []string { return []string{Name, User, Password, Host, Charset, TablePrefix, WebHost} }

// Options is what the file does not say.
type Options struct {
	Env   func(string) (string, bool) // the environment; nil: that of this process
	Host  string                      // the site's host name, where files depend on it
	Given map[string]string           // settings that a person gave, which count instead of the file's
}

// Config is what a wp-config.php says.
type Config struct {
	File     string // that was read
	Root     string // WordPress' folder
	Name     string // of the database
	User     string
	Password string
	Host     string   // DB_HOST, in any of its forms
	Charset  string   // DB_CHARSET, empty when there is none
	Prefix   string   // of the tables
	TLS      bool     // WordPress itself logs in by TLS: MYSQL_CLIENT_FLAGS
	Notes    []string // what a person should know about how a value was found
}

// UnknownError is an error: settings that cannot be known without PHP.
type UnknownError struct {
	Settings []string // by their names
	Doubts   []Doubt  // one for each: where it is decided
}

func (u *UnknownError) Error() string {
	var lines []string
	for i, d := range u.Doubts {
		if slices.Index(u.Doubts, d) < i {
			continue // said with the first
		}
		names := slices.DeleteFunc(slices.Clone(u.Settings), func(name string) bool { return u.Doubts[slices.Index(u.Settings, name)] != d })
		lines = append(lines, fmt.Sprintf("%s (for %s)", d, strings.Join(names, ", ")))
	}
	return strings.Join(lines, "\n")
}

// Asks are the names of what a person must give to go on.
func (u *UnknownError) Asks() []string {
	var names []string
	for i, d := range u.Doubts {
		if name := cmp.Or(d.Ask, u.Settings[i]); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Read reads the wp-config.php of a WordPress, whose folder or file path names. As WordPress does, it looks in the folder above
// when there is none. The error is an *UnknownError when settings take PHP to know.
func Read(path string, o Options) (*Config, error) {
	root, file, err := locate(path)
	if err != nil {
		return nil, err
	}
	source, err := readFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if host := o.Given[WebHost]; host != "" {
		o.Host = host
	}
	r := &runner{options: o, root: root, state: newState(), file: file, functions: map[string]bool{}}
	r.state.constants["ABSPATH"] = root + "/" // wp-load.php defines it before
	r.source(source)
	for _, at := range r.returned {
		r.reached = append(r.reached, at.state)
	}
	for _, s := range r.reached {
		r.state = join(r.state, s, Doubt{File: file, What: "whether PHP reads all of it depends on what only PHP knows"})
	}
	return r.config(root, file)
}

// locate finds WordPress' folder and its wp-config.php.
func locate(path string) (root, file string, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return "", "", fmt.Errorf("looking for wp-config.php: %w", err)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("looking for wp-config.php: %w", err)
	case !info.IsDir():
		root, err = rootOf(path)
		return root, path, err
	}
	above := filepath.Dir(path)
	for _, dir := range []string{path, above} {
		if dir == above && isWordPress(above) {
			break // that file is another WordPress' own
		}
		file = filepath.Join(dir, "wp-config.php")
		if _, err := os.Stat(file); err == nil {
			return path, file, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("looking for wp-config.php: %w", err)
		}
	}
	return "", "", fmt.Errorf("there is no wp-config.php in %s or above it; name the folder of WordPress", path)
}

// isWordPress says whether WordPress stands in a folder, as it looks for that itself.
func isWordPress(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "wp-settings.php"))
	return err == nil
}

// rootOf is WordPress' folder for its file: where that lies, or the one folder beside it where WordPress stands.
func rootOf(file string) (string, error) {
	dir := filepath.Dir(file)
	if isWordPress(dir) {
		return dir, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("looking for the WordPress of %s: %w", file, err)
	}
	var found []string
	for _, e := range entries {
		// One that has a file of its own does not read this one.
		if at := filepath.Join(dir, e.Name()); isWordPress(at) && !exists(filepath.Join(at, "wp-config.php")) {
			found = append(found, at)
		}
	}
	switch len(found) {
	case 0:
		return dir, nil // WordPress stands elsewhere
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%s is for several WordPress: %s; name the folder of one", file, strings.Join(found, ", "))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// config takes the settings out of what was followed.
func (r *runner) config(root, file string) (*Config, error) {
	c := &Config{File: file, Root: root, Notes: r.notes}
	missing := &UnknownError{}
	for _, want := range []struct {
		name     string
		into     *string
		optional bool
	}{{Name, &c.Name, false}, {User, &c.User, false}, {Password, &c.Password, false}, {Host, &c.Host, false}, {Charset, &c.Charset, true}, {TablePrefix, &c.Prefix, false}} {
		if given, is := r.options.Given[want.name]; is {
			*want.into = given
			continue
		}
		text, why := r.setting(want.name, want.optional)
		if why != nil {
			missing.Settings, missing.Doubts = append(missing.Settings, want.name), append(missing.Doubts, *why)
			continue
		}
		*want.into = text
	}
	if len(missing.Settings) > 0 {
		return nil, missing
	}
	c.TLS = r.wantsTLS()
	c.Notes = r.notes
	return c, nil
}

// flags are the constant of wp-config.php that WordPress hands to mysqli_real_connect.
const flags = "MYSQL_CLIENT_FLAGS"

// clientSSL is the flag among them that asks for TLS.
const clientSSL = 2048

// clientFlags are PHP's names of them, as mysqli has them.
var clientFlags = map[string]int64{
	"MYSQLI_CLIENT_FOUND_ROWS": 2, "MYSQLI_CLIENT_COMPRESS": 32, "MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT": 64, "MYSQLI_CLIENT_IGNORE_SPACE": 256,
	"MYSQLI_CLIENT_INTERACTIVE": 1024, "MYSQLI_CLIENT_SSL": clientSSL, "MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT": 1 << 30,
}

// wantsTLS says whether WordPress asks its server for TLS. Where only PHP knows, a person is told.
func (r *runner) wantsTLS() bool {
	v, there := r.state.constants[flags]
	if u, is := v.(unknown); is {
		u.why.What = flags + " is not known, and so whether WordPress asks for TLS: " + u.why.What
		r.note(u.why)
		return false
	}
	n, ok := toInt(v)
	return there && ok && n&clientSSL != 0
}

// setting is the value of a constant, or of the prefix.
func (r *runner) setting(name string, optional bool) (text string, why *Doubt) {
	v, there := r.state.constants[name]
	if name == TablePrefix {
		v, there = r.state.variables[name]
	}
	if r.tired(0) {
		return "", &Doubt{File: r.file, What: "is too much PHP to read"}
	}
	switch v := v.(type) {
	case unknown:
		return "", &v.why
	case string:
		if v != "" || name == Password || name == Host || optional {
			return v, nil
		}
		return "", &Doubt{File: r.file, What: name + " is empty"}
	case int64:
		text, _ := toText(v)
		return text, nil
	}
	switch {
	case there:
		return "", &Doubt{File: r.file, What: name + " is given no text" + r.noted()}
	case r.state.cloud != nil && !optional:
		return "", r.state.cloud
	case optional:
		return "", nil
	case r.state.ended:
		return "", &Doubt{File: r.file, What: "ends PHP before WordPress begins, as far as can be known here"}
	}
	return "", &Doubt{File: r.file, What: name + " is not defined in it" + r.noted()}
}

// noted is the notes behind another text: what was not there may be why.
func (r *runner) noted() string { return strings.Join(append([]string{""}, r.notes...), "; ") }

// note keeps what a person should know, once.
func (r *runner) note(d Doubt) {
	if text := d.String(); len(r.notes) < 20 && !slices.Contains(r.notes, text) {
		r.notes = append(r.notes, text)
	}
}
