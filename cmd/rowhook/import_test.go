package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/rules"
)

// TestImport reads the plugin's table of two sites on a real server, over TCP and over the socket.
func TestImport(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "salon", "wp_")
	dbtest.Salon(t, server, "network", "wp_2_")
	secret := "pa$$ \"w'\\ö€\n" // no emoji: the table is utf8mb3
	addWebhook(t, server, "salon.wp_", "Größe €", "onAfterSaveReservation", secret, 1, `{"type":"insert","statuses":["C"],"load":"full"}`)
	addWebhook(t, server, "salon.wp_", "off", "onAfterSaveReservation", nil, 0, nil)
	addWebhook(t, server, "salon.wp_", "archived", "onAfterSaveReservation", nil, 2, nil)
	addWebhook(t, server, "salon.wp_", "cart", "onDisplayCalendarRect", nil, 1, "[]")
	addWebhook(t, server, "network.wp_2_", "gone", "onAfterDeleteCoupon", nil, 1, nil)
	server.CreateUser(t, "reader", "pa$s", "SELECT ON *.*")
	for _, address := range []string{server.Address(), server.Socket()} {
		file := importConfig(t, address, "reader", "{name: salon, schema: salon}, {name: second, schema: network, prefix: wp_2_}")
		got := runImport(t, file)
		if len(got) != 4 {
			t.Fatalf("%s: %d rules", address, len(got))
		}
		if r := got[0]; r.Name != "salon-gr-e" || r.Action.String() != "appointment.save" || r.Type != rules.InsertOnly || !r.Statuses["C"] ||
			r.Load != rules.Full || r.Endpoint.Secret != secret || r.Endpoint.URL != "https://example.com/hook" || r.Endpoint.WebhookID < 1 || !r.Sites["salon"] {
			t.Errorf("%s: got %+v", address, r)
		}
		if r := got[1]; r.Name != "salon-off" || !r.Disabled || got[0].Disabled {
			t.Errorf("%s: got %+v", address, r)
		}
		if r := got[2]; r.Name != "salon-archived" || !r.Disabled { // to the plugin 1 alone is published
			t.Errorf("%s: got %+v", address, r)
		}
		if r := got[3]; r.Name != "second-gone" || r.Action.String() != "coupon.delete" || !r.Sites["second"] {
			t.Errorf("%s: got %+v", address, r)
		}
		if got := runImport(t, file, "--site", "second"); len(got) != 1 || got[0].Name != "gone" {
			t.Errorf("%s: one site: got %+v", address, got)
		}
	}
	testImportErrors(t, server)
}

func testImportErrors(t *testing.T, server *dbtest.Server) {
	server.CreateUser(t, "poor", "pa$s", "SELECT ON network.*")
	for name, c := range map[string]struct{ user, site, want string }{
		"prefix": {"reader", "{name: salon, schema: salon, prefix: wp_9_}", "correct the schema or the prefix of the site"},
		"schema": {"reader", "{name: salon, schema: none}", "correct the schema or the prefix of the site"},
		"grant":  {"poor", "{name: salon, schema: salon}", "GRANT SELECT ON `salon`.`wp_vikappointments_webhook` TO"},
		"user":   {"nobody", "{name: salon, schema: salon}", "Access denied"},
	} {
		var out bytes.Buffer
		err := command(t.Context(), []string{"import", "--config", importConfig(t, server.Address(), c.user, c.site)}, &out, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "site salon") || out.Len() > 0 {
			t.Errorf("%s: got %v, wrote %q", name, err, out.String())
		}
	}
}

// TestImportTells: what is written to stdout, what a person reads, and what is an error.
func TestImportTells(t *testing.T) {
	t.Parallel()
	hook := func(hook string, published bool) webhook {
		return webhook{ID: 1, Name: "crm", Hook: hook, URL: "http://a", Published: published}
	}
	live, off := hook("onAfterSaveCoupon", true), hook("onAfterSaveCoupon", false)
	cart := hook("onDisplayCalendarRect", true)
	for name, c := range map[string]struct {
		hooks          []webhook
		rules          int
		says, fails    string
		writesComments bool
	}{
		"published":            {hooks: []webhook{live}, rules: 1},
		"unpublished":          {hooks: []webhook{live, off, off}, rules: 3, says: "enabled: false: 2 of 3 rules\n"},
		"only unpublished":     {hooks: []webhook{off}, rules: 1, says: "enabled: false: 1 of 1 rule\n"},
		"one not served":       {hooks: []webhook{live, cart}, rules: 1, says: "cannot serve them: 1\n", writesComments: true},
		"none":                 {fails: "no rule was written: the plugin has no webhooks"},
		"none served":          {hooks: []webhook{cart, cart}, fails: "no rule was written: this version cannot serve 2 webhooks", writesComments: true},
		"unpublished, unknown": {hooks: []webhook{hook("onDisplayCalendarRect", false)}, fails: "no rule was written: this version cannot serve 1 webhook;", writesComments: true},
	} {
		file, err := ruleFile([]siteWebhooks{{"salon", c.hooks}})
		if err != nil {
			t.Fatal(err)
		}
		var out, says bytes.Buffer
		err = file.deliver(&out, &says)
		if (err != nil) != (c.fails != "") || err != nil && (!strings.Contains(err.Error(), c.fails) || exitCode(err) != exitFailed) {
			t.Errorf("%s: ended with %v", name, err)
		}
		if !strings.HasSuffix(says.String(), c.says) || c.says == "" && says.Len() > 0 {
			t.Errorf("%s: says %q", name, &says)
		}
		if got := strings.Contains(out.String(), "cannot be served"); got != c.writesComments || out.Len() > 0 != (c.rules > 0 || got) {
			t.Errorf("%s: wrote\n%s", name, &out)
		}
		read, err := rules.Parse("import.yaml", out.Bytes(), anySite)
		if err != nil || len(read) != c.rules {
			t.Errorf("%s: %d rules, %v", name, len(read), err)
		}
	}
}

func TestImportUsage(t *testing.T) {
	t.Parallel()
	file := importConfig(t, "127.0.0.1:1", "reader", "{name: salon, schema: salon}")
	err := command(t.Context(), []string{"import", "--config", file, "--site", "spa"}, io.Discard, io.Discard)
	if _, ok := errors.AsType[*usageError](err); !ok {
		t.Errorf("got %v", err)
	}
	err = command(t.Context(), []string{"import", "--config", file + "x"}, io.Discard, io.Discard)
	if _, ok := errors.AsType[*config.Error](err); !ok {
		t.Errorf("got %v", err)
	}
	if err = command(t.Context(), []string{"import", "--config", file}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}

// addWebhook adds a row to the plugin's table; tables is the schema with the prefix.
func addWebhook(t *testing.T, server *dbtest.Server, tables, name, hook string, secret any, published int, params any) {
	t.Helper()
	server.Exec(t, "INSERT INTO "+tables+"vikappointments_webhook (name, hook, url, secret, published, params, logkey) VALUES (?, ?, ?, ?, ?, ?, '')",
		name, hook, "https://example.com/hook", secret, published, params)
}

func importConfig(t *testing.T, address, user, sites string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("database: {address: '%s', user: %s, password: pa$$s}\nsites: [%s]\n", address, user, sites)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func runImport(t *testing.T, configFile string, args ...string) []*rules.Rule {
	t.Helper()
	var out bytes.Buffer
	if err := command(t.Context(), append([]string{"import", "--config", configFile}, args...), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	read, err := rules.Parse("import.yaml", out.Bytes(), anySite)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, out.String())
	}
	return read
}
