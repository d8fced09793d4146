package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rowhook/config"
	"rowhook/setup"
	"rowhook/wordpress/wpconfig"
)

// initOrder is the command line of `rowhook init`.
type initOrder struct {
	wanted               installList
	apply, asJSON        bool
	authority            string
	admin, adminPassword string
}

// initCommand is `rowhook init`: it makes all that rowhook needs for the WordPress installs that it is shown.
func (t *tree) initCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "init", Short: "make a configuration for the WordPress on this machine",
		Long: "Writes a configuration for WordPress installs, from their wp-config.php, and shows what the database server needs. It\n" +
			"may be typed again, and changes no file that is there.",
		Example: "  rowhook init --wordpress /var/www/html\n  rowhook init --wordpress /var/www/salon --wordpress /var/www/spa --apply",
	}
	var o initOrder
	c.Flags().Func("wordpress", "the `FOLDER` of a WordPress, or its wp-config.php; may be repeated", o.wanted.add)
	c.Flags().Func("value", "a setting that wp-config.php does not tell without PHP, `NAME=VALUE`, for the --wordpress before it, or for all: "+strings.Join(wpconfig.Names(), ", "), o.wanted.give)
	c.Flags().BoolVar(&o.apply, "apply", false, "make the database user and grant it what it needs, as an administrator of the server")
	c.Flags().StringVar(&o.admin, "admin", "root", "the `USER` that --apply logs in as")
	c.Flags().StringVar(&o.adminPassword, "admin-password-file", "", "the `FILE` with that user's password; default: none, as root has on the server's socket")
	c.Flags().StringVar(&o.authority, "ca-file", "", "the `FILE` of the authority that signed the certificate of a server that wants TLS")
	c.Flags().BoolVar(&o.asJSON, "json", false, "write JSON, for programs")
	t.complete(c, "wordpress", folders)
	return prints(c, 0, 0, func(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
		return t.init(ctx, &o, stdout, stderr)
	})
}

func (t *tree) init(ctx context.Context, o *initOrder, stdout, stderr io.Writer) error {
	if len(o.wanted.installs) == 0 {
		return &usageError{"init needs to know where WordPress is", "try: rowhook init --wordpress /var/www/html"}
	}
	installs, err := o.wanted.read(stderr)
	if err != nil {
		return err
	}
	if o.authority != "" { // the configuration lies elsewhere
		if o.authority, err = filepath.Abs(o.authority); err != nil {
			return fmt.Errorf("looking for the authority's file: %w", err)
		}
	}
	server, err := setup.Look(ctx, installs, o.authority)
	if err != nil {
		return err
	}
	if len(server.Sites) == 0 {
		return noSites(installs)
	}
	work := &initWork{file: t.config, server: server, installs: installs}
	if err := work.prepare(ctx); err != nil {
		return err
	}
	if o.apply {
		a := setup.Account{User: o.admin}
		if o.adminPassword != "" {
			text, err := os.ReadFile(o.adminPassword)
			if err != nil {
				return fmt.Errorf("reading the administrator's password: %w", err)
			}
			a.Password = strings.TrimRight(string(text), "\r\n")
		}
		if err := server.Apply(ctx, a, work.account); err != nil {
			return err
		}
		work.applied = true
	}
	if o.asJSON {
		return writeJSON(stdout, work.report())
	}
	return work.tell(stdout)
}

// noSites is why there is nothing to follow.
func noSites(installs []*wpconfig.Config) error {
	var where []string
	for _, c := range installs {
		where = append(where, fmt.Sprintf("schema %s with the prefix %s, for %s", c.Name, c.Prefix, c.File))
	}
	return fmt.Errorf("the plugin has no tables in %s; activate VikAppointments there first, or correct with --value what was misread", strings.Join(where, ", nor in "))
}

// initWork is what init found and did.
type initWork struct {
	file     string // the configuration
	server   *setup.Server
	installs []*wpconfig.Config
	account  setup.Account
	files    []setup.File
	written  map[string]bool // of files
	missing  []setup.Site    // in a configuration that is there
	imported imported
	left     []leftWebhooks
	faulty   error // why a configuration that is there cannot be read
	applied  bool
}

