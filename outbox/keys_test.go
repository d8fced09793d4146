package outbox

import (
	"slices"
	"testing"
)

// FuzzKeys: whatever the keys hold, they come back, and one of them is found by the text List searches for.
func FuzzKeys(f *testing.F) {
	f.Add("salon/reservation/12", "b")
	f.Add("line\nbreak", `back\slash`)
	f.Add(`\n`, "\\\n\\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		if a == "" || b == "" {
			return
		}
		for _, keys := range [][]string{{a}, {a, b}} {
			if got := SplitKeys(JoinKeys(keys)); !slices.Equal(got, keys) {
				t.Errorf("%q came back as %q", keys, got)
			}
		}
	})
}
