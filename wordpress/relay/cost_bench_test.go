//go:build bench

package relay

import (
	"encoding/json"
	"os"
	"testing"

	"rowhook/dbtest"
)

// What a call may cost at the median: by what wpdb takes to insert a row of the same bytes, and where no rule asks for the hook.
const (
	mostByInsert = 2
	mostUnasked  = 0.05
)

// TestCost calls a hook in a page, with a cart of ten items and with arguments at their largest; by turns with a hook that nobody asks
// for, and with an INSERT of the same bytes.
func TestCost(t *testing.T) {
	code, err := os.ReadFile("testdata/cost.php")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range dbtest.Servers(t) {
		s := newSite(t, kind, "with")
		s.Write(t, "wp-content/themes/plain/index.php", string(code))
		status, body := s.Get(t, s.url)
		var took map[string]struct {
			Bytes                  int
			Insert, Unasked, Asked float64 // milliseconds
		}
		if err := json.Unmarshal([]byte(body), &took); err != nil || len(took) != 2 {
			t.Fatalf("%s: status %d, %v, the page is %.1000s", kind, status, err, body)
		}
		for what, ms := range took {
			t.Logf("%s: %s, %d bytes: %.3f ms, %.2f times a bare INSERT; %.4f ms where nobody asks", kind, what, ms.Bytes, ms.Asked, ms.Asked/ms.Insert, ms.Unasked)
			if ms.Asked > mostByInsert*ms.Insert {
				t.Errorf("%s: %s: a call takes %.2f times an INSERT, at most %d is the aim", kind, what, ms.Asked/ms.Insert, mostByInsert)
			}
			if ms.Unasked > mostUnasked*ms.Insert {
				t.Errorf("%s: %s: a call that nobody asks for takes %.4f ms", kind, what, ms.Unasked)
			}
		}
	}
}
