package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestColumnsThatAreNotThere: a rule's condition, its template and its fields name columns that a table of one of two sites does not
// have, or a table that has nearly that name. That is said before an event is given up for it, and other rules of both sites go on.
func TestColumnsThatAreNotThere(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	rowhookUser(t, server)
	sites := ""
	for schema, columns := range map[string]string{"wordpress": "id INT PRIMARY KEY, post_type VARCHAR(20), older INT", "spa": "id INT PRIMARY KEY, post_type VARCHAR(20)"} {
		dbtest.Salon(t, server, schema, "wp_")
		server.Exec(t, fmt.Sprintf("GRANT SELECT ON `%s`.* TO 'rowhook'@'%%'; CREATE TABLE `%[1]s`.wp_posts (%s)", schema, columns))
		sites += fmt.Sprintf("{name: %s, schema: %[1]s, prefix: wp_}, ", schema)
	}
	server.Exec(t, "ALTER TABLE spa.wp_vikappointments_coupon DROP COLUMN remove_gift") // as of an older plugin
	good := delivertest.NewReceiver(t)
	file := daemonFiles(t, server, fmt.Sprintf(`rules:
  - {name: good, action: custom, table: posts, url: %[1]q}
  - name: typo
    action: custom
    table: posts
    when: >-
      after.post_typo == 'page'
    url: %[1]q
  - {name: older, action: custom, table: posts, template: {id: = after.id, older: '= after.older'}, url: %[1]q}
  - {name: hides, action: custom, table: posts, redact: [data.post_typ], url: %[1]q}
  - {name: gift, action: coupon.save, when: after.remove_gift == 1, url: %[1]q}
  - {name: near, action: custom, table: postz, url: %[1]q}
  - {name: prefixed, action: custom, table: wp_posts, sites: [spa], url: %[1]q}
  - {name: far, action: custom, table: quite_different, url: %[1]q}
  - {name: off, enabled: false, action: custom, table: posts, when: after.none == 1, url: %[1]q}
`, good.URL()), "coalesce: 0s\n")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.Replace(string(text), "{name: salon, schema: wordpress, prefix: wp_}", strings.TrimSuffix(sites, ", "), 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	rule := filepath.Join(filepath.Dir(file), "rules.yaml")
	wants := []string{
		"rule typo: " + rule + ":7: rules[1].when: table spa.wp_posts has no column post_typo; did you mean post_type?",
		"rule typo: " + rule + ":7: rules[1].when: table wordpress.wp_posts has no column post_typo; did you mean post_type?",
		"rule older: " + rule + ":9: rules[2].template.older: table spa.wp_posts has no column older",
		"rule hides: " + rule + ":10: rules[3].redact[0]: what custom.posts posts has no data.post_typ that is known; did you mean post_type?",
		"rule gift: " + rule + ":11: rules[4].when: table spa.wp_vikappointments_coupon has no column remove_gift",
		"rule near: " + rule + ":12: table spa.wp_postz is not there, or may not be read; did you mean posts?",
		"rule prefixed: " + rule + ":13: table spa.wp_wp_posts is not there, or may not be read; did you mean posts?",
	}
	out, err := rowhook(t, file, "check")
	if err == nil {
		t.Error("check finds nothing wrong")
	}
	for _, want := range wants {
		mark := "FAIL  "
		if strings.Contains(want, "hides") || strings.Contains(want, "may not be read") {
			mark = "warn  "
		}
		if strings.Count(out, mark+want) == 0 {
			t.Errorf("check does not say %s%s", mark, want)
		}
	}
	if strings.Contains(out, "after.none") || strings.Contains(out, "rule far") || strings.Contains(out, "wordpress.wp_posts has no column older") || strings.Contains(out, "wordpress.wp_vikappointments_coupon has") {
		t.Error("check says more")
	}
	if t.Failed() {
		t.Log(out)
	}
	p := start(t, build(t), "run", "--config", file)
	p.until(t, following)
	for _, want := range wants {
		if _, found, _ := strings.Cut(want, ": "); !strings.Contains(p.seen.String(), found) {
			t.Errorf("the daemon does not say %s\n%s", found, &p.seen)
		}
	}
	server.Exec(t, "INSERT INTO wordpress.wp_posts VALUES (1, 'page', 1); INSERT INTO spa.wp_posts VALUES (2, 'page')")
	good.WaitAccepted(patience(t), 5) // good and hides of both, older of one
}
