package rules

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSecretFiles: a rule file holds a secret when one is written in it, and not when it is somewhere else.
func TestSecretFiles(t *testing.T) {
	t.Setenv("KEY", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	t.Setenv("HOST", "https://crm.example.com")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(os.Getenv("KEY")), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"form.txt": "id={{.before.id}}&api_key=abc123&to=x", "plain.txt": "token={{.before.code}}&id={{.before.id}}&secret=&to=x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const key, address = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "url: https://crm.example.com/hooks/vik"
	for text, want := range map[string][]string{
		address:                                                         nil,
		address + ", secret: abc":                                       {"rules.yaml"},
		address + ", secret: '${KEY}'":                                  nil,
		address + ", secret: 'x${KEY}'":                                 {"rules.yaml"},
		address + ", signing_secret: " + key:                            {"rules.yaml"},
		address + ", signing_secret: ['${KEY}', " + key + "]":           {"rules.yaml"},
		address + ", signing_secret: ['${KEY}', '${file:key}']":         {"key"},
		address + ", template: {text: hello, n: 5}":                     nil,
		address + ", template: {token: '${KEY}', a: {x: '${HOST}'}}":    nil,
		address + ", template: {a: [{bot_token: 'abc'}]}":               {"rules.yaml"},
		address + ", template: {password: '= before.code'}":             nil,
		address + ", template: {a: '${file:key}'}":                      {"key"},
		address + ", template_file: form.txt":                           {"form.txt"},
		address + ", template_file: plain.txt":                          nil,
		address + ", enabled: false, secret: abc":                       {"rules.yaml"},
		"url: https://hooks.slack.com/services/T0000/B0000/aB3xQ9zLkPw": {"rules.yaml"},
		"url: '${HOST}/hook'":                                           nil,
		"url: 'https://a/?token=${KEY}'":                                nil,
		"url: 'https://a/?token=abc'":                                   {"rules.yaml"},
	} {
		path := filepath.Join(dir, "rules.yaml")
		if err := os.WriteFile(path, []byte("rules: [{name: a, action: coupon.delete, "+text+"}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := Read(path, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, file := range set.Secrets {
			got = append(got, filepath.Base(file))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
