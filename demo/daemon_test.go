package main

import (
	"path/filepath"
	"testing"

	"rowhook/config"
	"rowhook/rules"
)

func TestSettingsMakeAValidConfiguration(t *testing.T) {
	t.Parallel()
	s := settings{dir: t.TempDir(), dbAddress: "127.0.0.1:33306", dbPassword: "secret", signingKey: randomKey(), url: "http://127.0.0.1:8080/hooks"}
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(filepath.Join(s.dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Database.Address != s.dbAddress || c.Database.Password != "secret" || len(c.Sites) != 1 || c.Sites[0].Schema != schema {
		t.Errorf("configuration: %+v", c)
	}
	set, err := rules.Read(c.Rules, c.HasSite)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Rules) != 7 {
		t.Errorf("%d rules, want 7", len(set.Rules))
	}
	for _, r := range set.Rules {
		if r.Endpoint.URL != s.url {
			t.Errorf("rule %s posts to %s, want %s", r.Name, r.Endpoint.URL, s.url)
		}
	}
}
