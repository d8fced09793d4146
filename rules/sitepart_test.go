package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestCutSites: each table that rules name is a part of its site, once, whatever names it, also one of the plugin's; those that are
// there stay.
func TestCutSites(t *testing.T) {
	t.Parallel()
	set := func(text string) *Set {
		t.Helper()
		all, err := Parse("rules.yaml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return &Set{Rules: all}
	}
	const first = `rules:
- {name: a, action: custom, table: posts, url: "http://127.0.0.1"}
- {name: b, action: custom, table: posts, key: [other], url: "http://127.0.0.1"}
- {name: c, action: custom, table: "my/notes %", sites: [salon], url: "http://127.0.0.1"}
- {name: d, action: onAfterSaveOption, url: "http://127.0.0.1"}
- {name: e, action: custom, table: vikappointments_option, url: "http://127.0.0.1"}
- {name: f, action: custom, table: vikappointments_reservation, url: "http://127.0.0.1"}
- {name: g, action: custom, table: vikappointments_res_opt_assoc, url: "http://127.0.0.1"}
- {name: h, action: custom, table: vikappointments_order_status, url: "http://127.0.0.1"}
- {name: i, action: custom, table: off, enabled: false, url: "http://127.0.0.1"}
- {name: j, action: vikappointments_any_hook, relay: {allow_unknown: true}, url: "http://127.0.0.1"}
- {name: k, action: coupon.save, url: "http://127.0.0.1"}
- {name: l, action: onAfterPublishService, url: "http://127.0.0.1"}
`
	sites := []*Site{{Name: "salon", Schema: "a", Prefix: "wp_"}, {Name: "spa", Schema: "b", Prefix: "wp_"}}
	parts := CutSites(sites, set(first), nil)
	ids := func(parts []*Site) (ids []string) {
		for _, p := range parts {
			ids = append(ids, p.ID())
		}
		return ids
	}
	want := []string{
		"salon", "salon+my%2Fnotes%20%25", "salon+posts", "salon+rowhook_relay", "salon+vikappointments_option", "salon+vikappointments_order_status",
		"salon+vikappointments_res_opt_assoc", "salon+vikappointments_reservation",
		"spa", "spa+posts", "spa+rowhook_relay", "spa+vikappointments_option", "spa+vikappointments_order_status",
		"spa+vikappointments_res_opt_assoc", "spa+vikappointments_reservation",
	}
	if got := ids(parts); !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for _, p := range parts {
		if SiteOf(p.ID()) != p.Name {
			t.Errorf("%s is of %s", p.ID(), SiteOf(p.ID()))
		}
		tables := fmt.Sprint(set(first).Tables(p))
		if named := p.Named(); named != "" && tables != fmt.Sprintf("[%s.wp_%s]", p.Schema, named) ||
			named == "" && (!strings.Contains(tables, "reservation") || strings.Contains(tables, "posts")) {
			t.Errorf("%s has %s", p.ID(), tables)
		}
	}
	again := CutSites(sites, set(`rules: [{name: a, action: custom, table: new, url: "http://127.0.0.1"}]`), parts)
	if got := ids(again); len(got) != len(want)+2 || !slices.Contains(got, "spa+new") {
		t.Errorf("got %q", got)
	}
	for _, p := range parts {
		if !slices.Contains(again, p) {
			t.Errorf("%s is another", p.ID())
		}
	}
}
