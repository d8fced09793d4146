package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// installed is a WordPress folder on a server with its own database user; config is wp-config.php without the login.
func installed(t *testing.T, server *dbtest.Server, schema, prefix, more string) (root string) {
	t.Helper()
	root = t.TempDir()
	php := fmt.Sprintf("<?php\ndefine( 'DB_NAME', '%s' );\ndefine( 'DB_USER', 'wp_%[1]s' );\ndefine( 'DB_PASSWORD', 'it\\'s' );\ndefine( 'DB_HOST', 'localhost:%s' );\n"+
		"$table_prefix = '%s';\n%s\nrequire_once ABSPATH . 'wp-settings.php';\n", schema, server.Socket(), prefix, more)
	if err := os.WriteFile(filepath.Join(root, "wp-config.php"), []byte(php), 0o600); err != nil {
		t.Fatal(err)
	}
	server.CreateUser(t, "wp_"+schema, "it's", "ALL PRIVILEGES ON `"+strings.ReplaceAll(schema, "_", `\_`)+"`.*")
	return root
}

// initiated runs init and returns what it printed.
func initiated(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := command(t.Context(), append([]string{"init"}, args...), &out, io.Discard); err != nil {
		t.Fatalf("init %q: %v", args, err)
	}
	return out.String()
}

// TestInitToFirstWebhook is the way of a new user: init, check, run, a booking, its webhook.
func TestInitToFirstWebhook(t *testing.T) { onServers(t, testInitToFirstWebhook) }

func testInitToFirstWebhook(t *testing.T, server *dbtest.Server) {
	site := dbtest.Salon(t, server, "wp_shop", "wp_")
	server.Exec(t, "CREATE DATABASE wpxshop") // what wp_shop would grant, too, if its _ were any character
	root := installed(t, server, "wp_shop", "wp_", "")
	receiver := delivertest.NewReceiver(t)
	server.Exec(t, "INSERT INTO wp_shop.wp_vikappointments_webhook (name, hook, url, secret, published, params, logkey) VALUES ('crm', 'onAfterSaveReservation', ?, 'geheim', 1, '[]', '')", receiver.URL())
	file := filepath.Join(t.TempDir(), "rowhook", "config.yaml")
	said := initiated(t, "--config", file, "--wordpress", root, "--apply")
	for _, want := range []string{"prefix wp_", "can log in", "written  " + file, "rowhook check --config " + file, "rowhook run --config " + file} {
		if !strings.Contains(said, want) {
			t.Errorf("init does not say %q:\n%s", want, said)
		}
	}
	dir := filepath.Dir(file)
	for _, path := range []string{file, filepath.Join(dir, "credentials/database"), filepath.Join(dir, "rules.d/imported.yaml")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(said, c.Database.Password) || len(c.Database.Password) < 20 {
		t.Errorf("the password %q, and what is said:\n%s", c.Database.Password, said)
	}
	useStateIn(t, file)
	if err := command(t.Context(), []string{"check", "--config", file}, io.Discard, io.Discard); err != nil {
		t.Errorf("check after init: %v", err)
	}
	db, err := serverOf(c.Database).Pool().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "USE wpxshop"); err == nil {
		t.Error("the user may use another schema")
	}
	startDaemon(t, file)
	if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	ctx := patience(t)
	if got := receiver.WaitAccepted(ctx, 1); len(got) != 1 {
		t.Fatalf("%d webhooks", len(got))
	}
}

