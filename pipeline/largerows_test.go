package pipeline

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"rowhook/dbtest"
	"rowhook/scratch"
)

// TestLargeRows has texts of more than a megabyte in rows that are logged whole and in parts: what is posted is the same
// whether they are kept in memory or in scratch files, and read from the tables whole or in pieces.
func TestLargeRows(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		for _, plugin := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s_plugin=%t", kind, plugin), func(t *testing.T) {
				t.Parallel()
				seed := dbtest.Seed(t)
				for _, image := range []string{"FULL", "MINIMAL"} {
					o := imageOptions{image: image, seed: seed, plugin: plugin, large: 1200 << 10}
					want := imageRun(t, kind, o)
					large := 0
					for _, line := range want {
						if strings.Contains(line, " bytes, ") {
							large++
						}
					}
					if large < 10 {
						t.Errorf("only %d of %d payloads are large", large, len(want))
					}
					var written atomic.Int64
					in := scratch.In(t.TempDir())
					o.scratch = func() (scratch.File, error) {
						f, err := in()
						return countedFile{f, &written}, err
					}
					compareRuns(t, fmt.Sprintf("seed %d, %s", seed, image), imageRun(t, kind, o), want)
					if mb := written.Load() >> 20; mb < int64(large) {
						t.Errorf("%d MB went through scratch files, for %d large payloads", mb, large)
					}
				}
			})
		}
	}
}

// countedFile counts what is written to it.
type countedFile struct {
	scratch.File
	written *atomic.Int64
}

func (f countedFile) WriteAt(p []byte, off int64) (int, error) {
	f.written.Add(int64(len(p)))
	return f.File.WriteAt(p, off)
}
