package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"rowhook/dbtest"
)

// What stands indented on a page is typed, line by line, in a sandbox: the folders are a test's own, files are moved and packed by the
// programs that the pages name, and what only a whole machine has is played by scripts that know what they may be asked. tools/walk.sh
// types the pages of the quick start and of operations on such a machine.

// played are programs of a whole machine, as shell: $* is what is typed behind their names. They fail at what is nothing to be typed.
var played = map[string]string{
	"sudo":       `exec "$@"`,
	"systemctl":  `case "$*" in "start rowhook" | "stop rowhook" | "restart rowhook" | "reload rowhook" | "status rowhook" | "enable --now rowhook" | "disable --now rowhook") ;; *) exit 1 ;; esac`,
	"journalctl": `[ "$1 $2" = "-u rowhook" ] && echo 'msg="following the binlog" position="binlog.000007:4 gtid 0-1-9"'`,
	"apt":        `case "$1" in install) shift; [ "$1" != --allow-downgrades ] || shift; [ -f "$1" ] && [ $# = 1 ] ;; remove | purge) [ "$2" = rowhook ] ;; *) exit 1 ;; esac`,
	"ssh":        `[ "$1" = -L ] && [ $# = 3 ]`,
	"chown":      `[ "$1" != -R ] || shift; case "$1" in rowhook | rowhook:) test -e "$2" ;; *) exit 1 ;; esac`,
	"install":    `[ "$1 $2 $3 $4 $5" = "-d -o rowhook -g rowhook" ] && shift 5 && exec /usr/bin/install -d "$@"`,
	"curl":       `[ "$*" = http://127.0.0.1:9484/readyz ]`, // TestWithoutDatabase asks it
	"make":       `exec /usr/bin/make -s -n -C "$TREE" "$@" >/dev/null`,
	"aws":        `:`, // TestDocumentedHosting
	"gcloud":     `:`,
	"mariadb":    `[ "$1" != -u ] || shift 2; exec "$CLIENT" --socket="$SOCKET" --user=root wordpress "$@"`,
	// What writes files is done; of the others TestDocumentedCommandsRun does what they are for.
	"rowhook": `case "$1" in relay | import) exec "$BINARY" "$@" --config "$CONFIG" ;; *) exec "$BINARY" "$@" -h >/dev/null ;; esac`,
}

// notTyped are the beginnings of what is indented and is nothing to type, with who looks after it.
var notTyped = map[string]func(t *testing.T, text string){
	"scrape_configs:": func(t *testing.T, text string) { // make alerts asks Prometheus' own tool
		t.Helper()
		var of struct {
			Jobs []map[string]any `yaml:"scrape_configs"`
		}
		if err := yaml.Unmarshal([]byte(text), &of); err != nil || len(of.Jobs) != 1 {
			t.Errorf("%v\n%s", err, text)
		}
	},
	"it was written by a newer rowhook": func(t *testing.T, text string) { // what rowhook says
		t.Helper()
		said, err := os.ReadFile("../../messages/messages.txt")
		if begins, _, _ := strings.Cut(text, " (schema "); err != nil || !strings.Contains(string(said), begins) {
			t.Errorf("rowhook says nothing that begins with %q: %v", begins, err)
		}
	},
}

// indented are the blocks of a page that stand indented, without the fenced ones.
func indented(page []byte) (blocks []string) {
	text := regexp.MustCompile("(?ms)^ *```.*?^ *```").ReplaceAllString(string(page), "")
	for _, block := range regexp.MustCompile(`(?m)(?:^ {4,}\S.*\n)+`).FindAllString(text, -1) {
		depth := len(block) - len(strings.TrimLeft(block, " "))
		block = regexp.MustCompile(fmt.Sprintf("(?m)^ {0,%d}", depth)).ReplaceAllString(block, "")
		blocks = append(blocks, block)
	}
	return blocks
}

