package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestConsole: from a booking that is saved to the page that shows what it sent, with a daemon, a database and a receiver as they are:
// log in by the command's address, look, send a sample, pause and resume, and see only one's own site.
func TestConsole(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	address := freeAddress(t)
	configFile := daemonFiles(t, server, "rules: [{name: crm, action: appointment.save, load: full, url: "+receiver.URL()+"}]",
		"coalesce: 0s\nconsole: {listen: '"+address+"', users: [{name: anna, sites: [salon]}]}\n")
	stop := startedWithout(t, configFile, io.Discard)
	defer stop()
	b := consoleLogin(t, configFile) // which is possible before it follows the log
	b.shows(t, "/", "Nothing yet:", "the log is read")
	if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	receiver.WaitAccepted(patience(t), 1)
	b.shows(t, "/", "All is well:", "all is read that was committed")
	b.shows(t, "/search?q=booking+1", "1 delivery matches.", "Booking 1 of salon, saved", "accepted at once")
	b.shows(t, "/rules", "1 rule: 1 is at work.", "a booking is new or changed", "posts the whole row")
	b.shows(t, "/sites", "1 site: 1 is well.", "schema wordpress, prefix wp_")
	b.shows(t, "/endpoints", "1 endpoint: 1 up.", "100\u00a0%")

	if said := b.post(t, "/rules", url.Values{"name": {"crm"}}); !strings.Contains(said, "accepted with 200") {
		t.Errorf("the sample: %s", said)
	}
	receiver.WaitAccepted(patience(t), 2)
	sent := receiver.Accepted()[1]
	if sent.Header.Get("X-Rowhook-Test") != "1" || sent.Header.Get("X-Vap-Webhook-Action") != "onAfterSaveReservation" || !strings.Contains(string(sent.Body), `"purchaser_mail":"sample@example.com"`) {
		t.Errorf("the sample is %v %s", sent.Header, sent.Body)
	}

	name := regexp.MustCompile(`name="name" value="([^"]*)"`).FindStringSubmatch(b.get(t, "/endpoints"))
	if name == nil {
		t.Fatal("no endpoint can be paused")
	}
	b.post(t, "/endpoints", url.Values{"name": {name[1]}, "do": {"pause"}})
	b.shows(t, "/endpoints", "1 paused", "by operator in the console")
	if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	b.shows(t, "/deliveries?state=waiting", "1 delivery matches.", "has been paused for")
	b.post(t, "/endpoints", url.Values{"name": {name[1]}, "do": {"resume"}})
	receiver.WaitAccepted(patience(t), 3)

	anna := consoleLogin(t, configFile, "--user", "anna")
	anna.shows(t, "/deliveries", "2 deliveries.")
	var out bytes.Buffer
	if err := command(t.Context(), []string{"console", "login", "--user", "nobody", "--config", configFile}, &out, io.Discard); err == nil || !strings.Contains(err.Error(), `console.users has no "nobody"`) {
		t.Errorf("a user that there is not: %v, %s", err, out.String())
	}
}

// pageOf is somebody's browser.
type pageOf struct {
	client http.Client
	origin string
}

// consoleLogin logs a browser in with what the command prints.
func consoleLogin(t *testing.T, configFile string, flags ...string) *pageOf {
	t.Helper()
	var out bytes.Buffer
	eventually(t, "the daemon makes an address to log in with", func() bool {
		out.Reset()
		return command(t.Context(), append([]string{"console", "login", "--config", configFile}, flags...), &out, io.Discard) == nil
	})
	link, err := url.Parse(strings.Fields(out.String())[0])
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &pageOf{client: http.Client{Jar: jar}, origin: link.Scheme + "://" + link.Host}
	b.post(t, "/login", link.Query())
	return b
}

func (b *pageOf) do(ctx context.Context, t *testing.T, method, path string, body io.Reader) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.origin+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", path, resp.StatusCode, text, err)
	}
	return string(text)
}

func (b *pageOf) get(t *testing.T, path string) string {
	t.Helper()
	return b.do(t.Context(), t, http.MethodGet, path, nil)
}

func (b *pageOf) post(t *testing.T, path string, form url.Values) string {
	t.Helper()
	return b.do(t.Context(), t, http.MethodPost, path, strings.NewReader(form.Encode()))
}

// shows waits until a page says all of these.
func (b *pageOf) shows(t *testing.T, path string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		eventually(t, path+" says "+text, func() bool { return strings.Contains(b.get(t, path), text) })
	}
}