// useStateIn has a configuration that init wrote keep its state beside it, as a person might edit it.
func useStateIn(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("/var/lib/rowhook"), []byte("state"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestInitByHand: what is printed makes a server that wrote no log ready, and a second run changes nothing.
func TestInitByHand(t *testing.T) {
	t.Parallel()
	testInitByHand(t, dbtest.Start(t, "--skip-log-bin", "--binlog-format=MIXED"))
}

func testInitByHand(t *testing.T, server *dbtest.Server) {
	dbtest.Salon(t, server, "shop", "wp_")
	dbtest.Salon(t, server, "shop", "wp_2_")
	server.Exec(t, "CREATE TABLE shop.wp_old_vikappointments_reservation LIKE shop.wp_vikappointments_reservation") // another install's
	dbtest.Salon(t, server, "spa", "x1_")
	server.Exec(t, "UPDATE shop.wp_2_options SET option_value = 'https://Shop.example.com/zwei' WHERE option_name IN ('home', 'siteurl')")
	server.Exec(t, "INSERT INTO shop.wp_2_options (option_name, option_value) SELECT 'home', 'https://Shop.example.com/zwei' FROM dual WHERE NOT EXISTS (SELECT 1 FROM shop.wp_2_options WHERE option_name = 'home')")
	first := installed(t, server, "shop", "wp_", "define('MULTISITE', true);")
	second := installed(t, server, "spa", "x1_", "define('DB_CHARSET', 'latin1');")
	file := filepath.Join(t.TempDir(), "config.yaml")
	args := []string{"--config", file, "--wordpress", first, "--wordpress", second}
	said := initiated(t, args...)
	for _, want := range []string{"a restart is needed", "[mysqld]", "log_bin = mysql-bin", "binlog_format = ROW", "CREATE USER IF NOT EXISTS 'rowhook'@'localhost'"} {
		if !strings.Contains(said, want) {
			t.Errorf("init does not say %q:\n%s", want, said)
		}
	}
	for _, statement := range regexp.MustCompile(`(?m)^ +((?:CREATE|GRANT) .*);$`).FindAllStringSubmatch(said, -1) {
		server.Exec(t, statement[1])
	}
	lines := []string{"--log-bin=mysql-bin"}
	for _, line := range regexp.MustCompile(`(?m)^ +([a-z_]+) = (\S+)$`).FindAllStringSubmatch(said, -1) {
		lines = append(lines, "--"+line[1]+"="+line[2])
	}
	if err := server.Restart(t.Context(), lines...); err != nil {
		t.Fatal(err)
	}
	useStateIn(t, file)
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	prefixes := []string{}
	for _, s := range c.Sites {
		prefixes = append(prefixes, s.Schema+"."+s.Prefix+" "+s.DBCharset)
	}
	if want := []string{"shop.wp_ ", "shop.wp_2_ ", "spa.x1_ latin1"}; !slices.Equal(prefixes, want) || c.Sites[1].Name != "shop-example-com-zwei" {
		t.Errorf("sites %+v", c.Sites)
	}
	var checked bytes.Buffer
	if err := command(t.Context(), []string{"check", "--config", file}, &checked, io.Discard); err != nil {
		t.Errorf("check after init: %v\n%s", err, &checked)
	}
	testInitAgain(t, server, file, args)
}

// testInitAgain runs init on what an earlier one wrote, and a person edited.
func testInitAgain(t *testing.T, server *dbtest.Server, file string, args []string) {
	t.Helper()
	dir := filepath.Dir(file)
	before := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(paths) < 2 {
		t.Fatalf("files %q, %v", paths, err)
	}
	for _, path := range append(paths, file) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before[path] = string(text) + "# edited\n"
		if strings.Contains(path, "credentials") {
			before[path] = string(text)
		}
		if err := os.WriteFile(path, []byte(before[path]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server.Exec(t, "CREATE TABLE shop.wp_3_vikappointments_reservation LIKE shop.wp_vikappointments_reservation") // a new one of the network
	said := initiated(t, append(args, "--apply")...)
	for _, want := range []string{"no restart is needed", "kept     " + file, "prefix: wp_3_", "to be added under sites", "reading the webhooks of site shop-3"} {
		if !strings.Contains(said, want) {
			t.Errorf("init again does not say %q:\n%s", want, said)
		}
	}
	var asJSON initReport
	if err := json.Unmarshal([]byte(initiated(t, append(args, "--json")...)), &asJSON); err != nil || len(asJSON.Sites) != 4 || len(asJSON.Missing) != 1 ||
		asJSON.Missing[0].Prefix != "wp_3_" || asJSON.Restart || len(asJSON.Written) > 0 || !slices.Contains(asJSON.Kept, file) || asJSON.Next[0] != "rowhook check --config "+file {
		t.Errorf("init --json: %+v, %v", asJSON, err)
	}
	if strings.Contains(said, "written ") {
		t.Errorf("init again wrote something:\n%s", said)
	}
	for path, want := range before {
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("%s: changed to %q, %v", path, text, err)
		}
	}
}

// TestInitFurtherSites: rules are made of the webhooks of the sites that the first init is shown. Of those of further ones it says how many
// there are and what makes rules of them, which it does.
func TestInitFurtherSites(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	roots := map[string]string{}
	for _, schema := range []string{"first", "second", "third", "quiet"} {
		dbtest.Salon(t, server, schema, "wp_")
		roots[schema] = installed(t, server, schema, "wp_", "")
		server.Exec(t, "DELETE FROM "+schema+".wp_vikappointments_webhook")
	}
	webhook := func(schema, name string, published int) {
		server.Exec(t, "INSERT INTO "+schema+".wp_vikappointments_webhook (name, hook, url, secret, published, params, logkey) VALUES (?, 'onAfterSaveReservation', 'http://127.0.0.1:1/', '', ?, '[]', '')", name, published)
	}
	webhook("second", "crm", 1)
	webhook("second", "old", 0)
	webhook("third", "erp", 1)
	file := filepath.Join(t.TempDir(), "config.yaml")
	said := initiated(t, "--config", file, "--wordpress", roots["first"], "--apply")
	if strings.Contains(said, "no rules are made") {
		t.Errorf("the first init leaves webhooks:\n%s", said)
	}
	args := []string{"--config", file, "--wordpress", roots["first"], "--wordpress", roots["second"], "--wordpress", roots["third"], "--wordpress", roots["quiet"], "--apply"}
	said = initiated(t, args...)
	for _, want := range []string{"of site salon-example-test-2, for there are rules: 2 webhooks, published of them: 1.", "of site salon-example-test-3, for there are rules: 1 webhook, published of them: 1."} {
		if !strings.Contains(said, want) {
			t.Errorf("init does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "of site salon-example-test,") || strings.Contains(said, "of site salon-example-test-4") {
		t.Errorf("init names sites without webhooks:\n%s", said)
	}
	var asJSON initReport
	if err := json.Unmarshal([]byte(initiated(t, append(args, "--json")...)), &asJSON); err != nil || len(asJSON.Left) != 2 || asJSON.Left[0].Webhooks != 2 || asJSON.Left[0].Published != 1 {
		t.Fatalf("init --json: %+v, %v", asJSON.Left, err)
	}
	lines := said[strings.Index(said, "  - name: "):strings.Index(said, "    no rules are made")]
	edit(t, file, "\nrules: rules.d", "\n"+lines+"rules: rules.d")
	for _, left := range asJSON.Left {
		typed, to, ok := strings.Cut(left.Import, " > ")
		if !ok || !strings.Contains(said, left.Import) {
			t.Fatalf("the import of %s is %q:\n%s", left.Site, left.Import, said)
		}
		var out bytes.Buffer
		if err := command(t.Context(), strings.Fields(typed)[1:], &out, io.Discard); err != nil {
			t.Fatalf("%s: %v", typed, err)
		}
		if err := os.WriteFile(to, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := rowhook(t, file, "rules", "validate"); err != nil || !strings.Contains(out, "4 rules in 3 files") {
		t.Errorf("rules validate: %v\n%s", err, out)
	}
	if said := initiated(t, args...); strings.Contains(said, "no rules are made") {
		t.Errorf("init says it of sites that stand in the configuration:\n%s", said)
	}
}

// TestInitErrors: what init cannot do, it says, and what to type; then it writes nothing.
func TestInitErrors(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "shop", "wp_")
	server.Exec(t, "CREATE DATABASE empty")
	good := installed(t, server, "shop", "wp_", "")
	for name, c := range map[string]struct {
		args []string
		says string
		code int
	}{
		"no folder":      {nil, "rowhook init --wordpress /var/www/html", exitUsage},
		"not WordPress":  {[]string{"--wordpress", t.TempDir()}, "there is no wp-config.php", exitFailed},
		"by PHP":         {[]string{"--wordpress", installedIn(t, "define('DB_NAME', vault('x'));\n")}, "wp-config.php:2: calls vault(), which only PHP can do (for DB_NAME)", exitUsage},
		"what to give":   {[]string{"--wordpress", installedIn(t, "define('DB_NAME', vault('x'));\n")}, "--value DB_NAME=...", exitUsage},
		"no such value":  {[]string{"--wordpress", good, "--value", "DB=x"}, "DB_NAME", exitUsage},
		"no plugin":      {[]string{"--wordpress", installed(t, server, "empty", "wp_", "")}, "the plugin has no tables in schema empty with the prefix wp_", exitFailed},
		"wrong password": {[]string{"--wordpress", good, "--value", "DB_PASSWORD=no"}, "as user wp_shop of", exitFailed},
		"no server":      {[]string{"--wordpress", good, "--wordpress", good, "--value", "DB_HOST=127.0.0.1:1"}, "DB_HOST of " + good, exitFailed},
		"not an admin":   {[]string{"--wordpress", good, "--apply", "--admin", "wp_empty"}, "as wp_empty", exitFailed},
	} {
		dir := t.TempDir()
		err := command(t.Context(), append([]string{"init", "--config", filepath.Join(dir, "sub", "config.yaml")}, c.args...), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.says) || exitCode(err) != c.code {
			t.Errorf("%s: got %v, code %d", name, err, exitCode(err))
		}
		if _, err := os.Stat(filepath.Join(dir, "sub")); err == nil && name != "not an admin" {
			t.Errorf("%s: wrote something", name)
		}
	}
}

// installedIn is a WordPress folder with a wp-config.php.
func installedIn(t *testing.T, php string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "wp-config.php"), []byte("<?php\n"+php), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}