// playground makes folders as on a machine where rowhook runs, and returns how a line is typed there.
func playground(t *testing.T, binary string, server *dbtest.Server) func(block string) error {
	t.Helper()
	root := t.TempDir()
	bin := filepath.Join(root, "played")
	for _, dir := range []string{"played", "home/older", "etc/rowhook/credentials", "etc/rowhook/rules.d", "var/lib/rowhook", "var/www/html/wp-content/mu-plugins"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	home := filepath.Join(root, "home")
	rules := "rules:\n  - {name: cart, action: onAddItemCart, url: 'http://127.0.0.1:1/'}\n"
	files := map[string]string{
		"etc/rowhook/rules.d/mine.yaml": rules, "var/lib/rowhook/outbox.db": "x", "home/rowhook_0.1.0_amd64.deb": "", "home/older/rowhook_OLD_amd64.deb": "",
		"etc/rowhook/config.yaml": fmt.Sprintf("database: {address: %q, user: rowhook, password: secret}\nsites: [{name: salon, schema: wordpress, prefix: wp_}]\nrules: rules.d/*.yaml\nstate_dir: %s\n",
			server.Address(), filepath.Join(root, "state")),
	}
	for name, script := range played {
		files["played/"+name] = "#!/bin/sh\nset -eu\n" + script + "\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o755); err != nil { //nolint:gosec // programs
			t.Fatal(err)
		}
	}
	client, err := exec.LookPath("mariadb")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	here := regexp.MustCompile(`/(?:etc/rowhook|var/lib/rowhook|var/www/html)`)
	return func(block string) error {
		block = here.ReplaceAllStringFunc(block, func(path string) string { return root + path })
		block = strings.NewReplacer("-C / ", "-C "+root+" ", "./rowhook_OLD", "older/rowhook_OLD").Replace(block)
		for _, before := range []string{"cp -a var/lib/rowhook var/lib/rowhook.before", "tar -czf home/rowhook-backup.tar.gz etc/rowhook var/lib/rowhook"} {
			if out, err := typeIn(t, root, nil, before); err != nil {
				return fmt.Errorf("%s: %w: %s", before, err, out)
			}
		}
		out, err := typeIn(t, home, []string{
			"PATH=" + bin + ":" + os.Getenv("PATH"), "BINARY=" + binary, "CONFIG=" + filepath.Join(root, "etc/rowhook/config.yaml"), "SOCKET=" + server.Socket(), "CLIENT=" + client,
			"TREE=" + tree, "HOME=" + home,
		}, "set -euo pipefail\n"+block)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
}

func typeIn(t *testing.T, dir string, environment []string, script string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "bash", "-c", script)
	c.Dir, c.Env = dir, append(os.Environ(), environment...)
	out, err := c.CombinedOutput()
	return string(out), err
}

// TestDocumentedShell: what is indented on a page can be typed as it stands there.
func TestDocumentedShell(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	server.Exec(t, "CREATE USER rowhook@localhost IDENTIFIED BY 'x'")
	server.Exec(t, "INSERT INTO wordpress.wp_vikappointments_webhook (name, hook, url, secret, published, params, logkey) VALUES ('crm', 'onAfterSaveReservation', 'http://127.0.0.1:1/', 'x', 1, '[]', '')")
	binary := build(t)
	typed, programs := 0, map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(documents(t))) {
		for i, block := range indented(documents(t)[file]) {
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(file), i), func(t *testing.T) {
				for begins, look := range notTyped {
					if strings.HasPrefix(block, begins) {
						look(t, block)
						return
					}
				}
				typed++
				for _, m := range regexp.MustCompile(`(?m)(?:^|\| |; )(?:sudo )?([a-z]+)`).FindAllStringSubmatch(regexp.MustCompile(`(?m) #.*$|'[^']*'|"[^"]*"`).ReplaceAllString(block, ""), -1) {
					programs[m[1]] = true
				}
				if err := playground(t, binary, server)(block); err != nil {
					t.Errorf("%v\n%s", err, block)
				}
			})
		}
	}
	for name := range played {
		if !programs[name] && name != "sudo" {
			t.Errorf("no page types %s any more", name)
		}
	}
	if typed < 40 {
		t.Errorf("only %d blocks are found", typed)
	}
}

// TestDocumentedShellFails: a line that does nothing to be typed is found.
func TestDocumentedShellFails(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	binary := build(t)
	for _, block := range []string{
		"systemctl begin rowhook\n", "cp -a /var/lib/rowhok /var/lib/rowhook.before\n", "rowhook deliveries lst\n", "rowhook status --jsn\n", "make no-such-target\n",
		"apt install ./rowhook_NEW_amd64.deb\n", "chown nobody /etc/rowhook/rules.d/mine.yaml\n", "mariadb -e 'DROP USR x'\n", "no-such-program\n", "echo 'open\n", "rowhook relay --sqll | mariadb\n",
	} {
		if playground(t, binary, server)(block) == nil {
			t.Errorf("nothing is wrong with %s", block)
		}
	}
}
