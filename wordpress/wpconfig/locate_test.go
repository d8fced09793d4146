package wpconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLocate: whose wp-config.php it is, and where its WordPress stands.
func TestLocate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files           string // that are there, below the folder
		path            string
		root, file, why string // what is found, or why nothing is
	}{
		"in its folder":             {"html/wp-settings.php html/wp-config.php", "html", "html", "html/wp-config.php", ""},
		"above":                     {"html/wp-settings.php wp-config.php", "html", "html", "wp-config.php", ""},
		"above is another's":        {"wp-settings.php wp-config.php blog/wp-settings.php", "blog", "", "", "there is no wp-config.php"},
		"the file above":            {"html/wp-settings.php logs/x wp-config.php", "wp-config.php", "html", "wp-config.php", ""},
		"the file":                  {"html/wp-settings.php html/wp-config.php", "html/wp-config.php", "html", "html/wp-config.php", ""},
		"the file, another beside":  {"wp-settings.php wp-config.php blog/wp-settings.php", "wp-config.php", "", "wp-config.php", ""},
		"the file above, of two":    {"a/wp-settings.php b/wp-settings.php wp-config.php", "wp-config.php", "", "", "several"},
		"two, of which one has one": {"a/wp-settings.php b/wp-settings.php b/wp-config.php wp-config.php", "wp-config.php", "a", "wp-config.php", ""},
		"WordPress is elsewhere":    {"etc/wp-config.php", "etc/wp-config.php", "etc", "etc/wp-config.php", ""},
	} {
		dir := t.TempDir()
		for file := range strings.FieldsSeq(c.files) {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		root, file, err := locate(filepath.Join(dir, c.path))
		if c.why != "" {
			if err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s: %q, %q, %v", name, root, file, err)
			}
			continue
		}
		if err != nil || root != filepath.Join(dir, c.root) || file != filepath.Join(dir, c.file) {
			t.Errorf("%s: %q, %q, %v", name, root, file, err)
		}
	}
}
