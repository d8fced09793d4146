package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"rowhook/config"
)

// File is one that init writes, unless it is there.
type File struct {
	Path   string
	Text   string
	Secret bool // for root alone where the service has a user of its own: systemd hands it over
}

// serviceUser is whom the packages make for the service.
const serviceUser = "rowhook"

// Owner is who files are for: the service's user, where the one who writes is root and there is such a user.
type Owner struct{ UID, GID int }

// ServiceOwner finds the service's user. Who is not root writes files of his own.
func ServiceOwner() Owner {
	self := Owner{os.Geteuid(), os.Getegid()}
	if self.UID != 0 {
		return self
	}
	u, err := user.Lookup(serviceUser)
	if err != nil {
		return self
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return self
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return self
	}
	return Owner{uid, gid}
}

// Write writes files that are not there, which nobody but their owner may read, and says which those are. What is there stays
// as it is: a person may have edited it.
func Write(files []File, owner Owner) (written map[string]bool, err error) {
	written = map[string]bool{}
	for _, f := range files {
		if err := folder(filepath.Dir(f.Path), owner); err != nil {
			return written, err
		}
		uid, gid := owner.UID, owner.GID
		if f.Secret {
			uid, gid = os.Geteuid(), os.Getegid()
		}
		err := create(f, uid, gid)
		switch {
		case errors.Is(err, fs.ErrExist):
		case err != nil:
			return written, fmt.Errorf("writing %s: %w", f.Path, err)
		default:
			written[f.Path] = true
		}
	}
	return written, nil
}

// folder makes a folder, and those above it, which the owner may look into but not change.
func folder(dir string, owner Owner) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := folder(filepath.Dir(dir), owner); err != nil {
		return err
	}
	const ours = 0o750
	if err := os.Mkdir(dir, ours); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the folder: %w", err)
	}
	if err := os.Chown(dir, os.Geteuid(), owner.GID); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	return nil
}

// create writes a new file whole, or not at all.
func create(f File, uid, gid int) (err error) {
	const private = 0o600
	file, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, private)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(f.Path))
		}
	}()
	if _, err := file.WriteString(f.Text); err != nil {
		return err
	}
	if err := file.Chown(uid, gid); err != nil {
		return err
	}
	return file.Sync()
}

// CredentialFile is where the password of the database's user is, beside a configuration.
func CredentialFile(config string) string {
	return filepath.Join(filepath.Dir(config), "credentials", "database")
}

// ConfigText is a configuration for the sites.
func (s *Server) ConfigText(a Account) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# The configuration of rowhook, written by rowhook init; yours to edit: init never changes a file that is there.
# config.example.yaml, in the documentation, has every option with its default.

database:
  address: %s
  user: %s
  password: ${credential:database}   # the file credentials/database beside this one; systemd hands it to the service
%s
# A site's name is part of every delivery's id and sent as X-Rowhook-Site. Choose it now: another name later makes another site.
sites:
`, scalar(s.Address), scalar(a.User), s.tlsLine())
	b.WriteString(SiteLines(s.Sites))
	b.WriteString(`
rules: rules.d/*.yaml         # which events go where
state_dir: /var/lib/rowhook   # what waits, what was delivered, and where to go on in the log
metrics: {listen: 127.0.0.1:9484}   # /metrics, /healthz and /readyz, for programs on this machine
console: {listen: 127.0.0.1:8484}   # the web page; rowhook console login prints how to get in

# documented reports every change of a booking, whoever made it. plugin reports only what the plugin's own webhooks would have
# posted, with their quirks: for receivers that the plugin posted to until now.
fidelity: documented
`)
	return b.String()
}

// tlsLine is how the configuration says that logging in takes TLS; empty when it does not.
func (s *Server) tlsLine() string {
	switch {
	case isSocket(s.Address) || s.TLS.Mode == "":
		return ""
	case s.TLS.CAFile == "":
		return "  tls: true\n"
	case s.TLS.Mode == config.VerifyCA:
		return "  tls: {mode: verify-ca, ca_file: " + scalar(s.TLS.CAFile) + "}   # the certificate is not for the server's address\n"
	}
	return "  tls: {ca_file: " + scalar(s.TLS.CAFile) + "}\n"
}

// SiteLines are entries of the configuration's list of sites.
func SiteLines(sites []Site) string {
	var b strings.Builder
	for _, site := range sites {
		fmt.Fprintf(&b, "  - name: %s\n    schema: %s\n    prefix: %s\n    root: %s\n", scalar(site.Name), scalar(site.Schema), scalar(site.Prefix), scalar(site.Root))
		if site.Charset != "" {
			fmt.Fprintf(&b, "    db_charset: %s   # DB_CHARSET of wp-config.php\n", scalar(site.Charset))
		}
	}
	return b.String()
}

// plain is a text that YAML takes for a text without quotes.
var plain = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./-]*$`)

// scalar is a text as a value of YAML that expands to itself.
func scalar(text string) string {
	switch strings.ToLower(text) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
	default:
		if plain.MatchString(text) {
			return text
		}
	}
	return strings.ReplaceAll(strconv.Quote(text), "$", "$$")
}

// FirstRule is a rule file for who has none: a rule that is off, to be edited.
const FirstRule = `# The first rule, written by rowhook init because the plugin has no webhooks yet. Set its url, and enabled to true.
# rules.example, in the documentation, has one file for each action.
rules:
  - name: bookings
    enabled: false
    action: appointment.save   # every appointment that is made or changed, whoever did it
    load: full                 # the whole row
    url: https://example.com/hook
`
