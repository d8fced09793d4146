package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestShapedRules: rules of one event say when they fire and what they post, each by itself; one that cannot make its payload
// of an event has a dead letter with the reason, at once, and the others go on.
func TestShapedRules(t *testing.T) { onServers(t, testShapedRules) }

func testShapedRules(t *testing.T, server *dbtest.Server) {
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	ruleFile, receivers := "rules:\n", map[string]*delivertest.Receiver{}
	for name, rest := range map[string]string{
		"all":        "",
		"dear":       "when: after.value > 100",
		"raised":     "when: 'before != nil && after.value > before.value'\n    previous: true\n    fields: [id, code, value, previous]\n    redact: [code]",
		"created":    "when: event.type == 'insert' && payload.code startsWith 'a'\n    template: {text: \"= 'new coupon \\\"' + after.code + '\\\"'\", n: 1}",
		"impossible": "template: {text: \"= after.dstart + 'x'\"}",
		"gone":       "", // of deletes
		"gone-one":   "",
	} {
		action, load := "coupon.save", "load: full"
		switch name {
		case "gone":
			action, load, rest = "coupon.delete", "", "when: event.key == '4'"
		case "gone-one":
			action, load, rest = "coupon.delete", "", "when: before.code startsWith 'b'"
		}
		receivers[name] = delivertest.NewReceiver(t)
		ruleFile += fmt.Sprintf("  - name: %s\n    action: %s\n    url: %q\n", name, action, receivers[name].URL())
		for _, line := range []string{load, rest} {
			if line != "" {
				ruleFile += "    " + line + "\n"
			}
		}
	}
	receivers["form"] = delivertest.NewReceiver(t)
	ruleFile += fmt.Sprintf("  - {name: form, action: coupon.save, type: insert, url: %q, template_file: form.txt, content_type: application/x-www-form-urlencoded}\n", receivers["form"].URL())
	file := daemonFiles(t, server, ruleFile, "coalesce: 100ms\nrestore: report\n") // a MySQL does not say which rows of a new table are a restore's
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "form.txt"), []byte("code={{.after.code}}&note={{.after.notes}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, build(t), "run", "--config", file)
	p.until(t, following)
	const coupon = "wp_vikappointments_coupon"
	execAll(t.Context(), t, server,
		"INSERT INTO "+coupon+" (code, value) VALUES ('a/1', 50)", "INSERT INTO "+coupon+" (code, value) VALUES ('b', 150)")
	receivers["all"].WaitAccepted(patience(t), 2)
	execAll(t.Context(), t, server, "UPDATE "+coupon+" SET value = 70, notes = 'x' WHERE code = 'a/1'", "UPDATE "+coupon+" SET value = 90 WHERE code = 'a/1'")
	receivers["all"].WaitAccepted(patience(t), 3)
	execAll(t.Context(), t, server, "UPDATE "+coupon+" SET value = 60 WHERE code = 'a/1'")
	receivers["all"].WaitAccepted(patience(t), 4)
	execAll(t.Context(), t, server, "DELETE FROM "+coupon+" WHERE code = 'b'", "DELETE FROM "+coupon+" WHERE code = 'a/1'")
	for name, want := range map[string][]string{
		"dear":     {`"code":"b"`},
		"raised":   {`{"id":"3","code":"[redacted]","value":90,"previous":{"value":50,"notes":""}}`},
		"created":  {`{"text":"new coupon \"a/1\"","n":1}`},
		"form":     {"&note=", "&note="},
		"gone":     {`{"id":4}`},
		"gone-one": {`{"id":4}`},
	} {
		receivers[name].WaitAccepted(patience(t), len(want))
		for i, r := range receivers[name].Accepted() {
			if i >= len(want) || !strings.Contains(string(r.Body), want[i]) {
				t.Errorf("%s got %s, want %v", name, r.Body, want)
			}
		}
	}
	var out string
	eventually(t, "what cannot be made is dead", func() bool {
		var err error
		out, err = rowhook(t, file, "deliveries", "list", "--rule", "impossible", "--state", "dead")
		return err == nil && strings.Count(out, "impossible") >= 4
	})
	if len(receivers["impossible"].Requests()) != 0 {
		t.Error("what is no payload was posted")
	}
	id := strings.Fields(strings.Split(out, "\n")[1])[0]
	if out, err := rowhook(t, file, "deliveries", "show", id); err != nil || !strings.Contains(out, "not posted: template: ") {
		t.Errorf("show says %v\n%s", err, out)
	}
	testSentAgain(t, file, receivers["form"])
	explain := func(args ...string) string {
		t.Helper()
		out, err := rowhook(t, file, append([]string{"rules", "explain"}, args...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return strings.Join(strings.Fields(out), " ")
	}
	byRow := explain("--table", "coupon", "--key", "3", "--from", "start")
	for _, want := range []string{
		"coupon.save, insert [3]", "coupon.save, update [3]", "coupon.delete [3]",
		"all fires", "dear does not fire: its when does not hold, with after.value = 50, event.type = \"insert\"",
		"raised does not fire: its when does not hold, with after.value = 60, before.value = 90, event.type = \"update\"", "raised fires", "after.value = 90",
		"created fires", "impossible fires, and makes a dead letter: template:", "for other events: ",
		"gone does not fire: its when does not hold", "gone-one does not fire: its when does not hold, with before.code = \"a/1\"",
	} {
		if !strings.Contains(byRow, want) {
			t.Errorf("explain does not say %q:\n%s", want, byRow)
		}
	}
	if byID := explain("--event", id); strings.Count(byID, "coupon.save") != 1 || !strings.Contains(byID, "impossible fires, and makes a dead letter") {
		t.Errorf("explain says of the delivery:\n%s", byID)
	}
	for rule, want := range map[string]string{"impossible": "-> impossible (not posted: template: + takes two numbers or two texts, and these are nothing (NULL) and a text; write (... ?? 0)", "dear": "-> dear  ["} {
		out, err := rowhook(t, file, "events", "--from", "start", "--rule", rule)
		if err != nil || !strings.Contains(out, want) || rule == "dear" && strings.Count(out, "coupon.save") != 1 {
			t.Errorf("events says of %s: %v\n%s", rule, err, out)
		}
	}
	p.signal(t, syscall.SIGTERM)
	p.ends(t)
}

// testSentAgain: what is no JSON is sent again as it was, with its type and its id.
func testSentAgain(t *testing.T, file string, r *delivertest.Receiver) {
	t.Helper()
	accepted := r.Accepted()
	i := slices.IndexFunc(accepted, func(q delivertest.Request) bool { return string(q.Body) == "code=a%2F1&note=" })
	if i < 0 {
		t.Fatal("the form of a/1 did not come")
	}
	first := accepted[i]
	id := first.Header.Get("Webhook-Id")
	if out, err := rowhook(t, file, "deliveries", "show", id); err != nil || !strings.Contains(out, string(first.Body)) {
		t.Errorf("show says %v\n%s", err, out)
	}
	eventually(t, "it can be sent again", func() bool { // not while it is on its way
		out, err := rowhook(t, file, "deliveries", "retry", id)
		return err == nil && strings.HasPrefix(out, "1 to be sent again")
	})
	again := r.WaitRequests(patience(t), 3)[2]
	if got := again.Header.Get("Webhook-Id"); got != id || string(again.Body) != string(first.Body) {
		t.Errorf("%s was sent again as %s: %q, not %q", id, got, again.Body, first.Body)
	}
	for _, q := range []delivertest.Request{first, again} {
		if got := q.Header.Values("Content-Type"); len(got) != 1 || got[0] != "application/x-www-form-urlencoded" {
			t.Errorf("its content type is %q", got)
		}
	}
}
