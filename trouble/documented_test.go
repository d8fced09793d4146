package trouble

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/deliver"
	"rowhook/rules"
)

// TestDocumentedFields: the schemas have the fields that are posted.
func TestDocumentedFields(t *testing.T) {
	t.Parallel()
	now := time.Now()
	all := Trouble{Text: "t", Since: now, Site: "s", Endpoint: "e", URL: "u", Rule: "r", Count: 1, Reason: "r", Fix: "f"}
	with := func(event string, fields ...string) *Trouble {
		e := Trouble{Event: word(event), Text: all.Text, Since: now, Reason: all.Reason, Fix: all.Fix}
		if slices.Contains(fields, "endpoint") {
			e.Endpoint, e.URL = all.Endpoint, all.URL
		}
		if slices.Contains(fields, "site") {
			e.Site = all.Site
		}
		return &e
	}
	dead := with(rules.DeliveryDead)
	dead.Rule, dead.Count, dead.Reason = all.Rule, all.Count, ""
	events := []*Trouble{dead}
	for _, e := range []*Trouble{
		with(rules.EndpointDown, "endpoint"), with(rules.SiteStopped, "site"), with(rules.ReaderStopped), with(rules.ReaderBehind), with(rules.PurgeSoon, "site"),
	} {
		events = append(events, e, e.ended(over, now))
	}
	var told []string
	for _, e := range events {
		told = append(told, e.action())
		text, err := os.ReadFile("../docs/schemas/" + e.action() + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			Properties map[string]any
			Required   []string
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		var posted map[string]any
		if err := json.Unmarshal(body(e, &rules.Rule{}), &posted); err != nil {
			t.Fatal(err)
		}
		if has, want := slices.Sorted(maps.Keys(posted)), slices.Sorted(maps.Keys(schema.Properties)); !slices.Equal(has, want) {
			t.Errorf("%s has %q, and documented are %q", e.action(), has, want)
		}
		for _, field := range schema.Required {
			if posted[field] == nil {
				t.Errorf("%s has no %s", e.action(), field)
			}
		}
	}
	slices.Sort(told)
	if want := slices.Sorted(slices.Values(rules.ToldActions())); !slices.Equal(told, want) {
		t.Errorf("told are %q, and there are actions for %q", told, want)
	}
}

// TestSlack: in that format there is the sentence alone, in what is told and in samples.
func TestSlack(t *testing.T) {
	t.Parallel()
	for _, action := range append(rules.ToldActions(), "rowhook.*") {
		a, err := rules.ParseAction(action)
		if err != nil {
			t.Fatal(err)
		}
		for _, slack := range []bool{true, false} {
			_, _, sample := Sample(&rules.Rule{Action: a, Slack: slack}, "salon", time.Now())
			text := string(sample)
			if !strings.Contains(text, `"text":"rowhook: `) || strings.HasPrefix(text, `{"text":`) != slack || !json.Valid([]byte(text)) {
				t.Errorf("%s is tried with %s", action, text)
			}
		}
	}
}

// TestSample: a sample has what its event tells, as a real one has.
func TestSample(t *testing.T) {
	t.Parallel()
	for action, fields := range map[string]string{
		rules.EndpointDown: "endpoint", rules.EndpointUp: "ended endpoint", rules.SiteStopped: "site", rules.SiteResumed: "ended site",
		rules.DeliveryDead: "count rule", rules.ReaderStopped: "", rules.PurgeAverted: "ended",
	} {
		a, err := rules.ParseAction(action)
		if err != nil {
			t.Fatal(err)
		}
		said, _, text := Sample(&rules.Rule{Action: a}, "salon", time.Now())
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil || said != action || "rowhook."+got["event"].(string) != action {
			t.Errorf("%s: %s, %v, %s", action, said, err, text)
		}
		var has []string
		for _, name := range []string{"count", "ended", "endpoint", "rule", "site", "url"} {
			if got[name] != nil {
				has = append(has, name)
			}
		}
		if strings.Join(has, " ") != fields {
			t.Errorf("a sample of %s has %v, want %s", action, has, fields)
		}
	}
}

// TestDocumentedBody: the example in docs/monitoring.md is what is posted.
func TestDocumentedBody(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	down := find(&api.Status{Reader: &api.Reader{Connected: true, CaughtUp: true}, Endpoints: []deliver.EndpointStatus{{
		Name: "https://crm.example.com", Rules: []string{"crm"}, DownSince: now.Add(-time.Minute), LastError: "503 Service Unavailable", NextProbe: now.Add(18 * time.Second), Undelivered: 12,
	}}}, now)
	if len(down) != 1 {
		t.Fatalf("got %+v", down)
	}
	if posted := string(body(down[0], &rules.Rule{})); !strings.Contains(string(text), posted) {
		t.Errorf("what is posted is not documented: %s", posted)
	}
}
