package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// standIn is a receiver as its documentation describes it: what it answers, what it takes, and how often.
type standIn struct {
	status   int           // of success
	most     int           // bytes of a request
	every    time.Duration // between two requests, on average; 0: any
	burst    int           // requests at once
	header   string        // that must be there
	text     string        // the field that must hold a text
	longest  int           // of that, in characters
	mentions bool          // allowed_mentions must be empty
	markup   bool          // a < in its text begins a mention or a link: none may come from a name
	card     bool          // it takes an adaptive card
	form     bool          // it takes a form, and no JSON

	mu   sync.Mutex
	left float64 // requests that may come now
	last time.Time
}

// standIns are those of the ready rules, by their files. What they ask for is from their own documentation: Slack "Rate limits",
// Discord "Execute Webhook", Google Chat "Usage limits", Teams "Create incoming webhooks with Workflows", Zapier "Webhooks", Make
// "Webhooks", n8n "Webhook node".
func standIns() map[string]*standIn {
	return map[string]*standIn{
		"slack":       {status: 200, most: 1 << 20, every: time.Second, burst: 1, text: "text", longest: 40_000, markup: true},
		"discord":     {status: 204, most: 1 << 20, every: 400 * time.Millisecond, burst: 5, text: "content", longest: 2000, mentions: true},
		"google-chat": {status: 200, most: 32_000, every: time.Second, burst: 1, text: "text", longest: 4096, markup: true},
		"teams":       {status: 202, most: 28 << 10, every: 250 * time.Millisecond, burst: 4, card: true},
		"zapier":      {status: 200, most: 10 << 20, every: 30 * time.Millisecond, burst: 20, text: "purchaser_nominative"},
		"make":        {status: 200, most: 5 << 20, every: 33 * time.Millisecond, burst: 30, header: "X-Make-Apikey", text: "purchaser_nominative"},
		"n8n":         {status: 200, most: 16 << 20, header: "X-Api-Key"},
		"crm":         {status: 201, most: 1 << 20, header: "Authorization", text: "name"},
		"form":        {status: 200, most: 64 << 10, text: "text", longest: 1600, form: true},
	}
}

// answer judges a request.
func (s *standIn) answer(r delivertest.Request) delivertest.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.every > 0 {
		if s.last.IsZero() {
			s.left = float64(s.burst)
		} else {
			s.left = min(float64(s.burst), s.left+float64(now.Sub(s.last))/float64(s.every))
		}
		if s.last = now; s.left < 0.5 { // one comes late at times, and the next does not
			return delivertest.Answer{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}}
		}
		s.left--
	}
	var body map[string]any
	contentType := "application/json"
	if s.form {
		contentType = "application/x-www-form-urlencoded"
		body = formOf(r.Body)
	} else if json.Unmarshal(r.Body, &body) != nil {
		body = nil
	}
	text, isText := body[s.text].(string)
	switch {
	case body == nil, len(r.Body) > s.most, r.Header.Get("Content-Type") != contentType:
	case s.header != "" && r.Header.Get(s.header) == "":
		return delivertest.Answer{Status: http.StatusUnauthorized}
	case s.text != "" && (!isText || text == "" || s.longest > 0 && len([]rune(text)) > s.longest):
	case s.markup && strings.Contains(text, "<"):
	case s.mentions && !isEmptyList(body["allowed_mentions"], "parse"):
	case s.card && !isCard(body):
	default:
		return delivertest.Answer{Status: s.status}
	}
	return delivertest.Answer{Status: http.StatusBadRequest, Body: "no_text"}
}

// formOf is a form of two fields, each there once; nil when it is none.
func formOf(text []byte) map[string]any {
	values, err := url.ParseQuery(string(text))
	if err != nil || len(values) != 2 {
		return nil
	}
	body := map[string]any{}
	for name, of := range values {
		if body[name] = of[0]; len(of) != 1 {
			return nil
		}
	}
	return body
}

