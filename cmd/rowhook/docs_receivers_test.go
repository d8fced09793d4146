package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// snippets are the receivers of docs/receivers.md: how each is started, and the file it is in.
var snippets = map[string]struct {
	file string
	run  []string // with the port and the file in place of PORT and FILE
}{
	"php":    {"receiver.php", []string{"php", "-S", "127.0.0.1:PORT", "FILE"}},
	"js":     {"receiver.mjs", []string{"node", "FILE"}},
	"python": {"receiver.py", []string{"python3", "FILE"}},
	"go":     {"receiver.go", []string{"go", "run", "FILE"}},
}

// TestReceivers runs the receivers of the documentation against the daemon: they take what is delivered, once, and neither what
// was sent before, nor what is older, nor what somebody else signed.
func TestReceivers(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/receivers.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```").FindAllSubmatch(text, -1)
	if len(found) != len(snippets) {
		t.Fatalf("%d receivers are documented, and %d known here", len(found), len(snippets))
	}
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	secret := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	copied := delivertest.NewReceiver(t) // what it gets is sent to all once more
	rules := "rules:\n"
	receivers := map[string]*runningSnippet{}
	for _, f := range found {
		language := string(f[1])
		receivers[language] = startSnippet(t, language, f[2], secret)
	}
	for name, url := range urlsOf(receivers, copied.URL()) {
		for _, action := range []string{"coupon.save", "coupon.delete"} {
			rules += fmt.Sprintf("  - {name: %s-%s, action: %s, url: %q, signing_secret: %q}\n", name, strings.TrimPrefix(action, "coupon."), action, url, secret)
		}
	}
	ctx := patience(t)
	stop := startDaemon(t, daemonFiles(t, server, rules, "coalesce: 0s\n"))
	defer stop()
	id, err := site.Insert(t.Context(), "coupon", "code", "x")
	if err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "UPDATE wordpress.wp_vikappointments_coupon SET code = 'y' WHERE id = ?", id)
	server.Exec(t, "DELETE FROM wordpress.wp_vikappointments_coupon WHERE id = ?", id)
	requests := copied.WaitAccepted(ctx, 3)
	want := fmt.Sprintf("took onAfterSaveCoupon %d, took onAfterSaveCoupon %[1]d, took onAfterDeleteCoupon %[1]d", id)
	for language, r := range receivers {
		t.Run(language, func(t *testing.T) { testSnippet(ctx, t, r, requests, want) })
	}
}

// testSnippet sends a receiver, behind what was delivered, what it has to see through.
func testSnippet(ctx context.Context, t *testing.T, r *runningSnippet, requests []delivertest.Request, want string) {
	eventually(t, "the deliveries", func() bool { return strings.Count(r.took(), "took") >= 3 })
	again := func(why string, status int, q delivertest.Request, change func(http.Header)) {
		t.Helper()
		header := q.Header.Clone()
		change(header)
		if got := r.post(ctx, t, q.Body, header); got != status {
			t.Errorf("%s: %d, want %d", why, got, status)
		}
		if took := r.took(); took != want {
			t.Errorf("%s: %s, want %s", why, took, want)
		}
	}
	first := requests[0]
	again("older under another id", http.StatusNoContent, first, func(http.Header) {}) // its number is the first
	again("the same id again", http.StatusNoContent, first, func(h http.Header) { h.Set("X-Rowhook-Sequence", "99") })
	again("another id than was signed", http.StatusUnauthorized, first, func(h http.Header) { h.Set("webhook-id", "0") })
	again("another signature", http.StatusUnauthorized, first, func(h http.Header) { h.Set("webhook-signature", "v1,"+strings.Repeat("A", 43)+"=") })
	again("no signature", http.StatusUnauthorized, first, func(h http.Header) { h.Del("webhook-signature") })
	again("an old timestamp", http.StatusUnauthorized, first, func(h http.Header) { h.Set("webhook-timestamp", "1700000000") })
	other := first
	other.Body = append([]byte(" "), first.Body...)
	again("another body", http.StatusUnauthorized, other, func(http.Header) {})
}

// runningSnippet is a receiver that runs.
type runningSnippet struct {
	url string
	mu  sync.Mutex
	log bytes.Buffer
}

func (r *runningSnippet) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

// took is what it said that it took.
func (r *runningSnippet) took() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(regexp.MustCompile(`took \w+ \d+`).FindAllString(r.log.String(), -1), ", ")
}

func (r *runningSnippet) post(ctx context.Context, t *testing.T, body []byte, header http.Header) int {
	t.Helper()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header = header
	answer, err := http.DefaultTransport.RoundTrip(q) //nolint:forbidigo // nothing is to be limited here
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

func startSnippet(t *testing.T, language string, text []byte, secret string) *runningSnippet {
	t.Helper()
	how, ok := snippets[language]
	if !ok {
		t.Fatalf("a receiver in %s is documented", language)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, how.file)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	args := make([]string, len(how.run))
	for i, a := range how.run {
		args[i] = strings.NewReplacer("PORT", port, "FILE", file).Replace(a)
	}
	r := &runningSnippet{url: "http://127.0.0.1:" + port + "/hook"}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // it is ended below, and waited for
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, r, r
	cmd.Env = append(os.Environ(), "SIGNING_SECRET="+secret, "PORT="+port, "RECEIVER_STATE="+filepath.Join(dir, "state"))
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endGroup(cmd); cancel(); _ = cmd.Wait() })
	eventually(t, "the receiver in "+language, func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return r
}

// ownGroup lets a program be ended with those that it started, such as what `go run` runs.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func endGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// urlsOf are the addresses of all receivers by name.
func urlsOf(receivers map[string]*runningSnippet, copied string) map[string]string {
	urls := map[string]string{"copied": copied}
	for language, r := range receivers {
		urls[language] = r.url
	}
	return urls
}