// prepare writes what is not there yet.
func (w *initWork) prepare(ctx context.Context) error {
	credential := setup.CredentialFile(w.file)
	w.account = setup.Account{User: "rowhook", Password: setup.NewPassword()}
	if text, err := os.ReadFile(credential); err == nil {
		w.account.Password = strings.TrimRight(string(text), "\r\n")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the password of an earlier init: %w", err)
	}
	pattern := filepath.Join(filepath.Dir(w.file), "rules.d", "*.yaml")
	var added []setup.Site // that no configuration had
	c, err := config.Load(w.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		added = w.server.Sites
		w.files = append(w.files, setup.File{Path: credential, Text: w.account.Password + "\n", Secret: true})
	case err != nil:
		w.faulty = err
	default:
		w.account, pattern = setup.Account{User: c.Database.User, Password: c.Database.Password}, c.Rules
		if c.Discover {
			break // it finds them
		}
		w.missing = slices.DeleteFunc(slices.Clone(w.server.Sites), func(s setup.Site) bool {
			return slices.ContainsFunc(c.Sites, func(o config.Site) bool { return o.Schema == s.Schema && o.Prefix == s.Prefix })
		})
		added = w.missing
	}
	w.files = append(w.files, setup.File{Path: w.file, Text: w.server.ConfigText(w.account)})
	if rules, err := filepath.Glob(pattern); err == nil && len(rules) > 0 {
		for _, path := range rules {
			w.files = append(w.files, setup.File{Path: path})
		}
		w.leave(ctx, pattern, added)
	} else if err := w.rules(ctx, filepath.Dir(pattern)); err != nil {
		return err
	}
	w.written, err = setup.Write(w.files, setup.ServiceOwner())
	return err
}

// rules makes the first rule file of the plugin's webhooks, or an example where it has none.
func (w *initWork) rules(ctx context.Context, dir string) error {
	var found []siteWebhooks
	for _, site := range w.server.Sites {
		hooks, err := webhooksOf(ctx, site)
		if err != nil {
			return err
		}
		if len(hooks) > 0 {
			found = append(found, siteWebhooks{site.Name, hooks})
		}
	}
	if len(found) == 0 {
		w.files = append(w.files, setup.File{Path: filepath.Join(dir, "first.yaml"), Text: setup.FirstRule})
		return nil
	}
	var err error
	if w.imported, err = ruleFile(found); err != nil {
		return fmt.Errorf("making rules of the plugin's webhooks: %w", err)
	}
	w.files = append(w.files, setup.File{Path: filepath.Join(dir, "imported.yaml"), Text: string(w.imported.text)})
	return nil
}

// webhooksOf reads the plugin's webhooks of a site.
func webhooksOf(ctx context.Context, site setup.Site) ([]webhook, error) {
	db := site.Pool()
	defer db.Close()
	hooks, err := readWebhooks(ctx, db, config.Site{Name: site.Name, Schema: site.Schema, Prefix: site.Prefix, DBCharset: site.Charset})
	if err != nil {
		return nil, fmt.Errorf("reading the webhooks of site %s: %w", site.Name, err)
	}
	return hooks, nil
}

// leftWebhooks are those of a site of which no rule is made.
type leftWebhooks struct {
	Site      string `json:"site"`
	Webhooks  int    `json:"webhooks"`
	Published int    `json:"published"`
	Unread    string `json:"unread,omitempty"` // why they cannot be read
	Import    string `json:"import"`           // the command that makes rules of them
}

// leave finds the webhooks of sites that come to rules which are there. Rules of them are not written: until the sites stand in the
// configuration, no rule may name them, and a person may have written some already.
func (w *initWork) leave(ctx context.Context, pattern string, added []setup.Site) {
	for _, site := range added {
		hooks, err := webhooksOf(ctx, site)
		left := leftWebhooks{Site: site.Name, Webhooks: len(hooks), Import: "rowhook import" + w.with() + " --site " + site.Name}
		for _, h := range hooks {
			if h.Published {
				left.Published++
			}
		}
		if err != nil { // the site may be in the making, and the files are there
			left.Unread = err.Error()
		} else if len(hooks) == 0 {
			continue
		}
		file := filepath.Join(filepath.Dir(pattern), "imported-"+site.Name+".yaml")
		if read, err := filepath.Match(pattern, file); err == nil && read {
			left.Import += " > " + file
		}
		w.left = append(w.left, left)
	}
}
