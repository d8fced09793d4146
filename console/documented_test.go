package console

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocumentedMetrics: the table in docs/monitoring.md has the metrics that there are, and the alerts and the
// dashboard use no other.
func TestDocumentedMetrics(t *testing.T) {
	t.Parallel()
	p := well()
	d := following(p)
	d.Holds(p, peers{})
	_, registry, _ := serveDaemon(t, d)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var exposed []string
	for _, f := range families {
		exposed = append(exposed, f.GetName())
	}
	slices.Sort(exposed)
	if documented := names(t, "../docs/monitoring.md", `(?m)^\| .(rowhook_[a-z_]+)`); !slices.Equal(documented, exposed) {
		t.Errorf("documented are %q\nand there are %q", documented, exposed)
	}
	for _, file := range []string{"../packaging/alerts.yml", "../packaging/grafana.json"} {
		for _, name := range names(t, file, `(rowhook_[a-z_]+)`) {
			if !slices.Contains(exposed, strings.TrimSuffix(name, "_bucket")) {
				t.Errorf("%s asks for %s, which there is not", file, name)
			}
		}
	}
}

// names are what a pattern's group finds in a file, sorted and each once.
func names(t *testing.T, file, pattern string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
		found = append(found, string(m[1]))
	}
	slices.Sort(found)
	return slices.Compact(found)
}
