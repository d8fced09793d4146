package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rowhook/config"
	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestReloadWithoutDatabase: rules that are changed while the database is away count at once for what is stored, and for what is read
// once it is back.
func TestReloadWithoutDatabase(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	configFile := daemonFiles(t, server, "rules: [{name: crm, action: appointment.save, url: 'http://"+freeAddress(t)+"/moved'}]\n", "coalesce: 0s\n")
	stop := startDaemon(t, configFile)
	if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a delivery that waits", func() bool {
		out, err := rowhook(t, configFile, "deliveries", "list", "--json", "--state", "fresh,waiting")
		return err == nil && len(out) > len("[]\n")
	})
	stop()
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	away := &watched{awaited: "the database does not answer as it should", seen: make(chan struct{})}
	stop, hangups := startByHand(t, configFile, away)
	<-away.seen
	rules := "rules:\n  - {name: crm, action: appointment.save, url: '" + receiver.URL() + "'}\n  - {name: coupons, action: coupon.save, url: '" + receiver.URL() + "'}\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(configFile), "rules.yaml"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	hangups <- syscall.SIGHUP
	receiver.WaitAccepted(patience(t), 1)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := site.Insert(t.Context(), "coupon", "code", "A"); err != nil {
		t.Fatal(err)
	}
	receiver.WaitAccepted(patience(t), 2)
	stop()
}

// TestChangedKeys: what is written in another way, or is found and not in the file, takes no restart; each key that means something else
// does, wherever it stands.
func TestChangedKeys(t *testing.T) {
	t.Parallel()
	const rest = "rules: rules.yaml\nstate_dir: state\n"
	load := func(text string) *config.Config {
		t.Helper()
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		c.StateDir, c.Rules = "state", "rules.yaml" // they are from the file's folder
		return c
	}
	secret := filepath.Join(t.TempDir(), "password")
	rotate := func(to string) {
		t.Helper()
		if err := os.WriteFile(secret, []byte(to), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shared := "outbox: {mysql: {addresses: ['db.example'], user: rowhook, password: '${file:" + secret + "}'}}\n"
	found := []config.Site{config.FoundSite("shop", "shop", "wp_"), config.FoundSite("spa", "spa", "wp_")}
	const listed = "sites: [{name: a, schema: a, prefix: wp_}, {name: b, schema: b, prefix: wp_}]\n"
	const endpoints = "deliver: {endpoints: [{endpoint: 'http://a.example', concurrency: 1}, {endpoint: 'http://b.example', rate: 1/s}]}\n"
	const users = "console: {listen: '127.0.0.1:8123', hosts: [a.example], users: [{name: ann, sites: [a, b]}, {name: bob, sites: [b]}]}\n"
	for name, c := range map[string]struct{ is, will, want string }{
		"found, none listed":       {"discover: true\n", "discover: true\n", ""},
		"found, an empty list":     {"discover: true\n", "discover: true\nsites: []\n", ""},
		"found and listed":         {"discover: true\n" + listed, "discover: true\n" + listed, ""},
		"found, one listed more":   {"discover: true\n", "discover: true\n" + listed, "sites"},
		"no more found":            {"discover: true\n" + listed, listed, "discover"},
		"empty lists of endpoints": {listed, listed + "deliver: {endpoints: []}\n", ""},
		"and the other way":        {listed + "deliver: {endpoints: []}\nconsole: {hosts: [], users: []}\n", listed, ""},
		"other names":              {listed, strings.Replace(listed, "name: b", "name: c", 1), "sites"},
		"one less":                 {listed, strings.Replace(listed, ", {name: b, schema: b, prefix: wp_}", "", 1), "sites"},
		"all of them":              {listed + endpoints + users, listed + endpoints + users, ""},
		"a rate":                   {listed + endpoints, listed + strings.Replace(endpoints, "1/s", "2/s", 1), "deliver"},
		"a user's sites":           {listed + users, listed + strings.Replace(users, "[b]", "[a]", 1), "console"},
		"several keys":             {listed + endpoints + users, listed + "coalesce: 1s\n", "coalesce deliver console"},
		"the login":                {listed, listed + "database: {user: other, password: new}\n", ""},
		"the outbox's password":    {listed + shared, listed + shared, ""},
		"written otherwise":        {listed + shared, listed + strings.Replace(shared, "${file:"+secret+"}", "other", 1), "outbox"},
		"the server":               {listed, listed + "database: {address: 'db.example:3306'}\n", "database"},
	} {
		rotate("old")
		is := load(c.is + rest)
		if is.Discover {
			is.Sites = slices.Concat(is.Sites, found)
		}
		rotate("new")
		if got := strings.Join(changedKeys(is, load(c.will+rest)), " "); got != c.want {
			t.Errorf("%s: changed are %q, want %q", name, got, c.want)
		}
	}
}
