package main

import (
	"flag"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rowhook/rules"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func anySite(string) bool { return true }

func salonWebhooks() []siteWebhooks {
	return []siteWebhooks{{"salon", []webhook{
		{1, "CRM bookings", "onAfterSaveReservation", "https://crm.example.com/hook", "pa$$ \"w\\ö\nrd'${X}", true, `{"type":"insert","statuses":["C","P"],"load":"full"}`},
		{2, "CRM bookings", "onStatusChangePackageorder", "https://crm.example.com/hook?a=$b&c=#", "", true, ""},
		{3, "Größe \u2028 \"x\"\n- name: evil # 😀", "onAfterDeleteCustomer", " http://[::1]:80/ ", "", true, "[]"},
		{4, "everything", "onAfterSaveReservation", "https://a.example.com", "s", true, `{"type":"both","statuses":"","load":"extended"}`},
		{5, "cart", "onAddItemCart", "https://a.example.com", "", true, "[]"},
		{6, "off", "onAfterSaveReservation", "https://a.example.com", "", false, `{"type":"update"}`},
		{7, "", "onAfterSaveCoupon", "https://a.example.com", "", true, "null"},
		{8, "no scheme", "onAfterSaveCoupon", "a.example.com", "", true, `{"type":"both"}`},
		{9, "null", "onAfterSaveCoupon", "http://a", "", true, `{`},
	}}}
}

func TestRuleFile(t *testing.T) {
	t.Parallel()
	two := append(salonWebhooks(), siteWebhooks{"-spa", []webhook{
		{1, "CRM bookings", "onAfterSaveReservation", "http://a", "", true, `{"type":"update","load":"basic"}`},
	}})
	none := []siteWebhooks{{"salon", []webhook{{5, "cart", "onDisplayCalendarRect", "http://a", "", true, "[]"}}}}
	for name, sites := range map[string][]siteWebhooks{"one-site": salonWebhooks(), "two-sites": two, "none-served": none, "empty": {{"salon", nil}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := ruleFile(sites)
			got := file.text
			if err != nil {
				t.Fatal(err)
			}
			path := "testdata/import-" + name + ".yaml"
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || string(got) != string(want) {
				t.Errorf("%v, got:\n%s", err, got)
			}
			if _, err := rules.Parse("import.yaml", got, anySite); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRuleFileReads proves that what was in the table is what the rules say.
func TestRuleFileReads(t *testing.T) {
	t.Parallel()
	file, err := ruleFile(salonWebhooks())
	if err != nil {
		t.Fatal(err)
	}
	read, err := rules.Parse("import.yaml", file.text, func(site string) bool { return site == "salon" })
	if err != nil {
		t.Fatal(err)
	}
	type rule struct {
		disabled                                             bool
		name, hook, kind, statuses, load, sites, url, secret string
		id                                                   int64
	}
	var got []rule
	for _, r := range read {
		got = append(got, rule{
			r.Disabled, r.Name, r.Action.Hook(), r.Type.String(), strings.Join(slices.Sorted(maps.Keys(r.Statuses)), ""), r.Load.String(),
			strings.Join(slices.Sorted(maps.Keys(r.Sites)), ""), r.Endpoint.URL, r.Endpoint.Secret, r.Endpoint.WebhookID,
		})
	}
	want := []rule{
		{false, "crm-bookings", "onAfterSaveReservation", "insert", "CP", "full", "salon", "https://crm.example.com/hook", "pa$$ \"w\\ö\nrd'${X}", 1},
		{false, "gr-e-x-name-evil", "onAfterDeleteCustomer", "both", "", "none", "salon", "http://[::1]/", "", 3},
		{false, "everything", "onAfterSaveReservation", "both", "", "extended", "salon", "https://a.example.com/", "s", 4},
		{false, "cart", "onAddItemCart", "both", "", "none", "salon", "https://a.example.com/", "", 5},
		{true, "off", "onAfterSaveReservation", "update", "", "basic", "salon", "https://a.example.com/", "", 6},
		{false, "webhook-7", "onAfterSaveCoupon", "both", "", "basic", "salon", "https://a.example.com/", "", 7},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestUncommented proves that a rule that stands as a comment is a rule again, with only its reason left to fix, once
// its marks are taken away.
func TestUncommented(t *testing.T) {
	t.Parallel()
	key := regexp.MustCompile(`^ *# +(- name|[a-z_]+): `)
	for _, all := range []bool{true, false} {
		hooks := []webhook{
			{1, "live", "onAfterSaveCoupon", "http://a", "", true, ""},
			{2, "much", "onAfterSaveCustomer", "http://a", "", true, `{"load":"extended"}`},
			{3, "live too", "onAfterSaveCoupon", "http://a", "", true, ""},
			{4, "more", "onAfterSaveCustomer", "http://a", "", true, `{"load":"extended"}`},
		}
		if !all {
			hooks = hooks[3:]
		}
		file, err := ruleFile([]siteWebhooks{{"salon", hooks}})
		if err != nil {
			t.Fatal(err)
		}
		var fixed strings.Builder
		for l := range strings.Lines(string(file.text)) {
			if key.MatchString(l) {
				l = strings.Replace(l, "# ", "", 1)
			}
			fixed.WriteString(strings.Replace(l, "load: extended", "load: full", 1))
		}
		read, err := rules.Parse("import.yaml", []byte(fixed.String()), anySite)
		if err != nil || len(read) != len(hooks) {
			t.Errorf("%d rules, %v, of:\n%s", len(read), err, fixed.String())
		}
	}
}

func TestParseParams(t *testing.T) {
	t.Parallel()
	both := params{Type: "both", Load: "basic"}
	for text, c := range map[string]struct {
		want     params
		readable bool
	}{
		"":     {both, true},
		"[]":   {both, true},
		"{}":   {both, true},
		"null": {both, true},
		" [] ": {both, true},
		`{"type":"insert","statuses":["C","P","C"],"load":"full"}`: {params{"insert", "full", []string{"C", "P"}}, true},
		`{"type":"","statuses":"","load":""}`:                      {both, true},
		`{"type":null,"statuses":null,"load":null}`:                {both, true},
		`{"statuses":{"0":"C","2":"A"}}`:                           {params{"both", "basic", []string{"A", "C"}}, true},
		`{"statuses":"C"}`:                                         {params{"both", "basic", []string{"C"}}, true},
		`{"statuses":["", "C"]}`:                                   {params{"both", "basic", []string{"C"}}, true},
		`{"Type":"insert","other":[{}]}`:                           {both, true},
		`{"statuses":[["C"]]}`:                                     {both, false},
		`{"statuses":[1]}`:                                         {both, false},
		`{"statuses":7}`:                                           {both, false},
		`{"type":7}`:                                               {both, false},
		`{"type":`:                                                 {both, false},
		`[1]`:                                                      {both, false},
		strings.Repeat("[", 50_000):                                {both, false},
		strings.Repeat(" ", maxParams) + "{}":                      {both, false},
		`{"statuses":["` + strings.Join(strings.Split(strings.Repeat("C", 200), ""), `","`) + `"]}`: {params{"both", "basic", []string{"C"}}, true},
	} {
		got, readable := parseParams(text)
		if !reflect.DeepEqual(got, c.want) || readable != c.readable {
			t.Errorf("%.60s: got %+v, %v", text, got, readable)
		}
	}
}

func FuzzRuleFile(f *testing.F) {
	for _, h := range salonWebhooks()[0].hooks {
		f.Add(h.ID, h.Name, h.Hook, h.URL, h.Secret, h.Params)
	}
	f.Add(int64(-1), "\x00\ufeff", "on\u0085", "http://\xff", "\u2029\x07", `{"statuses":{"a":"\u0000"}}`)
	f.Fuzz(func(t *testing.T, id int64, name, hook, url, secret, text string) {
		h := webhook{id, name, hook, url, secret, true, text}
		file, err := ruleFile([]siteWebhooks{{"salon", []webhook{h, {1, name, "onAfterSaveCoupon", "http://a", secret, true, ""}, h}}})
		if err != nil {
			t.Fatal(err)
		}
		read, err := rules.Parse("import.yaml", file.text, anySite)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, file.text)
		}
		if len(read) != 1 && len(read) != 3 {
			t.Fatalf("%d rules of 3 webhooks:\n%s", len(read), file.text)
		}
		if got, want := read[len(read)/2].Endpoint.Secret, strings.ToValidUTF8(secret, "\uFFFD"); got != want {
			t.Fatalf("secret %q, want %q", got, want)
		}
	})
}
