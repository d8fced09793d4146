package trouble

import (
	"testing"
	"time"

	"rowhook/outbox"
	"rowhook/rules"
)

// TestShaped: rules for what befalls rowhook itself say when they are told and what they post, as those for a site's data do.
func TestShaped(t *testing.T) {
	t.Parallel()
	teller := &Teller{source: "s"}
	event := &Trouble{Event: "site_stopped", Site: "salon", Since: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC), Count: 9007199254740993, Reason: `it "said" so`}
	event.say("site salon is stopped", "")
	for rest, want := range map[string]string{
		"when: payload.count > 9007199254740992":                         `{"event":"site_stopped","text":"rowhook: Site salon is stopped: it \"said\" so.","since":"2026-03-01T02:00:00Z","site":"salon","count":9007199254740993,"reason":"it \"said\" so"}`,
		"when: event.action == 'rowhook.site_resumed'":                   "",
		"when: site != 'salon'":                                          "",
		"when: after != nil":                                             "",
		"fields: [event, reason], redact: [reason]":                      `{"event":"site_stopped","reason":"[redacted]"}`,
		`template: {m: "= payload.reason", at: "= event.seconds", n: 1}`: `{"m":"it \"said\" so","at":1772330400,"n":1}`,
		"template_file: testdata/told.txt, content_type: text/html":      `<b>it &#34;said&#34; so</b> at salon`,
	} {
		parsed, err := rules.Parse("rules.yaml", []byte("rules: [{name: r, action: 'rowhook.*', url: 'http://pager.example/', "+rest+"}]"), nil)
		if err != nil {
			t.Fatal(err)
		}
		d := teller.delivery(event, parsed[0])
		if told := shaped(d, parsed[0]); told != (want != "") || told && (string(d.Body) != want || d.Object != "") {
			t.Errorf("%s: %t, %s", rest, told, d.Body)
		}
	}
	parsed, err := rules.Parse("rules.yaml", []byte("rules: [{name: r, action: 'rowhook.*', url: 'http://pager.example/', when: payload.nothing > 1}]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := teller.delivery(event, parsed[0]); !shaped(d, parsed[0]) || d.Object != outbox.Unshaped {
		t.Errorf("what cannot be said of it is no dead letter: %+v", d)
	}
}
