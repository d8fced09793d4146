package pipeline

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// TestLargeRows has texts of more than a megabyte, which no image carries, in rows that are logged whole and in parts: what
// is posted is the same, whole where it may be as large, and else without its largest values.
func TestLargeRows(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		for _, plugin := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s_plugin=%t", kind, plugin), func(t *testing.T) {
				t.Parallel()
				seed := dbtest.Seed(t)
				for _, most := range []int{0, 2 << 20} {
					o := imageOptions{image: "FULL", seed: seed, plugin: plugin, most: most, large: 1200 << 10}
					want := imageRun(t, kind, o)
					checkLarge(t, want, most)
					o.image = "MINIMAL"
					compareRuns(t, fmt.Sprintf("seed %d, at most %d", seed, most), imageRun(t, kind, o), want)
				}
			})
		}
	}
}

var shownSize = regexp.MustCompile(`\.\.\. (\d+) bytes, `)

// checkLarge looks whether enough payloads are large, or leave something out, and none is too large.
func checkLarge(t *testing.T, deliveries []string, most int) {
	t.Helper()
	large, lacking := 0, 0
	for _, line := range deliveries {
		if strings.Contains(line, " without ") {
			lacking++
		}
		if m := shownSize.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[1])
			large++
			if most > 0 && n > most {
				t.Errorf("a payload of %d bytes, at most %d are allowed", n, most)
			}
		}
	}
	if large < 10 || (lacking > 0) != (most > 0) {
		t.Errorf("of %d payloads of at most %d bytes %d are large, and %d lack something", len(deliveries), most, large, lacking)
	}
}
