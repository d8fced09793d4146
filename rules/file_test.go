package rules

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rowhook/config"
	"rowhook/weburl"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// line parts the input of a golden file from the result or the error it leads to.
const line = "----------\n"

func salonOnly(site string) bool { return site == "salon" }

// TestFiles runs the golden files: one fault a file, named for it.
func TestFiles(t *testing.T) {
	t.Parallel()
	golden, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(golden) < 30 {
		t.Fatalf("%d golden files, %v", len(golden), err)
	}
	for _, path := range golden {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(content), line)
			rules, err := Parse("rules.yaml", []byte(input), salonOnly)
			got := describe(rules)
			if err != nil {
				got = err.Error() + "\n"
			}
			if *update {
				if err := os.WriteFile(path, []byte(input+line+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func describe(rules []*Rule) string {
	var b strings.Builder
	for _, r := range rules {
		if r.Disabled {
			b.WriteString("disabled ")
		}
		fmt.Fprintf(&b, "%s: %s %s type=%s statuses=%v load=%s sites=%v id=%d url=%s secret=%q signing=%q group=%q at %s\n",
			r.Name, r.Action, r.Action.Hook(), r.Type, slices.Sorted(maps.Keys(r.Statuses)), r.Load, slices.Sorted(maps.Keys(r.Sites)),
			r.Endpoint.WebhookID, r.Endpoint.URL, r.Endpoint.Secret, r.Endpoint.SigningSecret, r.Endpoint.OrderGroup, r.Place)
		if len(r.Endpoint.Headers) > 0 || r.Endpoint.CloudEvents {
			fmt.Fprintf(&b, "  headers=%q cloudevents=%t\n", r.Endpoint.Headers, r.Endpoint.CloudEvents)
		}
		if s := r.Shape; s != nil {
			fmt.Fprintf(&b, "  uses=%v previous=%t filter=%t template=%t\n", s.Uses(), s.Previous, s.Filter != nil, s.Template != nil)
		}
		for _, doubt := range r.Doubts {
			b.WriteString("  " + doubt + "\n")
		}
		if r.Endpoint.ContentType != "" {
			fmt.Fprintf(&b, "  content_type=%s document=%t\n", r.Endpoint.ContentType, r.Shape != nil && r.Shape.Document != nil)
		}
		if r.Action.Kind == Rows {
			fmt.Fprintf(&b, "  on=%v of %s\n", r.On, r.Action.Entity.Table)
		}
	}
	return b.String()
}

func TestParseAction(t *testing.T) {
	t.Parallel()
	names := map[string]string{
		"appointment.save":            "onAfterSaveReservation",
		"appointment.status_change":   "onStatusChangeReservation",
		"appointment.delete":          "onAfterDeleteReservation",
		"package_order.save":          "onAfterSavePackorder",
		"package_order.status_change": "onStatusChangePackageorder",
		"package_order.delete":        "onAfterDeletePackorder",
		"customer.save":               "onAfterSaveCustomer",
		"customer.delete":             "onAfterDeleteCustomer",
		"employee.save":               "onAfterSaveEmployee",
		"employee.delete":             "onAfterDeleteEmployee",
		"service.save":                "onAfterSaveService",
		"service.delete":              "onAfterDeleteService",
		"coupon.save":                 "onAfterSaveCoupon",
		"coupon.delete":               "onAfterDeleteCoupon",
	}
	if got := len(Actions()); got != len(names) {
		t.Errorf("%d actions, want %d", got, len(names))
	}
	for name, hook := range names {
		for _, given := range []string{name, hook} {
			a, err := ParseAction(given)
			if err != nil || a.String() != name || a.Hook() != hook {
				t.Errorf("ParseAction(%s) = %+v, %v", given, a, err)
			}
		}
	}
	for _, name := range []string{"", "Appointment.save", "onaftersavereservation", "customer.status_change", "onStatusChangePackorder", "onAddItemCrat", "add.item", "custom"} {
		if a, err := ParseAction(name); err == nil {
			t.Errorf("ParseAction(%q) = %v", name, a)
		}
	}
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func rule(name string) string {
	return "- {name: " + name + ", action: coupon.save, url: 'http://a'}\n"
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := write(t, dir, "b.yaml", "rules:\n"+rule("third"))
	a := write(t, dir, "a.yaml", "rules:\n"+rule("second")+rule("first"))
	empty := write(t, dir, "empty.yaml", "# nothing yet\n")
	write(t, dir, "c.yml", "not: read")
	set, err := Read(filepath.Join(dir, "*.yaml"), salonOnly)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range set.Rules {
		names = append(names, r.Name+" "+r.Place)
	}
	if want := []string{"second " + a + ":2", "first " + a + ":3", "third " + b + ":2"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if want := []string{a, b, empty}; !slices.Equal(set.Files, want) {
		t.Errorf("files %q, want %q", set.Files, want)
	}
	digest := func(dir string) string {
		set, err := Read(filepath.Join(dir, "*.yaml"), salonOnly)
		if err != nil {
			t.Fatal(err)
		}
		return set.Digest
	}
	moved := t.TempDir()
	for to, from := range map[string]string{"x.yaml": b, "y.yaml": a, "z.yaml": empty} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(t, moved, to, string(text))
	}
	if got := digest(moved); got != set.Digest || len(got) != 32 {
		t.Errorf("elsewhere the digest is %q, not %q", got, set.Digest)
	}
	write(t, moved, "z.yaml", "rules: [] # other")
	if got := digest(moved); got == set.Digest {
		t.Error("other files have the same digest")
	}
}

func TestReadFaultsOfEveryFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := write(t, dir, "a.yaml", "rules:\n"+rule("one"))
	b := write(t, dir, "b.yaml", "rules:\n"+rule("two")+rule("one"))
	c := write(t, dir, "c.yaml", "rule: []\n")
	if err := os.Mkdir(filepath.Join(dir, "d.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Read(filepath.Join(dir, "*.yaml"), salonOnly)
	want := b + `:3: rules[1].name: "one" is the name of the rule at ` + a + ":2 too; give each rule its own\n" +
		c + ":1: rule: unknown key; did you mean rules? Known keys: rules\n" +
		filepath.Join(dir, "d.yaml") + ": is not a regular file; name one"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestReadNothing(t *testing.T) {
	t.Parallel()
	set, err := Read(filepath.Join(t.TempDir(), "*.yaml"), salonOnly)
	if err != nil || len(set.Rules) != 0 || len(set.Files) != 0 {
		t.Errorf("got %+v, %v", set, err)
	}
	_, err = Read("[", salonOnly)
	if _, ok := errors.AsType[*config.Error](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestSecretsStayOutOfErrors(t *testing.T) {
	t.Setenv("ROWHOOK_TEST", "hunter2")
	_, err := Parse("a.yaml", []byte("rules:\n- {name: '${ROWHOOK_TEST}!', action: coupon.save, load: '${ROWHOOK_TEST}', url: '${ROWHOOK_TEST}', "+
		"signing_secret: '${ROWHOOK_TEST}', order_group: '${ROWHOOK_TEST}!', type: '${ROWHOOK_TEST}', sites: ['${ROWHOOK_TEST}']}\n"), salonOnly)
	if err == nil || strings.Count(err.Error(), "\n") != 6 || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestExamples(t *testing.T) {
	t.Setenv("CRM_SECRET", "s")
	t.Setenv("CRM_KEY", "k")
	t.Setenv("CRM_SIGNING_SECRET", "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32)))
	set, err := Read("../rules.example/*.yaml", salonOnly)
	if err != nil {
		t.Fatal(err)
	}
	var covered []string
	for _, r := range set.Rules {
		covered = append(covered, r.Action.String())
	}
	all := append(ToldActions(), toldAll, RestoredAction().String(), "custom.posts", "onAfterSaveReview", "onAddItemCart")
	for _, a := range Actions() {
		all = append(all, a.String())
	}
	slices.Sort(covered)
	slices.Sort(all)
	if !slices.Equal(covered, all) {
		t.Errorf("the examples have %q, want %q", covered, all)
	}
	for _, f := range set.Files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(content, []byte("# ")) || bytes.Count(content, []byte("\n")) > 40 {
			t.Errorf("%s is not short and commented", f)
		}
	}
}

func FuzzParse(f *testing.F) {
	golden, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range golden {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		input, _, _ := strings.Cut(string(content), line)
		f.Add([]byte(input))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rules, err := Parse("a.yaml", data, salonOnly)
		if err != nil {
			return
		}
		for _, r := range rules {
			if r.Action.Entity == nil || (r.Load == 0) != slices.Contains([]Kind{Delete, Restored, Publish, Fired, Told}, r.Action.Kind) || weburl.Origin(r.Endpoint.URL) == "" {
				t.Errorf("accepted %+v", r)
			}
		}
	})
}