func isEmptyList(v any, key string) bool {
	object, _ := v.(map[string]any)
	list, ok := object[key].([]any)
	return ok && len(list) == 0
}

func isCard(body map[string]any) bool {
	list, _ := body["attachments"].([]any)
	if body["type"] != "message" || len(list) != 1 {
		return false
	}
	attachment, _ := list[0].(map[string]any)
	card, _ := attachment["content"].(map[string]any)
	blocks, _ := card["body"].([]any)
	return attachment["contentType"] == "application/vnd.microsoft.card.adaptive" && card["type"] == "AdaptiveCard" && card["version"] != nil && len(blocks) > 0
}

// TestReadyRules has every ready rule post bookings of people with trying names to a stand-in for its receiver, at the rate that
// its file says: nothing is refused, nobody is asked too often, and a time that the salon blocks is told as a booking to nobody.
func TestReadyRules(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	config := daemonFiles(t, server, "rules: []\n", "coalesce: 50ms\n")
	dir := filepath.Join(filepath.Dir(config), "ready")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS("../../rules.example/receivers")); err != nil { // with the texts that rules name
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../rules.example/receivers/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ready, receivers, limits := standIns(), map[string]*delivertest.Receiver{}, "deliver:\n  endpoints:\n"
	env := []string{"MAKE_KEY=k", "N8N_KEY=k", "CRM_TOKEN=k"}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(f), ".yaml")
		s := ready[name]
		if s == nil {
			t.Fatalf("%s has no stand-in", f)
		}
		r := delivertest.NewReceiver(t)
		r.Decide(s.answer)
		receivers[name] = r
		env = append(env, strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"_URL="+r.URL())
		if _, rest, ok := strings.Cut(string(text), "rate: "); ok {
			rate, _, _ := strings.Cut(rest, "}")
			limits += fmt.Sprintf("    - {endpoint: %q, rate: %s}\n", r.URL(), rate)
		} else if s.every > 0 {
			t.Errorf("%s does not say the rate that its receiver takes", f)
		}
		text = []byte(strings.ReplaceAll(string(text), "https://crm.example.com/api/v2/contacts", r.URL()))
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(receivers) != len(ready) {
		t.Errorf("there are the files %v", files)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "rules: rules.yaml", "rules: ready/*.yaml", 1) + limits)
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "env", append(env, build(t), "run", "--config", config)...)
	p.until(t, following)
	if _, err := site.Insert(t.Context(), "reservation", "id_employee", 2, "checkin_ts", dbtest.At(2, 10).Format("2006-01-02 15:04:05"), "duration", 60, "status", "C",
		"locked_until", 1, "sid", "BLOCKED", "conf_key", "BLOCKED", "createdon", dbtest.At(0, 1).Format("2006-01-02 15:04:05"), "createdby", 1, "closure", 1); err != nil {
		t.Fatal(err)
	}
	names := []string{`Ann "the <b>quote</b>" O'Neil \ @everyone`, "Größe ☃\nin two lines <!channel> <users/all> <https://evil.example|Ann>", strings.Repeat("長", 60)}
	for _, name := range names {
		if _, err := site.Insert(t.Context(), "users", "billing_name", name, "billing_mail", "a@b.example", "billing_phone", "1"); err != nil {
			t.Fatal(err)
		}
		if _, err := site.Book(t.Context(), dbtest.Booking{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range receivers {
		r.WaitAccepted(patience(t), len(names))
		for _, q := range r.Requests() {
			if bytes.Contains(q.Body, []byte("BLOCKED")) || bytes.Contains(q.Body, []byte("booking 1 ")) {
				t.Errorf("%s was told of a blocked time: %s", name, q.Body)
			}
			if !slices.Contains([]int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent}, q.Status) {
				t.Errorf("%s refused with %d: %s", name, q.Status, q.Body)
			}
		}
	}
	p.signal(t, syscall.SIGTERM)
	p.ends(t)
}
