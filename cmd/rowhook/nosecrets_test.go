package main

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // as the plugin makes its header
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// The secrets of TestNoSecrets, each recognisable wherever it is shown.
const (
	databaseSecret = "Dbpw7-hunter2Q"
	urlUser        = "Usr8xKq31"
	urlPassword    = "Pwd9yLr42"
	pathToken      = "T0kenInPath5aB"
	queryToken     = "t0kenInQuery6cD"
	ruleSecret     = "rul3Secret7eF"
	signingKey     = "c2lnbmluZ0tleTguLi5zaWduaW5nS2V5OC4uLg=="
)

// secretForms are the secrets in the forms in which they are sent.
func secretForms() []string {
	sum := md5.Sum([]byte(ruleSecret)) //nolint:gosec // as above
	return []string{
		databaseSecret, urlUser, urlPassword, pathToken, queryToken, ruleSecret, signingKey, hex.EncodeToString(sum[:]),
		base64.StdEncoding.EncodeToString([]byte(urlUser + ":" + urlPassword)),
	}
}

// daemonLog is what a daemon logs, for who waits for a line of it.
type daemonLog struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newDaemonLog() *daemonLog { return &daemonLog{changed: make(chan struct{})} }

func (l *daemonLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.text.Write(b)
}

func (l *daemonLog) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

func (l *daemonLog) wait(ctx context.Context, t *testing.T, what string, n int) {
	t.Helper()
	for {
		l.mu.Lock()
		text, changed := l.text.String(), l.changed
		l.mu.Unlock()
		if strings.Count(text, what) >= n {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("the log says %q fewer than %d times:\n%s", what, n, text)
		}
	}
}

// TestNoSecrets has receivers fail in every way and repeat whatever they were sent, and looks for secrets in all that
// the daemon logs and the commands print.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	server.CreateUser(t, "rowhook", databaseSecret, "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON wordpress.*")
	repeat := func(q delivertest.Request, status int, header http.Header) delivertest.Answer {
		var b strings.Builder
		_ = q.Header.Write(&b)
		return delivertest.Answer{Status: status, Header: header, Body: q.Path + "\n" + b.String() + strings.Join(secretForms()[1:], " ")} // the first is not sent to it
	}
	location := fmt.Sprintf("http://%s:%s@127.0.0.1:2/%s?t=%s", urlUser, urlPassword, pathToken, queryToken)
	var urls []string
	var receivers []*delivertest.Receiver
	for _, decide := range []func(delivertest.Request) delivertest.Answer{
		func(q delivertest.Request) delivertest.Answer { return repeat(q, 500, nil) },
		func(q delivertest.Request) delivertest.Answer {
			return repeat(q, 302, http.Header{"Location": {location}})
		},
		func(q delivertest.Request) delivertest.Answer { return repeat(q, 410, nil) },
		func(q delivertest.Request) delivertest.Answer { return repeat(q, 400, nil) },
		func(delivertest.Request) delivertest.Answer { return delivertest.Answer{Cut: true} },
		func(delivertest.Request) delivertest.Answer { return delivertest.Answer{Never: true} },
	} {
		r := delivertest.NewReceiver(t)
		r.Decide(decide)
		receivers = append(receivers, r)
		urls = append(urls, r.URL())
	}
	urls = append(urls, "http://127.0.0.1:1/", strings.Replace(receivers[0].URL(), "http://", "https://", 1), "http://169.254.169.254/")
	file := daemonFiles(t, server, secretRules(urls), "deliver: {timeout: 3s, endpoints: [{endpoint: \""+secretURL("http://127.0.0.1:3/")+"\", concurrency: 2}]}\nlog: {level: debug}\n")
	replaceIn(t, file, "password: secret", "password: "+databaseSecret)

	log := newDaemonLog()
	stop := startDaemon(t, file, log)
	ctx := patience(t)
	if _, err := site.Book(ctx, dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range receivers {
		r.WaitRequests(ctx, 1)
	}
	log.wait(ctx, t, "a URL is paused", 1)
	log.wait(ctx, t, "an endpoint is down", 3)
	log.wait(ctx, t, "302 Found", 1)
	said := printed(t, file, looking...)
	stop()
	said += log.text.String()
	ruleFile := filepath.Join(filepath.Dir(file), "rules.yaml")
	for old, with := range map[string]string{ // faults near secrets, one at a time
		"action: appointment.save": "action: appointment.saves", "http://" + urlUser: "ftp://" + urlUser, "?token=": "#",
		"signing_secret: whsec_": "signing_secret: ", "secret: " + ruleSecret: "secret: [" + ruleSecret + "]", "whsec_" + signingKey: "{a: " + signingKey + "}",
	} {
		replaceIn(t, ruleFile, old, with)
		said += printed(t, file, "run", "rules validate")
		replaceIn(t, ruleFile, with, old)
	}
	replaceIn(t, file, "password: "+databaseSecret, "password: Wr0ng"+databaseSecret)
	said += printed(t, file, "run", "check", "position show", "events --from start", "import")
	replaceIn(t, file, "password: Wr0ng"+databaseSecret, "password: ["+databaseSecret+"]")
	said += printed(t, file, "run", "rules validate")
	for _, want := range []string{"a URL is paused", "302 Found", "appointment.saves", "Access denied"} { // else this proves nothing
		if !strings.Contains(said, want) {
			t.Errorf("nothing says %q:\n%s", want, said)
		}
	}
	for _, secret := range secretForms() {
		if i := strings.Index(said, secret); i >= 0 {
			t.Errorf("%s is shown: ...%s...", secret, said[max(0, i-300):min(len(said), i+100)])
		}
	}
}

// secretURL puts secrets into a URL.
func secretURL(url string) string {
	return strings.Replace(url, "://", "://"+urlUser+":"+urlPassword+"@", 1) + "hooks/" + pathToken + "/x?token=" + queryToken
}

// secretRules has a rule for each URL.
func secretRules(urls []string) string {
	rules := "rules:\n"
	for i, url := range urls {
		rules += fmt.Sprintf("  - {name: r%d, action: appointment.save, url: %q, secret: %s, signing_secret: whsec_%s}\n", i, secretURL(url), ruleSecret, signingKey)
	}
	return rules
}

// replaceIn replaces a text in a file.
func replaceIn(t *testing.T, file, old, with string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), old, with)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// looking are the commands that only look.
var looking = []string{
	"rules list", "rules list --json", "rules validate", "endpoints list", "endpoints list --json", "deliveries list", "deliveries list --json", "deliveries export",
	"check", "check --json", "position show", "position show --json", "sites list", "sites list --json", "status", "status --json", "events --from start", "backfill --status", "import",
}

// printed is what commands print, and why they fail; and each delivery that they tell of.
func printed(t *testing.T, file string, commands ...string) string {
	t.Helper()
	var out bytes.Buffer
	run := func(args ...string) {
		if err := command(t.Context(), append(args, "--config", file), &out, &out); err != nil {
			fmt.Fprintln(&out, err)
		}
	}
	for _, c := range commands {
		run(strings.Fields(c)...)
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(deliveryID.FindAllString(out.String(), -1)))) {
		run("deliveries", "show", id)
		run("deliveries", "show", id, "--json")
	}
	return out.String()
}

// deliveryID is how ids of deliveries look.
var deliveryID = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
