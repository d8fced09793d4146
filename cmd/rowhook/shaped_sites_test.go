package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestShapesOfFiveSites: the sites of one daemon shape the same events each in its own way. What one site's rule can never make
// is that site's dead letters; the others get what is theirs, and each object's webhooks in order.
func TestShapesOfFiveSites(t *testing.T) {
	t.Parallel()
	const coupons, changes = 3, 20
	shapes := map[string]struct {
		rule string
		body func(code string, value int) string
	}{
		"whole":    {"load: full", func(code string, value int) string { return fmt.Sprintf(`"code":"%s"%%"value":%d`, code, value) }},
		"kept":     {"fields: [value, code], load: full", func(code string, value int) string { return fmt.Sprintf(`{"code":"%s","value":%d}`, code, value) }},
		"template": {`template: {text: "= after.code + ' is ' + string(after.value)"}`, func(code string, value int) string { return fmt.Sprintf(`{"text":"%s is %d"}`, code, value) }},
		"even":     {`when: "int(after.value) % 2 == 0", template: {c: "= after.code", v: "= after.value"}`, func(code string, value int) string { return fmt.Sprintf(`{"c":"%s","v":%d}`, code, value) }},
		"never":    {`template: {text: "= after.dstart + 'x'"}`, nil},
	}
	server := dbtest.Start(t)
	rowhookUser(t, server)
	rules, sites := "rules:\n", ""
	receivers := map[string]*delivertest.Receiver{}
	for name, s := range shapes {
		dbtest.Salon(t, server, name, "wp_")
		server.Exec(t, fmt.Sprintf("GRANT SELECT ON `%s`.* TO 'rowhook'@'%%'", name))
		receivers[name] = delivertest.NewReceiver(t)
		rules += fmt.Sprintf("  - {name: %s, sites: [%s], action: coupon.save, url: %q, %s}\n", name, name, receivers[name].URL(), s.rule)
		sites += fmt.Sprintf("{name: %s, schema: %s, prefix: wp_}, ", name, name)
	}
	file := daemonFiles(t, server, rules, "coalesce: 0s\n")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	five := strings.Replace(string(text), "{name: salon, schema: wordpress, prefix: wp_}", strings.TrimSuffix(sites, ", "), 1)
	if err := os.WriteFile(file, []byte(five), 0o600); err != nil {
		t.Fatal(err)
	}
	startDaemon(t, file)
	for n := range changes {
		for name := range shapes {
			for c := range coupons {
				table, code := fmt.Sprintf("`%s`.wp_vikappointments_coupon", name), "code"+strconv.Itoa(c)
				if n == 0 {
					server.Exec(t, fmt.Sprintf("INSERT INTO %s (code, value) VALUES ('%s', 100)", table, code))
				} else {
					server.Exec(t, fmt.Sprintf("UPDATE %s SET value = %d WHERE code = '%s'", table, 100+n, code))
				}
			}
		}
	}
	for name, s := range shapes {
		if s.body == nil {
			continue
		}
		var values []int
		for n := range changes {
			if name != "even" || n%2 == 0 {
				values = append(values, 100+n)
			}
		}
		accepted := receivers[name].WaitAccepted(patience(t), coupons*len(values))
		for c := range coupons {
			inOrder(t, name, "code"+strconv.Itoa(c), accepted, values, s.body)
		}
	}
	eventually(t, "what cannot be made is dead", func() bool {
		out, err := rowhook(t, file, "deliveries", "list", "--rule", "never", "--state", "dead", "--limit", "1000", "--json")
		return err == nil && strings.Count(out, `"rule": "never"`) == coupons*changes
	})
	if n := len(receivers["never"].Requests()); n != 0 {
		t.Errorf("%d webhooks were posted that are no payloads", n)
	}
	if out, err := rowhook(t, file, "deliveries", "list", "--state", "dead", "--limit", "1000", "--json"); err != nil || strings.Count(out, `"rule": "never"`) != strings.Count(out, `"rule": `) {
		t.Errorf("there are dead letters of other rules: %v", err)
	}
}

// inOrder checks that the webhooks of one coupon are those of its values, one behind the other.
func inOrder(t *testing.T, site, code string, accepted []delivertest.Request, values []int, body func(string, int) string) {
	t.Helper()
	var got []string
	for _, r := range accepted {
		if strings.Contains(string(r.Body), code) {
			got = append(got, string(r.Body))
		}
	}
	want := make([]string, len(values))
	for i, v := range values {
		want[i] = body(code, v)
	}
	if !slices.EqualFunc(got, want, func(got, want string) bool {
		for part := range strings.SplitSeq(want, "%") { // a whole payload has more in it
			if !strings.Contains(got, part) {
				return false
			}
		}
		return true
	}) {
		t.Errorf("%s got of %s\n%s\nwant\n%s", site, code, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
