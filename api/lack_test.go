package api

import (
	"os"
	"path/filepath"
	"testing"

	"rowhook/rules"
	"rowhook/wordpress/relay"
)

// TestLacks: what the relay is lacking on is said for each site, until it is there; of a folder that cannot be read nothing is.
func TestLacks(t *testing.T) {
	t.Parallel()
	sites := []*rules.Site{{Name: "salon", Root: t.TempDir()}, {Name: "spa", Root: t.TempDir()}, {Name: "closed", Root: t.TempDir()}, {Name: "far"}}
	if err := os.MkdirAll(relay.Path(sites[2].Root), 0o755); err != nil { // not a file
		t.Fatal(err)
	}
	list, err := rules.Parse("rules.yaml", []byte("rules: [{name: carts, action: vikappointments_add_item_cart, url: 'http://crm.example/'}]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	d := New()
	d.LookAgain() // there are no rules yet
	d.Lacks(func() []Lack { return LacksOf(list[0], sites) })
	of := func() (names []string) {
		s, err := d.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range s.Lacks {
			names = append(names, l.Site)
		}
		return names
	}
	if got := of(); len(got) != 2 || got[0] != "salon" || got[1] != "spa" {
		t.Fatalf("it is lacking on %v", got)
	}
	path := relay.Path(sites[0].Root)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "<?php // another one"} { // the beginning of a command that failed, say
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d.LookAgain()
		if got := of(); len(got) != 2 {
			t.Errorf("with another file it is lacking on %v", got)
		}
	}
	text, err := relay.File([]string{list[0].Action.Entity.Only.Value})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.LookAgain()
	if got := of(); len(got) != 1 || got[0] != "spa" {
		t.Errorf("when it was installed, it is lacking on %v", got)
	}
}
